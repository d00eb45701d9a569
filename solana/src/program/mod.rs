//! The programs that swaps go through, a file each: their ids, and how their instructions are written and read.

pub mod associated_token;
pub mod compute_budget;
pub mod jupiter;
pub mod memo;
pub mod raydium;
pub mod system;
pub mod token;

/// Which of the two amounts of a swap is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// What is paid; at least a limit is received.
    ExactIn,
    /// What is received; at most a limit is paid.
    ExactOut,
}

#[cfg(test)]
mod tests;

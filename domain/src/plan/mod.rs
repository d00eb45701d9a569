//! Plans: an amount swapped in slices, one every so many seconds, each an order of its own.
//!
//! `state` has the types, `table` the lifecycle, `decide` the decisions.

mod decide;
mod state;
mod table;

pub use decide::{
    Choice, LONGEST_PAUSE_SECONDS, MOST_SLICES, Make, QUEUE_SLICE, cancel, client_order_scope, create, skip, slice,
};
pub use state::{Plan, Refused, Status};
pub use table::{Happening, next};

#[cfg(test)]
mod tests;

//! A bank that really executes: LiteSVM with the real SPL Token program, and the pool programs as builtins.
//!
//! Fees, rents and errors are as the programs and the runtime of Solana give them: what `simnet::bank::Plain` says is held
//! to this bank by the tests.

mod bank;
mod pools;

pub use bank::Bank;

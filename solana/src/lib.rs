//! Solana's transactions and the instructions that swaps are made of, as bytes. Nothing here asks a chain.

pub mod transaction;

pub mod program;

mod instruction;

pub use instruction::{Instruction, Meta};
pub use solana_address::Address;
pub use solana_instruction_error::InstructionError;
pub use solana_transaction_error::TransactionError;
pub use transaction::{Malformed, Transaction};

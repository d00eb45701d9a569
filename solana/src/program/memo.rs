//! The Memo program: text that a transaction carries.

use crate::{Address, Instruction};

/// The program.
pub const ID: Address = Address::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// Writes a text into the transaction; nobody else signs it.
#[must_use]
pub fn note(text: &str) -> Instruction {
    Instruction { program: ID, accounts: Vec::new(), data: text.as_bytes().to_vec() }
}

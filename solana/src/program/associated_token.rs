//! The Associated Token Account program: where a wallet keeps a token unless it says otherwise.

use super::{system, token};
use crate::{Address, Instruction, Meta};

/// The program.
pub const ID: Address = Address::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// What is to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Create {
    /// Who pays the rent.
    pub payer: Address,
    /// The account.
    pub account: Address,
    /// Whose it is.
    pub owner: Address,
    /// Of which token.
    pub mint: Address,
    /// Whose program keeps it.
    pub token_program: Address,
    /// Whether it may be there already.
    pub idempotent: bool,
}

/// The address of the owner's account for the mint.
#[must_use]
pub fn address(owner: &Address, mint: &Address, token_program: &Address) -> Address {
    Address::find_program_address(&[owner.as_ref(), token_program.as_ref(), mint.as_ref()], &ID).0
}

/// Creates the account of a wallet unless it is there.
#[must_use]
pub fn create_idempotent(payer: Address, owner: Address, mint: Address, token_program: Address) -> Instruction {
    let account = address(&owner, &mint, &token_program);
    let accounts = vec![
        Meta::payer(payer),
        Meta::writable(account),
        Meta::readonly(owner),
        Meta::readonly(mint),
        Meta::readonly(system::ID),
        Meta::readonly(token_program),
    ];
    Instruction { program: ID, accounts, data: vec![1] }
}

/// Reads a creation, idempotent or not.
#[must_use]
pub fn read(instruction: &Instruction) -> Option<Create> {
    let idempotent = match instruction.data[..] {
        [] | [0] => false,
        [1] => true,
        _ => return None,
    };
    let key = |place| instruction.key(place).filter(|_| instruction.program == ID);
    let token_program = key(5)?;
    let known = token_program == token::ID || token_program == token::ID_2022;
    let create = Create { payer: key(0)?, account: key(1)?, owner: key(2)?, mint: key(3)?, token_program, idempotent };
    known.then_some(create)
}

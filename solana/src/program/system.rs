//! The System program: lamports and new accounts.

use crate::instruction::{u32_at, u64_at};
use crate::{Address, Instruction, Meta};

/// The program, which also owns every wallet.
pub const ID: Address = Address::from_str_const("11111111111111111111111111111111");

const TRANSFER: u32 = 2;

/// Lamports from a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays and signs.
    pub from: Address,
    /// Who receives.
    pub to: Address,
    /// How many.
    pub lamports: u64,
}

/// Moves lamports.
#[must_use]
pub fn transfer(Transfer { from, to, lamports }: Transfer) -> Instruction {
    let mut data = TRANSFER.to_le_bytes().to_vec();
    data.extend(lamports.to_le_bytes());
    Instruction { program: ID, accounts: vec![Meta::payer(from), Meta::writable(to)], data }
}

/// Reads a transfer; anything else of the program is none.
#[must_use]
pub fn read(instruction: &Instruction) -> Option<Transfer> {
    let of_form = instruction.program == ID && u32_at(&instruction.data, 0) == Some(TRANSFER);
    let lamports = u64_at(&instruction.data, 4).filter(|_| of_form && instruction.data.len() == 12)?;
    Some(Transfer { from: instruction.key(0)?, to: instruction.key(1)?, lamports })
}

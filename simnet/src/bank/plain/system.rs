//! Lamports between wallets.

use solana::program::system::{self, Transfer};
use solana::{Address, Instruction, InstructionError};

use super::super::Account;
use super::work::Work;

/// The source has too few lamports, in the System program's numbers.
const TOO_FEW_LAMPORTS: u32 = 1;

/// The one instruction of the System program that there is here.
pub(super) fn transfer(work: &mut Work<'_>, instruction: &Instruction) -> Result<(), InstructionError> {
    let unreadable = || match instruction.accounts.len() {
        0 | 1 => InstructionError::MissingAccount,
        _ => InstructionError::InvalidInstructionData,
    };
    let Transfer { from, to, lamports } = system::read(instruction).ok_or_else(unreadable)?;
    if !instruction.signs(0) {
        return Err(InstructionError::MissingRequiredSignature);
    }
    moved(work, from, to, lamports)
}

/// Moves lamports out of a wallet that has signed.
pub(super) fn moved(work: &mut Work<'_>, from: Address, to: Address, lamports: u64) -> Result<(), InstructionError> {
    let source = work.get(&from).cloned().unwrap_or_else(empty);
    if !source.data.is_empty() {
        return Err(InstructionError::InvalidArgument);
    }
    let left = source.lamports.checked_sub(lamports).ok_or(InstructionError::Custom(TOO_FEW_LAMPORTS))?;
    if lamports > 0 && source.owner != system::ID {
        return Err(InstructionError::ExternalAccountLamportSpend);
    }
    if !work.is_writable(&from) || !work.is_writable(&to) {
        return Err(InstructionError::ReadonlyLamportChange);
    }
    work.change(from, Account { lamports: left, ..source })?;
    let destination = work.get(&to).cloned().unwrap_or_else(empty);
    let lamports = destination.lamports.checked_add(lamports).ok_or(InstructionError::ArithmeticOverflow)?;
    work.change(to, Account { lamports, ..destination })
}

/// What an address has before anybody paid into it.
pub(super) const fn empty() -> Account {
    Account { lamports: 0, owner: system::ID, data: Vec::new() }
}

//! What a transaction costs its payer, whether it succeeds or not.

use solana::program::compute_budget::Budget;
use solana::program::{compute_budget, system};
use solana::{Instruction, InstructionError, Transaction, TransactionError};

use super::super::Account;
use super::rent;

/// Lamports for each signature.
const SIGNATURE: u64 = 5_000;

/// Units that an instruction of a program which is built in counts for while no limit is set.
const BUILTIN_UNITS: u32 = 3_000;

/// The fee of a transaction: for its signatures, and for the units that it offers a price for.
pub(super) fn of(transaction: &Transaction, instructions: &[Instruction]) -> Result<u64, TransactionError> {
    let (mut limit, mut price, mut default) = (None, None, 0_u32);
    for (place, instruction) in instructions.iter().enumerate() {
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        let built_in = [system::ID, compute_budget::ID].contains(&instruction.program);
        default += if built_in { BUILTIN_UNITS } else { compute_budget::UNITS_PER_INSTRUCTION };
        if instruction.program != compute_budget::ID {
            continue;
        }
        let malformed = TransactionError::InstructionError(place, InstructionError::InvalidInstructionData);
        let twice = match compute_budget::read(instruction).ok_or(malformed)? {
            Budget::Limit(units) => limit.replace(units).is_some(),
            Budget::Price(micro_lamports) => price.replace(micro_lamports).is_some(),
        };
        if twice {
            return Err(TransactionError::DuplicateInstruction(place));
        }
    }
    let limit = limit.unwrap_or(default).min(compute_budget::UNITS_LIMIT);
    let signatures = u64::try_from(transaction.signatures().len()).unwrap_or(u64::MAX);
    let priority = compute_budget::priority_fee(limit, price.unwrap_or(0));
    Ok(signatures.saturating_mul(SIGNATURE).saturating_add(priority))
}

/// The payer after the fee.
pub(super) fn paid(payer: Option<&Account>, fee: u64) -> Result<Account, TransactionError> {
    let payer = payer.filter(|payer| payer.lamports > 0).ok_or(TransactionError::AccountNotFound)?;
    if payer.owner != system::ID || !payer.data.is_empty() {
        return Err(TransactionError::InvalidAccountForFee);
    }
    let lamports = payer.lamports.checked_sub(fee).ok_or(TransactionError::InsufficientFundsForFee)?;
    let paid = Account { lamports, ..payer.clone() };
    if rent::allows(Some(payer), Some(&paid)) {
        Ok(paid)
    } else {
        Err(TransactionError::InsufficientFundsForRent { account_index: 0 })
    }
}

//! The Compute Budget program: how much a transaction may compute, and what it offers for that.

use crate::instruction::{u32_at, u64_at};
use crate::{Address, Instruction};

/// The program.
pub const ID: Address = Address::from_str_const("ComputeBudget111111111111111111111111111111");

/// The most units of a transaction.
pub const UNITS_LIMIT: u32 = 1_400_000;

/// Units that every instruction of a program which is not built in counts for while no limit is set.
pub const UNITS_PER_INSTRUCTION: u32 = 200_000;

/// What the program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// The most units.
    Limit(u32),
    /// Millionths of a lamport for each unit of the limit.
    Price(u64),
}

/// Writes one instruction.
#[must_use]
pub fn set(budget: Budget) -> Instruction {
    let data = match budget {
        Budget::Limit(units) => [&[2][..], &units.to_le_bytes()].concat(),
        Budget::Price(micro_lamports) => [&[3][..], &micro_lamports.to_le_bytes()].concat(),
    };
    Instruction { program: ID, accounts: Vec::new(), data }
}

/// Reads one; the other instructions of the program are none.
#[must_use]
pub fn read(instruction: &Instruction) -> Option<Budget> {
    let data = &instruction.data;
    match data.first().filter(|_| instruction.program == ID)? {
        2 => u32_at(data, 1).filter(|_| data.len() == 5).map(Budget::Limit),
        3 => u64_at(data, 1).filter(|_| data.len() == 9).map(Budget::Price),
        _ => None,
    }
}

/// What the price comes to for all units of the limit, in lamports, rounded up.
#[must_use]
pub fn priority_fee(limit: u32, micro_lamports: u64) -> u64 {
    let millionths = u128::from(limit) * u128::from(micro_lamports);
    u64::try_from(millionths.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

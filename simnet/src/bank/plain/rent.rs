//! Rent: what an account has to keep to exist. None is ever taken; an account may only not be left below it.

use solana::{Transaction, TransactionError};

use super::super::Account;
use super::work::Work;

/// Lamports for a byte: two years at 3,480 a year.
const PER_BYTE: u64 = 6_960;

/// Bytes that every account counts for besides its data.
const OVERHEAD: u64 = 128;

/// The least that an account with so many bytes of data keeps.
pub(super) fn least(bytes: usize) -> u64 {
    (OVERHEAD + u64::try_from(bytes).unwrap_or(u64::MAX / PER_BYTE / 2)) * PER_BYTE
}

/// Whether an account may become so: empty, or with enough, or as far below as it was and no richer.
pub(super) fn allows(before: Option<&Account>, after: Option<&Account>) -> bool {
    let paying = |account: Option<&Account>| {
        let account = account.filter(|account| account.lamports > 0)?;
        let bytes = account.data.len();
        (account.lamports < least(bytes)).then_some((account.lamports, bytes))
    };
    match (paying(before), paying(after)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((lamports_before, bytes_before)), Some((lamports, bytes))) => {
            bytes == bytes_before && lamports <= lamports_before
        }
    }
}

/// Judges every account that the transaction may change.
pub(super) fn check(work: &Work<'_>, transaction: &Transaction) -> Result<(), TransactionError> {
    for (place, key) in transaction.keys().iter().enumerate() {
        if transaction.is_writable(place) && !allows(work.before(key), work.get(key)) {
            let account_index = u8::try_from(place).unwrap_or(u8::MAX);
            return Err(TransactionError::InsufficientFundsForRent { account_index });
        }
    }
    Ok(())
}

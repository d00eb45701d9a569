//! Names of queues, and the ids made of them.

use uuid::Uuid;

use super::Refusal;
use crate::Owner;

/// The space of ids of queues; never to be changed.
const IDS: Uuid = Uuid::from_u128(0x5f0a_7f6c_2c1d_5b0e_9d0b_6a64_31f7_4a11);
/// What the name of a FIFO queue ends with.
const FIFO: &str = ".fifo";
/// The longest name.
const LONGEST: usize = 80;

/// Whether a queue of that name keeps an order.
#[must_use]
pub fn is_fifo(name: &str) -> bool {
    name.ends_with(FIFO)
}

/// The id of an account's queue of that name, whether it exists or not.
#[must_use]
pub fn id_of(account: &Owner, name: &str) -> String {
    Uuid::new_v5(&IDS, format!("{account}/{name}").as_bytes()).to_string()
}

/// Whether a queue may have that name.
///
/// # Errors
/// `InvalidParameterValue` in AWS's words.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let stem = name.strip_suffix(FIFO).unwrap_or(name);
    if stem.is_empty() || name.len() > LONGEST || !stem.bytes().all(plain) {
        let why = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(Refusal::InvalidParameterValue(why.to_owned()));
    }
    Ok(())
}

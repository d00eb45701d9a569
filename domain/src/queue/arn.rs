//! Accounts as twelve digits, and the names of queues that hold them.

use sha2::{Digest, Sha256};

use crate::Owner;

/// The region that our names say.
pub const REGION: &str = "us-east-1";
/// The digits of the account of callers who name none: those of the examples in AWS's documents, and of moto.
pub const DEFAULT_DIGITS: &str = "123456789012";

/// The twelve digits of an account: its own if it is named by twelve digits, else some made of its name. Two accounts may
/// have the same: digits never say which account is meant, only whether it is the caller's.
#[must_use]
pub fn digits(account: &Owner) -> String {
    let name = account.as_str();
    if *account == Owner::default() {
        return DEFAULT_DIGITS.to_owned();
    }
    if name.len() == DEFAULT_DIGITS.len() && name.bytes().all(|b| b.is_ascii_digit()) {
        return name.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let number = digest[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:012}", number % 1_000_000_000_000)
}

/// `arn:aws:sqs:us-east-1:<digits>:<name>`.
#[must_use]
pub fn of(account: &Owner, name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{}:{name}", digits(account))
}

/// The name of the account's queue that `arn` means; none when it is no name of a queue, or another account's. Any region
/// will do: there is one.
#[must_use]
pub fn name_of<'a>(account: &Owner, arn: &'a str) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':');
    let head = [parts.next()?, parts.next()?, parts.next()?];
    let (_region, of, name) = (parts.next()?, parts.next()?, parts.next()?);
    (head == ["arn", "aws", "sqs"] && of == digits(account) && !name.is_empty()).then_some(name)
}

//! The life of a key: one table, and nothing moves without it.

use super::Status;
use super::Status::{Active, Revoked};

/// What can happen to a key. That its time ran out changes nothing in it: whoever looks compares the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// It was withdrawn.
    Revoke,
}

/// The state after `happening`, or none where it cannot happen.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    match (status, happening) {
        (Active,  Happening::Revoke) => Some(Revoked),
        (Revoked, _)                 => None, // for ever: what leaked once is not trusted again
    }
}

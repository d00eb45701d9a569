//! The lifecycle of an endpoint: one table, and nothing moves without it.

use super::Status;
use super::Status::{Active, Deleted, Disabled};

/// What can happen to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// Its settings or secrets change.
    Edit,
    /// It is to get events again.
    Enable,
    /// It is to get none.
    Disable,
    /// It is to be gone.
    Delete,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 4] = [Self::Edit, Self::Enable, Self::Disable, Self::Delete];
}

/// The state after `happening`, or none where it cannot happen. Nothing follows a deletion.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    use Happening::{Delete, Disable, Edit, Enable};
    match (status, happening) {
        (Active,            Edit)    => Some(Active),
        (Disabled,          Edit)    => Some(Disabled), // so that a wrong address can be mended before it is enabled
        (Active,            Disable) => Some(Disabled),
        (Disabled,          Enable)  => Some(Active),
        (Active | Disabled, Delete)  => Some(Deleted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_deletion_and_edits_move_nothing() {
        for happening in Happening::ALL {
            assert_eq!(next(Deleted, happening), None, "{happening:?}");
        }
        for status in [Active, Disabled] {
            assert_eq!(next(status, Happening::Edit), Some(status));
            assert_eq!(next(status, Happening::Delete), Some(Deleted));
        }
        assert_eq!((next(Active, Happening::Enable), next(Disabled, Happening::Disable)), (None, None));
    }
}

//! The lifecycle of a plan.

use super::Status;
use super::Status::{Active, Cancelled, Completed};

/// What can happen to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// A slice had its turn, and another follows.
    Slice,
    /// The last slice had its turn.
    Complete,
    /// The owner wants no more of it.
    Cancel,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 3] = [Self::Slice, Self::Complete, Self::Cancel];
}

/// The state after `happening`, or none where it cannot happen. Final states absorb.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    use Happening::{Cancel, Complete, Slice};
    match (status, happening) {
        (Active, Slice)    => Some(Active),
        (Active, Complete) => Some(Completed),
        (Active, Cancel)   => Some(Cancelled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_absorb_and_each_is_reached() {
        for status in Status::ALL {
            for happening in Happening::ALL {
                assert_eq!(next(status, happening).is_none(), status.is_final(), "{status:?} {happening:?}");
            }
            let reached = Happening::ALL.into_iter().any(|happening| next(Active, happening) == Some(status));
            assert!(reached, "{status:?}");
        }
    }
}

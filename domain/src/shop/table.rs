//! The lifecycle of a shop order: one table, and nothing moves without it.

use super::Status;
use super::Status::{Cancelled, Completed, Pending, Processing};

/// What can happen to a shop order. That it is deleted, which is possible in every state, is no part of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// Its content changed.
    Amend,
    /// The shop began with it.
    Process,
    /// The customer has what was ordered.
    Complete,
    /// Nothing will come of it.
    Cancel,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 4] = [Self::Amend, Self::Process, Self::Complete, Self::Cancel];

    /// What leads to a state; nothing leads back to the first.
    #[must_use]
    pub const fn towards(status: Status) -> Option<Self> {
        match status {
            Pending => None,
            Processing => Some(Self::Process),
            Completed => Some(Self::Complete),
            Cancelled => Some(Self::Cancel),
        }
    }
}

/// The state after `happening`, or none where it cannot happen. Completed and cancelled orders absorb: nothing follows.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    use Happening::{Amend, Cancel, Complete, Process};
    match (status, happening) {
        (Pending,    Amend)    => Some(Pending), // what is being packed stays as it was ordered
        (Pending,    Process)  => Some(Processing),
        (Pending,    Complete) => Some(Completed), // what needs no work, such as a download
        (Processing, Complete) => Some(Completed),
        (Pending,    Cancel)   => Some(Cancelled),
        (Processing, Cancel)   => Some(Cancelled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_state_is_left_except_the_last_ones_and_reached_except_the_first() {
        for status in Status::ALL {
            let left = Happening::ALL.into_iter().any(|h| next(status, h).is_some_and(|after| after != status));
            assert_eq!(left, !status.is_final(), "{status:?}");
            let reached = Status::ALL
                .into_iter()
                .any(|from| from != status && Happening::ALL.into_iter().any(|h| next(from, h) == Some(status)));
            assert_eq!(reached, status != Pending, "{status:?}");
        }
    }

    #[test]
    fn what_leads_to_a_state_leads_there() {
        for status in Status::ALL {
            let leads = |happening| Status::ALL.into_iter().filter_map(move |from| next(from, happening));
            assert!(Happening::towards(status).is_none_or(|h| leads(h).all(|after| after == status)), "{status:?}");
        }
    }

    proptest! {
        #[test]
        fn final_states_absorb(happenings in prop::collection::vec(0..Happening::ALL.len(), 1..64)) {
            let mut status = Pending;
            for happening in happenings.into_iter().map(|index| Happening::ALL[index]) {
                let after = next(status, happening);
                prop_assert!(!status.is_final() || after.is_none(), "{:?} after {:?}", happening, status);
                status = after.unwrap_or(status);
            }
        }
    }
}

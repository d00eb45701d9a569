//! The lifecycle of a bid: one table, and nothing moves without it.

use super::Status;
use super::Status::{Accepted, Countered, Declined, Expired, Offered, Retracted};

/// What can happen to a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// The side that has to answer names another price.
    Counter,
    /// The side that has to answer takes the price.
    Accept,
    /// The seller wants none of it, or the buyer not the seller's price.
    Decline,
    /// The buyer takes it back.
    Retract,
    /// Its time ran out.
    Expire,
    /// The deal was sold to another or withdrawn.
    Close,
    /// The seller released the deal that it had reserved.
    Release,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 7] =
        [Self::Counter, Self::Accept, Self::Decline, Self::Retract, Self::Expire, Self::Close, Self::Release];

    /// The word for it in refusals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Retract => "retract",
            Self::Expire => "expire",
            Self::Close => "close",
            Self::Release => "release",
        }
    }
}

/// The state after `happening`, or none where it cannot happen. Final states absorb: nothing follows them.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    use Happening::{Accept, Close, Counter, Decline, Expire, Release, Retract};
    match (status, happening) {
        (Offered,             Counter) => Some(Countered), // by the seller
        (Countered,           Counter) => Some(Offered),   // by the buyer
        (Offered | Countered, Accept)  => Some(Accepted),
        (Offered | Countered, Decline) => Some(Declined),
        (Offered | Countered, Retract) => Some(Retracted),
        (Offered | Countered, Expire)  => Some(Expired),
        (Offered | Countered, Close)   => Some(Declined),
        (Accepted,            Release) => Some(Declined),  // never after the sale: a sold deal is not released
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_state_is_reached_except_through_nothing() {
        for wanted in Status::ALL {
            let reached =
                Status::ALL.into_iter().any(|s| Happening::ALL.into_iter().any(|h| next(s, h) == Some(wanted)));
            assert!(reached, "{wanted:?}");
        }
    }

    #[test]
    fn only_open_bids_are_answered() {
        for status in Status::ALL {
            for happening in Happening::ALL {
                let answered = next(status, happening).is_some() && happening != Happening::Release;
                assert_eq!(answered, status.is_open() && happening != Happening::Release, "{status:?} {happening:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn final_states_absorb_whatever_happens(happenings in prop::collection::vec(0..Happening::ALL.len(), 1..64)) {
            let mut status = Offered;
            for happening in happenings.into_iter().map(|index| Happening::ALL[index]) {
                let after = next(status, happening);
                prop_assert!(!(status.is_final() && after.is_some()), "{:?} after {:?}", happening, status);
                status = after.unwrap_or(status);
            }
        }
    }
}

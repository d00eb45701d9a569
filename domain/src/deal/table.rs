//! The lifecycle of a deal: one table, and nothing moves without it.

use super::Status;
use super::Status::{Available, Reserved, Sold, Withdrawn};

/// What can happen to a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// Its seller changed what it offers.
    Update,
    /// A bid for it was accepted.
    Reserve,
    /// The reservation came to nothing.
    Release,
    /// It was sold.
    Sell,
    /// Its seller took it off the list.
    Withdraw,
    /// Its seller put it on the list again.
    Relist,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 6] = [Self::Update, Self::Reserve, Self::Release, Self::Sell, Self::Withdraw, Self::Relist];

    /// The word for it in refusals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Sell => "sell",
            Self::Withdraw => "withdraw",
            Self::Relist => "relist",
        }
    }
}

/// The state after `happening`, or none where it cannot happen. A sold deal absorbs: nothing follows.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    use Happening::{Release, Relist, Reserve, Sell, Update, Withdraw};
    match (status, happening) {
        (Available, Update)   => Some(Available),
        (Withdrawn, Update)   => Some(Withdrawn), // what is reserved was agreed as it is
        (Available, Reserve)  => Some(Reserved),
        (Reserved,  Release)  => Some(Available),
        (Reserved,  Sell)     => Some(Sold),      // to the bid's buyer at the agreed price
        (Available, Sell)     => Some(Sold),      // without a bid, at the total price
        (Available, Withdraw) => Some(Withdrawn),
        (Withdrawn, Relist)   => Some(Available),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_state_is_left_except_the_last_and_reached_except_the_first() {
        for status in Status::ALL {
            let left = Happening::ALL.into_iter().any(|h| next(status, h).is_some_and(|after| after != status));
            assert_eq!(left, !status.is_final(), "{status:?}");
            let reached =
                Status::ALL.into_iter().any(|s| Happening::ALL.into_iter().any(|h| next(s, h) == Some(status)));
            assert!(reached, "{status:?}");
        }
    }

    #[test]
    fn what_is_reserved_stays_as_it_was_agreed() {
        for happening in [Happening::Update, Happening::Withdraw, Happening::Reserve] {
            assert_eq!(next(Reserved, happening), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_a_sold_deal_stays_sold(happenings in prop::collection::vec(0..Happening::ALL.len(), 1..64)) {
            let mut status = Available;
            let mut sold = false;
            for happening in happenings.into_iter().map(|index| Happening::ALL[index]) {
                let after = next(status, happening);
                prop_assert!(!(sold && after.is_some()), "{:?} after {:?}", happening, status);
                status = after.unwrap_or(status);
                sold |= status == Sold;
            }
        }
    }
}

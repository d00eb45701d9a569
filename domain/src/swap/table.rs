//! The lifecycle of a swap order: one table, and nothing moves without it.

use super::Status;
use super::Status::{Building, Cancelled, Confirmed, Expired, Failed, Open, Pending, Routing, Submitted};

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// A worker took it up.
    Begin,
    /// The venues answered and one was chosen.
    Route,
    /// The signed bytes are ready to be committed.
    Prepare,
    /// The bytes expired unexecuted at a finalised height, and new ones are ready.
    Rebuild,
    /// The venue says it traded.
    Confirm,
    /// An attempt failed and another follows.
    Retry,
    /// It has a limit and did not trade at it: it waits for its price again.
    Rest,
    /// Given up.
    Fail,
    /// The owner withdrew it.
    Cancel,
    /// Its time ran out.
    Expire,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 10] = [
        Self::Begin,
        Self::Route,
        Self::Prepare,
        Self::Rebuild,
        Self::Confirm,
        Self::Retry,
        Self::Rest,
        Self::Fail,
        Self::Cancel,
        Self::Expire,
    ];
}

/// The state after `happening`, or none where it cannot happen. Final states absorb: nothing follows them.
#[must_use]
#[rustfmt::skip]
pub const fn next(status: Status, happening: Happening) -> Option<Status> {
    use Happening::{Begin, Cancel, Confirm, Expire, Fail, Prepare, Rebuild, Rest, Retry, Route};
    match (status, happening) {
        (Pending | Open,                      Begin)   => Some(Routing),
        (Routing,                             Route)   => Some(Building),
        (Building,                            Route)   => Some(Building),  // the first quote grew stale
        (Building,                            Prepare) => Some(Submitted), // from here on it may have traded
        (Submitted,                           Rebuild) => Some(Submitted), // only after a finalised expiry
        (Submitted,                           Confirm) => Some(Confirmed),
        (Routing,                             Retry)   => Some(Routing),   // the status never goes back
        (Building,                            Retry)   => Some(Building),
        (Routing | Building,                  Rest)    => Some(Open),      // but that of an order that rests
        (Submitted,                           Rest)    => Some(Open),      // only on the venue's word
        (Pending | Open | Routing | Building, Fail)    => Some(Failed),
        (Submitted,                           Fail)    => Some(Failed),    // only on the venue's word
        (Pending | Open | Routing,            Cancel)  => Some(Cancelled),
        (Pending | Open | Routing | Building, Expire)  => Some(Expired),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_absorb() {
        for status in Status::ALL.into_iter().filter(|s| s.is_final()) {
            for happening in Happening::ALL {
                assert_eq!(next(status, happening), None, "{status:?} {happening:?}");
            }
        }
    }

    #[test]
    fn the_status_never_goes_back_but_for_an_order_with_a_limit_which_rests_again() {
        let place = |status| Status::ALL.iter().position(|s| *s == status);
        for status in Status::ALL {
            for happening in Happening::ALL {
                if let Some(after) = next(status, happening) {
                    let back = place(after) < place(status);
                    assert_eq!(back, happening == Happening::Rest, "{status:?} {happening:?}");
                    assert_eq!(back, after == Open, "{status:?} {happening:?}");
                }
            }
        }
    }

    #[test]
    fn an_order_that_rests_is_taken_up_or_ended() {
        let after = |happening| next(Open, happening);
        assert_eq!(after(Happening::Begin), Some(Routing));
        assert_eq!(
            [Happening::Cancel, Happening::Expire, Happening::Fail].map(after),
            [Cancelled, Expired, Failed].map(Some)
        );
        for happening in [Happening::Rest, Happening::Route, Happening::Retry, Happening::Prepare, Happening::Confirm] {
            assert_eq!(after(happening), None, "{happening:?}");
        }
    }

    #[test]
    fn nothing_but_the_venue_ends_a_submitted_order() {
        for happening in [Happening::Cancel, Happening::Expire, Happening::Retry, Happening::Route, Happening::Begin] {
            assert_eq!(next(Submitted, happening), None);
        }
    }

    #[test]
    fn every_state_but_the_first_is_reached() {
        for wanted in Status::ALL.into_iter().filter(|s| *s != Pending) {
            let reached =
                Status::ALL.into_iter().any(|s| Happening::ALL.into_iter().any(|h| next(s, h) == Some(wanted)));
            assert!(reached, "{wanted:?}");
        }
    }
}

//! Who sees what: its own, what concerns it, and the deals of sellers that authorised it.

use std::sync::Arc;

use crate::{Event, Kind, Owner};

/// What one account may see, judged at the moment of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// Who looks.
    pub account: Owner,
    /// The sellers that authorised it, sorted.
    pub sellers: Arc<[Owner]>,
}

impl Audience {
    /// Whether it may see something of `kind` that is `owner`'s and concerns `party`.
    #[must_use]
    pub fn sees(&self, kind: Kind, owner: &Owner, party: Option<&Owner>) -> bool {
        *owner == self.account
            || party == Some(&self.account)
            || (kind == Kind::Deal && self.sellers.binary_search(owner).is_ok())
    }

    /// Whether it may see an event.
    #[must_use]
    pub fn sees_event(&self, event: &Event) -> bool {
        self.sees(event.kind, &event.owner, event.party.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deals_are_seen_by_those_whom_their_seller_authorised_and_nothing_else_is() {
        let owner = |name| Owner::parse(name).unwrap();
        let (me, seller, other) = (owner("me"), owner("seller"), owner("other"));
        let audience = Audience { account: me.clone(), sellers: [seller.clone()].into() };
        for (kind, whose, party, seen) in [
            (Kind::Swap, &me, None, true),
            (Kind::Deal, &seller, None, true),
            (Kind::Deal, &other, None, false),
            (Kind::Swap, &seller, None, false),
            (Kind::Bid, &seller, None, false),
            (Kind::Bid, &other, Some(&me), true),
            (Kind::Bid, &me, Some(&seller), true),
            (Kind::Bid, &other, Some(&seller), false),
        ] {
            assert_eq!(audience.sees(kind, whose, party), seen, "{kind} of {whose}");
        }
    }
}

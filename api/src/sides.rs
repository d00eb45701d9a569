//! The side on which an account is in what concerns two: a bid, an invoice.

use domain::Owner;
use drivers::journal::Among;

use crate::query::Query;

/// A side, as lists are filtered by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum As {
    Seller,
    Buyer,
}

impl As {
    /// The parameter `as`.
    pub(crate) fn parse(query: &mut Query) -> Option<Self> {
        match query.one("as").as_deref() {
            Some("seller") => Some(Self::Seller),
            Some("buyer") => Some(Self::Buyer),
            Some(_) => {
                query.fault("as", "expected seller or buyer");
                None
            }
            None => None,
        }
    }
}

/// Which of an account's are wanted, of a kind whose owner is on the side `owned`.
pub(crate) fn among(account: &Owner, wanted: Option<As>, owned: As) -> Vec<Among> {
    let (own, party) = (Among::Owner(account.clone()), Among::Party(account.clone()));
    match wanted {
        Some(side) if side == owned => vec![own],
        Some(_) => vec![party],
        None => vec![own, party],
    }
}

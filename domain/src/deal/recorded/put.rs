//! A whole deal in place of the one that is there, as clients of the other system change it.

use super::{Status, created};
use crate::deal::{Choice, Deal, Happening, Status as OwnStatus, Terms, amend, next};
use crate::{Refusal, Timestamp};

impl From<OwnStatus> for Status {
    fn from(status: OwnStatus) -> Self {
        match status {
            OwnStatus::Available | OwnStatus::Reserved => Self::Available,
            OwnStatus::Sold | OwnStatus::Withdrawn => Self::Sold,
        }
    }
}

/// What comes of a deal that is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The deal after it, and the change.
    Changed(Box<Choice>),
    /// It cannot change any more, and is put as it is.
    AsItIs,
    /// It is to be sold to the buyer that it is reserved for, at the price agreed.
    Sale,
}

/// Puts `terms` and `status` in place. A status that is the one shown leaves ours as it is; another one sells the deal or puts
/// it on the list again, by the one transition table.
///
/// # Errors
/// `WRONG_STATE`, `DEAL_TOO_LARGE`.
pub fn put(deal: &Deal, terms: Terms, status: Status, now: Timestamp) -> Result<Put, Refusal> {
    let then = match status {
        same if same == Status::from(deal.status) => None,
        Status::Sold => Some(Happening::Sell),
        Status::Available => Some(Happening::Relist),
    };
    let as_put = Deal { terms, ..deal.clone() };
    let same = created(&as_put.view_json()).ok() == created(&deal.view_json()).ok();
    if same && next(deal.status, Happening::Update).is_none() {
        match then {
            None => return Ok(Put::AsItIs),
            Some(Happening::Sell) if deal.reservation.is_some() => return Ok(Put::Sale),
            Some(_) => {}
        }
    }
    // What looks the same stays ours: a computed price does not become a listed one.
    let terms = if same { deal.terms.clone() } else { as_put.terms };
    amend(deal, terms, then, now).map(Box::new).map(Put::Changed)
}

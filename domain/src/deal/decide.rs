//! The decisions about a deal. Each returns the deal after it and the change that makes it so.

use super::{Deal, Happening, Reservation, Status, Terms, VIEW_LIMIT, next};
use crate::view::event_body;
use crate::{Change, EntityWrite, EventDraft, Expect, Kind, Owner, Refusal, Timestamp, bid};

/// A request for a deal, its form checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The id it is to have: UUID text.
    pub id: String,
    /// Whose it is.
    pub seller: Owner,
    /// What is offered.
    pub terms: Terms,
    /// It was sold elsewhere before it came here: nothing will follow.
    pub sold: bool,
}

/// How a deal is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The document about it; none where it was sold elsewhere.
    pub invoice_id: Option<String>,
}

/// A deal after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The deal as it will be.
    pub deal: Deal,
    /// What the journal is to apply.
    pub change: Change,
}

/// Takes a deal in.
///
/// # Errors
/// `DEAL_TOO_LARGE`.
pub fn post(post: Post, now: Timestamp) -> Result<Choice, Refusal> {
    let Post { id, seller, terms, sold } = post;
    let deal = Deal {
        id,
        version: 1,
        status: if sold { Status::Sold } else { Status::Available },
        terms,
        reservation: None,
        invoice_id: None,
        terms_version: 1,
        closed: None,
        created_at: now,
        updated_at: now,
        seller,
    };
    fits(&deal)?;
    let actor = deal.seller.clone();
    Ok(write(None, deal, &actor))
}

/// The seller changes what it offers: while it is available or withdrawn.
///
/// # Errors
/// `WRONG_STATE`, `DEAL_TOO_LARGE`.
pub fn update(deal: &Deal, terms: Terms, now: Timestamp) -> Result<Choice, Refusal> {
    amend(deal, terms, None, now)
}

/// The seller changes what it offers and, in one step, the state.
///
/// # Errors
/// `WRONG_STATE`, `DEAL_TOO_LARGE`.
pub fn amend(deal: &Deal, terms: Terms, then: Option<Happening>, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(deal, Happening::Update, now)?;
    // The same terms again leave the bids for them as good as they were.
    if terms != deal.terms {
        (after.terms, after.terms_version) = (terms, after.version);
    }
    fits(&after)?;
    if let Some(then) = then {
        after.status = move_on(deal, then, now)?.status;
        after = closing(after);
    }
    Ok(write(Some(deal), after, &deal.seller))
}

/// A bid is accepted: nobody else's will be.
///
/// The event names the seller, on whose word it happens: who accepted stands in the bid, which only two may read.
///
/// # Errors
/// `WRONG_STATE`.
pub fn reserve(deal: &Deal, reservation: Reservation, now: Timestamp) -> Result<Choice, Refusal> {
    let after = Deal { reservation: Some(reservation), ..move_on(deal, Happening::Reserve, now)? };
    Ok(write(Some(deal), after, &deal.seller))
}

/// The reservation came to nothing.
///
/// # Errors
/// `WRONG_STATE`.
pub fn release(deal: &Deal, now: Timestamp) -> Result<Choice, Refusal> {
    let after = Deal { reservation: None, ..move_on(deal, Happening::Release, now)? };
    Ok(write(Some(deal), after, &deal.seller))
}

/// The deal is sold; open bids for it are to be declined.
///
/// # Errors
/// `WRONG_STATE`.
pub fn sell(deal: &Deal, sale: Sale, now: Timestamp) -> Result<Choice, Refusal> {
    let after = Deal { invoice_id: sale.invoice_id, ..move_on(deal, Happening::Sell, now)? };
    Ok(write(Some(deal), closing(after), &deal.seller))
}

/// The seller takes it off the list; open bids for it are to be declined.
///
/// # Errors
/// `WRONG_STATE`.
pub fn withdraw(deal: &Deal, now: Timestamp) -> Result<Choice, Refusal> {
    Ok(write(Some(deal), closing(move_on(deal, Happening::Withdraw, now)?), &deal.seller))
}

/// The seller puts it on the list again.
///
/// # Errors
/// `WRONG_STATE`.
pub fn relist(deal: &Deal, now: Timestamp) -> Result<Choice, Refusal> {
    Ok(write(Some(deal), move_on(deal, Happening::Relist, now)?, &deal.seller))
}

/// Where no more bids are taken, those that were made are to be closed.
fn closing(deal: Deal) -> Deal {
    match deal.status {
        Status::Sold | Status::Withdrawn => Deal { closed: Some(deal.version), ..deal },
        Status::Available | Status::Reserved => deal,
    }
}

fn move_on(deal: &Deal, happening: Happening, now: Timestamp) -> Result<Deal, Refusal> {
    let Some(status) = next(deal.status, happening) else {
        let possible = Happening::ALL.into_iter().filter(|h| next(deal.status, *h).is_some());
        let possible: Vec<_> = possible.map(Happening::as_str).collect();
        let possible = if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") };
        let text = format!(
            "{} is not possible: the deal is {}; possible now: {possible}",
            happening.as_str(),
            deal.status.as_str()
        );
        return Err(Refusal::new("WRONG_STATE", text));
    };
    Ok(Deal { status, version: deal.version + 1, updated_at: now, ..deal.clone() })
}

/// A deal that fits may be sold: what later changes of state add, its event has room for.
fn fits(deal: &Deal) -> Result<(), Refusal> {
    let length = deal.view_json().len();
    if length > VIEW_LIMIT {
        let text = format!("the deal has {length} bytes as JSON, {VIEW_LIMIT} at most: fewer items or shorter names");
        return Err(Refusal::at("/items", "DEAL_TOO_LARGE", text));
    }
    Ok(())
}

fn write(before: Option<&Deal>, after: Deal, actor: &Owner) -> Choice {
    let view = after.view_json();
    let old = before.map(Deal::view_json);
    let type_ = if before.is_none() { "deal.created" } else { "deal.updated" };
    let entity = EntityWrite {
        kind: Kind::Deal,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |deal| Expect::Version(deal.version)),
        status: after.status.as_str(),
        owner: after.seller.clone(),
        party: None,
        parent: None,
        body: after.body(),
        event: Some(EventDraft { type_, body: event_body(old.as_deref(), &view, actor) }),
    };
    let mut change = Change { at: after.updated_at, entities: vec![entity], ..Change::default() };
    if before.is_some() && after.closed == Some(after.version) {
        change.jobs.push(bid::close_all(&after.id, after.updated_at));
    }
    Choice { deal: after, change }
}

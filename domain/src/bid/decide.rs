//! The decisions about a bid. Each returns the bid after it and the change that makes it so.

use super::{Bid, Close, Happening, QUEUE_EXPIRE, Side, Status, next};
use crate::deal::{self, Deal, Reservation};
use crate::money::Minor;
use crate::view::event_body;
use crate::{Change, EntityWrite, EventDraft, Expect, JobStep, Kind, NewJob, Owner, Refusal, Timestamp};

/// A bid at that version is countered no more: every price leaves an event, and perhaps a job.
pub(super) const MOST_VERSIONS: u64 = 64;
/// A year: how far ahead a bid may expire.
pub(super) const LONGEST_LIFE_MICROS: i64 = 366 * 24 * 3_600 * 1_000_000;

/// A buyer's offer, its form checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The id it is to have: see [`super::id`].
    pub id: String,
    /// Who offers.
    pub buyer: Owner,
    /// What it would pay, in the deal's currency.
    pub amount: Minor,
    /// Not to be accepted at this instant or after it.
    pub expires_at: Option<Timestamp>,
}

/// Another price, its form checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The price, in the deal's currency.
    pub amount: Minor,
    /// Until when, instead of what stood there; none leaves it.
    pub expires_at: Option<Timestamp>,
}

/// A bid after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The bid as it will be.
    pub bid: Bid,
    /// What the journal is to apply.
    pub change: Change,
}

/// An accepted bid, its reserved deal, and the one change that makes both so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The bid as it will be.
    pub bid: Bid,
    /// The deal as it will be.
    pub deal: Deal,
    /// What the journal is to apply.
    pub change: Change,
}

/// Takes an offer in. Whether the buyer may see the deal is for the caller to judge.
///
/// # Errors
/// `OWN_DEAL`, `DEAL_NOT_AVAILABLE`, `AMOUNT_NOT_POSITIVE`, `EXPIRE_TIME_IN_PAST`, `EXPIRE_TIME_TOO_LATE`.
pub fn offer(deal: &Deal, offer: Offer, now: Timestamp) -> Result<Choice, Refusal> {
    if offer.buyer == deal.seller {
        return Err(Refusal::new("OWN_DEAL", "nobody bids for a deal of its own"));
    }
    if deal.status != deal::Status::Available {
        return Err(not_available(deal));
    }
    check(offer.amount, offer.expires_at, now)?;
    let bid = Bid {
        id: offer.id,
        version: 1,
        buyer: offer.buyer,
        seller: deal.seller.clone(),
        deal: deal.id.clone(),
        status: Status::Offered,
        amount: offer.amount,
        currency: deal.terms.currency(),
        expires_at: offer.expires_at,
        deal_version: deal.version,
        terms_version: deal.terms_version,
        created_at: now,
        updated_at: now,
    };
    let actor = bid.buyer.clone();
    let mut choice = write(None, bid, "bid.offered", &actor);
    // The deal may go while this is written: the job, which runs after it, looks.
    choice.change.jobs.push(Close::Bid { id: choice.bid.id.clone() }.job(&deal.id, now));
    choice.change.jobs.extend(expiry(&choice.bid, offer.expires_at));
    Ok(choice)
}

/// The side that has to answer names another price, for the deal's terms of now.
///
/// # Errors
/// `NOT_YOUR_TURN`, `BID_EXPIRED`, `DEAL_NOT_AVAILABLE`, `WRONG_STATE`, `TOO_MANY_COUNTERS`, `AMOUNT_NOT_POSITIVE`,
/// `EXPIRE_TIME_IN_PAST`, `EXPIRE_TIME_TOO_LATE`.
pub fn counter(bid: &Bid, deal: &Deal, by: &Owner, counter: Counter, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(bid, Happening::Counter, now)?;
    answers(bid, by, now)?;
    takes_bids(bid, deal)?;
    if bid.version >= MOST_VERSIONS {
        return Err(Refusal::new("TOO_MANY_COUNTERS", "enough was said to and fro: accept, decline or retract it"));
    }
    check(counter.amount, counter.expires_at, now)?;
    (after.amount, after.currency) = (counter.amount, deal.terms.currency());
    after.terms_version = deal.terms_version;
    after.expires_at = counter.expires_at.or(bid.expires_at);
    let mut choice = write(Some(bid), after, "bid.countered", by);
    choice.change.jobs.extend(expiry(&choice.bid, counter.expires_at));
    Ok(choice)
}

/// The side that has to answer takes the price: the deal is reserved in the same change, so that of many one wins.
///
/// # Errors
/// `NOT_YOUR_TURN`, `BID_EXPIRED`, `DEAL_NOT_AVAILABLE`, `DEAL_CHANGED`, `WRONG_STATE`.
pub fn accept(bid: &Bid, deal: &Deal, by: &Owner, now: Timestamp) -> Result<Accepted, Refusal> {
    let after = move_on(bid, Happening::Accept, now)?;
    answers(bid, by, now)?;
    takes_bids(bid, deal)?;
    if deal.status != deal::Status::Available {
        return Err(not_available(deal));
    }
    if bid.terms_version != deal.terms_version {
        let text = "the deal was changed after this price was named: counter with a price for what it is now";
        return Err(Refusal::new("DEAL_CHANGED", text));
    }
    let reservation = Reservation { bid_id: bid.id.clone(), buyer: bid.buyer.clone(), amount: bid.amount };
    let reserved = deal::reserve(deal, reservation, now)?;
    let Choice { bid, mut change } = write(Some(bid), after, "bid.accepted", by);
    change.entities.extend(reserved.change.entities);
    Ok(Accepted { bid, deal: reserved.deal, change })
}

/// The seller wants none of it, or the buyer not the seller's price.
///
/// # Errors
/// `NOT_YOUR_TURN`, `WRONG_STATE`.
pub fn decline(bid: &Bid, by: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(bid, Happening::Decline, now)?;
    if bid.side(by) == Some(Side::Buyer) && bid.status == Status::Offered {
        return Err(Refusal::new("NOT_YOUR_TURN", "the seller has to answer this offer; retract it instead"));
    }
    Ok(write(Some(bid), after, "bid.declined", by))
}

/// The buyer takes it back.
///
/// # Errors
/// `NOT_YOUR_TURN` for the seller; `WRONG_STATE`.
pub fn retract(bid: &Bid, by: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(bid, Happening::Retract, now)?;
    if bid.side(by) != Some(Side::Buyer) {
        return Err(Refusal::new("NOT_YOUR_TURN", "only the buyer retracts a bid; decline it instead"));
    }
    Ok(write(Some(bid), after, "bid.retracted", by))
}

/// Its time ran out. None where it has not: another price came with another time.
///
/// # Errors
/// `WRONG_STATE`.
pub fn expire(bid: &Bid, step: JobStep, now: Timestamp) -> Result<Option<Choice>, Refusal> {
    let after = move_on(bid, Happening::Expire, now)?;
    if bid.expires_at.is_none_or(|at| at > now) {
        return Ok(None);
    }
    let mut choice = write(Some(bid), after, "bid.expired", &Owner::system());
    choice.change.step = Some(step);
    Ok(Some(choice))
}

/// Declines an open bid whose deal is gone; none where the deal is there for it.
///
/// # Errors
/// `WRONG_STATE`.
pub fn close(bid: &Bid, deal: &Deal, now: Timestamp) -> Result<Option<Choice>, Refusal> {
    let after = move_on(bid, Happening::Close, now)?;
    Ok(is_closed(bid, deal).then(|| write(Some(bid), after, "bid.declined", &deal.seller)))
}

/// The seller released the deal: what was agreed is off.
///
/// # Errors
/// `WRONG_STATE`.
pub fn release(bid: &Bid, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(bid, Happening::Release, now)?;
    Ok(write(Some(bid), after, "bid.declined", &bid.seller))
}

/// Whether a deal's bids were closed after this one was made.
fn is_closed(bid: &Bid, deal: &Deal) -> bool {
    let gone = matches!(deal.status, deal::Status::Sold | deal::Status::Withdrawn);
    gone || deal.closed.is_some_and(|closed| bid.deal_version < closed)
}

fn takes_bids(bid: &Bid, deal: &Deal) -> Result<(), Refusal> {
    if is_closed(bid, deal) { Err(not_available(deal)) } else { Ok(()) }
}

fn not_available(deal: &Deal) -> Refusal {
    let text = match deal.status {
        deal::Status::Available => "the deal was withdrawn since this bid was made".to_owned(),
        status => format!("the deal is {}", status.as_str()),
    };
    Refusal::new("DEAL_NOT_AVAILABLE", text)
}

/// Whether it is that account's turn, and not too late.
fn answers(bid: &Bid, by: &Owner, now: Timestamp) -> Result<(), Refusal> {
    if bid.side(by) != bid.status.turn() {
        return Err(Refusal::new("NOT_YOUR_TURN", "the other side has to answer"));
    }
    if bid.expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::new("BID_EXPIRED", "the bid's time ran out"));
    }
    Ok(())
}

fn check(amount: Minor, expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    if amount <= Minor::ZERO {
        return Err(Refusal::at("/amount", "AMOUNT_NOT_POSITIVE", "the amount must be above zero"));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::at("/expiresAt", "EXPIRE_TIME_IN_PAST", "the expiry is not in the future"));
    }
    if expires_at.is_some_and(|at| at > now.plus_micros(LONGEST_LIFE_MICROS)) {
        return Err(Refusal::at("/expiresAt", "EXPIRE_TIME_TOO_LATE", "a bid lives for a year at most"));
    }
    Ok(())
}

fn move_on(bid: &Bid, happening: Happening, now: Timestamp) -> Result<Bid, Refusal> {
    let Some(status) = next(bid.status, happening) else {
        let text = format!("{} is not possible: the bid is {}", happening.as_str(), bid.status.as_str());
        return Err(Refusal::new("WRONG_STATE", text));
    };
    Ok(Bid { status, version: bid.version + 1, updated_at: now, ..bid.clone() })
}

fn expiry(bid: &Bid, at: Option<Timestamp>) -> Option<NewJob> {
    at.map(|run_at| NewJob {
        queue: QUEUE_EXPIRE.into(),
        group: None,
        lane: None,
        run_at,
        body: bid.id.clone(),
        dedup: None,
    })
}

fn write(before: Option<&Bid>, after: Bid, type_: &'static str, actor: &Owner) -> Choice {
    let old = before.map(Bid::view_json);
    let entity = EntityWrite {
        kind: Kind::Bid,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |bid| Expect::Version(bid.version)),
        status: after.status.as_str(),
        owner: after.buyer.clone(),
        party: Some(after.seller.clone()),
        parent: Some(after.deal.clone()),
        // Text keys and no failing parts.
        body: serde_json::to_string(&after).unwrap_or_default(),
        event: Some(EventDraft { type_, body: event_body(old.as_deref(), &after.view_json(), actor) }),
    };
    Choice { change: Change { at: after.updated_at, entities: vec![entity], ..Change::default() }, bid: after }
}

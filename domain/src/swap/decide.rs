//! The decisions about a swap order. Each returns the order after it and the change that makes it so.

use super::view::{event_body, json};
use super::{
    Answer, Ask, Conditions, Failure, Fill, Happening, Prepared, Quote, Route, Side, Status, Swap, TimeInForce,
    Verdict, next,
};
use crate::risk::{Reserved, Share, level, released};
use crate::{
    Change, Dedup, EntityWrite, EventDraft, Expect, Given, JobStep, Key, Kind, LevelMove, NewJob, Owner, Refusal, Then,
    Timestamp,
};

/// The queue of orders to execute; a job's body is the order's id.
pub const QUEUE: &str = "swap.execute";
/// The queue of orders to expire; a job's body is the order's id.
pub const QUEUE_EXPIRE: &str = "swap.expire";
/// How often routing and building are tried, and how often expired bytes are built anew.
pub const MAX_ATTEMPTS: u32 = 3;
/// How often the amount of an order of the kind IOC is halved at most until a part of it can be had.
pub const AT_ONCE_HALVES: u32 = 6;
/// An order is woken once in this time, whoever sees its price come.
const WAKE_WINDOW_MICROS: i64 = 900_000;
/// A quote older than this is asked for again before a transaction is built from it.
pub const QUOTE_FRESH_MICROS: i64 = 10_000_000;
/// How long an order for a quote that its trader signed stays pending before it is taken up: clients of the service that such quotes
/// are from read an order right after placing it, and rely on that.
const FIRM_RESTS_MICROS: i64 = 300_000;
/// How long a request key is kept: 24 hours.
pub const KEEP_REQUEST_KEYS_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// A request for an order, its form checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The id it is to have: UUID v7 text.
    pub id: String,
    /// Whose it is.
    pub account: Owner,
    /// What the trader calls it.
    pub side: Side,
    /// What the venues are to be asked: two different tokens, an amount above zero.
    pub ask: Ask,
    /// Decimals of the input token.
    pub input_decimals: u8,
    /// Decimals of the output token.
    pub output_decimals: u8,
    /// 0 to 10,000.
    pub slippage_bps: u16,
    /// The trader's own id.
    pub client_order_id: Option<String>,
    /// Not to be traded after this instant.
    pub expires_at: Option<Timestamp>,
    /// Under which conditions it trades.
    pub conditions: Conditions,
    /// The one quote that it is for, which its trader signed at the venue.
    pub firm: Option<Box<Quote>>,
    /// The plan that it is a slice of.
    pub plan: Option<String>,
}

/// An order after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The order as it will be.
    pub swap: Swap,
    /// What the journal is to apply.
    pub change: Change,
}

/// The scope in which an account's own order ids are unique.
#[must_use]
pub fn client_order_scope(account: &Owner) -> String {
    format!("swap.clientOrderId:{account}")
}

/// Takes an order in: `pending`, with the job that executes it; one that rests until its price is there `open`, with none.
///
/// # Errors
/// `EXPIRE_TIME_IN_PAST`, `EXPIRE_TIME_REQUIRED`, `SAME_TOKEN`, `AMOUNT_NOT_POSITIVE`, `SLIPPAGE_OUT_OF_RANGE`,
/// `LIMIT_PRICE_OUT_OF_RANGE`.
pub fn accept(place: Place, now: Timestamp) -> Result<Choice, Refusal> {
    accept_within(place, Reserved::default(), now)
}

/// The same of an order that was held against its account's limits: what it takes of the day's is taken in the same change.
///
/// # Errors
/// As [`accept`].
pub fn accept_within(mut place: Place, reserved: Reserved, now: Timestamp) -> Result<Choice, Refusal> {
    check(&place, now)?;
    let impact = reserved.max_price_impact_bps.into_iter().chain(place.conditions.max_price_impact_bps);
    place.conditions.max_price_impact_bps = impact.min();
    let mut swap = Swap {
        id: place.id,
        version: 1,
        account: place.account,
        status: Status::Pending,
        side: place.side,
        ask: place.ask,
        input_decimals: place.input_decimals,
        output_decimals: place.output_decimals,
        slippage_bps: place.slippage_bps,
        client_order_id: place.client_order_id,
        expires_at: place.expires_at,
        conditions: place.conditions,
        firm: place.firm,
        plan: place.plan,
        reserved: reserved.share.map(|share| share.micros),
        attempt: 0,
        route: None,
        prepared: None,
        fill: None,
        receipt: None,
        failure: None,
        created_at: now,
        updated_at: now,
    };
    let rests = swap.rests();
    if rests {
        swap.status = Status::Open;
    }
    let mut change = write(None, &swap, if rests { "swap.open" } else { "swap.pending" }, None, None);
    change.levels.extend(reserved.share.map(|Share { micros, most }| LevelMove {
        name: level(&swap.account, now),
        add: micros,
        most: Some(most),
    }));
    let at = now.plus_micros(if swap.firm.is_some() { FIRM_RESTS_MICROS } else { 0 });
    change.jobs.extend((!rests).then(|| job(QUEUE, &swap.id, at)));
    change.jobs.extend(swap.expires_at.map(|at| job(QUEUE_EXPIRE, &swap.id, at)));
    change.keys.extend(swap.client_order_id.as_ref().map(|key| Key {
        scope: client_order_scope(&swap.account),
        key: key.clone(),
        fingerprint: None,
        kind: Kind::Swap,
        id: swap.id.clone(),
        version: 1,
        expires_at: None,
    }));
    Ok(Choice { swap, change })
}

/// Whether what is asked for can be had at all.
fn check(place: &Place, now: Timestamp) -> Result<(), Refusal> {
    if place.expires_at.is_some_and(|t| t <= now) {
        return Err(Refusal::at("/expiresAt", "EXPIRE_TIME_IN_PAST", "the expiry is not in the future"));
    }
    if place.ask.input == place.ask.output {
        return Err(Refusal::at("/outputToken", "SAME_TOKEN", "input and output are the same token"));
    }
    if place.ask.amount == 0 {
        return Err(Refusal::at("/amount", "AMOUNT_NOT_POSITIVE", "the amount must be above zero"));
    }
    if place.slippage_bps > 10_000 {
        return Err(Refusal::at("/slippageBps", "SLIPPAGE_OUT_OF_RANGE", "slippage is 0 to 10000 basis points"));
    }
    let conditions = &place.conditions;
    if conditions.time_in_force == TimeInForce::Gtd && place.expires_at.is_none() {
        return Err(Refusal::at(
            "/expiresAt",
            "EXPIRE_TIME_REQUIRED",
            "an order that is good till a date needs the date",
        ));
    }
    let (input, output) = (place.input_decimals, place.output_decimals);
    if conditions.limit_price.is_some_and(|price| price.limit(place.side, &place.ask, input, output).is_none()) {
        return Err(Refusal::at("/limitPrice", "LIMIT_PRICE_OUT_OF_RANGE", "at that price no amount could be traded"));
    }
    Ok(())
}

/// A worker takes the order up: `routing`.
///
/// # Errors
/// `WRONG_STATE`.
pub fn begin(swap: &Swap, attempt: u32, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Begin, now)?;
    after.attempt = attempt;
    Ok(finish(swap, after, "swap.routing", None, Some(step)))
}

/// The venues answered and one was chosen: `building`. The event keeps every answer and the reason.
///
/// # Errors
/// `WRONG_STATE`.
pub fn routed(
    swap: &Swap,
    route: Route,
    audit: (&[Answer], &Verdict),
    step: JobStep,
    now: Timestamp,
) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Route, now)?;
    after.route = Some(route);
    let type_ = if swap.status == Status::Building { "swap.rerouted" } else { "swap.building" };
    Ok(finish(swap, after, type_, Some(audit), Some(step)))
}

/// The signed bytes go to disk: `submitted`. Only after this change may they be sent.
///
/// # Errors
/// `WRONG_STATE`.
pub fn prepared(swap: &Swap, prepared: Prepared, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Prepare, now)?;
    after.prepared = Some(prepared);
    Ok(finish(swap, after, "swap.submitted", None, Some(step)))
}

/// The old bytes expired unexecuted at a finalised height; new ones on a new route take their place.
///
/// # Errors
/// `WRONG_STATE`.
pub fn rebuilt(
    swap: &Swap,
    route: Route,
    prepared: Prepared,
    audit: (&[Answer], &Verdict),
    step: JobStep,
    now: Timestamp,
) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Rebuild, now)?;
    (after.route, after.prepared) = (Some(route), Some(prepared));
    Ok(finish(swap, after, "swap.rebuilt", Some(audit), Some(step)))
}

/// The venue says it traded: `confirmed`, with what was really paid and received.
///
/// # Errors
/// `WRONG_STATE`.
pub fn confirm(swap: &Swap, fill: Fill, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Confirm, now)?;
    (after.fill, after.failure) = (Some(fill), None);
    Ok(finish(swap, after, "swap.confirmed", None, Some(step)))
}

/// An attempt failed and another follows at `run_at`; the status stays.
///
/// # Errors
/// `WRONG_STATE`.
pub fn retry(swap: &Swap, why: Failure, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Retry, now)?;
    after.failure = Some(why);
    Ok(finish(swap, after, "swap.retried", None, Some(step)))
}

/// An order that rests did not trade at its limit: `open` again, until its price is there once more. Its job is done; its last
/// transaction is kept, so that the next one is built as another.
///
/// # Errors
/// `WRONG_STATE`, also for an order that does not rest.
pub fn rest(swap: &Swap, why: Failure, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    if !swap.rests() {
        return Err(Refusal::new("WRONG_STATE", "the order does not rest"));
    }
    let mut after = move_on(swap, Happening::Rest, now)?;
    (after.route, after.failure) = (None, Some(why));
    let mut choice = finish(swap, after, "swap.open", None, Some(step));
    // The job of its expiry found it submitted, perhaps, and ended.
    choice.change.jobs.extend(swap.expires_at.map(|at| job(QUEUE_EXPIRE, &swap.id, at)));
    Ok(choice)
}

/// Has a worker look at an order that is open at that version. Its jobs are of one group, so that one is done at a time.
#[must_use]
pub fn wake(id: &str, version: u64, now: Timestamp) -> Change {
    let dedup = Some(Dedup { key: id.to_owned(), window_micros: WAKE_WINDOW_MICROS });
    let job = NewJob { group: Some(format!("swap:{id}")), dedup, ..job(QUEUE, id, now) };
    let given = vec![Given { kind: Kind::Swap, id: id.to_owned(), version }];
    Change { at: now, jobs: vec![job], given, ..Change::default() }
}

/// The order is given up: `failed`, with its reason, for ever.
///
/// # Errors
/// `WRONG_STATE`.
pub fn fail(swap: &Swap, why: Failure, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Fail, now)?;
    after.failure = Some(why);
    Ok(finish(swap, after, "swap.failed", None, Some(step)))
}

/// The owner withdraws it. Its job, if it has one, finds it final and ends.
///
/// # Errors
/// `NOT_CANCELLABLE` once a venue is chosen.
pub fn cancel(swap: &Swap, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(swap, Happening::Cancel, now).map_err(|_| {
        let status = swap.status.as_str();
        Refusal::new(
            "NOT_CANCELLABLE",
            format!("the order is {status}; only pending, open and routing orders can be cancelled"),
        )
    })?;
    Ok(finish(swap, after, "swap.cancelled", None, None))
}

/// Its time ran out before a transaction was built.
///
/// # Errors
/// `WRONG_STATE`.
pub fn expire(swap: &Swap, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(swap, Happening::Expire, now)?;
    Ok(finish(swap, after, "swap.expired", None, Some(step)))
}

/// It was to be had at once, and was not: `expired`, with the reason `NOT_FILLED`.
///
/// # Errors
/// `WRONG_STATE`.
pub fn unfilled(swap: &Swap, why: &str, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Expire, now)?;
    after.failure = Some(Failure { code: "NOT_FILLED".to_owned(), message: why.to_owned() });
    Ok(finish(swap, after, "swap.expired", None, Some(step)))
}

fn move_on(swap: &Swap, happening: Happening, now: Timestamp) -> Result<Swap, Refusal> {
    let Some(status) = next(swap.status, happening) else {
        let text = format!("{happening:?} cannot happen to an order that is {}", swap.status.as_str());
        return Err(Refusal::new("WRONG_STATE", text));
    };
    Ok(Swap { status, version: swap.version + 1, updated_at: now, ..swap.clone() })
}

fn finish(
    before: &Swap,
    after: Swap,
    type_: &'static str,
    audit: Option<(&[Answer], &Verdict)>,
    step: Option<JobStep>,
) -> Choice {
    let mut change = write(Some(before), &after, type_, audit, step);
    if matches!(after.status, Status::Failed | Status::Cancelled | Status::Expired) {
        change.levels.extend(released(&after.account, after.reserved, after.created_at, after.updated_at));
    }
    let holds = change.step.as_ref().is_some_and(|s| matches!(s.then, Then::Hold));
    debug_assert!(!(after.status.is_final() && holds), "a final order keeps no job");
    Choice { swap: after, change }
}

fn write(
    before: Option<&Swap>,
    after: &Swap,
    type_: &'static str,
    audit: Option<(&[Answer], &Verdict)>,
    step: Option<JobStep>,
) -> Change {
    let entity = EntityWrite {
        kind: Kind::Swap,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |b| Expect::Version(b.version)),
        status: after.status.as_str(),
        owner: after.account.clone(),
        party: None,
        parent: after.plan.clone(),
        body: json(after),
        event: Some(EventDraft { type_, body: event_body(before, after, audit) }),
    };
    Change { at: after.updated_at, entities: vec![entity], step, ..Change::default() }
}

fn job(queue: &'static str, id: &str, run_at: Timestamp) -> NewJob {
    NewJob { queue: queue.into(), group: None, lane: None, run_at, body: id.to_owned(), dedup: None }
}

//! The decisions about a swap order. Each returns the order after it and the change that makes it so.

use super::view::{event_body, json};
use super::{Answer, Ask, Failure, Fill, Happening, Prepared, Route, Side, Status, Swap, Verdict, next};
use crate::{Change, EntityWrite, EventDraft, Expect, JobStep, Key, Kind, NewJob, Owner, Refusal, Then, Timestamp};

/// The queue of orders to execute; a job's body is the order's id.
pub const QUEUE: &str = "swap.execute";
/// The queue of orders to expire; a job's body is the order's id.
pub const QUEUE_EXPIRE: &str = "swap.expire";
/// How often routing and building are tried, and how often expired bytes are built anew.
pub const MAX_ATTEMPTS: u32 = 3;
/// A quote older than this is asked for again before a transaction is built from it.
pub const QUOTE_FRESH_MICROS: i64 = 10_000_000;
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

/// Takes an order in: `pending`, with the job that executes it.
///
/// # Errors
/// `EXPIRE_TIME_IN_PAST`, `SAME_TOKEN`, `AMOUNT_NOT_POSITIVE`, `SLIPPAGE_OUT_OF_RANGE`.
pub fn accept(place: Place, now: Timestamp) -> Result<Choice, Refusal> {
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
    let swap = Swap {
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
        attempt: 0,
        route: None,
        prepared: None,
        fill: None,
        failure: None,
        created_at: now,
        updated_at: now,
    };
    let mut change = write(None, &swap, "swap.pending", None, None);
    change.jobs.push(job(QUEUE, &swap.id, now));
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

/// The order is given up: `failed`, with its reason, for ever.
///
/// # Errors
/// `WRONG_STATE`.
pub fn fail(swap: &Swap, why: Failure, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = move_on(swap, Happening::Fail, now)?;
    after.failure = Some(why);
    Ok(finish(swap, after, "swap.failed", None, Some(step)))
}

/// The owner withdraws it. Its job finds it final and ends.
///
/// # Errors
/// `NOT_CANCELLABLE` once a venue is chosen.
pub fn cancel(swap: &Swap, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(swap, Happening::Cancel, now).map_err(|_| {
        let status = swap.status.as_str();
        Refusal::new(
            "NOT_CANCELLABLE",
            format!("the order is {status}; only pending and routing orders can be cancelled"),
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
    let change = write(Some(before), &after, type_, audit, step);
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
        parent: None,
        body: json(after),
        event: Some(EventDraft { type_, body: event_body(before, after, audit) }),
    };
    Change { at: after.updated_at, entities: vec![entity], step, ..Change::default() }
}

fn job(queue: &'static str, id: &str, run_at: Timestamp) -> NewJob {
    NewJob { queue: queue.into(), group: None, lane: None, run_at, body: id.to_owned(), dedup: None }
}

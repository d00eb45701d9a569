//! The decisions about a plan. Each returns the plan after it and the change that makes it so.

use std::sync::Arc;

use super::{Happening, Plan, Refused, Status, next};
use crate::swap::{self, Conditions, Side};
use crate::view::event_body;
use crate::{Change, EntityWrite, EventDraft, Expect, JobStep, Key, Kind, NewJob, Owner, Refusal, Timestamp};

/// The queue of slices that have their turn; a job's body is the plan's id.
pub const QUEUE_SLICE: &str = "plan.slice";
/// The most slices of a plan; the least are 2.
pub const MOST_SLICES: u32 = 1_000;
/// The longest time from one slice to the next, and to the first: 365 days.
pub const LONGEST_PAUSE_SECONDS: u32 = 31_536_000;

/// A request for a plan, its form checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Make {
    /// The id it is to have: UUID v7 text.
    pub id: String,
    /// Whose it is.
    pub account: Owner,
    /// What the trader calls its orders.
    pub side: Side,
    /// Symbol of the token that is paid.
    pub input: Arc<str>,
    /// Its decimals.
    pub input_decimals: u8,
    /// Symbol of the token that is received.
    pub output: Arc<str>,
    /// Its decimals.
    pub output_decimals: u8,
    /// What all slices together pay, in base units.
    pub total: u128,
    /// How many slices.
    pub slices: u32,
    /// From one to the next.
    pub every_seconds: u32,
    /// 0 to 10,000.
    pub slippage_bps: u16,
    /// Under which conditions each trades; how long it stands follows from the plan.
    pub conditions: Conditions,
    /// The trader's own id.
    pub client_order_id: Option<String>,
    /// When the first has its turn; at once without it.
    pub starts_at: Option<Timestamp>,
}

/// A plan after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The plan as it will be.
    pub plan: Plan,
    /// What the journal is to apply.
    pub change: Change,
}

/// The scope in which an account's own ids of plans are unique.
#[must_use]
pub fn client_order_scope(account: &Owner) -> String {
    format!("plan.clientOrderId:{account}")
}

/// Makes a plan: `active`, with the job of its first slice.
///
/// # Errors
/// `OUT_OF_RANGE`, `AMOUNT_NOT_POSITIVE`; and whatever refuses its first slice as an order.
pub fn create(make: Make, now: Timestamp) -> Result<Choice, Refusal> {
    let out = |pointer: &'static str, text: &str| Err(Refusal::at(pointer, "OUT_OF_RANGE", text));
    if !(2..=MOST_SLICES).contains(&make.slices) {
        return out("/slices", "a plan has 2 to 1000 slices");
    }
    if !(1..=LONGEST_PAUSE_SECONDS).contains(&make.every_seconds) {
        return out("/everySeconds", "from one slice to the next it is 1 to 31536000 seconds");
    }
    let latest = now.plus_millis(i64::from(LONGEST_PAUSE_SECONDS) * 1_000);
    if make.starts_at.is_some_and(|at| at < now || at > latest) {
        return out("/startsAt", "a plan starts from now on, and within 365 days");
    }
    if make.total < u128::from(make.slices) {
        return Err(Refusal::at("/total", "AMOUNT_NOT_POSITIVE", "a slice would be of nothing"));
    }
    let plan = Plan {
        id: make.id,
        version: 1,
        account: make.account,
        status: Status::Active,
        side: make.side,
        input: make.input,
        input_decimals: make.input_decimals,
        output: make.output,
        output_decimals: make.output_decimals,
        total: make.total,
        slices: make.slices,
        turns: 0,
        skipped: 0,
        every_seconds: make.every_seconds,
        slippage_bps: make.slippage_bps,
        conditions: make.conditions,
        client_order_id: make.client_order_id,
        next_at: make.starts_at.unwrap_or(now),
        refused: None,
        created_at: now,
        updated_at: now,
    };
    // What no slice can be is refused now, and not slice by slice.
    swap::accept(plan.place(plan.after_this(now)), now)?;
    let mut change = Change { at: now, entities: vec![write(None, &plan, "plan.created")], ..Change::default() };
    change.jobs.push(job(&plan));
    change.keys.extend(plan.client_order_id.as_ref().map(|key| Key {
        scope: client_order_scope(&plan.account),
        key: key.clone(),
        fingerprint: None,
        kind: Kind::Plan,
        id: plan.id.clone(),
        version: 1,
        expires_at: None,
    }));
    Ok(Choice { plan, change })
}

/// A slice had its turn: its order, as it was accepted, the plan after it and the job of the next slice are one change.
///
/// # Errors
/// `WRONG_STATE`.
pub fn slice(plan: &Plan, order: swap::Choice, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let after = turn(plan, now)?;
    Ok(finish(plan, after, ("plan.sliced", order.change), step, now))
}

/// A slice had its turn and was refused: the plan notes it and goes on.
///
/// # Errors
/// `WRONG_STATE`.
pub fn skip(plan: &Plan, why: &Refusal, step: JobStep, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = turn(plan, now)?;
    after.skipped += 1;
    after.refused = Some(Refused { slice: after.turns, code: why.code.to_owned(), message: why.message.clone() });
    Ok(finish(plan, after, ("plan.skipped", Change::default()), step, now))
}

/// Its owner wants no more of it. Orders that were placed live on; its job finds it final and ends.
///
/// # Errors
/// `WRONG_STATE`.
pub fn cancel(plan: &Plan, now: Timestamp) -> Result<Choice, Refusal> {
    let after = move_on(plan, Happening::Cancel, now)?;
    let entities = vec![write(Some(plan), &after, "plan.cancelled")];
    Ok(Choice { change: Change { at: now, entities, ..Change::default() }, plan: after })
}

fn turn(plan: &Plan, now: Timestamp) -> Result<Plan, Refusal> {
    let last = plan.turns + 1 >= plan.slices;
    let mut after = move_on(plan, if last { Happening::Complete } else { Happening::Slice }, now)?;
    after.turns += 1;
    after.next_at = plan.after_this(now);
    Ok(after)
}

fn finish(
    before: &Plan,
    after: Plan,
    (type_, mut change): (&'static str, Change),
    step: JobStep,
    now: Timestamp,
) -> Choice {
    let completed = after.status == Status::Completed;
    change.at = now;
    change.entities.push(write(Some(before), &after, if completed { "plan.completed" } else { type_ }));
    change.jobs.extend((!completed).then(|| job(&after)));
    change.step = Some(step);
    Choice { plan: after, change }
}

fn move_on(plan: &Plan, happening: Happening, now: Timestamp) -> Result<Plan, Refusal> {
    let Some(status) = next(plan.status, happening) else {
        let text = format!("the plan is {}; only an active one goes on or is cancelled", plan.status.as_str());
        return Err(Refusal::new("WRONG_STATE", text));
    };
    Ok(Plan { status, version: plan.version + 1, updated_at: now, ..plan.clone() })
}

fn write(before: Option<&Plan>, after: &Plan, type_: &'static str) -> EntityWrite {
    let view = before.map(Plan::view_json);
    EntityWrite {
        kind: Kind::Plan,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |before| Expect::Version(before.version)),
        status: after.status.as_str(),
        owner: after.account.clone(),
        party: None,
        parent: None,
        // Text keys and no failing parts.
        body: serde_json::to_string(after).unwrap_or_default(),
        event: Some(EventDraft { type_, body: event_body(view.as_deref(), &after.view_json(), &after.account) }),
    }
}

fn job(plan: &Plan) -> NewJob {
    let body = plan.id.clone();
    NewJob { queue: QUEUE_SLICE.into(), group: None, lane: None, run_at: plan.next_at, body, dedup: None }
}

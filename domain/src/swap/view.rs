//! What the world sees of a swap order, and the event bodies made of it.

mod route;

use std::fmt::Write;

use serde::Serialize;

use self::route::{FillView, RouteView, fill_view, route_view};
use super::{Answer, Conditions, Failure, LimitPrice, Mode, Prepared, Side, Status, Swap, TimeInForce, Verdict};
use crate::amount::{Decimal, price};
use crate::{Owner, Timestamp};

/// The public view: amounts as decimal text of whole tokens, with the decimals beside them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    account: &'a Owner,
    side: Side,
    mode: Mode,
    input_token: &'a str,
    input_decimals: u8,
    output_token: &'a str,
    output_decimals: u8,
    amount: Decimal,
    slippage_bps: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_price_impact_bps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_price: Option<LimitPrice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_in_force: Option<TimeInForce>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_id: Option<&'a str>,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<RouteView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fill: Option<FillView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TransactionView<'a> {
    id: &'a str,
    expires_at_height: u64,
    build: u32,
}

impl<'a> From<&'a Swap> for View<'a> {
    fn from(swap: &'a Swap) -> Self {
        View {
            id: &swap.id,
            version: swap.version,
            status: swap.status,
            account: &swap.account,
            side: swap.side,
            mode: swap.ask.mode,
            input_token: &swap.ask.input,
            input_decimals: swap.input_decimals,
            output_token: &swap.ask.output,
            output_decimals: swap.output_decimals,
            amount: swap.amount(),
            slippage_bps: swap.slippage_bps,
            max_price_impact_bps: swap.conditions.max_price_impact_bps,
            client_order_id: swap.client_order_id.as_deref(),
            expires_at: swap.expires_at,
            limit_price: swap.conditions.limit_price,
            time_in_force: said(&swap.conditions),
            plan_id: swap.plan.as_deref(),
            attempt: swap.attempt,
            route: route_view(swap),
            transaction: transaction(swap).map(|p| TransactionView {
                id: &p.id,
                expires_at_height: p.expires_at_height,
                build: p.build,
            }),
            fill: fill_view(swap),
            failure: swap.failure.as_ref(),
            created_at: swap.created_at,
            updated_at: swap.updated_at,
        }
    }
}

/// How long it stands, where that is more than a market order says.
fn said(conditions: &Conditions) -> Option<TimeInForce> {
    let Conditions { limit_price, time_in_force, .. } = conditions;
    (limit_price.is_some() || *time_in_force != TimeInForce::default()).then_some(*time_in_force)
}

/// The transaction that counts: not the one of an order that rested since.
fn transaction(swap: &Swap) -> Option<&Prepared> {
    let rested = matches!(swap.status, Status::Open | Status::Routing | Status::Building);
    swap.prepared.as_ref().filter(|_| !rested)
}

impl Swap {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        json(&View::from(self))
    }
}

// Where the view ends: see `crate::view`.
const AUDIT: &str = ",\"quotes\":[";
const CHANGED: &str = ",\"changed\":{";

/// The old values of what differs, as a JSON object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<Option<RouteView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fill: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Option<&'a Failure>>,
}

/// The body of an event: the view after the change, the audit of a routing if there is one, and `changed`.
pub(super) fn event_body(before: Option<&Swap>, after: &Swap, audit: Option<(&[Answer], &Verdict)>) -> String {
    let mut body = after.view_json();
    body.pop();
    if let Some((answers, verdict)) = audit {
        body.push_str(AUDIT);
        for (i, answer) in answers.iter().enumerate() {
            body.push_str(if i == 0 { "" } else { "," });
            body.push_str(&json(&AnswerView::new(after, answer)));
        }
        let _ = write!(body, "],\"reason\":{}", json(&verdict.reason));
    }
    let Some(before) = before else {
        body.push_str(CHANGED);
        body.push_str("}}");
        return body;
    };
    let id = |swap: &Swap| transaction(swap).map(|p| p.id.clone());
    let changed = Changed {
        status: (before.status != after.status).then_some(before.status),
        attempt: (before.attempt != after.attempt).then_some(before.attempt),
        route: (before.route != after.route).then(|| route_view(before).map(RouteView::without_legs)),
        transaction: (id(before) != id(after)).then(|| transaction(before).map(|p| p.id.as_str())),
        fill: (before.fill != after.fill).then_some(()),
        failure: (before.failure != after.failure).then_some(before.failure.as_ref()),
    };
    body.push_str(",\"changed\":");
    body.push_str(&json(&changed));
    body.push('}');
    body
}

/// One venue's answer in the audit. Of its swaps only the number: those of the chosen one stand in the route, and with all of
/// them an event would not stay below [`crate::Event::BODY_LIMIT`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerView<'a> {
    venue: &'a str,
    millis: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_in: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_out: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_impact_bps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leg_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_bps: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

impl<'a> AnswerView<'a> {
    fn new(swap: &Swap, answer: &'a Answer) -> Self {
        let quote = answer.result.as_ref().ok();
        let amount_in = quote.map(|q| swap.input(q.amount_in));
        let amount_out = quote.map(|q| swap.output(q.amount_out));
        Self {
            venue: &answer.venue,
            millis: answer.millis,
            amount_in,
            amount_out,
            fee: quote.map(|q| swap.input(q.fee)),
            price_impact_bps: quote.map(|q| q.price_impact_bps),
            price: amount_in.zip(amount_out).map(|(i, o)| price(i, o)),
            leg_count: quote.map(|q| q.legs.len()).filter(|count| *count > 0),
            bound: quote.and_then(|q| swap.bound(q)),
            gap_bps: quote.and_then(|q| Some(q.certificate?.gap_bps())),
            error: answer.result.as_ref().err(),
        }
    }
}

/// Our own types always serialise: they have text keys and no failing parts.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

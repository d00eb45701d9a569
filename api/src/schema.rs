//! The shapes on the wire: requests and answers as the OpenAPI document shows them.

use serde::Serialize;
use utoipa::ToSchema;

/// An order to be placed. Unknown fields are refused; `null` is as good as absent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct SwapRequest {
    /// Symbol of the token that is paid.
    #[schema(example = "SOL")]
    input_token: String,
    /// Symbol of the token that is received.
    #[schema(example = "USDC")]
    output_token: String,
    /// Whole tokens as decimal text: of the input token for `exactIn`, of the output token for `exactOut`.
    #[schema(example = "10", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// Which amount is fixed: `exactIn` (default) or `exactOut`.
    #[schema(example = "exactIn")]
    mode: Option<String>,
    /// What the trader calls it: `sell` (default for `exactIn`) or `buy` (default for `exactOut`).
    side: Option<String>,
    /// How much worse than quoted is accepted, in basis points; 50 by default.
    #[schema(minimum = 0, maximum = 10_000)]
    slippage_bps: Option<u16>,
    /// The client's own id, unique within the account for ever: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    client_order_id: Option<String>,
    /// Not to be traded after this instant (RFC 3339).
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// What the venues are to be asked.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct QuoteRequest {
    /// Symbol of the token that is paid.
    #[schema(example = "SOL")]
    input_token: String,
    /// Symbol of the token that is received.
    #[schema(example = "USDC")]
    output_token: String,
    /// Whole tokens as decimal text: of the input token for `exactIn`, of the output token for `exactOut`.
    #[schema(example = "10", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// Which amount is fixed: `exactIn` (default) or `exactOut`.
    mode: Option<String>,
    /// `sell` or `buy`: information.
    side: Option<String>,
    /// How much worse than quoted would be accepted, in basis points; 50 by default.
    #[schema(minimum = 0, maximum = 10_000)]
    slippage_bps: Option<u16>,
}

/// An order as it stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct SwapView {
    /// UUID v7.
    id: String,
    /// 1 at creation, one more with every change; also the ETag.
    version: u64,
    /// `pending`, `routing`, `building`, `submitted`, or final: `confirmed`, `failed`, `cancelled`, `expired`.
    status: String,
    /// Whose it is.
    account: String,
    /// `sell` or `buy`.
    side: String,
    /// `exactIn` or `exactOut`.
    mode: String,
    /// Symbol of the token that is paid.
    input_token: String,
    /// Its decimals.
    input_decimals: u8,
    /// Symbol of the token that is received.
    output_token: String,
    /// Its decimals.
    output_decimals: u8,
    /// The fixed amount, in whole tokens.
    amount: String,
    /// How much worse than quoted is accepted, in basis points.
    slippage_bps: u16,
    /// The client's own id.
    client_order_id: Option<String>,
    /// Not to be traded after this instant.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Which attempt at routing and building this is; 0 before the first.
    attempt: u32,
    /// The chosen venue and what it promised.
    route: Option<RouteView>,
    /// The transaction that was built.
    transaction: Option<TransactionView>,
    /// What was really traded.
    fill: Option<FillView>,
    /// Why it failed, or why the last attempt did.
    failure: Option<FailureView>,
    /// When it was accepted.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// The chosen venue and what it promised. Amounts are whole tokens as decimal text.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct RouteView {
    /// The venue's name.
    venue: String,
    /// Paid, fees included.
    amount_in: String,
    /// Received.
    amount_out: String,
    /// The least output accepted (`exactIn`).
    min_amount_out: Option<String>,
    /// The most input accepted (`exactOut`).
    max_amount_in: Option<String>,
    /// The fee inside `amountIn`.
    fee: String,
    /// How much the order itself moves the price, in basis points.
    price_impact_bps: u32,
    /// Output per input.
    price: String,
    /// When the venues were asked.
    #[schema(format = DateTime)]
    quoted_at: String,
}

/// A signed transaction.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct TransactionView {
    /// Its id at the venue.
    id: String,
    /// The last slot that may hold it.
    expires_at_height: u64,
    /// How many transactions were built for this order.
    build: u32,
}

/// What was really traded. Amounts are whole tokens as decimal text.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct FillView {
    /// Paid.
    amount_in: String,
    /// Received.
    amount_out: String,
    /// Output per input.
    price: String,
    /// The slot that holds it.
    slot: u64,
}

/// Why something did not go on.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// Stable, for programs.
    pub(crate) code: String,
    /// For people.
    pub(crate) message: String,
}

/// One page of orders.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct SwapList {
    /// Newest first.
    data: Vec<SwapView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// An event: an immutable fact about one entity.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: envelopes are written piece by piece")]
pub(crate) struct EventView {
    /// Where it stands in the log, `epoch-seq`: resume after it with `after`.
    seq: String,
    /// What it is about: `swap`.
    kind: String,
    /// Which one.
    id: String,
    /// The entity's version after the change.
    version: u64,
    /// What happened: `swap.confirmed`.
    #[schema(rename = "type")]
    type_: String,
    /// Whose it is.
    owner: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The public view after the change, the old values in `changed`, and in a routing's event all `quotes` and the
    /// `reason` of the choice.
    data: serde_json::Value,
}

/// The events of one entity.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: histories are written piece by piece")]
pub(crate) struct History {
    /// Oldest first.
    data: Vec<EventView>,
}

/// What the venues would give.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quotes {
    /// Symbol of the token that is paid.
    pub(crate) input_token: String,
    /// Symbol of the token that is received.
    pub(crate) output_token: String,
    /// `exactIn` or `exactOut`.
    pub(crate) mode: &'static str,
    /// The fixed amount.
    pub(crate) amount: String,
    /// How much worse than quoted would be accepted.
    pub(crate) slippage_bps: u16,
    /// The venue that gives the trader most; null when none has a quote.
    pub(crate) best: Option<String>,
    /// Why it is the best.
    pub(crate) reason: String,
    /// The least output that an order on the best quote would accept (`exactIn`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_amount_out: Option<String>,
    /// The most input that an order on the best quote would accept (`exactOut`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_amount_in: Option<String>,
    /// One answer per venue.
    pub(crate) quotes: Vec<QuoteView>,
}

/// One venue's answer: amounts, or an error.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuoteView {
    /// The venue's name.
    pub(crate) venue: String,
    /// How long it took, in milliseconds.
    pub(crate) millis: u32,
    /// Paid, fees included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_in: Option<String>,
    /// Received, after fees and price impact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_out: Option<String>,
    /// The fee inside `amountIn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fee: Option<String>,
    /// How much the trade itself would move the price, in basis points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price_impact_bps: Option<u32>,
    /// Output per input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<String>,
    /// Why there is no quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<FailureView>,
}

/// The tokens of this installation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// By symbol.
    pub(crate) data: Vec<TokenView>,
}

/// One token.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// What requests call it.
    pub(crate) symbol: String,
    /// Its mint's address on Solana.
    pub(crate) mint: String,
    /// Base units per token as a power of ten.
    pub(crate) decimals: u8,
    /// Native SOL: wrapped for the swap, unwrapped after.
    pub(crate) native: bool,
}

/// Whether orders can be taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready`, `not ready` or `stopping`.
    pub(crate) status: &'static str,
    /// What was looked at.
    pub(crate) checks: Vec<Check>,
}

/// One thing looked at.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Check {
    /// Its name: `journal`.
    pub(crate) name: &'static str,
    /// `ok` or `fail`.
    pub(crate) status: &'static str,
    /// How long it took.
    pub(crate) millis: u64,
}

/// A problem (RFC 9457).
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: problems are rendered by the layer around all routes")]
pub(crate) struct ProblemView {
    /// Where the code is explained.
    #[schema(rename = "type")]
    type_: String,
    /// The same for every problem of this code.
    title: String,
    /// The HTTP status.
    status: u16,
    /// This problem, for people.
    detail: String,
    /// Stable, for programs.
    code: String,
    /// The path that was asked.
    instance: String,
    /// What is wrong where.
    errors: Option<Vec<FieldProblem>>,
    /// The oldest position held (with 410).
    oldest: Option<String>,
    /// The order that exists already (with 409).
    existing: Option<String>,
    /// The request's id, also in `x-request-id`.
    request_id: String,
}

/// What is wrong at one place: exactly one of `pointer`, `parameter`, `header` is there.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: problems are rendered by the layer around all routes")]
struct FieldProblem {
    /// A JSON pointer into the body.
    pointer: Option<String>,
    /// The name of a query parameter.
    parameter: Option<String>,
    /// The name of a header.
    header: Option<String>,
    /// Stable, for programs.
    code: String,
    /// For people.
    detail: String,
}

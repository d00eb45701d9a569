//! Orders on the wire.

use utoipa::ToSchema;

use super::{FailureView, LegView, SwapMode, SwapSide, SwapStatus, SwapTimeInForce};

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
    mode: Option<SwapMode>,
    /// What the trader calls it: `sell` (default for `exactIn`) or `buy` (default for `exactOut`).
    side: Option<SwapSide>,
    /// How much worse than quoted is accepted, in basis points; 50 by default.
    #[schema(minimum = 0, maximum = 10_000)]
    slippage_bps: Option<u16>,
    /// The most price impact of a quote that is taken, in basis points; an order that no venue executes with less fails. Its
    /// account may be held to less.
    #[schema(minimum = 0, maximum = 10_000)]
    max_price_impact_bps: Option<u32>,
    /// The client's own id, unique within the account for ever: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    client_order_id: Option<String>,
    /// The worst price that is accepted, as decimal text with at most 18 decimals: of a sale the least whole output tokens for one
    /// input token, of a purchase the most whole input tokens for one output token.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    limit_price: Option<String>,
    /// How long the order stands: `GTC` (default), until it is cancelled; `GTD`, until `expiresAt`, which it needs; `IOC`, what can
    /// be had at once, all of it or the largest of a half, a quarter … a 64th of it; `FOK`, all of it at once. With a limit price the
    /// first two rest as `open`; the others end as `expired` with the reason `NOT_FILLED` where it is not met.
    time_in_force: Option<SwapTimeInForce>,
    /// Not to be traded after this instant (RFC 3339).
    #[schema(format = DateTime)]
    expires_at: Option<String>,
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
    /// `pending`, `open` (rests until its price is there), `routing`, `building`, `submitted`, or final: `confirmed`, `failed`, `cancelled`, `expired`.
    status: SwapStatus,
    /// Whose it is.
    account: String,
    /// `sell` or `buy`.
    side: SwapSide,
    /// `exactIn` or `exactOut`.
    mode: SwapMode,
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
    /// The most price impact of a quote that is taken, in basis points: the smaller of what was asked for and what the account is
    /// held to.
    max_price_impact_bps: Option<u32>,
    /// The client's own id.
    client_order_id: Option<String>,
    /// Not to be traded after this instant.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The worst price that is accepted.
    limit_price: Option<String>,
    /// How long it stands, where it has a limit price or is to be had at once.
    time_in_force: Option<SwapTimeInForce>,
    /// The plan that it is a slice of.
    plan_id: Option<String>,
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
    /// What no route over the pools of all exchanges can beat, as dual prices prove: of the output (`exactIn`) or of the
    /// input (`exactOut`).
    bound: Option<String>,
    /// How far the quote is from `bound` at most, in basis points, as decimal text.
    #[schema(example = "0.00378")]
    gap_bps: Option<String>,
    /// The swaps that the route is made of, in the order of their execution: all of them or none.
    legs: Option<Vec<LegView>>,
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
    /// How much better than quoted, in basis points of the quoted amount, as decimal text; worse with a minus.
    #[schema(example = "0.00000")]
    against_quote_bps: Option<String>,
    /// The slot that holds it.
    slot: u64,
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

//! The shapes on the wire: requests and answers as the OpenAPI document shows them.

mod bid;
mod buyer;
mod cache;
mod deal;
mod invoice;
mod key;
mod leg;
mod parameters;
mod plan;
mod problem;
mod queue;
mod risk;
mod shop;
mod swap;
mod webhook;
mod words;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use bid::{BidList, BidRequest, BidView};
pub(crate) use buyer::{AuthorisationList, AuthorisationView, BuyerRequest};
pub(crate) use cache::{CacheKeyList, CacheKeyView, CacheView};
pub(crate) use deal::{DealList, DealRequest, DealUpdate, DealView, SaleRequest};
pub(crate) use invoice::{InvoiceList, InvoiceView};
pub(crate) use key::{KeyList, KeyRequest, KeyView, TicketView};
pub(crate) use leg::LegView;
pub(crate) use parameters::{Acting, AfterVersion, AtVersion, Keyed, MustNameVersion, Paged, UnlessKnown};
pub(crate) use plan::{PlanList, PlanRequest, PlanView};
pub(crate) use problem::ProblemView;
pub(crate) use queue::{
    DeadErrors, DeadGroupView, DeadJobList, DeadJobView, DeadJudged, DeadMany, QueueList, QueueView,
};
pub(crate) use risk::{LimitsList, LimitsRequest, LimitsView, TradingRequest, TradingView};
pub(crate) use shop::{
    ShopOrderEdit, ShopOrderList, ShopOrderRequest, ShopOrderView, ShopStatusRequest, StockAdjustment, StockCount,
    StockList, StockView,
};
pub(crate) use swap::{SwapList, SwapRequest, SwapView};
pub(crate) use webhook::{
    DeliveryList, DeliveryView, EndpointEdit, EndpointList, EndpointRequest, EndpointView, ReplayRequest, ReplayView,
    RotationRequest,
};
pub(crate) use words::{
    AccountName, AccountOrAll, AuthorisationStatus, BidStatus, CurrencyCode, DayOrInstant, DealStatus, DeliveryStatus,
    DiscountType, EndpointFormat, EndpointReason, EndpointStatus, EndpointWanted, EntityId, EventKind, KeyRole,
    KeyScope, KeyStatus, LimitsStatus, PartySide, PlanMode, PlanStatus, QueueKind, ReplayStatus, ShopOrderMove,
    ShopOrderSort, ShopOrderStatus, SwapMode, SwapSide, SwapStatus, SwapTimeInForce, TradingState,
};

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
    mode: Option<SwapMode>,
    /// `sell` or `buy`: information.
    side: Option<SwapSide>,
    /// How much worse than quoted would be accepted, in basis points; 50 by default.
    #[schema(minimum = 0, maximum = 10_000)]
    slippage_bps: Option<u16>,
}

/// Why something did not go on.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// Stable, for programs.
    pub(crate) code: String,
    /// For people.
    pub(crate) message: String,
}

/// An event: an immutable fact about one entity.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: envelopes are written piece by piece")]
pub(crate) struct EventView {
    /// Where it stands in the log, `epoch-seq`: resume after it with `after`.
    seq: String,
    /// What it is about: `swap`, `deal`, `bid`, `invoice`, `authorisation` …
    kind: EventKind,
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
    /// The public view after the change, the old values in `changed`, and in a routing's event all `quotes` (of their swaps the
    /// number, `legCount`) and the `reason` of the choice.
    data: serde_json::Value,
}

/// An event of a stream. Between events stand comments, and ids that move the client's position past what it may not see.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: streams are written piece by piece")]
pub(crate) struct StreamedEvent {
    /// The event's type; `error` for the last one of a stream that the server ends.
    #[schema(example = "deal.updated")]
    event: String,
    /// Its position, `epoch-seq`, which browsers send as `Last-Event-ID` when they reconnect.
    #[schema(example = "1-42", pattern = "^[0-9]+-[0-9]+$")]
    id: String,
    /// JSON: an `EventView`; of an `error` its `code` and the position to `resume` from.
    #[schema(
        example = r#"{"seq":"1-42","kind":"deal","type":"deal.updated","version":3,"data":{"totalPrice":10800}}"#
    )]
    data: String,
}

/// The catalogue of events.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the catalogue is made of the list of types")]
pub(crate) struct EventTypes {
    /// By kind, and in the order in which they happen.
    data: Vec<EventTypeView>,
}

/// One type of event.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the catalogue is made of the list of types")]
pub(crate) struct EventTypeView {
    /// Its name.
    #[schema(rename = "type", example = "deal.updated")]
    type_: String,
    /// What it is about.
    kind: EventKind,
    /// What it says.
    description: String,
    /// Whether webhooks may ask for it.
    webhooks: bool,
    /// JSON Schema (2020-12) of the event's `data`.
    schema: serde_json::Value,
}

/// The events of one entity.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: histories are written piece by piece")]
pub(crate) struct History {
    /// Oldest first.
    data: Vec<EventView>,
    /// Whether there are newer ones: ask again with `after` as the last one's version.
    has_more: bool,
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
    #[schema(value_type = SwapMode)]
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
    /// What no route over the pools of all exchanges can beat, as dual prices prove: of the output (`exactIn`) or of the
    /// input (`exactOut`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bound: Option<String>,
    /// How far the quote is from `bound` at most, in basis points, as decimal text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gap_bps: Option<String>,
    /// The swaps it is made of, in the order of their execution: all of them or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) legs: Vec<LegView>,
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
    /// Whether it is one in which trades are settled: while the trading state is `reducing`, only orders into such a token trade.
    pub(crate) settlement: bool,
}

/// Whether orders can be taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready`, `degraded`, `not ready` or `stopping`.
    pub(crate) status: &'static str,
    /// What was looked at.
    pub(crate) checks: Vec<Check>,
}

/// One thing looked at.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Check {
    /// Its name: `journal`, `wake`, `export nats`.
    pub(crate) name: String,
    /// `ok` or `fail`.
    pub(crate) status: &'static str,
    /// Whether the process cannot do its work without it.
    pub(crate) needed: bool,
    /// How long it took, in milliseconds.
    pub(crate) millis: u64,
}

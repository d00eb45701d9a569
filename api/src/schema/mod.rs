//! The shapes on the wire: requests and answers as the OpenAPI document shows them.

mod leg;
mod problem;
mod swap;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use leg::LegView;
pub(crate) use problem::ProblemView;
pub(crate) use swap::{SwapList, SwapRequest, SwapView};

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
    /// The public view after the change, the old values in `changed`, and in a routing's event all `quotes` (of their swaps the
    /// number, `legCount`) and the `reason` of the choice.
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

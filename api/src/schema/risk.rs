//! Limits and the trading state, on the wire.

use utoipa::ToSchema;

use super::{LimitsStatus, TradingState};

/// What is to be traded.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct TradingRequest {
    /// `active`, `reducing` or `halted`.
    state: TradingState,
    /// Why, for people.
    #[schema(min_length = 1, max_length = 500, example = "a venue answers nonsense")]
    reason: Option<String>,
}

/// What is traded.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct TradingView {
    /// `trading`: there is one.
    #[schema(example = "trading")]
    id: String,
    /// 0 where it was never set, one more with every change; also the ETag.
    version: u64,
    /// The state, under the name that every view has for it.
    status: TradingState,
    /// `active`, `reducing` or `halted`.
    state: TradingState,
    /// Why, for people.
    #[schema(example = "a venue answers nonsense")]
    reason: Option<String>,
    /// The account that set it.
    #[schema(example = "ops")]
    set_by: Option<String>,
    /// When it was set first.
    #[schema(format = DateTime)]
    created_at: Option<String>,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: Option<String>,
}

/// All limits of an account; what is not there has none.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct LimitsRequest {
    /// The most that one order may be worth, in US dollars as decimal text.
    #[schema(example = "1000", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    max_notional_per_order: Option<String>,
    /// The most that the orders of one day (UTC) may be worth together, in US dollars as decimal text.
    #[schema(example = "5000.5", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    max_notional_per_day: Option<String>,
    /// The symbols of the tokens that may be paid and received.
    #[schema(max_items = 200, example = json!(["SOL", "USDC"]))]
    allowed_tokens: Option<Vec<String>>,
    /// The most price impact of a quote, in basis points.
    #[schema(minimum = 0, maximum = 10_000)]
    max_price_impact_bps: Option<u32>,
}

/// The limits of an account, or of all that have none of their own; null where there is no limit.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct LimitsView {
    /// The same as `account`.
    #[schema(example = "alice")]
    id: String,
    /// Whose they are; `*` for all that have none of their own.
    account: String,
    /// One more with every change; also the ETag.
    version: u64,
    /// `active`, or `removed`.
    status: LimitsStatus,
    /// The most that one order may be worth, in US dollars.
    #[schema(required, example = "1000")]
    max_notional_per_order: Option<String>,
    /// The most that the orders of one day (UTC) may be worth together, in US dollars.
    #[schema(required, example = "5000.5")]
    max_notional_per_day: Option<String>,
    /// The symbols of the tokens that may be paid and received.
    #[schema(required, example = json!(["SOL", "USDC"]))]
    allowed_tokens: Option<Vec<String>>,
    /// The most price impact of a quote, in basis points.
    #[schema(required)]
    max_price_impact_bps: Option<u32>,
    /// What the account's orders of today took of the daily limit, in US dollars; where one account's limits are read, alone.
    #[schema(example = "1250.75")]
    notional_today: Option<String>,
    /// The account that set them.
    #[schema(example = "ops")]
    set_by: String,
    /// When the account got limits for the first time.
    #[schema(format = DateTime)]
    created_at: String,
    /// When they last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A page of limits.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct LimitsList {
    /// Those first that were set first.
    data: Vec<LimitsView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

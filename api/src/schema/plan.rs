//! Plans on the wire.

use utoipa::ToSchema;

use super::{PlanMode, PlanStatus, SwapSide};

/// A plan to be made. Unknown fields are refused; `null` is as good as absent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct PlanRequest {
    /// Symbol of the token that is paid.
    #[schema(example = "SOL")]
    input_token: String,
    /// Symbol of the token that is received.
    #[schema(example = "USDC")]
    output_token: String,
    /// What each slice pays, in whole input tokens as decimal text; either this or `total`.
    #[schema(example = "10", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: Option<String>,
    /// What all slices pay together, likewise: they differ by one base unit at most.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    total: Option<String>,
    /// How many slices.
    #[schema(minimum = 2, maximum = 1_000)]
    slices: u32,
    /// From one slice to the next, in seconds. Slices that are late, because nothing ran, follow at this pace and not all at once.
    #[schema(minimum = 1, maximum = 31_536_000)]
    every_seconds: u32,
    /// `exactIn`: what a slice pays is fixed.
    mode: Option<PlanMode>,
    /// What the trader calls its orders: `sell` by default.
    side: Option<SwapSide>,
    /// How much worse than quoted is accepted, in basis points; 50 by default.
    #[schema(minimum = 0, maximum = 10_000)]
    slippage_bps: Option<u16>,
    /// The worst price that is accepted, as of an order: a slice rests as `open` until the next one has its turn.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    limit_price: Option<String>,
    /// The most price impact of each slice's quote, in basis points.
    #[schema(minimum = 0, maximum = 10_000)]
    max_price_impact_bps: Option<u32>,
    /// The client's own id of the plan, unique within the account for ever: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    client_order_id: Option<String>,
    /// When the first slice has its turn (RFC 3339), within 365 days; at once without it.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
}

/// A plan as it stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct PlanView {
    /// UUID v7.
    id: String,
    /// 1 at creation, one more with every slice and every change; also the ETag.
    version: u64,
    /// `active`, or final: `completed`, `cancelled`.
    status: PlanStatus,
    /// Whose it is.
    account: String,
    /// `sell` or `buy`.
    side: SwapSide,
    /// `exactIn`.
    mode: PlanMode,
    /// Symbol of the token that is paid.
    input_token: String,
    /// Its decimals.
    input_decimals: u8,
    /// Symbol of the token that is received.
    output_token: String,
    /// Its decimals.
    output_decimals: u8,
    /// What a slice pays, in whole tokens; where the slices differ, the larger.
    amount: String,
    /// What all slices pay together.
    total: String,
    /// How many slices.
    slices: u32,
    /// How many had their turn.
    turns: u32,
    /// How many of those were refused.
    skipped: u32,
    /// From one slice to the next, in seconds.
    every_seconds: u32,
    /// How much worse than quoted is accepted, in basis points.
    slippage_bps: u16,
    /// The worst price that is accepted.
    limit_price: Option<String>,
    /// The most price impact of each slice's quote, in basis points.
    max_price_impact_bps: Option<u32>,
    /// The client's own id.
    client_order_id: Option<String>,
    /// When the next slice has its turn; absent when none follows.
    #[schema(format = DateTime)]
    next_at: Option<String>,
    /// The last slice that was refused.
    refusal: Option<PlanRefusal>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Why a slice was not placed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct PlanRefusal {
    /// Which one: the first is 1.
    slice: u32,
    /// The code that refused the order.
    code: String,
    /// For people.
    message: String,
}

/// One page of plans.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct PlanList {
    /// Newest first.
    data: Vec<PlanView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

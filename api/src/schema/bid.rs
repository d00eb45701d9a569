//! Bids on the wire.

use utoipa::ToSchema;

use super::{BidStatus, CurrencyCode, PartySide};

/// A price. Unknown fields are refused; `null` is as good as absent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct BidRequest {
    /// In minor units of the deal's currency, above zero.
    #[schema(example = 11_000, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    amount: i64,
    /// Not to be accepted at this instant or after it (RFC 3339).
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A bid as it stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct BidView {
    /// UUID.
    id: String,
    /// 1 at creation, one more with every change; also the ETag.
    version: u64,
    /// `offered` (the buyer's price stands), `countered` (the seller's does), `accepted`, or final: `declined`, `retracted`,
    /// `expired`.
    status: BidStatus,
    /// The deal.
    deal_id: String,
    /// Whose deal.
    seller_id: String,
    /// Whose bid.
    buyer_id: String,
    /// The price that stands, in minor units.
    amount: i64,
    /// The deal's currency.
    currency: CurrencyCode,
    /// Who has to answer, `seller` or `buyer`; absent when nobody has.
    awaits: Option<PartySide>,
    /// Not to be accepted at this instant or after it.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// One page of bids.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct BidList {
    /// Newest first.
    data: Vec<BidView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

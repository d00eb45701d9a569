//! Deals on the wire.

use utoipa::openapi::{OneOfBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{CurrencyCode, DealStatus, DiscountType};

/// A deal to be posted. Unknown fields are refused; `null` is as good as absent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct DealRequest {
    /// What it is called: 1 to 200 characters.
    #[schema(example = "Two chairs")]
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// ISO 4217.
    currency: CurrencyCode,
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<NewItem>,
    /// What is taken off the sum.
    discount: Option<DiscountRequest>,
    /// What the client takes the total to be: refused when it differs from what the server computes.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    total_price: Option<i64>,
}

/// All that a deal is to offer from now on. Unknown fields are refused; `null` is as good as absent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct DealUpdate {
    /// What it is called: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// ISO 4217.
    currency: CurrencyCode,
    /// 1 to 100; those that are not there are gone.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemUpdate>,
    /// What is taken off the sum.
    discount: Option<DiscountRequest>,
    /// What the client takes the total to be: refused when it differs from what the server computes.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    total_price: Option<i64>,
}

/// One thing of a new deal.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
struct NewItem {
    /// What it is: 1 to 200 characters.
    #[schema(example = "Chair")]
    name: String,
    /// In minor units, not negative.
    #[schema(example = 12_000, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    price: i64,
}

/// One thing of a changed deal.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
struct ItemUpdate {
    /// The item's id, which it keeps; a new one is made where there is none.
    id: Option<String>,
    /// What it is: 1 to 200 characters.
    name: String,
    /// In minor units, not negative.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    price: i64,
}

/// What is to be taken off the sum of the prices.
pub(crate) struct DiscountRequest;

impl PartialSchema for DiscountRequest {
    fn schema() -> RefOr<Schema> {
        let either = OneOfBuilder::new().item(Ref::from_schema_name("FlatDiscount"));
        let either = either.item(Ref::from_schema_name("PercentageDiscount"));
        either.description(Some("What is to be taken off the sum of the prices.")).into()
    }
}

impl ToSchema for DiscountRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in
            [("FlatDiscount", FlatDiscount::schema()), ("PercentageDiscount", PercentageDiscount::schema())]
        {
            schemas.push((name.to_owned(), schema));
        }
    }
}

/// An amount off the sum.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
struct FlatDiscount {
    /// `flat`.
    #[schema(rename = "type", pattern = "^flat$", example = "flat")]
    type_: String,
    /// In minor units; no more than there is.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    amount: i64,
    /// The deal's own, or it is refused.
    currency: Option<CurrencyCode>,
}

/// A part of the sum.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
struct PercentageDiscount {
    /// `percentage`.
    #[schema(rename = "type", pattern = "^percentage$", example = "percentage")]
    type_: String,
    /// Hundredths of a percent.
    #[schema(minimum = 0, maximum = 10_000)]
    basis_points: u16,
}

/// What is taken off the sum of the prices: `flat` with `amount`, or `percentage` with `basisPoints`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
struct DiscountView {
    /// `flat` or `percentage`.
    #[schema(rename = "type")]
    type_: DiscountType,
    /// Of a flat one, in minor units; no more than there is. A listed price's discount has the number that its client sent.
    amount: Option<f64>,
    /// Of a percentage: hundredths of a percent.
    #[schema(example = 1_000)]
    basis_points: Option<u16>,
}

/// One thing of a deal.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct ItemView {
    /// UUID.
    id: String,
    /// What it is.
    name: String,
    /// In minor units.
    price: i64,
}

/// A deal as it stands. Amounts are integers of the currency's minor units.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct DealView {
    /// UUID.
    id: String,
    /// 1 at creation, one more with every change; also the ETag.
    version: u64,
    /// `available`, `reserved`, `sold` (final) or `withdrawn`.
    status: DealStatus,
    /// Whose it is.
    seller_id: String,
    /// What it is called.
    name: String,
    /// ISO 4217.
    currency: CurrencyCode,
    /// What there is.
    items: Vec<ItemView>,
    /// What is taken off.
    discount: Option<DiscountView>,
    /// The sum of the prices; absent where the price is listed.
    subtotal: Option<i64>,
    /// What the discount comes to; absent where the price is listed.
    discount_amount: Option<i64>,
    /// What it costs. A price that was listed through another system's API is as its client sent it.
    total_price: i64,
    /// The document about its sale, for its seller and its buyer.
    invoice_id: Option<String>,
    /// When it was posted.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// One page of deals.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct DealList {
    /// Newest first.
    data: Vec<DealView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// To whom a deal is sold.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct SaleRequest {
    /// An authorised buyer; not needed where the deal is reserved.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    buyer_id: Option<String>,
}

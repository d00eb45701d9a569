//! Shop orders and stock on the wire.

use utoipa::ToSchema;

use super::deal::DiscountRequest;
use super::{DiscountType, ShopOrderMove, ShopOrderStatus};

/// An order to be taken. Unknown fields are refused; `null` is as good as absent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct ShopOrderRequest {
    /// Who orders.
    customer: CustomerView,
    /// ISO 4217.
    #[schema(example = "GBP", min_length = 3, max_length = 3)]
    currency: String,
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ShopItemRequest>,
    /// What is taken off the sum.
    discount: Option<DiscountRequest>,
    /// What the client takes the total to be: refused when it differs from what the server computes.
    #[schema(example = 2250)]
    total: Option<i64>,
    /// What the shop calls the order: 1 to 128 bytes, and no two orders of the shop have the same.
    #[schema(example = "web-1001", max_length = 128)]
    external_reference: Option<String>,
    /// What else there is to say: 1 to 1,000 characters.
    #[schema(example = "Ring twice", max_length = 1000)]
    note: Option<String>,
}

/// What of a pending order is to change: what is not there stays. Unknown fields are refused.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct ShopOrderEdit {
    /// Who orders: all of it.
    customer: Option<CustomerView>,
    /// ISO 4217.
    #[schema(example = "GBP", min_length = 3, max_length = 3)]
    currency: Option<String>,
    /// All of them, 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    items: Option<Vec<ShopItemRequest>>,
    /// What is taken off the sum; `null` for nothing.
    discount: Option<DiscountRequest>,
    /// What the client takes the total to be then: refused when it differs from what the server computes.
    #[schema(example = 3750)]
    total: Option<i64>,
    /// What else there is to say; `null` for nothing.
    #[schema(example = "Ring twice", max_length = 1000)]
    note: Option<String>,
}

/// The state that an order is to come to.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct ShopStatusRequest {
    /// What it is to be.
    #[schema(example = "PROCESSING")]
    status: ShopOrderMove,
}

/// A customer, as it stands in one order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct CustomerView {
    /// 1 to 255 characters of any script.
    #[schema(example = "Ada Lovelace", min_length = 1, max_length = 255)]
    name: String,
    /// An e-mail address in ASCII.
    #[schema(example = "ada@example.org", max_length = 254)]
    email: String,
    /// At most 32 digits, blanks and `+ - ( ) . /`.
    #[schema(example = "+44 20 7946 0000", max_length = 32)]
    phone: Option<String>,
}

/// One item of an order to be taken.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
struct ShopItemRequest {
    /// Which product: 1 to 100 bytes.
    #[schema(example = "mug-1", min_length = 1, max_length = 100)]
    product_id: String,
    /// What it is called: 1 to 255 characters.
    #[schema(example = "Mug", min_length = 1, max_length = 255)]
    name: String,
    /// How many pieces.
    #[schema(example = 2, minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// What one piece costs, in minor units.
    #[schema(example = 1250, minimum = 0, maximum = 1_000_000_000_000_i64)]
    unit_price: i64,
}

/// What is taken off the sum: `flat` with `amount`, or `percentage` with `basisPoints`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct ShopDiscount {
    /// `flat` or `percentage`.
    #[schema(rename = "type", example = "percentage")]
    type_: DiscountType,
    /// Of a flat one, in minor units; no more than there is.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    amount: Option<i64>,
    /// Of a percentage: hundredths of a percent.
    #[schema(example = 1000, minimum = 0, maximum = 10_000)]
    basis_points: Option<u16>,
}

/// One item of an order.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct ShopItemView {
    /// Which product.
    #[schema(example = "mug-1")]
    product_id: String,
    /// What it is called.
    #[schema(example = "Mug")]
    name: String,
    /// How many pieces.
    #[schema(example = 2)]
    quantity: i64,
    /// What one piece costs.
    #[schema(example = 1250)]
    unit_price: i64,
    /// What of the order's discount falls on it; absent where nothing does.
    #[schema(example = 250)]
    discount: Option<i64>,
    /// What all its pieces cost, less that: those of all items add up to the order's.
    #[schema(example = 2250)]
    total: i64,
}

/// A shop order as it stands. Amounts are integers of the currency's minor units.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct ShopOrderView {
    /// UUID.
    #[schema(example = "019aa7c2-6a5e-7d0b-9c51-3f1d2b7a9e10")]
    id: String,
    /// 1 at creation, one more with every change; also the ETag.
    #[schema(example = 1)]
    version: u64,
    /// Where it is in its life.
    #[schema(example = "PENDING")]
    status: ShopOrderStatus,
    /// Who ordered.
    customer: CustomerView,
    /// ISO 4217.
    #[schema(example = "GBP")]
    currency: String,
    /// What was ordered.
    items: Vec<ShopItemView>,
    /// What is taken off.
    discount: Option<ShopDiscount>,
    /// What the items cost together.
    #[schema(example = 2500)]
    subtotal: i64,
    /// What the discount comes to.
    #[schema(example = 250)]
    discount_amount: i64,
    /// What the customer pays.
    #[schema(example = 2250)]
    total: i64,
    /// What the shop calls the order.
    #[schema(example = "web-1001")]
    external_reference: Option<String>,
    /// What else there is to say.
    #[schema(example = "Ring twice")]
    note: Option<String>,
    /// When it was deleted.
    #[schema(format = DateTime, example = "2026-11-21T10:15:00.000000Z")]
    deleted_at: Option<String>,
    /// When it was taken.
    #[schema(format = DateTime, example = "2026-11-20T10:15:00.000000Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2026-11-20T10:15:00.000000Z")]
    updated_at: String,
}

/// One page of a shop's orders.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct ShopOrderList {
    /// In the order of the list.
    data: Vec<ShopOrderView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// How many pieces of a product there are.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct StockCount {
    /// All of them, those kept for open orders included.
    #[schema(example = 10, minimum = 0, maximum = 1_000_000_000)]
    on_hand: i64,
}

/// How many pieces of a product came in, or went.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct StockAdjustment {
    /// Added; taken away where it is negative.
    #[schema(example = 5, minimum = -1_000_000_000, maximum = 1_000_000_000)]
    add: i64,
}

/// What a shop has of a product. The three numbers are of the moment of the answer; events do not have them.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct StockView {
    /// UUID, made of shop and product.
    #[schema(example = "6f0b2f0e-0a53-5d0c-8f0f-2f9f6a1c7b11")]
    id: String,
    /// 1 when it was first counted, one more each time it was counted or adjusted; also the ETag. Orders do not change it.
    #[schema(example = 1)]
    version: u64,
    /// `counted`.
    #[schema(example = "counted")]
    status: String,
    /// Which product.
    #[schema(example = "mug-1")]
    product_id: String,
    /// What was last added by hand, or taken away where it is negative.
    #[schema(example = 10)]
    adjustment: i64,
    /// When it was first counted.
    #[schema(format = DateTime, example = "2026-11-20T10:15:00.000000Z")]
    created_at: String,
    /// When it was last counted or adjusted.
    #[schema(format = DateTime, example = "2026-11-20T10:15:00.000000Z")]
    updated_at: String,
    /// To be sold.
    #[schema(example = 8)]
    available: Option<i64>,
    /// Kept for open orders.
    #[schema(example = 2)]
    reserved: Option<i64>,
    /// The one and the other.
    #[schema(example = 10)]
    on_hand: Option<i64>,
}

/// One page of a shop's stock.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct StockList {
    /// Those first that were counted first.
    data: Vec<StockView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

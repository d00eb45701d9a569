//! Invoices on the wire.

use utoipa::ToSchema;

use super::CurrencyCode;

/// An invoice. Amounts are integers of the currency's minor units.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct InvoiceView {
    /// UUID.
    id: String,
    /// 1: it never changes.
    version: u64,
    /// `issued`.
    status: String,
    /// 1 for the seller's first, without gaps.
    number: u64,
    /// Who sold.
    seller_id: String,
    /// Who bought.
    buyer_id: String,
    /// The deal.
    deal_id: String,
    /// What the deal was called.
    deal_name: String,
    /// The accepted bid, where the sale came from one.
    bid_id: Option<String>,
    /// ISO 4217.
    currency: CurrencyCode,
    /// How many decimals the currency's amounts have when they are shown.
    currency_exponent: u8,
    /// What was sold; last the adjustment, where the agreed price is another than the asked.
    lines: Vec<LineView>,
    /// The sum of the lines' amounts.
    total: i64,
    /// When it was issued.
    #[schema(format = DateTime)]
    issued_at: String,
}

/// One line of an invoice.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
struct LineView {
    /// The deal's item; absent for the adjustment.
    item_id: Option<String>,
    /// What it is.
    name: String,
    /// Before the discount.
    price: i64,
    /// The line's part of the discount.
    discount: i64,
    /// What is left.
    amount: i64,
}

/// One page of invoices.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct InvoiceList {
    /// Newest first.
    data: Vec<InvoiceView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

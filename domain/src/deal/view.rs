//! What the world sees of a deal: its seller, and every buyer whom the seller authorised.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Deal, Item, Status};
use crate::money::{Currency, Minor};
use crate::{Owner, Timestamp};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    seller_id: &'a Owner,
    name: &'a str,
    currency: Currency,
    items: &'a [Item],
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtotal: Option<Minor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Minor>,
    total_price: Minor,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_id: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Deal {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let (terms, totals) = (&self.terms, self.terms.totals());
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            seller_id: &self.seller,
            name: terms.name(),
            currency: terms.currency(),
            items: terms.items(),
            discount: terms.discount_json(),
            subtotal: totals.map(|totals| totals.subtotal),
            discount_amount: totals.map(|totals| totals.discount),
            total_price: terms.total(),
            invoice_id: self.invoice_id.as_deref(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        // Text keys and no failing parts.
        serde_json::to_string(&view).unwrap_or_default()
    }
}

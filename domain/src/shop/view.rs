//! What the shop sees of an order.

use serde::Serialize;

use super::{Customer, Item, Order, Status};
use crate::Timestamp;
use crate::money::{Currency, Discount, Minor};

// No text inside a view can contain this mark, because JSON escapes its quotes, and no part of a view has such a field.
const DELETED_MARK: &str = ",\"deletedAt\":\"";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    customer: &'a Customer,
    currency: Currency,
    items: &'a [Item],
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<Discount>,
    subtotal: Minor,
    discount_amount: Minor,
    total: Minor,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Order {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let content = &self.content;
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            customer: &content.customer,
            currency: content.currency,
            items: &content.items,
            discount: content.discount,
            subtotal: content.totals.subtotal,
            discount_amount: content.totals.discount,
            total: content.totals.total,
            external_reference: self.external_reference.as_deref(),
            note: content.note.as_deref(),
            deleted_at: self.deleted_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        // Text keys and no failing parts.
        serde_json::to_string(&view).unwrap_or_default()
    }
}

/// Whether the order of this view is deleted.
#[must_use]
pub fn is_deleted(view: &str) -> bool {
    view.contains(DELETED_MARK)
}

//! A shop order: its whole state, and how the journal keeps it.

use serde::{Deserialize, Serialize};

use super::{Content, Customer, Item, customer_key};
use crate::money::{Currency, Discount, Minor, Totals};
use crate::{Entity, Owner, Timestamp};

/// The journal's word for an order that was deleted; the state that it was in stands in its body then.
pub const DELETED: &str = "deleted";

/// The field of the body that has the microsecond in which the order was taken.
pub const TAKEN_AT: &str = "takenAt";

/// The states of a shop order; completed and cancelled are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Taken.
    Pending,
    /// The shop is at it.
    Processing,
    /// The customer has what was ordered.
    Completed,
    /// Nothing comes of it.
    Cancelled,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Processing, Self::Completed, Self::Cancelled];

    /// The word in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The word on the wire.
    #[must_use]
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state of that word in the journal.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The state of that word on the wire.
    #[must_use]
    pub fn parse_shown(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.shown() == word)
    }

    /// Nothing follows it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// Pieces of a product that are kept for an order, out of stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Which product.
    pub product_id: String,
    /// How many.
    pub quantity: i64,
}

/// A shop order: the whole state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// UUID text.
    pub id: String,
    /// 1 for a new one.
    pub version: u64,
    /// Whose it is.
    pub shop: Owner,
    /// Where it is in its life.
    pub status: Status,
    /// What it says.
    pub content: Content,
    /// What the shop calls it: no two of its orders have the same, whatever becomes of them.
    pub external_reference: Option<String>,
    /// What is kept for it out of stock, by product: nothing once it is final or deleted.
    pub held: Vec<Held>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// When it was taken.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The state without the journal's columns. Lists go by `customerKey`, `total` and [`TAKEN_AT`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    customer: Customer,
    customer_key: String,
    taken_at: i64,
    currency: Currency,
    items: Vec<Item>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discount: Option<Discount>,
    subtotal: Minor,
    discount_amount: Minor,
    total: Minor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external_reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    /// Of a deleted one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_status: Option<Status>,
}

impl Order {
    /// The word for its state in the journal.
    #[must_use]
    pub const fn journal_status(&self) -> &'static str {
        if self.deleted_at.is_some() { DELETED } else { self.status.as_str() }
    }

    /// The body that the journal keeps.
    pub(super) fn body(&self) -> String {
        let Content { customer, items, currency, discount, totals, note } = self.content.clone();
        let body = Body {
            customer_key: customer_key(&self.shop, customer.email()),
            customer,
            taken_at: self.created_at.0,
            currency,
            items,
            discount,
            subtotal: totals.subtotal,
            discount_amount: totals.discount,
            total: totals.total,
            external_reference: self.external_reference.clone(),
            note,
            held: self.held.clone(),
            deleted_at: self.deleted_at,
            last_status: self.deleted_at.map(|_| self.status),
        };
        // Text keys and no failing parts.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Reads the order from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let body: Body = serde_json::from_str(&entity.body)?;
        let status = body.last_status.or_else(|| Status::parse(&entity.status));
        let status = status.ok_or_else(|| <serde_json::Error as serde::de::Error>::custom("no such status"))?;
        let totals = Totals { subtotal: body.subtotal, discount: body.discount_amount, total: body.total };
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            shop: entity.owner.clone(),
            status,
            content: Content {
                customer: body.customer,
                items: body.items,
                currency: body.currency,
                discount: body.discount,
                totals,
                note: body.note,
            },
            external_reference: body.external_reference,
            held: body.held,
            deleted_at: body.deleted_at,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
        })
    }
}

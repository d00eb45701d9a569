//! A deal: its whole state, and how the journal keeps it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Item, ListedDiscount, Pricing, Terms};
use crate::money::{Currency, Discount, Minor, Totals};
use crate::{Entity, Owner, Timestamp};

/// The states of a deal; sold is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Bids are taken.
    Available,
    /// A bid is accepted; the sale is to come.
    Reserved,
    /// Sold, with an invoice if there is a buyer.
    Sold,
    /// Off the list.
    Withdrawn,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Available, Self::Reserved, Self::Sold, Self::Withdrawn];

    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Sold => "sold",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Nothing follows it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Sold)
    }
}

/// For whom a deal is kept, and for how much. No part of the public view, which every authorised buyer reads: the two whom it
/// concerns have the bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The accepted bid.
    pub bid_id: String,
    /// Whose it is.
    pub buyer: Owner,
    /// What was agreed.
    pub amount: Minor,
}

/// A deal: the whole state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// UUID text.
    pub id: String,
    /// 1 for a new one.
    pub version: u64,
    /// Whose it is.
    pub seller: Owner,
    /// Where it is in its life.
    pub status: Status,
    /// What is offered.
    pub terms: Terms,
    /// While it is reserved, and kept when that led to the sale.
    pub reservation: Option<Reservation>,
    /// The document about its sale.
    pub invoice_id: Option<String>,
    /// The version that gave it its present terms: a bid for earlier ones binds nobody.
    pub terms_version: u64,
    /// The version at which bids were last closed: those made for an earlier one are to be declined.
    pub closed: Option<u64>,
    /// When it was posted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The state without the journal's columns. Lists filter by `currency` and `totalPrice`; a price is listed where there is no
/// subtotal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    name: String,
    currency: Currency,
    items: Vec<Item>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discount: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subtotal: Option<Minor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Minor>,
    total_price: Minor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reservation: Option<Reservation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_id: Option<String>,
    terms_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<u64>,
}

impl Terms {
    /// The discount as JSON, whichever kind it is.
    pub(super) fn discount_json(&self) -> Option<Box<RawValue>> {
        let json = match &self.pricing {
            Pricing::Computed { discount, .. } => discount.and_then(|discount| serde_json::to_string(&discount).ok()),
            Pricing::Listed { discount, .. } => discount.as_ref().map(|discount| discount.as_json().to_owned()),
        };
        json.and_then(|json| RawValue::from_string(json).ok())
    }

    /// What the items come to, where the price is computed.
    #[must_use]
    pub const fn totals(&self) -> Option<Totals> {
        match self.pricing {
            Pricing::Computed { totals, .. } => Some(totals),
            Pricing::Listed { .. } => None,
        }
    }
}

impl Deal {
    /// The body that the journal keeps.
    pub(super) fn body(&self) -> String {
        let (terms, totals) = (&self.terms, self.terms.totals());
        let body = Body {
            name: terms.name.clone(),
            currency: terms.currency,
            items: terms.items.clone(),
            discount: terms.discount_json(),
            subtotal: totals.map(|totals| totals.subtotal),
            discount_amount: totals.map(|totals| totals.discount),
            total_price: terms.total(),
            reservation: self.reservation.clone(),
            invoice_id: self.invoice_id.clone(),
            terms_version: self.terms_version,
            closed: self.closed,
        };
        // Text keys and no failing parts.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Reads the deal from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let status = Status::parse(&entity.status)
            .ok_or_else(|| <serde_json::Error as serde::de::Error>::custom("no such status"))?;
        let body: Body = serde_json::from_str(&entity.body)?;
        let discount = body.discount.as_deref().map(RawValue::get);
        let pricing = match (body.subtotal, body.discount_amount) {
            (Some(subtotal), Some(amount)) => Pricing::Computed {
                discount: discount.map(serde_json::from_str::<Discount>).transpose()?,
                totals: Totals { subtotal, discount: amount, total: body.total_price },
            },
            _ => Pricing::Listed { total: body.total_price, discount: discount.map(ListedDiscount::stored) },
        };
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            seller: entity.owner.clone(),
            status,
            terms: Terms { name: body.name, currency: body.currency, items: body.items, pricing },
            reservation: body.reservation,
            invoice_id: body.invoice_id,
            terms_version: body.terms_version,
            closed: body.closed,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
        })
    }
}

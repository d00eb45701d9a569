//! What buyer and seller see of a bid.

use serde::Serialize;

use super::{Bid, Side, Status};
use crate::money::{Currency, Minor};
use crate::{Owner, Timestamp};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    deal_id: &'a str,
    seller_id: &'a Owner,
    buyer_id: &'a Owner,
    amount: Minor,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    awaits: Option<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Bid {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            deal_id: &self.deal,
            seller_id: &self.seller,
            buyer_id: &self.buyer,
            amount: self.amount,
            currency: self.currency,
            awaits: self.status.turn(),
            expires_at: self.expires_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        // Text keys and no failing parts.
        serde_json::to_string(&view).unwrap_or_default()
    }
}

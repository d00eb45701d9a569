//! An invoice: what was sold, to whom, for how much.

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Minor};
use crate::{Entity, Owner, Timestamp};

/// The only state of an invoice.
pub const STATUS: &str = "issued";

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The deal's item; none for the adjustment to the agreed price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// What it is.
    pub name: String,
    /// Before the discount.
    pub price: Minor,
    /// The line's part of the discount.
    pub discount: Minor,
    /// What is left: the amounts of all lines add up to the total.
    pub amount: Minor,
}

/// An invoice: the whole state. What the journal keeps in columns of its own does not stand in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// UUID text. A column.
    #[serde(skip)]
    pub id: String,
    /// Who sold. A column.
    #[serde(skip)]
    pub seller: Owner,
    /// Who bought. A column.
    #[serde(skip)]
    pub buyer: Owner,
    /// The deal's id. A column.
    #[serde(skip)]
    pub deal: String,
    /// 1 for the seller's first, one more for each that follows.
    pub number: u64,
    /// What the deal was called.
    pub deal_name: String,
    /// The accepted bid, where the sale came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_id: Option<String>,
    /// The currency of every amount.
    pub currency: Currency,
    /// What was sold; last the adjustment, where the agreed price is another than the asked.
    pub lines: Vec<Line>,
    /// What the buyer owes.
    pub total: Minor,
    /// When it was issued. A column.
    #[serde(skip)]
    pub issued_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: &'static str,
    number: u64,
    seller_id: &'a Owner,
    buyer_id: &'a Owner,
    deal_id: &'a str,
    deal_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bid_id: Option<&'a str>,
    currency: Currency,
    currency_exponent: u8,
    lines: &'a [Line],
    total: Minor,
    issued_at: Timestamp,
}

impl Invoice {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: 1,
            status: STATUS,
            number: self.number,
            seller_id: &self.seller,
            buyer_id: &self.buyer,
            deal_id: &self.deal,
            deal_name: &self.deal_name,
            bid_id: self.bid_id.as_deref(),
            currency: self.currency,
            currency_exponent: self.currency.exponent(),
            lines: &self.lines,
            total: self.total,
            issued_at: self.issued_at,
        };
        // Text keys and no failing parts.
        serde_json::to_string(&view).unwrap_or_default()
    }

    /// Reads the invoice from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let custom = |text| <serde_json::Error as serde::de::Error>::custom(text);
        let body: Self = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            seller: entity.owner.clone(),
            buyer: entity.party.clone().ok_or_else(|| custom("no buyer"))?,
            deal: entity.parent.clone().ok_or_else(|| custom("no deal"))?,
            issued_at: entity.created_at,
            ..body
        })
    }
}

//! Anything with a lifecycle: a kind, an id, a version, a status, an owner, a JSON body.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What sort of thing an entity is. A new line of business adds its words here and no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An order to exchange one token for another.
    Swap,
    /// A swap order in slices, one after the other.
    Plan,
    /// What a seller offers.
    Deal,
    /// What a buyer would pay for a deal.
    Bid,
    /// The document about a deal that was sold.
    Invoice,
    /// A seller's word that a buyer may see its deals.
    Authorisation,
    /// An order of a shop's customer.
    ShopOrder,
    /// What a shop has of a product.
    Stock,
    /// A key to the API.
    Key,
    /// Where webhooks go.
    Endpoint,
    /// One event on its way to one endpoint: bookkeeping.
    Delivery,
    /// A queue of messages, or the switch of one of the program's own queues: bookkeeping.
    Queue,
    /// Messages of a queue on their way to another one: bookkeeping.
    MessageMove,
    /// Deliveries of a range of events, made again: bookkeeping.
    Replay,
    /// Since when an endpoint fails: bookkeeping.
    Health,
    /// When a key was last used: bookkeeping.
    KeyUse,
    /// The number of a seller's newest invoice: bookkeeping.
    InvoiceBook,
    /// The position of a relay in the log: bookkeeping.
    Relay,
    /// What an account may trade at most.
    Limits,
    /// Whether anything is traded.
    Trading,
    /// Changes with every change of limits and of the trading state: bookkeeping.
    RiskBook,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 21] = [
        Self::Swap,
        Self::Plan,
        Self::Deal,
        Self::Bid,
        Self::Invoice,
        Self::Authorisation,
        Self::ShopOrder,
        Self::Stock,
        Self::Key,
        Self::Endpoint,
        Self::Delivery,
        Self::Queue,
        Self::MessageMove,
        Self::Replay,
        Self::Health,
        Self::KeyUse,
        Self::InvoiceBook,
        Self::Relay,
        Self::Limits,
        Self::Trading,
        Self::RiskBook,
    ];

    /// The name in the journal, in event types and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Swap => "swap",
            Self::Plan => "plan",
            Self::Deal => "deal",
            Self::Bid => "bid",
            Self::Invoice => "invoice",
            Self::Authorisation => "authorisation",
            Self::ShopOrder => "shop.order",
            Self::Stock => "shop.stock",
            Self::Key => "key",
            Self::Endpoint => "webhook.endpoint",
            Self::Delivery => "webhook.delivery",
            Self::Queue => "queue",
            Self::MessageMove => "queue.move",
            Self::Replay => "webhook.replay",
            Self::Health => "webhook.health",
            Self::KeyUse => "key_use",
            Self::InvoiceBook => "invoice_book",
            Self::Relay => "relay",
            Self::Limits => "limits",
            Self::Trading => "trading",
            Self::RiskBook => "risk_book",
        }
    }

    /// Whether its changes are nobody's news: it makes no events.
    #[must_use]
    pub const fn is_bookkeeping(self) -> bool {
        matches!(
            self,
            Self::Delivery
                | Self::Queue
                | Self::MessageMove
                | Self::Replay
                | Self::Health
                | Self::KeyUse
                | Self::InvoiceBook
                | Self::Relay
                | Self::RiskBook
        )
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The account an entity belongs to: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Owner(Arc<str>);

impl Default for Owner {
    /// `default`: the account of callers who name none.
    fn default() -> Self {
        Self("default".into())
    }
}

impl Owner {
    /// The owner of that name, if it is a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let fits = (1..=64).contains(&name.len());
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        (fits && plain).then(|| Self(name.into()))
    }

    /// The owner of bookkeeping.
    #[must_use]
    pub fn system() -> Self {
        Self("system".into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an account name"))
    }
}

/// One row of the journal's `entity` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Which one: unique within its kind, at most 64 bytes.
    pub id: String,
    /// 1 at creation, one more with every change.
    pub version: u64,
    /// The state of its lifecycle, in the words of its kind.
    pub status: String,
    /// Whose it is.
    pub owner: Owner,
    /// The other account that it concerns.
    pub party: Option<Owner>,
    /// What it hangs on: the id of a bid's deal, of a delivery's endpoint.
    pub parent: Option<String>,
    /// Its whole state as JSON.
    pub body: String,
    /// The global number of its creation: immutable, so that lists page by it.
    pub created_seq: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_plain_names() {
        for good in ["default", "a", "acct:7", "A.b_c-9"] {
            assert_eq!(Owner::parse(good).as_ref().map(Owner::as_str), Some(good));
        }
        for bad in ["", " ", "a b", "ä", "a\n", "x/y", &"a".repeat(65)] {
            assert_eq!(Owner::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn kinds_have_distinct_names_that_parse_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("no such thing"), None);
    }
}

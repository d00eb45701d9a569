//! The types of a swap order. Amounts are base units; their token and its decimals stand beside them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::quote::{Ask, Inquiry, Mode, Quote};
use crate::amount::{Decimal, text};
use crate::{Owner, Timestamp};

/// The states of a swap order, in the order of a life; the last four are final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted, on disk.
    #[default]
    Pending,
    /// Waits, without any work, for a price that meets its limit.
    Open,
    /// Asking the venues.
    Routing,
    /// A venue is chosen; the transaction is being built.
    Building,
    /// The signed bytes are on disk; they are sent until the venue says what became of them.
    Submitted,
    /// Traded.
    Confirmed,
    /// Given up; `failure` says why.
    Failed,
    /// Withdrawn by its owner before a venue was chosen.
    Cancelled,
    /// Its time ran out before a transaction was built.
    Expired,
}

impl Status {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Open,
        Self::Routing,
        Self::Building,
        Self::Submitted,
        Self::Confirmed,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Routing => "routing",
            Self::Building => "building",
            Self::Submitted => "submitted",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
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
        matches!(self, Self::Confirmed | Self::Failed | Self::Cancelled | Self::Expired)
    }
}

/// What the trader calls the order; the amount's meaning is [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Gives the input token away.
    Sell,
    /// Wants the output token.
    Buy,
}

/// The chosen quote and what it binds the venue to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// The quote that gives the trader most.
    pub quote: Quote,
    /// The least output (exact-in) or the most input (exact-out) that is accepted, in base units.
    #[serde(with = "text")]
    pub limit: u128,
    /// When the venues were asked.
    pub quoted_at: Timestamp,
}

/// A signed transaction that may be sent any number of times and executes at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// Where it is to be sent.
    pub venue: Arc<str>,
    /// The transaction as the venue takes it: text, at most 8 KiB.
    pub bytes: String,
    /// Its id at the venue: the signature.
    pub id: String,
    /// The last height (slot) that may hold it.
    pub expires_at_height: u64,
    /// How many transactions were built for this order, this one included.
    pub build: u32,
}

/// What was really traded, as the venue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fill {
    /// Paid, in base units of the input token.
    #[serde(with = "text")]
    pub amount_in: u128,
    /// Received, in base units of the output token.
    #[serde(with = "text")]
    pub amount_out: u128,
    /// The slot that holds it.
    pub slot: u64,
}

/// What the venue calls a trade, where that is more than the id under which it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The order's id there.
    pub order_id: String,
    /// The transaction that filled it.
    pub transaction: String,
}

/// Why an order did not trade, or an attempt did not get on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable: `NO_ROUTE`, `SLIPPAGE_EXCEEDED`, `ATTEMPTS_EXHAUSTED` …
    pub code: String,
    /// For people.
    pub message: String,
}

/// A swap order: the whole state. What the journal keeps in columns of its own does not stand in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Swap {
    /// UUID v7 text. A column.
    #[serde(skip)]
    pub id: String,
    /// 1 for a new order. A column.
    #[serde(skip)]
    pub version: u64,
    /// Whose order it is. A column.
    #[serde(skip)]
    pub account: Owner,
    /// Where it is in its life. A column.
    #[serde(skip)]
    pub status: Status,
    /// What the trader calls it.
    pub side: Side,
    /// What the venues are asked.
    pub ask: Ask,
    /// Decimals of the input token.
    pub input_decimals: u8,
    /// Decimals of the output token.
    pub output_decimals: u8,
    /// How much worse than quoted is still accepted: 0 to 10,000.
    pub slippage_bps: u16,
    /// The trader's own id, unique within the account for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<String>,
    /// Not to be traded after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Under which conditions it trades.
    #[serde(default, skip_serializing_if = "Conditions::is_none")]
    pub conditions: Conditions,
    /// The one quote that it is for, which its trader signed at the venue: no other venue is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firm: Option<Box<Quote>>,
    /// The plan that it is a slice of. A column: what it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What it took of its account's limit of the day it was accepted on, in millionths of a US dollar; given back if it ends
    /// without a trade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
    /// Which attempt at routing and building this is; 0 before the first.
    pub attempt: u32,
    /// The chosen quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// The transaction on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Prepared>,
    /// What was traded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill>,
    /// What the venue calls the trade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Why it failed, or why the last attempt did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it was accepted. A column.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When it last changed. A column.
    #[serde(skip)]
    pub updated_at: Timestamp,
}

impl Swap {
    /// Base units of the input token, to be shown.
    #[must_use]
    pub const fn input(&self, units: u128) -> Decimal {
        Decimal { units, decimals: self.input_decimals }
    }

    /// Base units of the output token, to be shown.
    #[must_use]
    pub const fn output(&self, units: u128) -> Decimal {
        Decimal { units, decimals: self.output_decimals }
    }

    /// The fixed amount, to be shown.
    #[must_use]
    pub const fn amount(&self) -> Decimal {
        match self.ask.mode {
            Mode::ExactIn => self.input(self.ask.amount),
            Mode::ExactOut => self.output(self.ask.amount),
        }
    }

    /// What the venues are asked for it.
    #[must_use]
    pub fn inquiry(&self) -> Inquiry {
        self.inquiry_of(self.ask.amount)
    }

    /// The same for a part of it.
    #[must_use]
    pub fn inquiry_of(&self, amount: u128) -> Inquiry {
        let ask = Ask { amount, ..self.ask.clone() };
        Inquiry { slippage_bps: self.slippage_bps, limit: self.limit_of(&ask), ask }
    }

    /// The worst that its limit price accepts for such an ask, in base units; none without a limit price.
    #[must_use]
    pub fn limit_of(&self, ask: &Ask) -> Option<u128> {
        let unreachable = if ask.mode == Mode::ExactIn { u128::MAX } else { 0 };
        let price = self.conditions.limit_price?;
        Some(price.limit(self.side, ask, self.input_decimals, self.output_decimals).unwrap_or(unreachable))
    }

    /// Whether it trades under its conditions or not at all: it rests until then, or ends at once.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        self.rests() || self.conditions.time_in_force.is_at_once()
    }

    /// Whether it waits for its price rather than fails: it has a limit price and stands till it is cancelled or its time is
    /// over.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.conditions.limit_price.is_some() && !self.conditions.time_in_force.is_at_once() && self.firm.is_none()
    }

    /// What no route can beat, to be shown, where the quote proves it: of the token whose amount is not fixed.
    #[must_use]
    pub fn bound(&self, quote: &Quote) -> Option<Decimal> {
        let units = quote.certificate?.bound;
        Some(if quote.ask.mode == Mode::ExactIn { self.output(units) } else { self.input(units) })
    }

    /// Reads the order from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &crate::Entity) -> Result<Self, serde_json::Error> {
        let status = Status::parse(&entity.status)
            .ok_or_else(|| <serde_json::Error as serde::de::Error>::custom("no such status"))?;
        let body: Self = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            account: entity.owner.clone(),
            status,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
            ..body
        })
    }
}

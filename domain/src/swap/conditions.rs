//! Under which conditions an order trades at all.

use serde::{Deserialize, Serialize};

use super::LimitPrice;

/// What an order asks for besides its amount. The default asks for nothing: a market order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conditions {
    /// The worst price that is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<LimitPrice>,
    /// How long it waits for that.
    pub time_in_force: TimeInForce,
    /// The most price impact of its quote, in basis points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price_impact_bps: Option<u32>,
}

impl Conditions {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How long an order with a limit price stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Good till cancelled.
    #[default]
    Gtc,
    /// Immediate or cancel: what can be had at once.
    Ioc,
    /// Fill or kill: all of it at once, or nothing.
    Fok,
    /// Good till date: till `expiresAt`.
    Gtd,
}

impl TimeInForce {
    /// Every word.
    pub const ALL: [Self; 4] = [Self::Gtc, Self::Ioc, Self::Fok, Self::Gtd];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Ioc => "IOC",
            Self::Fok => "FOK",
            Self::Gtd => "GTD",
        }
    }

    /// What that word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Whether it trades at once or not at all.
    #[must_use]
    pub const fn is_at_once(self) -> bool {
        matches!(self, Self::Ioc | Self::Fok)
    }
}

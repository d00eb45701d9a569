//! Who is asked: an exchange for a path over its own pools, or the router for the best split over all.

use serde::{Deserialize, Serialize};

/// Whose pools they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exchange {
    /// AMM v4, CPMM and CLMM.
    Raydium,
    /// DLMM, DAMM v1 and DAMM v2.
    Meteora,
}

impl Exchange {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raydium => "Raydium",
            Self::Meteora => "Meteora",
        }
    }
}

/// Where a swap can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Venue {
    /// The best single path through Raydium's pools.
    Raydium,
    /// The best single path through Meteora's pools.
    Meteora,
    /// The best split over the pools of both, with a proof of how good it is.
    Tradewind,
}

impl Venue {
    /// All, the exchanges first.
    pub const ALL: [Self; 3] = [Self::Raydium, Self::Meteora, Self::Tradewind];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raydium => Exchange::Raydium.as_str(),
            Self::Meteora => Exchange::Meteora.as_str(),
            Self::Tradewind => "Tradewind",
        }
    }

    /// Whether it trades in the exchange's pools.
    pub(crate) const fn reaches(self, exchange: Exchange) -> bool {
        matches!(
            (self, exchange),
            (Self::Tradewind, _) | (Self::Raydium, Exchange::Raydium) | (Self::Meteora, Exchange::Meteora)
        )
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Raydium => 0,
            Self::Meteora => 1,
            Self::Tradewind => 2,
        }
    }
}

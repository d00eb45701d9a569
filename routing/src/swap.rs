//! The words that every pool shares: sides, amounts, what a swap gives, why it is refused.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A token of a pool: `a` is its first, `b` its second. Of a swap it names the token that is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The first token: coin, token 0, X, A.
    A,
    /// The second token: pc, token 1, Y, B.
    B,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The other token.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Which amount of a swap is given, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    /// The trader pays exactly this, fee included.
    In(u64),
    /// The trader receives exactly this, after all fees.
    Out(u64),
}

impl Amount {
    /// The number, whichever side it is of.
    #[must_use]
    pub const fn units(self) -> u64 {
        match self {
            Self::In(units) | Self::Out(units) => units,
        }
    }
}

/// What a pool gives for what, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap {
    /// Paid, every fee on the input included.
    pub amount_in: u64,
    /// Received, after every fee on the output.
    pub amount_out: u64,
    /// What was taken, and who gets which part of it.
    pub fees: Fees,
}

/// The fees of one swap, in base units. A part that a family does not know is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// The whole trading fee; `creator` alone is not part of it.
    pub total: u64,
    /// The token it is taken in.
    pub token: Side,
    /// The part of `total` for the protocol.
    pub protocol: u64,
    /// The part of `total` for the protocol's fund.
    pub fund: u64,
    /// The part of `total` for whoever brought the trader.
    pub referral: u64,
    /// The part of `total` that liquidity providers may claim.
    pub claiming: u64,
    /// The part of `total` that goes back into the pool.
    pub compounding: u64,
    /// The part of `total` for owners of limit orders.
    pub limit_orders: u64,
    /// For the pool's creator, beside `total`.
    pub creator: u64,
    /// The token that `creator` is taken in.
    pub creator_token: Side,
}

impl Fees {
    /// A fee of which no parts are known.
    #[must_use]
    pub const fn new(total: u64, token: Side) -> Self {
        Self {
            total,
            token,
            protocol: 0,
            fund: 0,
            referral: 0,
            claiming: 0,
            compounding: 0,
            limit_orders: 0,
            creator: 0,
            creator_token: token,
        }
    }
}

/// A positive fraction, not reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u128,
    /// Below it, not zero.
    pub denominator: u128,
}

/// Why a pool refuses a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PoolError {
    /// The given amount is zero.
    #[error("the amount is zero")]
    ZeroAmount,
    /// So little is paid that nothing comes out.
    #[error("the amount is too small: nothing would come out")]
    ZeroOutput,
    /// One of the two amounts would be zero.
    #[error("the amount is too small: one side of the swap would be zero")]
    AmountTooSmall,
    /// A reserve is empty, or more is wanted than the pool holds.
    #[error("the pool does not hold enough")]
    InsufficientLiquidity,
    /// The swap would leave the range of prices in which the pool trades.
    #[error("the swap leaves the pool's price range")]
    PriceRange,
    /// The price limit lies on the wrong side of the price, or outside of what is possible.
    #[error("the price limit is not one the swap can move to")]
    PriceLimit,
    /// A value does not fit the program's integer type.
    #[error("an amount does not fit its integer type")]
    Overflow,
    /// The program divides by zero here, or goes below it.
    #[error("the pool's program cannot compute this swap")]
    Math,
    /// The pool's state cannot be: nothing is traded with it.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field's name in the pool's JSON.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

//! Raydium CLMM.

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, PoolError, Ratio, Side, Swap};

/// Raydium CLMM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaydiumClmm {
    /// See the module.
    #[serde(with = "decimal")]
    pub tick_spacing: u16,
    /// See the module.
    #[serde(with = "decimal")]
    pub sqrt_price_x64: u128,
    /// See the module.
    #[serde(with = "decimal")]
    pub tick_current: i32,
    /// See the module.
    #[serde(with = "decimal")]
    pub liquidity: u128,
    /// See the module.
    #[serde(with = "decimal")]
    pub trade_fee_rate: u32,
}

impl RaydiumClmm {
    /// Whether the state can be.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        Ok(())
    }

    /// What the pool gives now. Changes nothing.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, _input: Side, _amount: Amount, _now: u64) -> Result<Swap, PoolError> {
        Err(PoolError::Math)
    }

    /// What the pool gives, and the state after it; on an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, _input: Side, _amount: Amount, _now: u64) -> Result<Swap, PoolError> {
        Err(PoolError::Math)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees.
    ///
    /// # Errors
    /// The pool is empty.
    pub fn price(&self, _input: Side) -> Result<Ratio, PoolError> {
        Err(PoolError::Math)
    }

    /// The pool's curve for trades in one direction.
    ///
    /// # Errors
    /// The state cannot be, or the pool does not trade.
    pub fn pieces(&self, _input: Side, _now: u64) -> Result<Vec<Piece>, PoolError> {
        Err(PoolError::Math)
    }

    /// As [`quote`](Self::quote), up to a price where the swap stops.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote_to(&self, _: Side, _: Amount, _now: u64, _limit: Option<u128>) -> Result<Swap, PoolError> {
        Err(PoolError::Math)
    }

    /// As [`apply`](Self::apply), up to a price where the swap stops.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply_to(&mut self, _: Side, _: Amount, _now: u64, _limit: Option<u128>) -> Result<Swap, PoolError> {
        Err(PoolError::Math)
    }
}

/// The square root of the price at a tick.
#[must_use]
pub fn sqrt_price_at_tick(_tick: i32) -> Option<u128> {
    None
}

/// The highest tick whose price is no more.
#[must_use]
pub fn tick_at_sqrt_price(_sqrt_price_x64: u128) -> Option<i32> {
    None
}

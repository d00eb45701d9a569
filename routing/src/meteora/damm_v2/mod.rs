//! Meteora DAMM v2.

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, PoolError, Ratio, Side, Swap};

/// Meteora DAMM v2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeteoraDammV2 {
    /// See the module.
    #[serde(with = "decimal")]
    pub liquidity: u128,
    /// See the module.
    #[serde(with = "decimal")]
    pub sqrt_price: u128,
}

impl MeteoraDammV2 {
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

    /// As [`quote`](Self::quote), with or without a referrer.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote_with(&self, _: Side, _: Amount, _now: u64, _referral: bool) -> Result<Swap, PoolError> {
        Err(PoolError::Math)
    }

    /// As [`apply`](Self::apply), with or without a referrer.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply_with(&mut self, _: Side, _: Amount, _now: u64, _referral: bool) -> Result<Swap, PoolError> {
        Err(PoolError::Math)
    }
}

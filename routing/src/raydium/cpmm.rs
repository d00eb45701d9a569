//! Raydium CPMM.

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, PoolError, Ratio, Side, Swap};

/// Raydium CPMM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaydiumCpmm {
    /// See the module.
    #[serde(with = "decimal")]
    pub vault_0: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub vault_1: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub protocol_fees_0: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub protocol_fees_1: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub fund_fees_0: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub fund_fees_1: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub creator_fees_0: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub creator_fees_1: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub trade_fee_rate: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub creator_fee_rate: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub protocol_fee_rate: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub fund_fee_rate: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub enable_creator_fee: u64,
    /// See the module.
    #[serde(with = "decimal")]
    pub creator_fee_on: u64,
}

impl RaydiumCpmm {
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
}

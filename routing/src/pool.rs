//! One pool of any family.

use serde::{Deserialize, Serialize};

use crate::meteora::{MeteoraDammV1, MeteoraDammV2, MeteoraDlmm};
use crate::piece::Piece;
use crate::raydium::{RaydiumAmmV4, RaydiumClmm, RaydiumCpmm};
use crate::swap::{Amount, PoolError, Ratio, Side, Swap};

/// A pool. In JSON `{"kind": "raydium_cpmm", "pool": {…}}`, every number of the state decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "pool", rename_all = "snake_case")]
pub enum Pool {
    /// Raydium AMM v4.
    RaydiumAmmV4(RaydiumAmmV4),
    /// Raydium CPMM.
    RaydiumCpmm(RaydiumCpmm),
    /// Raydium CLMM, with or without what it learnt in 2026.
    #[serde(alias = "raydium_clmm_2026")]
    RaydiumClmm(RaydiumClmm),
    /// Meteora DLMM, with or without limit orders.
    #[serde(alias = "meteora_dlmm_orders")]
    MeteoraDlmm(MeteoraDlmm),
    /// Meteora DAMM v2.
    MeteoraDammV2(MeteoraDammV2),
    /// Meteora DAMM v1.
    MeteoraDammV1(MeteoraDammV1),
}

/// Calls the same method of whichever family it is.
macro_rules! of_family {
    ($pool:expr, $it:ident => $call:expr) => {
        match $pool {
            Pool::RaydiumAmmV4($it) => $call,
            Pool::RaydiumCpmm($it) => $call,
            Pool::RaydiumClmm($it) => $call,
            Pool::MeteoraDlmm($it) => $call,
            Pool::MeteoraDammV2($it) => $call,
            Pool::MeteoraDammV1($it) => $call,
        }
    };
}

impl Pool {
    /// The family's name, as in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RaydiumAmmV4(_) => "raydium_amm_v4",
            Self::RaydiumCpmm(_) => "raydium_cpmm",
            Self::RaydiumClmm(_) => "raydium_clmm",
            Self::MeteoraDlmm(_) => "meteora_dlmm",
            Self::MeteoraDammV2(_) => "meteora_damm_v2",
            Self::MeteoraDammV1(_) => "meteora_damm_v1",
        }
    }

    /// Whether the state can be. `quote` and `apply` never panic on one that cannot, but its amounts mean nothing.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        of_family!(self, pool => pool.check())
    }

    /// What the pool gives at `now`, in seconds since the Unix epoch. Changes nothing.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        of_family!(self, pool => pool.quote(input, amount, now))
    }

    /// Makes the swap: what [`quote`](Self::quote) says, and the state after it. On an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        of_family!(self, pool => pool.apply(input, amount, now))
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees.
    ///
    /// # Errors
    /// The pool is empty.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        of_family!(self, pool => pool.price(input))
    }

    /// The pool's curve for trades in one direction: see [`Piece`] for what it promises.
    ///
    /// # Errors
    /// The state cannot be, or the pool does not trade at `now`.
    pub fn pieces(&self, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
        of_family!(self, pool => pool.pieces(input, now))
    }
}

//! Pools that hold the product of their two reserves: Raydium AMM v4 and Meteora's constant-product pools.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A pool as one trader sees it: what is paid goes into one reserve, what is received comes out of the other.
///
/// The fee is taken from the input and stays in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstantProduct {
    /// Reserve of the token that is paid, in base units.
    pub reserve_in: u64,
    /// Reserve of the token that is received, in base units.
    pub reserve_out: u64,
    /// What the pool keeps of every input.
    pub fee: Fee,
}

/// A share of the input, `numerator / denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// Smaller than the denominator.
    pub numerator: u64,
    /// Not zero.
    pub denominator: u64,
    /// What becomes of a fraction of a base unit.
    pub rounding: FeeRounding,
}

/// How a fee that is no whole number is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeeRounding {
    /// Up, as Raydium AMM v4 does.
    Up,
    /// Down, but to no less than one unit, as Meteora DAMM v1 does; a fee of no share is nothing.
    DownToOne,
}

/// Which amount of a swap is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    /// The trader pays exactly this, fee included.
    In(u64),
    /// The trader receives exactly this.
    Out(u64),
}

/// What a pool gives for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Paid, fee included.
    pub amount_in: u64,
    /// Received.
    pub amount_out: u64,
    /// The part of `amount_in` that is fee.
    pub fee: u64,
}

/// A positive fraction, not reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u64,
    /// Below it.
    pub denominator: u64,
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
    /// A reserve is empty, or more is wanted than the pool holds.
    #[error("the pool does not hold enough")]
    InsufficientLiquidity,
    /// The fee is no share smaller than one.
    #[error("the fee is not a share below one")]
    BadFee,
    /// An amount or a reserve does not fit 64 bits.
    #[error("an amount does not fit 64 bits")]
    Overflow,
}

impl ConstantProduct {
    /// The same pool seen by a trader who goes the other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { reserve_in: self.reserve_out, reserve_out: self.reserve_in, fee: self.fee }
    }

    /// What the pool gives now. Changes nothing.
    ///
    /// Exact-in: `fee = round(in·f)`, `x = in − fee`, `out = ⌊R_out·x / (R_in + x)⌋`. Exact-out: the least `x` with
    /// `out` at the end of that, `⌈R_in·out / (R_out − out)⌉`, and the least input that leaves `x` after the fee.
    /// Source: the Raydium AMM program (`processor.rs`, `math.rs`); Meteora's dynamic-amm for the fee's rounding.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, amount: Amount) -> Result<Swap, PoolError> {
        if self.reserve_in == 0 || self.reserve_out == 0 {
            return Err(PoolError::InsufficientLiquidity);
        }
        match amount {
            Amount::In(0) | Amount::Out(0) => Err(PoolError::ZeroAmount),
            Amount::In(amount_in) => self.exact_in(amount_in),
            Amount::Out(amount_out) => self.exact_out(amount_out),
        }
    }

    /// What the pool gives, and the pool after it.
    ///
    /// # Errors
    /// See [`PoolError`]; a reserve that would not fit 64 bits is an overflow.
    pub fn apply(&self, amount: Amount) -> Result<(Swap, Self), PoolError> {
        let swap = self.quote(amount)?;
        let reserve_in = self.reserve_in.checked_add(swap.amount_in).ok_or(PoolError::Overflow)?;
        let reserve_out =
            self.reserve_out.checked_sub(swap.amount_out).filter(|r| *r > 0).ok_or(PoolError::InsufficientLiquidity)?;
        Ok((swap, Self { reserve_in, reserve_out, fee: self.fee }))
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before the fee.
    ///
    /// # Errors
    /// A reserve is empty.
    pub const fn price(&self) -> Result<Ratio, PoolError> {
        if self.reserve_in == 0 || self.reserve_out == 0 {
            return Err(PoolError::InsufficientLiquidity);
        }
        Ok(Ratio { numerator: self.reserve_out, denominator: self.reserve_in })
    }

    /// How much worse than [`price`](Self::price) a swap of this pool trades, its fee aside: basis points, rounded up.
    #[must_use]
    pub fn price_impact_bps(&self, swap: &Swap) -> u32 {
        let net = swap.amount_in.saturating_sub(swap.fee);
        let whole = u128::from(net) * u128::from(self.reserve_out);
        let kept = u128::from(swap.amount_out) * u128::from(self.reserve_in);
        let lost = whole.saturating_sub(kept);
        if lost == 0 {
            return 0;
        }
        // Both sides lose their low bits when the product with 10,000 would not fit; the loss then rounds up.
        let shift = 14_u32.saturating_sub(whole.leading_zeros());
        let (lost, whole) = if shift == 0 { (lost, whole) } else { ((lost >> shift) + 1, whole >> shift) };
        let bps = (lost * 10_000).div_ceil(whole).min(10_000);
        u32::try_from(bps).unwrap_or(10_000)
    }

    fn exact_in(&self, amount_in: u64) -> Result<Swap, PoolError> {
        let fee = self.fee.of(amount_in)?;
        let net = amount_in.checked_sub(fee).filter(|net| *net > 0).ok_or(PoolError::ZeroOutput)?;
        let out = u128::from(self.reserve_out) * u128::from(net) / (u128::from(self.reserve_in) + u128::from(net));
        let amount_out = u64::try_from(out).map_err(|_| PoolError::Overflow)?;
        if amount_out == 0 {
            return Err(PoolError::ZeroOutput);
        }
        if amount_out >= self.reserve_out {
            return Err(PoolError::InsufficientLiquidity);
        }
        Ok(Swap { amount_in, amount_out, fee })
    }

    fn exact_out(&self, amount_out: u64) -> Result<Swap, PoolError> {
        let left =
            self.reserve_out.checked_sub(amount_out).filter(|r| *r > 0).ok_or(PoolError::InsufficientLiquidity)?;
        let net = (u128::from(self.reserve_in) * u128::from(amount_out)).div_ceil(u128::from(left));
        let net = u64::try_from(net).map_err(|_| PoolError::Overflow)?;
        let amount_in = self.fee.gross(net)?;
        Ok(Swap { amount_in, amount_out, fee: amount_in - net })
    }
}

impl Fee {
    /// Raydium AMM v4 on the main network: 25 of 10,000, rounded up.
    pub const RAYDIUM_AMM_V4: Self = Self { numerator: 25, denominator: 10_000, rounding: FeeRounding::Up };

    /// A Meteora constant-product pool: 20 of 10,000, rounded down to no less than one unit.
    pub const METEORA_CONSTANT_PRODUCT: Self =
        Self { numerator: 20, denominator: 10_000, rounding: FeeRounding::DownToOne };

    /// The fee inside an input.
    ///
    /// # Errors
    /// [`PoolError::BadFee`].
    pub fn of(&self, amount_in: u64) -> Result<u64, PoolError> {
        if self.numerator >= self.denominator {
            return Err(PoolError::BadFee);
        }
        let product = u128::from(amount_in) * u128::from(self.numerator);
        let whole = u128::from(self.denominator);
        let fee = match self.rounding {
            FeeRounding::Up => product.div_ceil(whole),
            FeeRounding::DownToOne => (product / whole).max(u128::from(self.numerator > 0)),
        };
        u64::try_from(fee).map_err(|_| PoolError::Overflow)
    }

    /// The least input that leaves at least `net` after its fee.
    ///
    /// # Errors
    /// [`PoolError::BadFee`], [`PoolError::Overflow`].
    pub fn gross(&self, net: u64) -> Result<u64, PoolError> {
        if self.numerator >= self.denominator {
            return Err(PoolError::BadFee);
        }
        if self.numerator == 0 || net == 0 {
            return Ok(net);
        }
        let (whole, rest) = (u128::from(self.denominator), u128::from(self.denominator - self.numerator));
        let gross = match self.rounding {
            FeeRounding::Up => (u128::from(net) * whole).div_ceil(rest),
            // in − ⌊in·f⌋ = ⌈in·(1 − f)⌉ ≥ net holds first just above (net − 1)/(1 − f); the fee is one unit at least.
            FeeRounding::DownToOne => (u128::from(net - 1) * whole / rest + 1).max(u128::from(net) + 1),
        };
        u64::try_from(gross).map_err(|_| PoolError::Overflow)
    }
}

#[cfg(test)]
mod tests;

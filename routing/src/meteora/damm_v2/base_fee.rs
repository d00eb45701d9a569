//! The fee before volatility: it falls with time, falls as the price rises, or grows with the size of a trade.

use serde::{Deserialize, Serialize};

use super::rate_limiter::RateLimiter;
use crate::decimal;
use crate::math::mul_shift_floor;
use crate::swap::{PoolError, Side};

/// The fee before volatility; `mode` in JSON is the number of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode")]
pub enum BaseFee {
    /// Falls by the same amount every period.
    #[serde(rename = "0")]
    TimeLinear(TimeScheduler),
    /// Falls by the same share every period.
    #[serde(rename = "1")]
    TimeExponential(TimeScheduler),
    /// Grows with the size of a trade that pays token b.
    #[serde(rename = "2")]
    RateLimiter(RateLimiter),
    /// Falls by the same amount with every step that the price rises.
    #[serde(rename = "3")]
    MarketCapLinear(MarketCapScheduler),
    /// Falls by the same share with every step that the price rises.
    #[serde(rename = "4")]
    MarketCapExponential(MarketCapScheduler),
}

/// A fee that falls with time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeScheduler {
    /// The fee at the start, 1e-9.
    #[serde(with = "decimal")]
    pub cliff_fee_numerator: u64,
    /// After so many periods the fee stays.
    #[serde(with = "decimal")]
    pub number_of_period: u16,
    /// Seconds of a period; with zero the fee never changes.
    #[serde(with = "decimal")]
    pub period_frequency: u64,
    /// What the fee loses each period: 1e-9 of the amount (linear) or 1e-4 of itself (exponential).
    #[serde(with = "decimal")]
    pub reduction_factor: u64,
}

/// A fee that falls as the price rises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketCapScheduler {
    /// The fee at the price that the pool began with, 1e-9.
    #[serde(with = "decimal")]
    pub cliff_fee_numerator: u64,
    /// After so many steps the fee stays.
    #[serde(with = "decimal")]
    pub number_of_period: u16,
    /// What the square root of the price rises by in a step, 1e-4 of that at the start.
    #[serde(with = "decimal")]
    pub sqrt_price_step_bps: u32,
    /// Seconds after which the fee is the lowest at every price.
    #[serde(with = "decimal")]
    pub scheduler_expiration_duration: u32,
    /// What the fee loses each step: 1e-9 of the amount (linear) or 1e-4 of itself (exponential).
    #[serde(with = "decimal")]
    pub reduction_factor: u64,
}

/// What a fee depends on besides the size of the trade.
pub(super) struct Terms {
    /// The token that is paid.
    pub input: Side,
    /// Seconds since the pool began to trade.
    pub elapsed: u64,
    /// Square root of the price at the start, Q64.64.
    pub init_sqrt_price: u128,
    /// Square root of the price, Q64.64.
    pub sqrt_price: u128,
}

/// The size of a trade.
#[derive(Clone, Copy)]
pub(super) enum Size {
    /// This amount holds its fee.
    Included(u64),
    /// This amount is without its fee.
    Excluded(u64),
}

impl BaseFee {
    /// The fee of a trade, 1e-9.
    pub(super) fn rate(&self, terms: &Terms, size: Size) -> Result<u64, PoolError> {
        match self {
            Self::TimeLinear(fee) => linear(fee.cliff_fee_numerator, fee.reduction_factor, fee.period(terms)),
            Self::TimeExponential(fee) => exponential(fee.cliff_fee_numerator, fee.reduction_factor, fee.period(terms)),
            Self::RateLimiter(fee) if !fee.applies(terms) => Ok(fee.cliff_fee_numerator),
            Self::RateLimiter(fee) => match size {
                Size::Included(amount) => fee.of_included(amount),
                Size::Excluded(amount) => fee.of_excluded(amount),
            },
            Self::MarketCapLinear(fee) => linear(fee.cliff_fee_numerator, fee.reduction_factor, fee.period(terms)?),
            Self::MarketCapExponential(fee) => {
                exponential(fee.cliff_fee_numerator, fee.reduction_factor, fee.period(terms)?)
            }
        }
    }
}

impl TimeScheduler {
    /// How many periods have passed.
    fn period(&self, terms: &Terms) -> u16 {
        let passed = terms.elapsed.checked_div(self.period_frequency).unwrap_or(0);
        u16::try_from(passed).unwrap_or(u16::MAX).min(self.number_of_period)
    }
}

impl MarketCapScheduler {
    /// How many steps the price has risen.
    fn period(&self, terms: &Terms) -> Result<u16, PoolError> {
        if terms.elapsed > u64::from(self.scheduler_expiration_duration) {
            return Ok(self.number_of_period);
        }
        let Some(risen) = terms.sqrt_price.checked_sub(terms.init_sqrt_price).filter(|risen| *risen > 0) else {
            return Ok(0);
        };
        let risen = risen.checked_mul(10_000).ok_or(PoolError::Overflow)?;
        let steps = risen
            .checked_div(terms.init_sqrt_price)
            .and_then(|bps| bps.checked_div(u128::from(self.sqrt_price_step_bps)))
            .ok_or(PoolError::Math)?;
        Ok(u16::try_from(steps).unwrap_or(u16::MAX).min(self.number_of_period))
    }
}

/// `cliff − period · reduction`.
pub(super) fn linear(cliff: u64, reduction: u64, period: u16) -> Result<u64, PoolError> {
    reduction.checked_mul(u64::from(period)).and_then(|lost| cliff.checked_sub(lost)).ok_or(PoolError::Math)
}

/// `⌊cliff · (1 − reduction / 10^4)^period⌋`, the power with 64 fractional bits, each product rounded down.
pub(super) fn exponential(cliff: u64, reduction: u64, period: u16) -> Result<u64, PoolError> {
    const ONE: u128 = 1 << 64;
    if period == 0 || reduction == 0 {
        return Ok(cliff);
    }
    let lost = (u128::from(reduction) << 64) / 10_000;
    let mut square = ONE.checked_sub(lost).ok_or(PoolError::Math)?;
    let mut power = ONE;
    for bit in 0..u16::BITS {
        if (period >> bit) & 1 == 1 {
            power = (power * square) >> 64;
        }
        square = (square * square) >> 64;
    }
    mul_shift_floor(u128::from(cliff), power, 64).and_then(|fee| u64::try_from(fee).ok()).ok_or(PoolError::Overflow)
}

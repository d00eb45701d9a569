//! Fees as shares of an amount: where they are taken, their limit, their part for volatility.

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::swap::{PoolError, Side};

/// What fee rates are parts of.
pub(super) const WHOLE: u64 = 1_000_000_000;

/// In which token a pool takes its fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CollectFeeMode {
    /// Always from the output.
    #[serde(rename = "0")]
    BothTokens,
    /// Always in token b: from the output when it is a that is paid, else from the input.
    #[serde(rename = "1")]
    OnlyB,
    /// In token b too; and the pool is a constant product into which part of each fee flows back.
    #[serde(rename = "2")]
    Compounding,
}

impl CollectFeeMode {
    /// Whether the fee is taken from what is paid.
    pub(super) const fn on_input(self, input: Side) -> bool {
        matches!((self, input), (Self::OnlyB | Self::Compounding, Side::B))
    }

    /// The token that the fee is taken in.
    pub(super) const fn token(self, input: Side) -> Side {
        match self {
            Self::BothTokens => input.other(),
            Self::OnlyB | Self::Compounding => Side::B,
        }
    }
}

/// Which limit the total fee has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeeVersion {
    /// Half of the amount.
    #[serde(rename = "0")]
    Half,
    /// 99 % of the amount.
    #[serde(rename = "1")]
    Almost,
}

impl FeeVersion {
    /// The largest total fee, 1e-9.
    pub(super) const fn limit(self) -> u64 {
        match self {
            Self::Half => WHOLE / 2,
            Self::Almost => WHOLE / 100 * 99,
        }
    }
}

/// The fee for volatility. The program moves the accumulator after a swap, so that a quote uses what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicFee {
    /// Zero while the pool has no such fee.
    #[serde(with = "decimal")]
    pub initialized: u8,
    /// The step of prices in which volatility is counted, 1e-4.
    #[serde(with = "decimal")]
    pub bin_step: u16,
    /// What the square of volatility is multiplied with.
    #[serde(with = "decimal")]
    pub variable_fee_control: u32,
    /// The most that the accumulator can be.
    #[serde(with = "decimal")]
    pub max_volatility_accumulator: u32,
    /// Volatility now, 1e-4 steps.
    #[serde(with = "decimal")]
    pub volatility_accumulator: u128,
    /// Volatility that decays, 1e-4 steps.
    #[serde(with = "decimal")]
    pub volatility_reference: u128,
    /// Seconds within which trades count as one.
    #[serde(with = "decimal")]
    pub filter_period: u16,
    /// Seconds after which volatility is forgotten.
    #[serde(with = "decimal")]
    pub decay_period: u16,
    /// What is left of volatility between the two, 1e-4.
    #[serde(with = "decimal")]
    pub reduction_factor: u16,
}

impl DynamicFee {
    /// `⌈control · (accumulator · bin_step)² / 10^11⌉`, 1e-9.
    pub(super) fn rate(&self) -> Result<u64, PoolError> {
        if self.initialized == 0 {
            return Ok(0);
        }
        let moved = self.volatility_accumulator.checked_mul(u128::from(self.bin_step)).ok_or(PoolError::Overflow)?;
        let square = moved.checked_mul(moved).ok_or(PoolError::Overflow)?;
        let rate = mul_div_ceil(square, u128::from(self.variable_fee_control), 100_000_000_000);
        // Rates of more than the whole are cut to the limit anyway.
        Ok(rate.and_then(|rate| u64::try_from(rate).ok()).unwrap_or(u64::MAX / 2).min(u64::MAX / 2))
    }
}

/// The fee inside an amount: `⌈amount · rate⌉`.
pub(super) fn inside(amount: u64, rate: u64) -> Result<u64, PoolError> {
    let fee = (u128::from(amount) * u128::from(rate)).div_ceil(u128::from(WHOLE));
    u64::try_from(fee).map_err(|_| PoolError::Overflow)
}

/// The least amount that leaves `net` after its fee: `⌈net / (1 − rate)⌉`.
pub(super) fn including(net: u64, rate: u64) -> Result<u64, PoolError> {
    let left = WHOLE.checked_sub(rate).filter(|left| *left > 0).ok_or(PoolError::Math)?;
    let gross = (u128::from(net) * u128::from(WHOLE)).div_ceil(u128::from(left));
    u64::try_from(gross).map_err(|_| PoolError::Overflow)
}

/// `⌊amount · part / whole⌋`.
pub(super) fn share(amount: u64, part: u64, whole: u64) -> Result<u64, PoolError> {
    mul_div_floor(u128::from(amount), u128::from(part), u128::from(whole))
        .and_then(|share| u64::try_from(share).ok())
        .ok_or(PoolError::Overflow)
}

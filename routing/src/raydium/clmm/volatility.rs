//! The part of the fee that grows with the price's movement, step by step through a swap.

use super::tick_math::{MAX_TICK, MIN_TICK, sqrt_price_at_tick};
use super::{DynamicFee, RATE_WHOLE, RaydiumClmm};
use crate::swap::{PoolError, Side};

/// The accumulator counts tick spacings in this many parts.
const SCALE: u64 = 10_000;
/// What the reduction factor is a share of.
const REDUCTION_WHOLE: u64 = 10_000;
/// What `dynamic_fee_control` is a share of, with the square of [`SCALE`].
const CONTROL_WHOLE: u64 = 100_000 * 10_000 * 10_000;
/// A fee with a dynamic part is never more than this, 1e-6.
const MAX_RATE: u32 = 100_000;

/// Where the price stands among the tick spacings, and what fee follows from it.
#[derive(Clone, Copy)]
pub(super) struct Volatility {
    /// The four changing fields are those of the swap so far.
    pub(super) fee: DynamicFee,
    spacing: i32,
    base_rate: u32,
    index: i32,
}

impl Volatility {
    /// How a swap at `now` begins: the references are brought up to date. `None` for a pool without dynamic fee.
    pub(super) fn begin(pool: &RaydiumClmm, now: u64) -> Result<Option<Self>, PoolError> {
        // A fee of nothing but zeros is the program's way to say that there is none.
        let Some(mut fee) = pool.dynamic_fee.filter(|fee| *fee != DynamicFee::default()) else { return Ok(None) };
        let spacing = i32::from(pool.tick_spacing);
        let index = pool.tick_current.checked_div_euclid(spacing).ok_or(PoolError::Math)?;
        let elapsed = now.saturating_sub(fee.last_update_timestamp);
        if elapsed >= u64::from(fee.filter_period) {
            fee.tick_spacing_index_reference = index;
            fee.volatility_reference = if elapsed < u64::from(fee.decay_period) {
                let reduced = u64::from(fee.volatility_accumulator) * u64::from(fee.reduction_factor) / REDUCTION_WHOLE;
                u32::try_from(reduced).map_err(|_| PoolError::Overflow)?
            } else {
                0
            };
            fee.last_update_timestamp = now;
        }
        Ok(Some(Self { fee, spacing, base_rate: pool.trade_fee_rate, index }))
    }

    /// Accumulates the distance of where the price stands from the reference.
    pub(super) fn accumulate(&mut self) {
        self.fee.volatility_accumulator = self.accumulated_at(self.index);
    }

    /// The whole fee as accumulated, 1e-6.
    pub(super) fn rate(&self) -> Result<u32, PoolError> {
        self.rate_of(self.fee.volatility_accumulator)
    }

    /// The lowest whole fee that any price ahead can have, 1e-6: it is lowest next to the reference.
    pub(super) fn lowest_rate(&self, input: Side) -> Result<u32, PoolError> {
        let reference = self.fee.tick_spacing_index_reference;
        let nearest = match input {
            Side::A => self.index.min(reference),
            Side::B => self.index.max(reference),
        };
        self.rate_of(self.accumulated_at(nearest))
    }

    /// The price up to which this fee holds on the way to `target`, and whether that is all the way whatever lies
    /// between: with the accumulator at its maximum, or without liquidity, the program does not stop at spacings.
    pub(super) fn bound(&self, target: u128, input: Side, liquidity: u128) -> Result<(bool, u128), PoolError> {
        if liquidity == 0 || self.fee.volatility_accumulator == self.fee.max_volatility_accumulator {
            return Ok((true, target));
        }
        let border = match input {
            Side::A => self.index,
            Side::B => self.index.saturating_add(1),
        };
        let border = border.saturating_mul(self.spacing).clamp(MIN_TICK, MAX_TICK);
        let price = sqrt_price_at_tick(border).ok_or(PoolError::Math)?;
        Ok((false, if input == Side::A { target.max(price) } else { target.min(price) }))
    }

    /// Goes on to the next spacing; after spacings were skipped, from the tick that was reached.
    pub(super) fn advance(&mut self, input: Side, skipped_to: Option<i32>) -> Result<(), PoolError> {
        if let Some(tick) = skipped_to {
            self.index = tick.checked_div_euclid(self.spacing).ok_or(PoolError::Math)?;
            if input == Side::B && tick.checked_rem(self.spacing) == Some(0) {
                self.index = self.index.checked_sub(1).ok_or(PoolError::Overflow)?;
            }
            if self.fee.volatility_accumulator != self.fee.max_volatility_accumulator {
                self.accumulate();
            }
        }
        self.index = self.index.checked_add(if input == Side::A { -1 } else { 1 }).ok_or(PoolError::Overflow)?;
        Ok(())
    }

    fn accumulated_at(&self, index: i32) -> u32 {
        let distance = u64::from(self.fee.tick_spacing_index_reference.abs_diff(index));
        let accumulated = u64::from(self.fee.volatility_reference) + distance * SCALE;
        u32::try_from(accumulated).unwrap_or(u32::MAX).min(self.fee.max_volatility_accumulator)
    }

    /// `base + ⌈control·(accumulator·spacing)² / (1e5·1e4·1e4)⌉`, at most a tenth.
    fn rate_of(&self, accumulator: u32) -> Result<u32, PoolError> {
        let crossed = u64::from(accumulator) * u64::from(self.spacing.unsigned_abs());
        let square = crossed.checked_mul(crossed).ok_or(PoolError::Overflow)?;
        // A product beyond 64 bits is far beyond the highest fee, which saves a division of 128 bits at every spacing.
        let product = u64::from(self.fee.dynamic_fee_control).saturating_mul(square);
        let dynamic = u32::try_from(product.div_ceil(CONTROL_WHOLE)).unwrap_or(MAX_RATE).min(MAX_RATE);
        let rate = self.base_rate.checked_add(dynamic).ok_or(PoolError::Overflow)?.min(MAX_RATE);
        if rate < RATE_WHOLE { Ok(rate) } else { Err(PoolError::Math) }
    }
}

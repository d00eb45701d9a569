//! Volatility, and the fee rates that follow from it.

use super::MeteoraDlmm;

/// What fee rates are fractions of.
pub(super) const RATE_ONE: u64 = 1_000_000_000;

/// No fee is more than this tenth.
const RATE_MAX: u64 = RATE_ONE / 10;

/// Volatility is counted in these parts of a bin, and so is what is left of it.
pub(super) const BASIS_POINTS: u32 = 10_000;

/// What the square of volatility is divided by to make a rate.
const VARIABLE_SCALE: u64 = 100_000_000_000;

/// What distances and rates are measured against during one swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volatility {
    /// The bin that distances are measured from.
    pub(super) index_reference: i32,
    /// What is added to distances, in 1e-4 bins.
    pub(super) reference: u32,
    /// The part of the rate that does not vary.
    base: u64,
    maximum: u32,
    /// What the square of volatility is multiplied by.
    scale: u64,
}

impl Volatility {
    /// As a swap at `now` finds it: after a pause the reference moves to the active bin, and volatility decays.
    #[inline(always)]
    pub(super) fn at(pool: &MeteoraDlmm, now: u64) -> Self {
        // A clock that went back counts as one that stands still.
        let pause = now.saturating_sub(pool.last_update_timestamp);
        let kept = Self {
            index_reference: pool.index_reference,
            reference: pool.volatility_reference,
            base: base_rate(pool),
            maximum: pool.max_volatility_accumulator,
            scale: u64::from(pool.variable_fee_control) * u64::from(pool.bin_step) * u64::from(pool.bin_step),
        };
        if pause < u64::from(pool.filter_period) {
            return kept;
        }
        let left = u64::from(pool.volatility_accumulator) * u64::from(pool.reduction_factor) / u64::from(BASIS_POINTS);
        let decayed = if pause < u64::from(pool.decay_period) { left } else { 0 };
        let reference = u32::try_from(decayed).unwrap_or(u32::MAX);
        Self { index_reference: pool.active_id, reference, ..kept }
    }

    /// Volatility when the price stands in a bin, in 1e-4 bins.
    #[inline(always)]
    pub(super) fn accumulated(&self, id: i32) -> u32 {
        let distance = u64::from(self.index_reference.abs_diff(id));
        let volatility = u64::from(self.reference) + distance * u64::from(BASIS_POINTS);
        u32::try_from(volatility).unwrap_or(u32::MAX).min(self.maximum)
    }

    /// The fee in a bin, in 1e-9.
    #[inline(always)]
    pub(super) fn rate(&self, id: i32) -> u64 {
        let volatility = u64::from(self.accumulated(id));
        // What does not fit is more than the largest fee.
        let product = (volatility * volatility).saturating_mul(self.scale).saturating_add(VARIABLE_SCALE - 1);
        (self.base + product / VARIABLE_SCALE).min(RATE_MAX)
    }
}

/// The fee of a pool at rest, in 1e-9, [`RATE_MAX`] at most.
fn base_rate(pool: &MeteoraDlmm) -> u64 {
    let step = u64::from(pool.base_factor) * u64::from(pool.bin_step) * 10;
    let power = 10_u64.checked_pow(u32::from(pool.base_fee_power_factor));
    // What does not fit is more than the largest fee, but of nothing.
    let unlimited = if step == 0 { 0 } else { RATE_MAX };
    power.map_or(unlimited, |power| step.saturating_mul(power)).min(RATE_MAX)
}

/// The fee in an amount that includes it, rounded up. The rate is at most [`RATE_MAX`], so nothing overflows.
#[inline(always)]
pub(super) fn fee_within(gross: u64, rate: u64) -> u64 {
    if let Some(sum) = gross.checked_mul(rate).and_then(|product| product.checked_add(RATE_ONE - 1)) {
        return sum / RATE_ONE;
    }
    let (whole, rest) = (gross / RATE_ONE, gross % RATE_ONE);
    whole * rate + (rest * rate).div_ceil(RATE_ONE)
}

/// The fee beside an amount that it is not in, rounded up. The rate is at most [`RATE_MAX`], so the fee is less than the amount.
#[inline(always)]
pub(super) fn fee_beside(net: u64, rate: u64) -> u64 {
    let kept = RATE_ONE - rate;
    if let Some(product) = net.checked_mul(rate) {
        return product.div_ceil(kept);
    }
    let (whole, rest) = (net / kept, net % kept);
    whole * rate + (rest * rate).div_ceil(kept)
}

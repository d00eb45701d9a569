//! A fee that grows with the size of a trade, for a while after the pool begins: what snipers pay for haste.
//!
//! Of the input the first `reference_amount` pays the cliff fee `c`, the next one `c + i`, the next `c + 2i`, and so on
//! up to the maximum; a trade pays the average.

use ruint::aliases::U256;
use serde::{Deserialize, Serialize};

use super::base_fee::Terms;
use super::fees::{self, WHOLE};
use super::square_root::square_root;
use crate::decimal;
use crate::swap::{PoolError, Side};

/// 1e-9 in 1e-4.
const PER_BPS: u64 = WHOLE / 10_000;

/// A fee that grows with the size of a trade that pays token b.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimiter {
    /// The fee of small trades, 1e-9.
    #[serde(with = "decimal")]
    pub cliff_fee_numerator: u64,
    /// What the fee grows by with every `reference_amount`, 1e-4.
    #[serde(with = "decimal")]
    pub fee_increment_bps: u16,
    /// Seconds for which the fee grows.
    #[serde(with = "decimal")]
    pub max_limiter_duration: u32,
    /// The most that any part of a trade pays, 1e-4.
    #[serde(with = "decimal")]
    pub max_fee_bps: u32,
    /// The size of a step, base units of token b.
    #[serde(with = "decimal")]
    pub reference_amount: u64,
}

impl RateLimiter {
    /// Whether the fee of such a trade grows now.
    pub(super) fn applies(&self, terms: &Terms) -> bool {
        !self.is_off() && terms.input == Side::B && terms.elapsed <= u64::from(self.max_limiter_duration)
    }

    /// Whether the pool has a limiter in name only.
    pub(super) const fn is_off(&self) -> bool {
        self.reference_amount == 0
            && self.max_limiter_duration == 0
            && self.max_fee_bps == 0
            && self.fee_increment_bps == 0
    }

    /// What the fee grows by with every step, 1e-9.
    pub(super) fn increment(&self) -> u64 {
        u64::from(self.fee_increment_bps) * PER_BPS
    }

    /// The most that any part of a trade pays, 1e-9.
    pub(super) fn maximum(&self) -> u64 {
        u64::from(self.max_fee_bps) * PER_BPS
    }

    /// After how many steps the fee grows no more.
    pub(super) fn steps(&self) -> Result<u64, PoolError> {
        self.maximum()
            .checked_sub(self.cliff_fee_numerator)
            .and_then(|rise| rise.checked_div(self.increment()))
            .ok_or(PoolError::Math)
    }

    /// The average fee of an input that holds it, 1e-9, rounded up.
    pub(super) fn of_included(&self, amount: u64) -> Result<u64, PoolError> {
        let Some(beyond) = amount.checked_sub(self.reference_amount).filter(|beyond| *beyond > 0) else {
            return Ok(self.cliff_fee_numerator);
        };
        let whole_steps = beyond.checked_div(self.reference_amount).ok_or(PoolError::Math)?;
        let steps = whole_steps.min(self.steps()?);
        let last_rate = if whole_steps == steps && steps < self.steps()? {
            self.cliff_fee_numerator + self.increment() * (steps + 1)
        } else {
            self.maximum()
        };
        let at_steps = self.of_steps(steps).ok_or(PoolError::Overflow)?;
        let rest = u128::from(beyond) - u128::from(steps) * u128::from(self.reference_amount);
        let total = rest.checked_mul(u128::from(last_rate)).and_then(|rest| rest.checked_add(at_steps));
        let fee = total.ok_or(PoolError::Overflow)?.div_ceil(u128::from(WHOLE));
        average(fee, amount)
    }

    /// The average fee of an input that is without it, 1e-9, rounded up as the program does.
    pub(super) fn of_excluded(&self, net: u64) -> Result<u64, PoolError> {
        if net <= self.net_of(self.reference_amount)? {
            return Ok(self.cliff_fee_numerator);
        }
        // Where the fee stops to grow, or where amounts end.
        let steps = self.steps()?;
        let end = u128::from(steps + 1) * u128::from(self.reference_amount);
        let (end, beyond_amounts) = u64::try_from(end).map_or((u64::MAX, true), |end| (end, false));
        let net_end = self.net_of(end)?;
        if net == net_end {
            return self.of_included(end);
        }
        let gross = if net < net_end {
            self.within_steps(net)?
        } else if beyond_amounts {
            return Err(PoolError::Overflow);
        } else {
            fees::including(net - net_end, self.maximum())?.checked_add(end).ok_or(PoolError::Overflow)?
        };
        let rate = average(u128::from(gross.checked_sub(net).ok_or(PoolError::Math)?), gross)?;
        if rate < self.cliff_fee_numerator {
            return Err(PoolError::Math);
        }
        Ok(rate)
    }

    /// The input of which `net` is left while the fee still grows.
    ///
    /// With `x` the step, `c` and `i` the first rate and its growth, the fee of `n` whole steps `I = n·x` is
    /// `c·I + i·I·(I − x) / (2x)`, so that `i·I² − (2x + i·x − 2c·x)·I + 2x·net = 0`. Its smaller root, rounded down, is
    /// where the program starts from; the little that is missing is paid for at the rate of the step that it lies in.
    fn within_steps(&self, net: u64) -> Result<u64, PoolError> {
        let (step, whole) = (U256::from(self.reference_amount), U256::from(WHOLE));
        let (first, growth) = (U256::from(self.cliff_fee_numerator), U256::from(self.increment()));
        let two = U256::from(2_u64);
        let linear = (two * whole * step + growth * step).checked_sub(two * first * step).ok_or(PoolError::Math)?;
        let constant = two * whole * step * U256::from(net);
        let four_products = U256::from(4_u64) * growth * constant;
        let square = (linear * linear).checked_sub(four_products).ok_or(PoolError::Math)?;
        let root = (linear - square_root(square)).checked_div(two * growth).ok_or(PoolError::Math)?;
        let root = u64::try_from(root).map_err(|_| PoolError::Overflow)?;
        let missing = net.saturating_sub(self.net_of(root)?);
        let passed = root.checked_div(self.reference_amount).ok_or(PoolError::Math)?;
        let rate = self.increment().checked_mul(passed).and_then(|more| more.checked_add(self.cliff_fee_numerator));
        let rest = fees::including(missing, rate.ok_or(PoolError::Overflow)?)?;
        root.checked_add(rest).ok_or(PoolError::Overflow)
    }

    /// What is left of an input after its fee.
    fn net_of(&self, gross: u64) -> Result<u64, PoolError> {
        let fee = fees::inside(gross, self.of_included(gross)?)?;
        gross.checked_sub(fee).ok_or(PoolError::Math)
    }

    /// The fee of the first step and `steps` more, times 1e9.
    fn of_steps(&self, steps: u64) -> Option<u128> {
        let (steps, growth) = (u128::from(steps), u128::from(self.increment()));
        let first = u128::from(self.cliff_fee_numerator).checked_mul(steps.checked_add(1)?)?;
        let grown = steps.checked_mul(steps + 1)?.checked_div(2)?.checked_mul(growth)?;
        first.checked_add(grown)?.checked_mul(u128::from(self.reference_amount))
    }
}

/// `⌈fee · 1e9 / amount⌉`.
fn average(fee: u128, amount: u64) -> Result<u64, PoolError> {
    let fee = fee.checked_mul(u128::from(WHOLE)).ok_or(PoolError::Overflow)?;
    if amount == 0 {
        return Err(PoolError::Math);
    }
    u64::try_from(fee.div_ceil(u128::from(amount))).map_err(|_| PoolError::Overflow)
}

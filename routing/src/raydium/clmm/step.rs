//! One step of a swap: at one liquidity and one fee, from a price towards another.

use super::price_math::{after_input, after_output, amount};
use super::{RATE_WHOLE, wide};
use crate::dyadic::Round;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::swap::{PoolError, Side};

/// What stays the same through a whole swap.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// The token that is paid.
    pub(super) input: Side,
    /// Whether the amount paid is given, not the amount received.
    pub(super) exact_in: bool,
    /// Whether the fee is taken from what is paid, not from what is received.
    pub(super) fee_on_input: bool,
}

/// What one step did, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The square root of the price after it, Q64.64.
    pub(super) price: u128,
    /// Paid, without a fee on it.
    pub(super) paid: u64,
    /// Received, after a fee on it.
    pub(super) received: u64,
    /// The fee, in whichever token.
    pub(super) fee: u64,
}

/// Moves the price until it is `to` or the remaining amount is used up. Source: the program's `compute_swap`.
#[inline]
pub(super) fn step(
    terms: Terms,
    (from, to): (u128, u128),
    liquidity: u128,
    remaining: u64,
    rate: u32,
) -> Result<Step, PoolError> {
    if liquidity == 0 {
        return Ok(Step { price: to, paid: 0, received: 0, fee: 0 });
    }
    if terms.exact_in {
        exact_in(terms, (from, to), liquidity, remaining, rate)
    } else {
        exact_out(terms, (from, to), liquidity, remaining, rate)
    }
}

#[inline]
fn exact_in(
    terms: Terms,
    (from, to): (u128, u128),
    liquidity: u128,
    remaining: u64,
    rate: u32,
) -> Result<Step, PoolError> {
    let input = terms.input;
    // More than 64 bits between the prices is no error: the step then ends before.
    let whole = amount(input, from, to, liquidity, Round::Up);
    let (price, paid) = match whole.filter(|whole| enough(terms, remaining, rate, *whole)) {
        Some(whole) => (to, whole),
        None => {
            let net = if terms.fee_on_input { less_fee(remaining, rate)? } else { remaining };
            let price = after_input(input, from, liquidity, net).ok_or(PoolError::Overflow)?;
            let paid = if price == to { whole } else { amount(input, from, price, liquidity, Round::Up) };
            (price, paid.ok_or(PoolError::Overflow)?)
        }
    };
    beyond(input, price, to)?;
    let gross = amount(input.other(), from, price, liquidity, Round::Down).ok_or(PoolError::Overflow)?;
    // Short of the price aimed at, all that is left is paid: what the price could not use up stays in the pool.
    if !terms.fee_on_input {
        let fee = fee_within(gross, rate)?;
        return Ok(Step { price, paid: if price == to { paid } else { remaining }, received: gross - fee, fee });
    }
    // With a fee on the input, that is part of the fee.
    let fee =
        if price == to { fee_upon(paid, rate)? } else { remaining.checked_sub(paid).ok_or(PoolError::Overflow)? };
    Ok(Step { price, paid, received: gross, fee })
}

#[inline]
fn exact_out(
    terms: Terms,
    (from, to): (u128, u128),
    liquidity: u128,
    remaining: u64,
    rate: u32,
) -> Result<Step, PoolError> {
    let output = terms.input.other();
    let wanted = if terms.fee_on_input { remaining } else { with_fee(remaining, rate)? };
    let whole = amount(output, from, to, liquidity, Round::Down);
    let (price, gross) = match whole.filter(|whole| wanted >= *whole) {
        Some(whole) => (to, whole),
        None => {
            let price = after_output(output, from, liquidity, wanted).ok_or(PoolError::Overflow)?;
            let gross = if price == to { whole } else { amount(output, from, price, liquidity, Round::Down) };
            (price, gross.ok_or(PoolError::Overflow)?)
        }
    };
    beyond(terms.input, price, to)?;
    let paid = amount(terms.input, from, price, liquidity, Round::Up).ok_or(PoolError::Overflow)?;
    if terms.fee_on_input {
        return Ok(Step { price, paid, received: gross.min(remaining), fee: fee_upon(paid, rate)? });
    }
    // What rounding yields above the amount wanted is fee too.
    let received = (gross - fee_within(gross, rate)?).min(remaining);
    Ok(Step { price, paid, received, fee: gross - received })
}

/// A step never passes the price it aims at; a state in which it would cannot be traded with.
fn beyond(input: Side, price: u128, to: u128) -> Result<(), PoolError> {
    let passed = match input {
        Side::A => price < to,
        Side::B => price > to,
    };
    if passed { Err(PoolError::Math) } else { Ok(()) }
}

/// Whether the remaining input, less its fee, covers so much: `⌊remaining·(1 − f)⌋ ≥ paid` without the division.
#[inline]
fn enough(terms: Terms, remaining: u64, rate: u32, paid: u64) -> bool {
    if !terms.fee_on_input {
        return remaining >= paid;
    }
    let kept = u128::from(RATE_WHOLE.saturating_sub(rate));
    u128::from(remaining) * kept >= u128::from(paid) * u128::from(RATE_WHOLE)
}

/// `⌊amount·(1 − f)⌋`.
pub(super) fn less_fee(amount: u64, rate: u32) -> Result<u64, PoolError> {
    let kept = u128::from(RATE_WHOLE.saturating_sub(rate));
    narrow(mul_div_floor(u128::from(amount), kept, u128::from(RATE_WHOLE)))
}

/// `⌈amount / (1 − f)⌉`.
pub(super) fn with_fee(amount: u64, rate: u32) -> Result<u64, PoolError> {
    let kept = u128::from(RATE_WHOLE.saturating_sub(rate));
    narrow(mul_div_ceil(u128::from(amount), u128::from(RATE_WHOLE), kept))
}

/// The fee inside an amount, `⌈amount·f⌉`: no more than the amount.
#[inline]
pub(super) fn fee_within(amount: u64, rate: u32) -> Result<u64, PoolError> {
    share(amount, rate, RATE_WHOLE)
}

/// The fee that comes on top of an amount, `⌈amount·f / (1 − f)⌉`.
#[inline]
pub(super) fn fee_upon(amount: u64, rate: u32) -> Result<u64, PoolError> {
    share(amount, rate, RATE_WHOLE.saturating_sub(rate))
}

/// `⌈amount·numerator / denominator⌉`, in 64 bits where that is enough.
#[inline]
fn share(amount: u64, numerator: u32, denominator: u32) -> Result<u64, PoolError> {
    if denominator == 0 {
        return Err(PoolError::Math);
    }
    let (product, denominator) = (u128::from(amount) * u128::from(numerator), u64::from(denominator));
    if wide::top(product) == 0 {
        return Ok(wide::bottom(product).div_ceil(denominator));
    }
    narrow(Some(product.div_ceil(u128::from(denominator))))
}

fn narrow(value: Option<u128>) -> Result<u64, PoolError> {
    u64::try_from(value.ok_or(PoolError::Math)?).map_err(|_| PoolError::Overflow)
}

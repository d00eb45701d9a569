//! Amounts between two prices and prices after an amount, at one liquidity. Square roots of prices are Q64.64 everywhere.
//!
//! `Δa = L·2^64·(P_u − P_l) / (P_u·P_l)`, `Δb = L·(P_u − P_l) / 2^64`. Source: the Raydium CLMM program, `liquidity_math`
//! and `sqrt_price_math`; two nested divisions that round the same way are one division here.

use super::wide::{Wide, bottom, top};
use crate::dyadic::Round;
use crate::math::halves;
use crate::swap::Side;

/// Above this, a liquidity shifted by 64 bits no longer leaves room for an amount. No supply of tokens comes near.
pub(super) const MAX_LIQUIDITY: u128 = (1 << 127) - 1;

/// Units of a token between two prices; `None` when they do not fit 64 bits.
#[inline]
pub(super) fn amount(token: Side, one: u128, other: u128, liquidity: u128, round: Round) -> Option<u64> {
    let (whole, rest) = match token {
        Side::A => {
            let numerator = Wide::product(liquidity, one.abs_diff(other));
            let (quotient, rest) = numerator?.divide(0, Wide::product(one, other)?)?;
            (quotient, !rest.is_zero())
        }
        Side::B => {
            let (high, low) = halves(liquidity, one.abs_diff(other));
            if high != 0 {
                return None;
            }
            (top(low), bottom(low) != 0)
        }
    };
    whole.checked_add(u64::from(rest && round == Round::Up))
}

/// The price after the pool received so much of a token, rounded so that it does not go too far.
pub(super) fn after_input(token: Side, price: u128, liquidity: u128, amount: u64) -> Option<u128> {
    match token {
        Side::A => after_a(price, liquidity, amount, Wide::plus),
        Side::B => price.checked_add((u128::from(amount) << 64).checked_div(liquidity)?),
    }
}

/// The price after the pool gave away so much of a token, rounded so that it goes far enough.
pub(super) fn after_output(token: Side, price: u128, liquidity: u128, amount: u64) -> Option<u128> {
    match token {
        Side::A => after_a(price, liquidity, amount, Wide::minus),
        Side::B if liquidity == 0 => None,
        Side::B => price.checked_sub((u128::from(amount) << 64).div_ceil(liquidity)),
    }
}

/// `⌈L·2^64·P / (L·2^64 ± a·P)⌉`.
fn after_a(price: u128, liquidity: u128, amount: u64, join: fn(Wide, Wide) -> Option<Wide>) -> Option<u128> {
    if amount == 0 {
        return Some(price);
    }
    if liquidity > MAX_LIQUIDITY {
        return None;
    }
    let reserve = Wide { high: top(liquidity), low: liquidity << 64 };
    let divisor = join(reserve, Wide::product(u128::from(amount), price)?)?;
    // Two digits of the quotient: the numerator's upper bits and its last 64 give the first, 64 zeros the second.
    let (high, low) = halves(liquidity, price);
    let above = Wide { high: top(high), low: (high << 64) | u128::from(top(low)) };
    let (first, rest) = above.divide(bottom(low), divisor)?;
    let (second, rest) = rest.divide(0, divisor)?;
    ((u128::from(first) << 64) | u128::from(second)).checked_add(u128::from(!rest.is_zero()))
}

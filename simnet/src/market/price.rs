//! Prices as integers: Q64.64 of base units, their square roots, and the distance between two of them.

use routing::Ratio;

use super::path::ONE;
use crate::token::Token;

/// Prices outside of this cannot be expressed finely enough by every family of pools: no pool.
const PRICES: std::ops::RangeInclusive<u128> = 1 << 36..=1 << 92;

/// A pair of assets at its reference price.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// Base units of the second asset for one of the first, Q64.64.
    pub(super) price: u128,
    /// What [`UNIT_VALUE`] is of either, in base units: the measure of pools' depths.
    pub(super) unit: [u64; 2],
}

/// A million US dollars times 10¹²; halved for tokens of which that is too many base units.
const UNIT_VALUE: u128 = 1_000_000 * 1_000_000_000_000;

/// The most units of [`Pair::unit`], so that pools have room to trade in 64 bits.
const UNIT_LIMIT: u128 = 1 << 53;

/// Fewer cannot express a price finely enough.
const UNIT_LEAST: u128 = 50_000;

impl Pair {
    /// `None` when a token has no price, or the price or the amounts cannot be expressed.
    pub(super) fn new([a, b]: [&Token; 2]) -> Option<Self> {
        let worth = |token: &Token| token.reference_price.filter(|price| *price > 0).map(u128::from);
        let power = |exponent: u8| 10_u128.checked_pow(exponent.into());
        let (worth_a, worth_b) = (worth(a)?, worth(b)?);
        let numerator = worth_a.checked_mul(power(b.decimals.saturating_sub(a.decimals))?)?;
        let denominator = worth_b.checked_mul(power(a.decimals.saturating_sub(b.decimals))?)?;
        let price = x64(Ratio { numerator, denominator }).filter(|price| PRICES.contains(price))?;
        let units = |worth: u128, decimals: u8, value: u128| Some(power(decimals)?.checked_mul(value)? / worth);
        let sizes = (0..50).map(|halvings| UNIT_VALUE >> halvings);
        let (first, second) = sizes
            .filter_map(|value| units(worth_a, a.decimals, value).zip(units(worth_b, b.decimals, value)))
            .find(|(first, second)| *first.max(second) <= UNIT_LIMIT)?;
        if first.min(second) < UNIT_LEAST {
            return None;
        }
        Some(Self { price, unit: [u64::try_from(first).ok()?, u64::try_from(second).ok()?] })
    }
}

/// A fraction as Q64.64; `None` when it does not fit or is nothing.
pub(super) fn x64(Ratio { numerator, denominator }: Ratio) -> Option<u128> {
    // The denominator keeps 64 bits and the numerator as many as fit, so that the quotient has 63 or more.
    let cut = (128 - denominator.leading_zeros()).saturating_sub(64);
    let denominator = denominator >> cut;
    let room = numerator.leading_zeros().min(127);
    let quotient = (numerator << room).checked_div(denominator)?;
    let shift = i64::from(64) - i64::from(room) - i64::from(cut);
    let bits = u32::try_from(shift.unsigned_abs()).ok()?;
    let value = match shift {
        ..=0 => quotient.checked_shr(bits)?,
        _ if bits <= quotient.leading_zeros() => quotient.checked_shl(bits)?,
        _ => return None,
    };
    Some(value).filter(|value| *value > 0)
}

/// The square root of a Q64.64 number, Q64.64.
pub(super) fn root_x64(number: u128) -> u128 {
    let room = number.leading_zeros() & !1;
    let root = (number << room).isqrt();
    match 32_u32.checked_sub(room / 2) {
        Some(up) => root << up,
        None => root >> (room / 2 - 32),
    }
}

/// `√(billionths / 10⁹)` in 2⁻³².
pub(super) fn root_of_billionths(billionths: i64) -> u128 {
    let number = u128::from(billionths.max(1).cast_unsigned());
    ((number << 64) / u128::from(ONE.cast_unsigned())).isqrt().max(1)
}

/// `price · billionths / 10⁹`; never zero.
pub(super) fn scaled(price: u128, billionths: i64) -> u128 {
    let factor = u128::from(billionths.max(1).cast_unsigned());
    let exact = price.checked_mul(factor).map(|product| product / 1_000_000_000);
    exact.unwrap_or_else(|| (price / 1_000_000_000).saturating_mul(factor)).max(1)
}

/// `price / base` in billionths, at most a thousand.
pub(super) fn relative(price: u128, base: u128) -> i64 {
    let shift = (128 - price.max(base).leading_zeros()).saturating_sub(90);
    let (price, base) = (price >> shift, (base >> shift).max(1));
    i64::try_from(price * 1_000_000_000 / base).unwrap_or(i64::MAX).clamp(1, 1_000 * ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_and_roots_keep_their_digits() {
        for (numerator, denominator, expected) in [
            (3, 2, (3_u128 << 64) / 2),
            (1, 1 << 100, 0),
            (1 << 100, 1 << 100, 1 << 64),
            (1 << 127, 1 << 100, 1 << 91),
            (5, 1 << 66, 1),
        ] {
            let seen = x64(Ratio { numerator, denominator });
            assert_eq!(seen, Some(expected).filter(|expected| *expected > 0), "{numerator}/{denominator}");
        }
        assert_eq!(x64(Ratio { numerator: 1 << 127, denominator: 1 }), None);
        for shift in 36..92 {
            let number = (1_u128 << shift) + 12_345;
            let root = root_x64(number);
            let square = (root >> 20) * (root >> 20);
            assert!(relative(square >> 24, number).abs_diff(ONE) < 200, "{shift}");
        }
        assert_eq!(root_of_billionths(4 * ONE), 2 << 32);
    }
}

//! The price at which an order trades at the worst: an exact decimal, and what it comes to in base units.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::{Ask, Mode, Side};
use crate::amount::{self, AmountError, Decimal};

/// A price of whole tokens: of a sale the least output for one input, of a purchase the most input for one output. Above
/// zero, at most 18 decimals, below 10^20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitPrice(u128);

/// Why a text is no limit price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LimitPriceError {
    /// Not `digits` or `digits.digits`.
    #[error("expected a plain decimal above zero such as \"152.5\"")]
    Malformed,
    /// More than 18 decimals, and not zeros.
    #[error("a limit price has at most 18 decimals")]
    TooPrecise,
    /// 10^20 or more.
    #[error("a limit price is below 10^20")]
    TooLarge,
}

impl LimitPrice {
    /// How many decimals it may have.
    pub const DECIMALS: u8 = 18;
    /// One, in its units.
    pub const ONE: u128 = 10_u128.pow(Self::DECIMALS as u32);

    /// Reads plain decimal text.
    ///
    /// # Errors
    /// See [`LimitPriceError`]; zero is malformed.
    pub fn parse(text: &str) -> Result<Self, LimitPriceError> {
        match amount::parse(text, Self::DECIMALS) {
            Ok(0) | Err(AmountError::Malformed) => Err(LimitPriceError::Malformed),
            Ok(units) => Ok(Self(units)),
            Err(AmountError::TooPrecise) => Err(LimitPriceError::TooPrecise),
            Err(AmountError::TooLarge) => Err(LimitPriceError::TooLarge),
        }
    }

    /// The price times 10^18.
    #[must_use]
    pub const fn units(self) -> u128 {
        self.0
    }

    /// What it comes to for the amount that is asked for, in base units: the least output (exact-in), rounded up, or the most
    /// input (exact-out), rounded down, so that rounding never gives the venue more. None where that has more than 38 digits,
    /// or where no input at all would be left.
    #[must_use]
    pub fn limit(self, side: Side, ask: &Ask, input_decimals: u8, output_decimals: u8) -> Option<u128> {
        let (input, output) = (power(input_decimals), power(output_decimals));
        let up = ask.mode == Mode::ExactIn;
        // Of whom one token costs so many of the other: the amount of that one is multiplied, the other's divided.
        let limit = match (side, ask.mode) {
            (Side::Sell, Mode::ExactIn) => ratio(ask.amount, [self.0, output], [Self::ONE, input], up),
            (Side::Sell, Mode::ExactOut) => ratio(ask.amount, [Self::ONE, input], [self.0, output], up),
            (Side::Buy, Mode::ExactOut) => ratio(ask.amount, [self.0, input], [Self::ONE, output], up),
            (Side::Buy, Mode::ExactIn) => ratio(ask.amount, [Self::ONE, output], [self.0, input], up),
        };
        limit.filter(|limit| (1..10_u128.pow(38)).contains(limit))
    }
}

/// What one token of the second amount costs in tokens of the first, times 10^18, rounded down or up; none where that has too
/// many digits, or for nothing at all.
#[must_use]
pub fn price_units(paid: Decimal, received: Decimal, up: bool) -> Option<u128> {
    let (paid_one, received_one) = (power(paid.decimals), power(received.decimals));
    if received.units == 0 {
        return None;
    }
    ratio(paid.units, [LimitPrice::ONE, received_one], [received.units, paid_one], up)
}

impl fmt::Display for LimitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { units: self.0, decimals: Self::DECIMALS }.fmt(f)
    }
}

impl Serialize for LimitPrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LimitPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

fn power(decimals: u8) -> u128 {
    10_u128.pow(u32::from(decimals.min(amount::MAX_DECIMALS)))
}

/// `amount` times both of `times`, divided by both of `by`, rounded up or down; none where that does not fit, and none by zero.
/// Each factor is below 2^127, and all three together have at most 334 bits: an amount, a price, and a power of ten up to 10^24.
fn ratio(amount: u128, times: [u128; 2], by: [u128; 2], up: bool) -> Option<u128> {
    if by.contains(&0) {
        return None;
    }
    let (first, left) = Wide::of(amount).times(times[0])?.times(times[1])?.divided(by[0]);
    let (second, more) = first.divided(by[1]);
    let whole = second.narrow()?;
    if up && (left || more) { whole.checked_add(1) } else { Some(whole) }
}

/// 384 bits, the lowest first.
#[derive(Clone, Copy)]
struct Wide([u64; 6]);

impl Wide {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
    const fn of(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0, 0, 0])
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
    fn times(self, factor: u128) -> Option<Self> {
        let factors = [factor & u128::from(u64::MAX), factor >> 64];
        let mut product = [0_u64; 6];
        for (shift, factor) in factors.into_iter().enumerate() {
            let mut carry = 0_u128;
            for (place, limb) in self.0.into_iter().enumerate() {
                let part = u128::from(limb) * factor + carry;
                let Some(at) = product.get_mut(place + shift) else {
                    if part > 0 {
                        return None;
                    }
                    continue;
                };
                let sum = u128::from(*at) + (part & u128::from(u64::MAX));
                *at = sum as u64;
                carry = (part >> 64) + (sum >> 64);
            }
            if carry > 0 {
                return None;
            }
        }
        Some(Self(product))
    }

    /// The whole part, and whether anything is left. The divisor is above zero and below 2^127.
    fn divided(self, by: u128) -> (Self, bool) {
        let (mut quotient, mut rest) = ([0_u64; 6], 0_u128);
        for place in (0..6).rev() {
            for bit in (0..64).rev() {
                rest = rest << 1 | u128::from(self.0[place] >> bit & 1);
                if rest >= by {
                    rest -= by;
                    quotient[place] |= 1 << bit;
                }
            }
        }
        (Self(quotient), rest > 0)
    }

    fn narrow(self) -> Option<u128> {
        let [low, high, rest @ ..] = self.0;
        (rest == [0; 4]).then(|| u128::from(high) << 64 | u128::from(low))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(text: &str) -> LimitPrice {
        LimitPrice::parse(text).expect("a price")
    }

    fn ask(mode: Mode, amount: u128) -> Ask {
        Ask { input: "SOL".into(), output: "USDC".into(), mode, amount }
    }

    #[test]
    fn a_price_is_plain_decimal_text() {
        use LimitPriceError::{Malformed, TooLarge, TooPrecise};
        for (text, expected) in [
            ("152.5", Ok("152.5")),
            ("0.000000000000000001", Ok("0.000000000000000001")),
            ("1.50", Ok("1.5")),
            ("99999999999999999999", Ok("99999999999999999999")),
            ("100000000000000000000", Err(TooLarge)),
            ("0.0000000000000000001", Err(TooPrecise)),
            ("0", Err(Malformed)),
            ("0.00", Err(Malformed)),
            ("-1", Err(Malformed)),
            ("1e3", Err(Malformed)),
            ("", Err(Malformed)),
            ("NaN", Err(Malformed)),
        ] {
            let read = LimitPrice::parse(text).map(|price| price.to_string());
            assert_eq!(read, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_limit_rounds_for_the_trader() {
        use Mode::{ExactIn, ExactOut};
        use Side::{Buy, Sell};
        for (side, mode, text, amount, expected) in [
            // Ten SOL at 152.5 USDC or more.
            (Sell, ExactIn, "152.5", 10_000_000_000, Some(1_525_000_000)),
            (Sell, ExactIn, "0.000001", 1, Some(1)),
            (Sell, ExactIn, "0.333333333333333333", 1_000_000_000, Some(333_334)),
            // At least 152.5 USDC a SOL: for 1,525 USDC at most ten SOL.
            (Sell, ExactOut, "152.5", 1_525_000_000, Some(10_000_000_000)),
            (Sell, ExactOut, "3", 1_000_000, Some(333_333_333)),
            // USDC received for SOL at no more than 0.01 SOL each.
            (Buy, ExactOut, "0.01", 1_000_000, Some(10_000_000)),
            (Buy, ExactOut, "0.000000000000000001", 1, None),
            (Buy, ExactIn, "0.01", 10_000_000, Some(1_000_000)),
            (Buy, ExactIn, "0.03", 10_000_000, Some(333_334)),
            (Sell, ExactIn, "99999999999999999999", 10_u128.pow(37), None),
        ] {
            assert_eq!(
                price(text).limit(side, &ask(mode, amount), 9, 6),
                expected,
                "{side:?} {mode:?} {text} {amount}"
            );
        }
    }

    #[test]
    fn the_largest_and_the_smallest_decimals_fit() {
        let most = ask(Mode::ExactIn, 10_u128.pow(38) - 1);
        assert_eq!(price("0.000000000000000001").limit(Side::Sell, &most, 24, 0), Some(1));
        assert_eq!(price("99999999999999999999").limit(Side::Sell, &most, 0, 24), None);
        assert_eq!(price("1").limit(Side::Sell, &ask(Mode::ExactIn, 1), 0, 24), Some(10_u128.pow(24)));
    }

    /// The same by hand, where no number of it has more than 128 bits.
    fn naive(amount: u128, times: u128, by: u128, up: bool) -> u128 {
        let product = amount * times;
        if up { product.div_ceil(by) } else { product / by }
    }

    proptest! {
        #[test]
        fn small_ratios_are_those_of_one_word(amount in 0..1_u128 << 40, a in 0..1_u128 << 40, b in 0..1_u128 << 40,
            c in 1..1_u128 << 40, d in 1..1_u128 << 40, up: bool) {
            prop_assert_eq!(ratio(amount, [a, b], [c, d], up), Some(naive(amount, a * b, c * d, up)));
        }

        #[test]
        fn what_was_multiplied_divides_back(amount in 1..10_u128.pow(38), a in 1..10_u128.pow(38), b in 1..10_u128.pow(24)) {
            prop_assert_eq!(ratio(amount, [a, b], [a, b], true), Some(amount));
            prop_assert_eq!(ratio(amount, [a, b], [b, a], false), Some(amount));
        }

        #[test]
        fn a_price_reads_back(units in 1..10_u128.pow(38)) {
            let price = LimitPrice(units);
            prop_assert_eq!(LimitPrice::parse(&price.to_string()), Ok(price));
        }

        /// An amount at the limit meets the price, and one unit beyond it does not: judged by multiplication alone.
        #[test]
        fn a_limit_is_the_last_amount_that_meets_the_price(units in 1..10_u128.pow(20), amount in 1..10_u128.pow(9),
            buys: bool, exact_out: bool) {
            let (side, mode) = (if buys { Side::Buy } else { Side::Sell },
                if exact_out { Mode::ExactOut } else { Mode::ExactIn });
            let Some(limit) = LimitPrice(units).limit(side, &ask(mode, amount), 6, 6) else { return Ok(()) };
            let meets = |unfixed: u128| {
                let (input, output) = if exact_out { (unfixed, amount) } else { (amount, unfixed) };
                let (one, times) = (LimitPrice::ONE, |a: u128, b: u128| Wide::of(a).times(b).map(|w| w.0.map(u128::from)));
                let order = |a: [u128; 6], b: [u128; 6]| a.into_iter().rev().cmp(b.into_iter().rev());
                let (have, want) = match side {
                    Side::Sell => (times(output, one), times(input, units)),
                    Side::Buy => (times(output, units), times(input, one)),
                };
                have.zip(want).is_some_and(|(have, want)| order(have, want).is_ge())
            };
            prop_assert!(meets(limit));
            let beyond = if exact_out { limit + 1 } else { limit - 1 };
            prop_assert!(!meets(beyond));
        }
    }
}

//! Exact amounts: integers of base units, read from and written as plain decimal text. No floating point anywhere.

use std::fmt;

use thiserror::Error;

/// The most decimals a token may have.
pub const MAX_DECIMALS: u8 = 24;

/// Why a text is no amount of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not `digits` or `digits.digits`: a sign, an exponent, a space, or no digits at all.
    #[error("expected a plain decimal such as \"12.5\"")]
    Malformed,
    /// More decimals than the token has, and not zeros.
    #[error("more decimals than the token has")]
    TooPrecise,
    /// Beyond 38 digits of base units.
    #[error("too large")]
    TooLarge,
}

/// Reads whole tokens as decimal text into base units: `"12.5"` with 6 decimals is 12,500,000.
///
/// # Errors
/// See [`AmountError`]. Trailing zeros beyond the token's decimals are allowed: they say nothing.
pub fn parse(text: &str, decimals: u8) -> Result<u128, AmountError> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if text.len() > 64 || !digits(whole) || fraction.is_some_and(|f| !digits(f)) {
        return Err(AmountError::Malformed);
    }
    let fraction = fraction.unwrap_or("").trim_end_matches('0');
    if fraction.len() > usize::from(decimals) {
        return Err(AmountError::TooPrecise);
    }
    let padding = usize::from(decimals) - fraction.len();
    let mut units: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').chain(std::iter::repeat_n(0, padding)) {
        units = units
            .checked_mul(10)
            .and_then(|u| u.checked_add(u128::from(digit)))
            .filter(|u| *u < 10_u128.pow(38))
            .ok_or(AmountError::TooLarge)?;
    }
    Ok(units)
}

/// Base units shown as whole tokens: exact, without trailing zeros, `"12.5"`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    /// How many base units.
    pub units: u128,
    /// How many of them make ten to the power of this one token.
    pub decimals: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u128.pow(u32::from(self.decimals.min(MAX_DECIMALS)));
        let (whole, rest) = (self.units / one, self.units % one);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{rest:0width$}", width = usize::from(self.decimals));
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl serde::Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The price of one whole input token in output tokens, as decimal text of at most 12 significant digits, cut off.
///
/// Only for people to read: no decision uses it. Empty trades have the price `"0"`.
#[must_use]
pub fn price(amount_in: Decimal, amount_out: Decimal) -> String {
    let (mut num, mut den) = (amount_out.units, amount_in.units);
    let mut shift = i32::from(amount_in.decimals) - i32::from(amount_out.decimals);
    if num == 0 || den == 0 {
        return "0".to_owned();
    }
    // Thirteen digits more than needed in the numerator; what falls off at the end was not significant.
    while num < 10_u128.pow(37) {
        num *= 10;
        shift -= 1;
    }
    while den >= 10_u128.pow(20) {
        den /= 10;
        shift -= 1;
    }
    let mut digits = (num / den).to_string();
    let dropped = digits.len().saturating_sub(12);
    digits.truncate(12);
    // The price is `digits` times ten to the power of `exponent`.
    let exponent = shift + i32::try_from(dropped).unwrap_or(0);
    place_point(&digits, exponent)
}

fn place_point(digits: &str, exponent: i32) -> String {
    if exponent >= 0 {
        let zeros = usize::try_from(exponent).unwrap_or(0);
        return format!("{digits}{}", "0".repeat(zeros));
    }
    let fraction = usize::try_from(-exponent).unwrap_or(0);
    let padded = format!("{digits:0>width$}", width = fraction + 1);
    let (whole, rest) = padded.split_at(padded.len() - fraction);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

/// Serde form of base units inside the journal: decimal digits as text, since JSON numbers lose digits in many readers.
pub mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes the digits.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(units: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(units)
    }

    /// Reads the digits.
    ///
    /// # Errors
    /// Text that is no number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_plain_decimals_only() {
        for (text, decimals, expected) in [
            ("10", 6, Ok(10_000_000)),
            ("0.000001", 6, Ok(1)),
            ("1.500000000", 6, Ok(1_500_000)),
            ("007", 0, Ok(7)),
            ("0", 9, Ok(0)),
            ("0.0000001", 6, Err(AmountError::TooPrecise)),
            ("", 6, Err(AmountError::Malformed)),
            (".5", 6, Err(AmountError::Malformed)),
            ("5.", 6, Err(AmountError::Malformed)),
            ("-5", 6, Err(AmountError::Malformed)),
            ("+5", 6, Err(AmountError::Malformed)),
            ("1e3", 6, Err(AmountError::Malformed)),
            ("1e400", 6, Err(AmountError::Malformed)),
            ("NaN", 6, Err(AmountError::Malformed)),
            ("1 000", 6, Err(AmountError::Malformed)),
            ("1.2.3", 6, Err(AmountError::Malformed)),
            ("٣", 6, Err(AmountError::Malformed)),
            ("99999999999999999999999999999999999999", 0, Ok(10_u128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", 0, Err(AmountError::TooLarge)),
        ] {
            assert_eq!(parse(text, decimals), expected, "{text:?}");
        }
    }

    #[test]
    fn prices_are_cut_to_twelve_digits() {
        let d = |units, decimals| Decimal { units, decimals };
        for (a_in, a_out, expected) in [
            (d(10_000_000_000, 9), d(1_523_456_789, 6), "152.3456789"),
            (d(3, 0), d(1, 0), "0.333333333333"),
            (d(1, 5), d(1, 8), "0.001"),
            (d(1, 8), d(1, 5), "1000"),
            (d(100_000, 5), d(2, 8), "0.00000002"),
            (d(1, 0), d(10_u128.pow(37), 0), "10000000000000000000000000000000000000"),
            (d(0, 0), d(1, 0), "0"),
        ] {
            assert_eq!(price(a_in, a_out), expected);
        }
    }

    proptest! {
        #[test]
        fn shown_amounts_read_back(units in 0..10_u128.pow(38), decimals in 0..=MAX_DECIMALS) {
            let shown = Decimal { units, decimals }.to_string();
            prop_assert_eq!(parse(&shown, decimals), Ok(units));
        }
    }
}

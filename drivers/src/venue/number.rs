//! Numbers as venues write them: amounts as text or as numbers, shares as decimals. No floating point comes near them.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An amount in base units, read from `"12"` or `12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Units(pub(super) u64);

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Units {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Units;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of at most 64 bits, as text or as a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Units, E> {
        Ok(Units(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Units, E> {
        text.parse().map(Units).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// How many digits behind the point count; more are cut off, and what they were makes the last one larger.
const DIGITS: i32 = 9;

/// A share as basis points, rounded up, whichever sign it has: of a fraction (`0.0012` are 12) with `whole` 10,000, of a percentage
/// with `whole` 100. Anything that is no number counts as none, because it decides nothing but the order of equal quotes; what is
/// more than all of it is all of it.
pub(super) fn bps(share: &Value, whole: u32) -> u32 {
    let text = match share {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return 0,
    };
    billionths(&text).map_or(0, |share| {
        let bps = (share * u128::from(whole)).div_ceil(1_000_000_000);
        u32::try_from(bps).unwrap_or(u32::MAX).min(10_000)
    })
}

/// The absolute value in billionths, rounded up: `1.5e-3` are 1,500,000.
fn billionths(text: &str) -> Option<u128> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let digits = digits.trim_start_matches(['-', '+']);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept: String = whole.chars().chain(part.chars()).take(36).collect();
    let shift = i32::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(DIGITS)?;
    let number: u128 = kept.parse().ok()?;
    let shift = shift.checked_sub(i32::try_from(kept.len()).ok()?)?;
    match u32::try_from(shift) {
        Ok(up) => number.checked_mul(10_u128.checked_pow(up)?),
        Err(_) => {
            Some(10_u128.checked_pow(shift.unsigned_abs()).map_or(u128::from(number > 0), |d| number.div_ceil(d)))
        }
    }
}

/// The largest slippage in basis points with which a quote still meets the limit; none where the quote itself does not.
pub(super) fn slippage(mode: domain::swap::Mode, quoted: u64, limit: u128) -> Option<u16> {
    let quoted = u128::from(quoted);
    let room = match mode {
        domain::swap::Mode::ExactIn => quoted.checked_sub(limit)?,
        domain::swap::Mode::ExactOut => limit.checked_sub(quoted)?.min(quoted),
    };
    // Programs round their limit in the trader's favour: the slippage may take up to the next whole unit.
    let most = ((room + 1) * 10_000).div_ceil(quoted.max(1)) - 1;
    u16::try_from(most.min(10_000)).ok()
}

#[cfg(test)]
mod tests {
    use domain::swap::Mode;
    use serde_json::json;
    use solana::program::{self, jupiter};

    use super::*;

    #[test]
    fn amounts_are_read_as_text_and_as_numbers() {
        for (json, units) in [("12", Some(12)), (r#""12""#, Some(12)), (r#""18446744073709551615""#, Some(u64::MAX))] {
            assert_eq!(serde_json::from_str::<Units>(json).ok().map(|units| units.0), units, "{json}");
        }
        for json in ["-1", "1.5", r#""1.5""#, r#""18446744073709551616""#, "null", r#""""#, "1e3"] {
            assert!(serde_json::from_str::<Units>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn shares_are_rounded_up() {
        for (share, whole, expected) in [
            (json!("0.0012"), 10_000, 12),
            (json!("0.00120000000000000000001"), 10_000, 13),
            (json!(0.00121), 10_000, 13),
            (json!("-0.5"), 10_000, 5_000),
            (json!(1.5e-7), 10_000, 1),
            (json!("0"), 10_000, 0),
            (json!(0.03), 100, 3),
            (json!(12), 100, 1_200),
            (json!("99999999999999999999"), 10_000, 10_000),
            (json!("1e400"), 10_000, 0),
            (json!("1e-400"), 10_000, 1),
            (json!("many"), 10_000, 0),
            (json!(null), 10_000, 0),
        ] {
            assert_eq!(bps(&share, whole), expected, "{share}");
        }
    }

    #[test]
    fn the_slippage_is_the_largest_that_meets_the_limit() {
        for quoted in [1, 7, 999, 10_000, 123_456_789, u64::MAX / 3] {
            for off in [0, 1, quoted / 1_000, quoted / 7] {
                let least = u128::from(quoted - off);
                let slip = slippage(Mode::ExactIn, quoted, least).expect("it meets it");
                assert!(u128::from(jupiter::limit(program::Mode::ExactIn, quoted, slip)) >= least);
                assert!(slip == 10_000 || u128::from(jupiter::limit(program::Mode::ExactIn, quoted, slip + 1)) < least);
                let most = u128::from(quoted + off);
                let slip = slippage(Mode::ExactOut, quoted, most).expect("it meets it");
                assert!(u128::from(jupiter::limit(program::Mode::ExactOut, quoted, slip)) <= most);
                assert!(slip == 10_000 || u128::from(jupiter::limit(program::Mode::ExactOut, quoted, slip + 1)) > most);
            }
            assert_eq!(slippage(Mode::ExactIn, quoted, u128::from(quoted) + 1), None);
            assert_eq!(slippage(Mode::ExactOut, quoted, u128::from(quoted) - 1), None);
        }
    }
}

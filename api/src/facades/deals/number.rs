//! JSON numbers as whole numbers, read exactly: no double in between.

/// Nothing of this size is an amount; it stands for whatever is larger.
const HUGE: i128 = 1 << 100;

/// The value of a JSON number if it is whole: `100`, `100.0`, `1e2`. What is far too large is [`HUGE`], with its sign.
pub(super) fn integer(raw: &str) -> Option<i128> {
    let (negative, size) = raw.strip_prefix('-').map_or((false, raw), |size| (true, size));
    let (mantissa, exponent) = size.split_once(['e', 'E']).unwrap_or((size, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // An exponent that does not fit is beyond everything, upwards or downwards.
    let unreadable = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.trim_start_matches('+').parse::<i64>().unwrap_or(unreadable);
    let point = exponent.saturating_sub(i64::try_from(fraction.len()).ok()?);
    let (digits, zeros) = match usize::try_from(point) {
        Ok(zeros) => (digits, zeros),
        // Behind the point there may stand only zeros.
        Err(_) => {
            let behind = usize::try_from(point.unsigned_abs()).ok()?;
            let whole = digits.len().checked_sub(behind)?;
            if digits[whole..].bytes().any(|digit| digit != b'0') {
                return None;
            }
            (&digits[..whole], 0)
        }
    };
    let value = if digits.len().saturating_add(zeros) > 30 {
        HUGE
    } else {
        digits.parse::<i128>().ok()? * 10_i128.pow(u32::try_from(zeros).ok()?)
    };
    Some(if negative { -value } else { value })
}

/// The whole part of a number in a query, such as `2`, `-3` and `2.9`; none for what is no number or beyond 64 bits.
pub(super) fn whole_part(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit.is_ascii_digit()).then(|| whole.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        for (raw, value) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("100", Some(100)),
            ("-100", Some(-100)),
            ("100.00", Some(100)),
            ("1e2", Some(100)),
            ("1.5E+1", Some(15)),
            ("1500e-2", Some(15)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("1e400", Some(HUGE)),
            ("-1e99999999999999999999", Some(-HUGE)),
            ("99.5", None),
            ("15e-1", None),
            ("1e-400", None),
            ("1e-99999999999999999999", None),
            ("0e99999999999999999999", Some(0)),
        ] {
            assert_eq!(integer(raw), value, "{raw}");
        }
    }
}

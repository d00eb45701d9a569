//! Amounts as JavaScript clients write them: numbers or numeric texts, exponents included, read without rounding.

/// The largest exponent that can still mean an amount.
const LARGEST_EXPONENT: i32 = 60;

/// A JSON value as plain decimal text: `2.5e-3` and `"2.5e-3"` are `0.0025`. None for anything else and for negatives.
pub(in crate::facades) fn plain(raw: &str) -> Option<String> {
    let number = raw.strip_prefix('"').map_or(Some(raw), |rest| rest.strip_suffix('"'))?;
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        None => (number, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
    };
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|f| !digits(f)) || exponent.abs() > LARGEST_EXPONENT {
        return None;
    }
    let digits = format!("{whole}{}", fraction.unwrap_or(""));
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    Some(match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Ok(point) if point > 0 => format!("{}.{}", &digits[..point], &digits[point..]),
        _ => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
    })
}

/// What JavaScript takes for false: absent, null, false, empty text, zero.
pub(super) fn is_falsy(raw: Option<&str>) -> bool {
    let Some(raw) = raw else {
        return true;
    };
    let mantissa = raw.split(['e', 'E']).next().unwrap_or(raw);
    let zero = mantissa.starts_with(['-', '0']) && mantissa.bytes().all(|b| b"-0.".contains(&b));
    matches!(raw, "null" | "false" | "\"\"") || zero
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_numeric_texts_are_exact() {
        for (raw, expected) in [
            ("10", Some("10")),
            ("\"10\"", Some("10")),
            ("0.000001", Some("0.000001")),
            ("1e-7", Some("0.0000001")),
            ("2.5e-3", Some("0.0025")),
            ("2.5e3", Some("2500")),
            ("12.345E1", Some("123.45")),
            ("1e2", Some("100")),
            ("\"5\"", Some("5")),
            ("1e400", None),
            ("1e99999999999", None),
            ("-5", None),
            ("\"-5\"", None),
            ("\"abc\"", None),
            ("\"\"", None),
            ("\"", None),
            ("true", None),
            ("[1]", None),
            ("{}", None),
            ("\"1.\"", None),
            ("\" 5\"", None),
        ] {
            assert_eq!(plain(raw).as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn falsy_as_in_javascript() {
        for raw in ["null", "false", "\"\"", "0", "-0", "0.0", "0e5", "-0.00E3"] {
            assert!(is_falsy(Some(raw)), "{raw}");
        }
        for raw in ["1", "\"0\"", "true", "[]", "{}", "0.01", "10", "-1"] {
            assert!(!is_falsy(Some(raw)), "{raw}");
        }
    }
}

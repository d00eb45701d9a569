//! Numbers in attributes of messages, as AWS takes them.

/// The most digits that count, and the range of the first one's place.
const DIGITS: usize = 38;
const PLACES: std::ops::RangeInclusive<i64> = -128..=126;
/// Exponents beyond are not even added up.
const EXPONENT: i64 = 1_000;

/// Whether a text is a number: up to 38 digits that count, between 10^-128 and 10^126.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match exponent.parse::<i64>() {
            Ok(exponent) if exponent.abs() <= EXPONENT => (mantissa, exponent),
            _ => return false,
        },
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return false;
    }
    let all = format!("{whole}{fraction}");
    let (Some(first), Some(last)) = (all.find(|c| c != '0'), all.rfind(|c| c != '0')) else { return true };
    let (Ok(whole), Ok(before)) = (i64::try_from(whole.len()), i64::try_from(first)) else { return false };
    last - first < DIGITS && PLACES.contains(&(whole - 1 - before + exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_aws() {
        let digits = "9".repeat(38);
        for good in
            ["0", "-0", "+7", "1.5", ".5", "5.", "1e126", "1E-128", "0.001", "00012", &digits, &format!("{digits}000")]
        {
            assert!(is_number(good), "{good}");
        }
        for bad in
            ["", "-", ".", "e5", "1e", "1e127", "1e-129", "0x10", "NaN", "inf", "Infinity", "1 ", &format!("{digits}9")]
        {
            assert!(!is_number(bad), "{bad}");
        }
    }
}

//! Decimal numbers for JSON, made of integers: no digit of theirs went through a float.

use serde_json::{Number, Value};

/// `units / 10^decimals` as plain text, without trailing zeros.
pub(super) fn text(units: u128, decimals: u8) -> String {
    let power = 10_u128.checked_pow(decimals.into()).unwrap_or(u128::MAX);
    let (whole, rest) = (units / power, units % power);
    let digits = format!("{rest:0>width$}", width = usize::from(decimals));
    let digits = digits.trim_end_matches('0');
    if rest == 0 { whole.to_string() } else { format!("{whole}.{digits}") }
}

/// The same as a number; null where none can say it.
pub(super) fn number(units: u128, decimals: u8) -> Value {
    text(units, decimals).parse::<Number>().map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_plain() {
        for (units, decimals, expected) in
            [(0, 9, "0"), (1, 9, "0.000000001"), (1_500_000, 6, "1.5"), (7, 0, "7"), (12_000_000, 6, "12")]
        {
            assert_eq!(text(units, decimals), expected);
            assert!(number(units, decimals).is_number());
        }
    }
}

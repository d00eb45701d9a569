//! Directed rounding, held against 256-bit integers.

use proptest::prelude::*;
use ruint::aliases::U256;

use super::*;

/// The exact value in units of 2⁻⁶⁴; the numbers below fit 256 bits so.
fn exact(number: Dyadic) -> U256 {
    let mantissa = U256::from(number.mantissa);
    let places = number.exponent + 64;
    if places >= 0 { mantissa << places.cast_unsigned() } else { mantissa >> places.unsigned_abs() }
}

fn down_and_up(operation: impl Fn(Round) -> Dyadic) -> (U256, U256) {
    (exact(operation(Round::Down)), exact(operation(Round::Up)))
}

/// The true value lies between both roundings, and they lie within a few units of the last place.
fn close(low: U256, high: U256) -> bool {
    high - low <= (high >> 61) + U256::from(1)
}

proptest! {
    #[test]
    fn whole_numbers_round_both_ways(value: u128) {
        let (low, high) = down_and_up(|round| Dyadic::scaled(value, 0, round));
        let wanted = U256::from(value) << 64;
        prop_assert!(low <= wanted && wanted <= high && close(low, high));
    }

    #[test]
    fn sums_and_differences_enclose(a: u64, b: u64, shift in 0_i32..60) {
        let (x, y) = (Dyadic::scaled(u128::from(a), shift, Round::Down), Dyadic::whole(b));
        let (first, second) = (exact(x), exact(y));
        let (low, high) = down_and_up(|round| x.add(y, round));
        prop_assert!(low <= first + second && first + second <= high && close(low, high));
        let (low, high) = down_and_up(|round| x.sub(y, round));
        let wanted = first.saturating_sub(second);
        prop_assert!(low <= wanted && wanted <= high);
        prop_assert!(high - low <= (first >> 61) + U256::from(1));
    }

    #[test]
    fn products_quotients_and_roots_enclose(a in 1_u64.., b in 1_u64..) {
        let (x, y) = (Dyadic::whole(a), Dyadic::whole(b));
        let (low, high) = down_and_up(|round| x.mul(y, round));
        let wanted = (U256::from(a) * U256::from(b)) << 64;
        prop_assert!(low <= wanted && wanted <= high && close(low, high));
        let quotient = |round| x.div(y, round);
        prop_assert!(quotient(Round::Down).mul(y, Round::Down).order(&x) != Ordering::Greater);
        prop_assert!(quotient(Round::Up).mul(y, Round::Up).order(&x) != Ordering::Less);
        let root = |round| x.sqrt(round);
        prop_assert!(root(Round::Down).mul(root(Round::Down), Round::Down).order(&x) != Ordering::Greater);
        prop_assert!(root(Round::Up).mul(root(Round::Up), Round::Up).order(&x) != Ordering::Less);
        let (low, high) = down_and_up(root);
        prop_assert!(close(low, high));
    }

    #[test]
    fn floats_come_and_go(value in 1e-200_f64..1e200) {
        prop_assert_eq!(Dyadic::of_float(value).to_float().to_bits(), value.to_bits());
    }

    #[test]
    fn whole_parts_enclose(value: u64, shift in -70_i32..1) {
        let number = Dyadic::scaled(u128::from(value), shift, Round::Down);
        let (down, up) = if shift <= -64 { (0, u128::from(value != 0)) } else {
            let unit = 1_u128 << -shift;
            (u128::from(value) / unit, u128::from(value).div_ceil(unit))
        };
        prop_assert_eq!((number.floor(), number.ceil()), (down, up));
    }
}

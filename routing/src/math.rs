//! Products and quotients with 256 bits between them.

use ruint::aliases::U256;

/// `⌊a·b / d⌋`; `None` when that does not fit or `d` is zero.
#[inline]
pub(crate) fn mul_div_floor(a: u128, b: u128, d: u128) -> Option<u128> {
    if let Some(product) = a.checked_mul(b) {
        return product.checked_div(d);
    }
    wide_mul(a, b).checked_div(U256::from(d)).and_then(|q| q.try_into().ok())
}

/// `⌈a·b / d⌉`; `None` when that does not fit or `d` is zero.
#[inline]
pub(crate) fn mul_div_ceil(a: u128, b: u128, d: u128) -> Option<u128> {
    if d == 0 {
        return None;
    }
    if let Some(product) = a.checked_mul(b) {
        return Some(product.div_ceil(d));
    }
    wide_mul(a, b).div_ceil(U256::from(d)).try_into().ok()
}

/// `⌊a·b / 2^shift⌋` for a shift of 1 to 127; `None` when that does not fit.
#[inline]
pub(crate) fn mul_shift_floor(a: u128, b: u128, shift: u32) -> Option<u128> {
    let (high, low) = halves(a, b);
    (high >> shift == 0).then(|| (high << (128 - shift)) | (low >> shift))
}

/// `⌈a·b / 2^shift⌉` for a shift of 1 to 127; `None` when that does not fit.
#[inline]
pub(crate) fn mul_shift_ceil(a: u128, b: u128, shift: u32) -> Option<u128> {
    let (_, low) = halves(a, b);
    let rest = low & ((1 << shift) - 1);
    mul_shift_floor(a, b, shift)?.checked_add(u128::from(rest != 0))
}

/// `a·b`, whole.
#[inline]
pub(crate) fn wide_mul(a: u128, b: u128) -> U256 {
    let (high, low) = halves(a, b);
    (U256::from(high) << 128) | U256::from(low)
}

/// `a·b` as its high and low 128 bits.
#[inline]
pub(crate) const fn halves(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let (low, cross, other, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
    let middle = (low >> 64) + (cross & LOW) + (other & LOW);
    (high + (cross >> 64) + (other >> 64) + (middle >> 64), (middle << 64) | (low & LOW))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn products_and_quotients_are_those_of_256_bits(a: u128, b: u128, d in 1..u128::MAX, shift in 1_u32..128) {
            let product = U256::from(a) * U256::from(b);
            prop_assert_eq!(wide_mul(a, b), product);
            let fits = |value: U256| -> Option<u128> { value.try_into().ok() };
            prop_assert_eq!(mul_div_floor(a, b, d), fits(product / U256::from(d)));
            prop_assert_eq!(mul_div_ceil(a, b, d), fits(product.div_ceil(U256::from(d))));
            prop_assert_eq!(mul_shift_floor(a, b, shift), fits(product >> shift));
            prop_assert_eq!(mul_shift_ceil(a, b, shift), fits(product.div_ceil(U256::from(1) << shift)));
        }
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_ceil(u128::MAX, 2, 0), None);
    }
}

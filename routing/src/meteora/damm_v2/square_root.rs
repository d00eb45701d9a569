//! Square roots of 256 bits.

use ruint::aliases::U256;

/// `⌊√value⌋`, by Newton's iteration from above: it falls until it has arrived.
pub(super) fn square_root(value: U256) -> U256 {
    if let Ok(small) = u128::try_from(value) {
        return U256::from(small.isqrt());
    }
    let mut root = U256::from(1_u64) << value.bit_len().div_ceil(2);
    loop {
        let Some(quotient) = value.checked_div(root) else { return root };
        let next = (root + quotient) >> 1_usize;
        if next >= root {
            return root;
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_root_is_the_largest_whose_square_is_no_more(limbs: [u64; 4], shift in 0_usize..256) {
            let value = U256::from_limbs(limbs) >> shift;
            let root = square_root(value);
            prop_assert!(root * root <= value);
            let next = root + U256::from(1_u64);
            prop_assert!(next.checked_mul(next).is_none_or(|square| square > value));
        }
    }
}

//! Unsigned numbers of 192 bits: products with a price, and their division where the quotient has 64 bits. One processor
//! division instead of the dozens of a general 256-bit one: this is what a swap through many ticks spends its time on.

use crate::math::halves;

/// `high · 2^128 + low`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide {
    /// The highest 64 bits.
    pub(super) high: u64,
    /// The lowest 128.
    pub(super) low: u128,
}

impl Wide {
    /// `a·b`; `None` when it does not fit.
    #[inline]
    pub(super) fn product(a: u128, b: u128) -> Option<Self> {
        let (high, low) = halves(a, b);
        Some(Self { high: u64::try_from(high).ok()?, low })
    }

    pub(super) const fn is_zero(self) -> bool {
        self.high == 0 && self.low == 0
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let (low, carry) = self.low.overflowing_add(other.low);
        Some(Self { high: self.high.checked_add(other.high)?.checked_add(u64::from(carry))?, low })
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Some(Self { high: self.high.checked_sub(other.high)?.checked_sub(u64::from(borrow))?, low })
    }

    /// Quotient and rest of `(self · 2^64 + digit) / divisor`; `None` when the quotient does not fit 64 bits.
    ///
    /// Source: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D, for one digit of the quotient.
    #[inline]
    pub(super) fn divide(self, digit: u64, divisor: Self) -> Option<(u64, Self)> {
        if self >= divisor {
            return None;
        }
        if divisor.high == 0 {
            return Some(self.divide_by_short(digit, divisor.low));
        }
        let bits = divisor.high.leading_zeros();
        let divisor = divisor.shifted(bits, 0);
        let above = self.shifted(bits, digit);
        let (above_high, above_low) = (join(above.high, top(above.low)), join(bottom(above.low), digit << bits));
        // With the divisor's highest bit set, this is at most two more than the quotient.
        let mut quotient =
            if above.high >= divisor.high { u64::MAX } else { bottom(above_high / u128::from(divisor.high)) };
        let (mut high, mut low) = divisor.times(quotient);
        while (high, low) > (above_high, above_low) {
            quotient -= 1;
            let (rest, borrow) = low.overflowing_sub(divisor.low);
            (high, low) = (high - u128::from(divisor.high) - u128::from(borrow), rest);
        }
        let (low, borrow) = above_low.overflowing_sub(low);
        let high = bottom(above_high - high - u128::from(borrow));
        Some((
            quotient,
            Self {
                high: high >> bits,
                low: if bits == 0 { low } else { low >> bits | u128::from(high) << (128 - bits) },
            },
        ))
    }

    /// The same where the divisor, and hence the dividend's upper part, have 128 bits.
    #[inline]
    fn divide_by_short(self, digit: u64, divisor: u128) -> (u64, Self) {
        if top(divisor) == 0 {
            let dividend = join(bottom(self.low), digit);
            return (bottom(dividend / divisor), Self { high: 0, low: dividend % divisor });
        }
        let lifted = Self { high: top(divisor), low: divisor << 64 };
        let above = Self { high: top(self.low), low: join(bottom(self.low), digit) };
        match above.divide(0, lifted) {
            Some((quotient, rest)) => (quotient, Self { high: 0, low: join(rest.high, top(rest.low)) }),
            None => (u64::MAX, Self { high: 0, low: 0 }),
        }
    }

    /// Shifted up by less than 64 bits that are free, with the highest bits of `digit` coming in below.
    #[inline]
    const fn shifted(self, bits: u32, digit: u64) -> Self {
        if bits == 0 {
            return self;
        }
        Self {
            high: (self.high << bits) | (top(self.low) >> (64 - bits)),
            low: (self.low << bits) | (digit >> (64 - bits)) as u128,
        }
    }

    /// The product with one digit, as its high and low 128 bits.
    #[inline]
    const fn times(self, digit: u64) -> (u128, u128) {
        let digit = digit as u128;
        let (lowest, middle) = (digit * bottom(self.low) as u128, digit * top(self.low) as u128);
        let (low, carry) = lowest.overflowing_add(middle << 64);
        (digit * self.high as u128 + (middle >> 64) + carry as u128, low)
    }
}

/// The highest 64 bits.
#[inline]
pub(super) const fn top(value: u128) -> u64 {
    (value >> 64) as u64
}

/// The lowest 64 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the rest is asked for with `top`")]
pub(super) const fn bottom(value: u128) -> u64 {
    value as u64
}

#[inline]
const fn join(high: u64, low: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruint::Uint;

    use super::*;

    type U320 = Uint<320, 5>;

    fn exact(wide: Wide) -> U320 {
        (U320::from(wide.high) << 128) | U320::from(wide.low)
    }

    proptest! {
        #[test]
        fn a_digit_of_a_quotient_is_the_digit(
            high: u64, low: u128, digit: u64, divisor_high: u64, divisor_low: u128, narrow in 0_u32..192, less in 0_u32..64,
        ) {
            let mut divisor = Wide { high: divisor_high, low: divisor_low };
            for _ in 0..narrow {
                divisor = Wide { high: divisor.high >> 1, low: divisor.low >> 1 | u128::from(divisor.high & 1) << 127 };
            }
            let dividend = Wide { high: high.checked_shr(less).unwrap_or(0), low };
            // Half of the time the dividend is made to lie just below the divisor, where the first guess is worst.
            for dividend in [dividend, divisor.minus(Wide { high: 0, low: low >> 100 }).unwrap_or(dividend)] {
                let above = (exact(dividend) << 64) | U320::from(digit);
                match dividend.divide(digit, divisor) {
                    None => prop_assert!(exact(dividend) >= exact(divisor)),
                    Some((quotient, rest)) => {
                        prop_assert_eq!(U320::from(quotient), above / exact(divisor));
                        prop_assert_eq!(exact(rest), above % exact(divisor));
                    }
                }
            }
        }
    }
}

//! Non-negative numbers `m · 2^e` with 64 bits of mantissa, each operation rounded up or down as it is told: what bounds are
//! computed with, in integers, so that they hold on every platform.

use std::cmp::Ordering;

/// Which way what does not fit 64 bits is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// To no less than the exact value.
    Up,
    /// To no more than it.
    Down,
}

impl Round {
    /// The other way.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// A number `mantissa · 2^exponent`; the mantissa's highest bit is set unless the number is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dyadic {
    mantissa: u64,
    exponent: i32,
}

impl Dyadic {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };

    /// Exactly this whole number.
    #[must_use]
    pub fn whole(value: u64) -> Self {
        Self::scaled(u128::from(value), 0, Round::Down)
    }

    /// `value · 2^exponent`, rounded.
    #[must_use]
    pub fn scaled(value: u128, exponent: i32, round: Round) -> Self {
        if value == 0 {
            return Self::ZERO;
        }
        let bits = 128 - value.leading_zeros().cast_signed();
        let shift = bits - 64;
        if shift <= 0 {
            #[expect(clippy::cast_possible_truncation, reason = "no more than 64 bits are left")]
            return Self { mantissa: (value as u64) << -shift, exponent: exponent + shift };
        }
        #[expect(clippy::cast_possible_truncation, reason = "no more than 64 bits are left")]
        let mantissa = (value >> shift) as u64;
        let rest = value & ((1 << shift) - 1);
        let exponent = exponent + shift;
        if rest == 0 || round == Round::Down {
            return Self { mantissa, exponent };
        }
        Self::after(mantissa, exponent)
    }

    /// `numerator / denominator`, rounded. The denominator is not zero.
    #[must_use]
    pub fn ratio(numerator: u128, denominator: u128, round: Round) -> Self {
        Self::scaled(numerator, 0, round).div(Self::scaled(denominator, 0, round.other()), round)
    }

    /// Exactly this value of a float; a negative or infinite one, or none, is zero.
    #[must_use]
    pub fn of_float(value: f64) -> Self {
        if !value.is_finite() || value <= 0.0 {
            return Self::ZERO;
        }
        let bits = value.to_bits();
        let (raw, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        let (mantissa, exponent) = if raw == 0 { (fraction, 1) } else { (fraction | 1 << 52, raw) };
        #[expect(clippy::cast_possible_truncation, reason = "eleven bits")]
        let exponent = exponent as i32;
        Self::scaled(u128::from(mantissa), exponent - 1_075, Round::Down)
    }

    /// Close to the value: for searches only.
    #[must_use]
    pub fn to_float(self) -> f64 {
        let exponent = self.exponent + 63;
        if self.mantissa == 0 || exponent < -1_022 {
            return 0.0;
        }
        if exponent > 1_023 {
            return f64::MAX;
        }
        let fraction = (self.mantissa << 1) >> 12;
        f64::from_bits((u64::from((exponent + 1_023).cast_unsigned()) << 52) | fraction)
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The product.
    #[must_use]
    pub fn mul(self, other: Self, round: Round) -> Self {
        Self::scaled(u128::from(self.mantissa) * u128::from(other.mantissa), self.exponent + other.exponent, round)
    }

    /// The quotient; by nothing it is the largest number there is.
    #[must_use]
    pub fn div(self, other: Self, round: Round) -> Self {
        if other.is_zero() {
            return Self { mantissa: u64::MAX, exponent: i32::MAX / 4 };
        }
        let (above, below) = (u128::from(self.mantissa) << 64, u128::from(other.mantissa));
        let quotient = match round {
            Round::Down => above / below,
            Round::Up => above.div_ceil(below),
        };
        Self::scaled(quotient, self.exponent - other.exponent - 64, round)
    }

    /// The sum.
    #[must_use]
    pub fn add(self, other: Self, round: Round) -> Self {
        let (large, small) = if self.order(&other) == Ordering::Less { (other, self) } else { (self, other) };
        if small.is_zero() {
            return large;
        }
        // The larger number has 63 bits below its mantissa and one above; what falls out of the smaller is rounded.
        let base = large.exponent - 63;
        let (low, lost) = shifted(small, base);
        let sum = (u128::from(large.mantissa) << 63) + low;
        Self::scaled(sum + u128::from(lost && round == Round::Up), base, round)
    }

    /// The difference; nothing where it would be negative.
    #[must_use]
    pub fn sub(self, other: Self, round: Round) -> Self {
        if self.order(&other) != Ordering::Greater {
            return Self::ZERO;
        }
        if other.is_zero() {
            return self;
        }
        let base = self.exponent - 63;
        let (low, lost) = shifted(other, base);
        let difference = (u128::from(self.mantissa) << 63) - low;
        Self::scaled(difference - u128::from(lost && round == Round::Down), base, round)
    }

    /// The square root.
    #[must_use]
    pub fn sqrt(self, round: Round) -> Self {
        if self.is_zero() {
            return self;
        }
        let odd = self.exponent & 1;
        let square = u128::from(self.mantissa) << (62 + odd);
        let root = square.isqrt();
        let root = root + u128::from(round == Round::Up && root * root < square);
        Self::scaled(root, (self.exponent - 62 - odd) / 2, round)
    }

    /// The least whole number that is no less, `u128::MAX` at most.
    #[must_use]
    pub fn ceil(self) -> u128 {
        match self.exponent {
            0..=64 => u128::from(self.mantissa) << self.exponent,
            _ if self.exponent > 64 => u128::MAX,
            -63..0 => u128::from(self.mantissa).div_ceil(1 << -self.exponent),
            _ => u128::from(self.mantissa != 0),
        }
    }

    /// The largest whole number that is no more, `u128::MAX` at most.
    #[must_use]
    pub fn floor(self) -> u128 {
        match self.exponent {
            -63..0 => u128::from(self.mantissa >> -self.exponent),
            ..0 => 0,
            _ => self.ceil(),
        }
    }

    /// Which of the two is more.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self.mantissa, other.mantissa) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            _ => self.exponent.cmp(&other.exponent).then(self.mantissa.cmp(&other.mantissa)),
        }
    }

    /// The next larger mantissa.
    fn after(mantissa: u64, exponent: i32) -> Self {
        match mantissa.checked_add(1) {
            Some(mantissa) => Self { mantissa, exponent },
            None => Self { mantissa: 1 << 63, exponent: exponent + 1 },
        }
    }
}

/// The number in units of `2^base`, and whether bits fell out below.
fn shifted(number: Dyadic, base: i32) -> (u128, bool) {
    let mantissa = u128::from(number.mantissa);
    match number.exponent - base {
        left @ 0..=63 => (mantissa << left, false),
        right @ -127..0 => (mantissa >> -right, mantissa & ((1 << -right) - 1) != 0),
        _ => (0, true),
    }
}

#[cfg(test)]
mod tests;

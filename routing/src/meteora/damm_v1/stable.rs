//! The stable curve: two tokens that are worth about the same.
//!
//! `A·4·(x + y) + D = A·4·D + D³ / (4·x·y)`, both reserves brought to the same decimals. Source: the StableSwap white
//! paper; the integer iterations, their starts and where they stop are the program's.

use ruint::aliases::U256;
use ruint::{Uint, UintTryFrom};
use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::math::mul_div_floor;
use crate::swap::{PoolError, Side};

/// Where Newton's iterations end even when they have not arrived.
const ITERATIONS: usize = 20;

/// The numbers of a stable curve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stable {
    /// Amplification: how flat the curve is where the reserves are equal.
    #[serde(with = "decimal")]
    pub amp: u64,
    /// What brings token a to the common decimals.
    #[serde(with = "decimal")]
    pub token_a_multiplier: u64,
    /// What brings token b to the common decimals.
    #[serde(with = "decimal")]
    pub token_b_multiplier: u64,
    /// The common decimals.
    #[serde(with = "decimal")]
    pub precision_factor: u8,
}

impl Stable {
    /// What brings the token paid, and the token received, to the common decimals.
    pub(super) const fn multipliers(&self, input: Side) -> (u64, u64) {
        match input {
            Side::A => (self.token_a_multiplier, self.token_b_multiplier),
            Side::B => (self.token_b_multiplier, self.token_a_multiplier),
        }
    }

    /// `2·A`.
    pub(super) fn amplification(&self) -> u128 {
        2 * u128::from(self.amp)
    }

    /// What the curve gives for `net`, one unit of the common decimals less, and rounded down.
    pub(super) fn output(&self, input: Side, reserve_in: u64, reserve_out: u64, net: u64) -> Result<u64, PoolError> {
        let (up_in, up_out) = self.multipliers(input);
        let (source, destination) = (scaled(reserve_in, up_in), scaled(reserve_out, up_out));
        let invariant = self.invariant(source, destination)?;
        let source = source.checked_add(scaled(net, up_in)).ok_or(PoolError::Overflow)?;
        let left = self.other(source, invariant)?;
        let given =
            destination.checked_sub(left).and_then(|given| given.checked_sub(1)).ok_or(PoolError::ZeroOutput)?;
        let given = given.checked_div(u128::from(up_out)).ok_or(PoolError::Math)?;
        u64::try_from(given).map_err(|_| PoolError::Overflow)
    }

    /// About what the curve takes for `given`.
    pub(super) fn input(&self, input: Side, reserve_in: u64, reserve_out: u64, given: u64) -> Result<u64, PoolError> {
        let (up_in, up_out) = self.multipliers(input);
        let (source, destination) = (scaled(reserve_in, up_in), scaled(reserve_out, up_out));
        let invariant = self.invariant(source, destination)?;
        let left = destination.checked_sub(scaled(given, up_out)).and_then(|left| left.checked_sub(1));
        let left = left.filter(|left| *left > 0).ok_or(PoolError::InsufficientLiquidity)?;
        let net = self.other(left, invariant)?.saturating_sub(source);
        if up_in == 0 {
            return Err(PoolError::Math);
        }
        u64::try_from(net.div_ceil(u128::from(up_in))).map_err(|_| PoolError::Overflow)
    }

    /// The invariant `D` of two reserves in the common decimals.
    pub(super) fn invariant(&self, x: u128, y: u128) -> Result<u128, PoolError> {
        let sum = x.checked_add(y).ok_or(PoolError::Overflow)?;
        let (mut before, mut d) = (0, sum);
        for _ in 0..ITERATIONS {
            if d.abs_diff(before) <= 1 {
                break;
            }
            before = d;
            d = self.nearer(d, x, y).or_else(|| self.nearer_wide(d, x, y)).ok_or(PoolError::Math)?;
        }
        Ok(d)
    }

    /// A step of Newton's iteration: with `p = ⌊⌊d·d / 2x⌋·d / 2y⌋` it is `⌊(2A·(x + y) + 2p)·d / ((2A − 1)·d + 3p)⌋`.
    fn nearer(&self, d: u128, x: u128, y: u128) -> Option<u128> {
        let product = mul_div_floor(d, d, x.checked_mul(2)?)?;
        let product = mul_div_floor(product, d, y.checked_mul(2)?)?;
        let factor = self.amplification().checked_mul(x.checked_add(y)?)?.checked_add(product.checked_mul(2)?)?;
        let linear = d.checked_mul(self.amplification().checked_sub(1)?)?;
        mul_div_floor(d, factor, linear.checked_add(product.checked_mul(3)?)?)
    }

    /// The same step where reserves are so far apart that `p` does not fit 128 bits: it has 384 at most.
    fn nearer_wide(&self, d: u128, x: u128, y: u128) -> Option<u128> {
        type Wide = Uint<576, 9>;
        let [d, x, y] = [d, x, y].map(Wide::from);
        let [one, two, three] = [1_u64, 2, 3].map(Wide::from);
        let twice = Wide::from(self.amplification());
        let product = (d * d).checked_div(two * x)?;
        let product = (product * d).checked_div(two * y)?;
        let above = (twice * (x + y) + two * product) * d;
        above.checked_div(twice.checked_sub(one)? * d + three * product)?.try_into().ok()
    }

    /// The reserve beside `x` at the invariant `d`: the root of `y² + (x + d/2A − d)·y = d³ / (8A·x)`.
    fn other(&self, x: u128, d: u128) -> Result<u128, PoolError> {
        let twice = self.amplification();
        let constant = x
            .checked_mul(4)
            .and_then(|product| product.checked_mul(twice))
            .and_then(|divisor| cube_by(d, divisor))
            .ok_or(PoolError::Math)?;
        let plus = d.checked_div(twice).and_then(|part| part.checked_add(x)).ok_or(PoolError::Math)?;
        let (mut before, mut y) = (0, d);
        for _ in 0..ITERATIONS {
            if y.abs_diff(before) <= 1 {
                break;
            }
            before = y;
            y = newton(y, constant, plus, d).ok_or(PoolError::Math)?;
        }
        Ok(y)
    }
}

/// `⌊(y² + constant) / (2y + plus − d)⌋`.
fn newton(y: u128, constant: U256, plus: u128, d: u128) -> Option<u128> {
    let divisor = y.checked_mul(2)?.checked_add(plus)?.checked_sub(d)?;
    // Reserves of less than 2^63 have room in 128 bits, where division is a good deal faster.
    if let (Some(square), Ok(small)) = (y.checked_mul(y), u128::try_from(constant))
        && let Some(sum) = square.checked_add(small)
    {
        return sum.checked_div(divisor);
    }
    let square = U256::from(y).checked_mul(U256::from(y))?;
    square.checked_add(constant)?.checked_div(U256::from(divisor))?.try_into().ok()
}

/// `⌊d³ / divisor⌋`.
fn cube_by(d: u128, divisor: u128) -> Option<U256> {
    if d >> 85 == 0 {
        let d = U256::from(d);
        return (d * d * d).checked_div(U256::from(divisor));
    }
    let wide = Uint::<384, 6>::from(d);
    U256::uint_try_from((wide * wide * wide).checked_div(Uint::from(divisor))?).ok()
}

/// An amount in the common decimals: two numbers of 64 bits have their product in 128.
pub(super) fn scaled(amount: u64, multiplier: u64) -> u128 {
    u128::from(amount) * u128::from(multiplier)
}

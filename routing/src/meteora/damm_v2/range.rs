//! The curve of a range pool: between two prices, `a = L / √P` and `b = L · √P`.
//!
//! Liquidity has 64 fractional bits and so have square roots of prices, so that `Δa = L·(P' − P) / (P·P')` and
//! `Δb = L·(P' − P) / 2^128` in these integers. Source: Uniswap v3 white paper, 6.2; the rounding is the program's.

use ruint::aliases::U256;

use super::MeteoraDammV2;
use crate::math::{halves, wide_mul};
use crate::swap::{PoolError, Side};

/// What the range gives for `net_in`, and the square root of the price after it.
pub(super) fn output(pool: &MeteoraDammV2, input: Side, net_in: u64) -> Result<(u64, u128), PoolError> {
    let (liquidity, price) = state(pool)?;
    match input {
        Side::A => {
            let with = liquidity_with(liquidity, price, net_in).ok_or(PoolError::Overflow)?;
            let next = wide_mul(liquidity, price).div_ceil(with);
            let next = u128::try_from(next).map_err(|_| PoolError::Overflow)?;
            within(pool, next)?;
            Ok((units(b_between(liquidity, next, price)?)?, next))
        }
        Side::B => {
            let step = (U256::from(net_in) << 128_usize) / U256::from(liquidity);
            let next = u128::try_from(U256::from(price) + step).map_err(|_| PoolError::PriceRange)?;
            within(pool, next)?;
            let (numerator, denominator) = a_between(liquidity, price, next)?;
            Ok((units(u128::try_from(numerator / denominator).map_err(|_| PoolError::Overflow)?)?, next))
        }
    }
}

/// What the range takes for `gross_out`, and the square root of the price after it.
pub(super) fn input(pool: &MeteoraDammV2, input: Side, gross_out: u64) -> Result<(u64, u128), PoolError> {
    let (liquidity, price) = state(pool)?;
    match input {
        Side::A => {
            let step = (U256::from(gross_out) << 128_usize).div_ceil(U256::from(liquidity));
            let next = U256::from(price).checked_sub(step).and_then(|next| u128::try_from(next).ok());
            let next = next.ok_or(PoolError::InsufficientLiquidity)?;
            within(pool, next)?;
            let (numerator, denominator) = a_between(liquidity, next, price)?;
            Ok((units(u128::try_from(numerator.div_ceil(denominator)).map_err(|_| PoolError::Overflow)?)?, next))
        }
        Side::B => {
            let taken = wide_mul(u128::from(gross_out), price);
            let left = U256::from(liquidity).checked_sub(taken).filter(|left| !left.is_zero());
            let next = wide_mul(liquidity, price).div_ceil(left.ok_or(PoolError::InsufficientLiquidity)?);
            let next = u128::try_from(next).map_err(|_| PoolError::PriceRange)?;
            within(pool, next)?;
            let rest = halves(liquidity, next.checked_sub(price).ok_or(PoolError::Math)?).1;
            let whole = b_between(liquidity, price, next)?;
            Ok((units(whole.checked_add(u128::from(rest != 0)).ok_or(PoolError::Overflow)?)?, next))
        }
    }
}

/// The price as `(b, a)`: 120 bits of it or more.
pub(super) fn price(sqrt_price: u128) -> (u128, u128) {
    let square = wide_mul(sqrt_price, sqrt_price);
    // One of the two numbers is kept close to 2^127; the price is their quotient, 2^128 taken out of both.
    let shift = square.bit_len().saturating_sub(127);
    let numerator = u128::try_from(square >> shift).unwrap_or(u128::MAX);
    match 128_usize.checked_sub(shift) {
        Some(128) => (numerator >> 1, 1 << 127),
        Some(left) => (numerator, 1 << left),
        None => (numerator, 1),
    }
}

fn state(pool: &MeteoraDammV2) -> Result<(u128, u128), PoolError> {
    if pool.liquidity == 0 {
        return Err(PoolError::InsufficientLiquidity);
    }
    if pool.sqrt_price == 0 {
        return Err(PoolError::Math);
    }
    Ok((pool.liquidity, pool.sqrt_price))
}

fn within(pool: &MeteoraDammV2, next: u128) -> Result<(), PoolError> {
    if next == 0 || next < pool.sqrt_min_price || next > pool.sqrt_max_price {
        return Err(PoolError::PriceRange);
    }
    Ok(())
}

/// `L + a·P`.
fn liquidity_with(liquidity: u128, price: u128, a: u64) -> Option<U256> {
    U256::from(liquidity).checked_add(wide_mul(u128::from(a), price))
}

/// `L·(P' − P)` and `P·P'`, whose quotient is what lies of token a between two prices.
fn a_between(liquidity: u128, low: u128, high: u128) -> Result<(U256, U256), PoolError> {
    let gap = high.checked_sub(low).ok_or(PoolError::Math)?;
    let denominator = wide_mul(low, high);
    if denominator.is_zero() {
        return Err(PoolError::Math);
    }
    Ok((wide_mul(liquidity, gap), denominator))
}

/// What lies of token b between two prices, rounded down.
fn b_between(liquidity: u128, low: u128, high: u128) -> Result<u128, PoolError> {
    let gap = high.checked_sub(low).ok_or(PoolError::Math)?;
    Ok(halves(liquidity, gap).0)
}

fn units(amount: u128) -> Result<u64, PoolError> {
    u64::try_from(amount).map_err(|_| PoolError::Overflow)
}

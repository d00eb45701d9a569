//! The curve of a compounding pool: the product of its two reserves, to which part of each fee is added.

use ruint::aliases::U256;

use super::square_root::square_root;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::swap::{PoolError, Side};

/// `⌊out_reserve · net_in / (in_reserve + net_in)⌋`; reserves are `(a, b)`.
pub(super) fn output(input: Side, reserves: (u64, u64), net_in: u64) -> Result<u64, PoolError> {
    let (reserve_in, reserve_out) = oriented(input, reserves)?;
    let out = mul_div_floor(reserve_out, u128::from(net_in), reserve_in + u128::from(net_in));
    units(out)
}

/// `⌈in_reserve · gross_out / (out_reserve − gross_out)⌉`; reserves are `(a, b)`.
pub(super) fn input(input: Side, reserves: (u64, u64), gross_out: u64) -> Result<u64, PoolError> {
    let (reserve_in, reserve_out) = oriented(input, reserves)?;
    let left = reserve_out.checked_sub(u128::from(gross_out)).filter(|left| *left > 0);
    units(mul_div_ceil(reserve_in, u128::from(gross_out), left.ok_or(PoolError::InsufficientLiquidity)?))
}

/// The reserves after a swap: what compounds of the fee is added to token b, which all fees are taken in.
pub(super) fn after(
    input: Side,
    (a, b): (u64, u64),
    net_in: u64,
    gross_out: u64,
    compounding: u64,
) -> Result<(u64, u64), PoolError> {
    let (a, b) = match input {
        Side::A => (a.checked_add(net_in), b.checked_sub(gross_out)),
        Side::B => (a.checked_sub(gross_out), b.checked_add(net_in)),
    };
    let b = b.and_then(|b| b.checked_add(compounding));
    a.zip(b).ok_or(PoolError::Overflow)
}

/// `⌊√⌊b · 2^128 / a⌋⌋`: the square root of the price, Q64.64.
pub(super) fn sqrt_price(a: u64, b: u64) -> Result<u128, PoolError> {
    let price = (U256::from(b) << 128_usize).checked_div(U256::from(a)).ok_or(PoolError::Math)?;
    square_root(price).try_into().map_err(|_| PoolError::Overflow)
}

fn oriented(input: Side, (a, b): (u64, u64)) -> Result<(u128, u128), PoolError> {
    if a == 0 || b == 0 {
        return Err(PoolError::InsufficientLiquidity);
    }
    Ok(match input {
        Side::A => (u128::from(a), u128::from(b)),
        Side::B => (u128::from(b), u128::from(a)),
    })
}

fn units(amount: Option<u128>) -> Result<u64, PoolError> {
    amount.and_then(|amount| u64::try_from(amount).ok()).ok_or(PoolError::Overflow)
}

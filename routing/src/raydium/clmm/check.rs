//! States that the program never leaves behind are refused.

use super::price_math::MAX_LIQUIDITY;
use super::{DynamicFee, MAX_SQRT_PRICE_X64, MIN_SQRT_PRICE_X64, RATE_WHOLE, RaydiumClmm, Tick, sqrt_price_at_tick};
use crate::swap::PoolError;

/// Whether the state can be.
pub(super) fn check(pool: &RaydiumClmm) -> Result<(), PoolError> {
    rates(pool)?;
    price(pool)?;
    let mut liquidity = 0_u128;
    let mut at_price = 0_u128;
    let mut before: Option<i32> = None;
    for tick in &pool.ticks {
        one_tick(pool, tick)?;
        if before.is_some_and(|before| before >= tick.tick()) {
            return refuse("ticks", "not in ascending order");
        }
        before = Some(tick.tick());
        liquidity = match liquidity.checked_add_signed(tick.liquidity_net) {
            Some(liquidity) if liquidity <= MAX_LIQUIDITY => liquidity,
            _ => return refuse("ticks", "the liquidity falls below zero or grows beyond bounds"),
        };
        if tick.tick() <= pool.tick_current {
            at_price = liquidity;
        }
    }
    if liquidity != 0 {
        return refuse("ticks", "liquidity begins that does not end");
    }
    if at_price != pool.liquidity {
        return refuse("liquidity", "not what the ticks below the price add up to");
    }
    pool.dynamic_fee.as_ref().map_or(Ok(()), |fee| dynamic(pool, fee))
}

fn rates(pool: &RaydiumClmm) -> Result<(), PoolError> {
    if pool.tick_spacing == 0 {
        return refuse("tick_spacing", "zero");
    }
    if pool.trade_fee_rate >= RATE_WHOLE {
        return refuse("trade_fee_rate", "takes everything");
    }
    if pool.protocol_fee_rate > RATE_WHOLE {
        return refuse("protocol_fee_rate", "more than the whole fee");
    }
    if pool.fund_fee_rate > RATE_WHOLE - pool.protocol_fee_rate {
        return refuse("fund_fee_rate", "with the protocol's share more than the whole fee");
    }
    Ok(())
}

fn price(pool: &RaydiumClmm) -> Result<(), PoolError> {
    let price = pool.sqrt_price_x64;
    if !(MIN_SQRT_PRICE_X64..MAX_SQRT_PRICE_X64).contains(&price) {
        return refuse("sqrt_price_x64", "beyond the program's range");
    }
    // On a tick that was crossed downwards the current tick is the one below, so both ends belong to the range.
    let lower = sqrt_price_at_tick(pool.tick_current).unwrap_or(0);
    let upper = pool.tick_current.checked_add(1).and_then(sqrt_price_at_tick);
    if price < lower || upper.is_none_or(|upper| price > upper) {
        return refuse("tick_current", "not the tick of the price");
    }
    Ok(())
}

fn one_tick(pool: &RaydiumClmm, tick: &Tick) -> Result<(), PoolError> {
    if tick.sqrt_price_x64() == 0 {
        return refuse("ticks", "a tick beyond the program's range");
    }
    if tick.tick().checked_rem(i32::from(pool.tick_spacing)) != Some(0) {
        return refuse("ticks", "a tick that is no multiple of the spacing");
    }
    if tick.liquidity_net.unsigned_abs() > tick.liquidity_gross {
        return refuse("ticks", "more liquidity is added at a tick than refers to it");
    }
    if tick.unfilled().is_none() {
        return refuse("ticks", "orders of more than 64 bits");
    }
    Ok(())
}

/// The program's own rules for the parameters. Nothing but zeros means that there is no dynamic fee.
fn dynamic(pool: &RaydiumClmm, fee: &DynamicFee) -> Result<(), PoolError> {
    if *fee == DynamicFee::default() {
        return Ok(());
    }
    let widest = u64::from(fee.max_volatility_accumulator) * u64::from(pool.tick_spacing);
    if fee.filter_period == 0
        || fee.decay_period <= fee.filter_period
        || !(1..10_000).contains(&fee.reduction_factor)
        || !(1..100_000).contains(&fee.dynamic_fee_control)
        || widest > u64::from(u32::MAX)
    {
        return refuse("dynamic_fee", "parameters that the program does not accept");
    }
    if fee.volatility_accumulator > fee.max_volatility_accumulator {
        return refuse("dynamic_fee", "the accumulator is above its maximum");
    }
    Ok(())
}

fn refuse(field: &'static str, reason: &'static str) -> Result<(), PoolError> {
    Err(PoolError::Invalid { field, reason })
}

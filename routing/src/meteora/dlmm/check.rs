//! Which states of a pool can be.

use super::volatility::BASIS_POINTS;
use super::{ALWAYS_TOKEN_Y, Bin, LIMIT_ORDERS, MeteoraDlmm};
use crate::swap::PoolError;

/// The largest step between bins that the program knows, in 1e-4.
const BIN_STEP_MAX: u16 = 400;

/// The program has no bins further away from zero than this.
const BIN_ID_MAX: i32 = 443_636;

/// Beyond this power of ten every base fee is larger than the largest.
const BASE_FEE_POWER_MAX: u8 = 9;

/// The first thing that cannot be.
pub(super) fn check(pool: &MeteoraDlmm) -> Result<(), PoolError> {
    parameters(pool)?;
    let mut before: Option<&Bin> = None;
    for bin in &pool.bins {
        if before.is_some_and(|before| before.id >= bin.id) {
            return invalid("bins.id", "does not rise from bin to bin");
        }
        if before.is_some_and(|before| before.price_x64 >= bin.price_x64) {
            return invalid("bins.price_x64", "does not rise from bin to bin");
        }
        contents(pool, bin)?;
        before = Some(bin);
    }
    totals(pool)
}

/// Everything but the bins.
fn parameters(pool: &MeteoraDlmm) -> Result<(), PoolError> {
    if pool.bin_step == 0 || pool.bin_step > BIN_STEP_MAX {
        return invalid("bin_step", "is not from 1 to 400");
    }
    if pool.base_fee_power_factor > BASE_FEE_POWER_MAX {
        return invalid("base_fee_power_factor", "is more than 9");
    }
    if u32::from(pool.reduction_factor) > BASIS_POINTS {
        return invalid("reduction_factor", "is more than the whole");
    }
    if u32::from(pool.protocol_share) > BASIS_POINTS {
        return invalid("protocol_share", "is more than the whole fee");
    }
    if pool.collect_fee_mode > ALWAYS_TOKEN_Y {
        return invalid("collect_fee_mode", "is neither 0 nor 1");
    }
    if pool.function_type > LIMIT_ORDERS {
        return invalid("function_type", "is none of 0, 1 and 2");
    }
    if pool.min_bin_id < -BIN_ID_MAX {
        return invalid("min_bin_id", "is below every bin there can be");
    }
    if pool.max_bin_id > BIN_ID_MAX {
        return invalid("max_bin_id", "is above every bin there can be");
    }
    if pool.active_id < pool.min_bin_id || pool.active_id > pool.max_bin_id {
        return invalid("active_id", "is outside of the pool's bins");
    }
    Ok(())
}

/// One bin, by itself.
fn contents(pool: &MeteoraDlmm, bin: &Bin) -> Result<(), PoolError> {
    if bin.id < pool.min_bin_id || bin.id > pool.max_bin_id {
        return invalid("bins.id", "is outside of the pool's bins");
    }
    if bin.price_x64 == 0 {
        return invalid("bins.price_x64", "is zero");
    }
    if bin.limit_order_ask_side > 1 {
        return invalid("bins.limit_order_ask_side", "is neither 0 nor 1");
    }
    // Whatever lay there was bought when the price passed.
    if bin.id < pool.active_id && bin.amount_x > 0 {
        return invalid("bins.amount_x", "is not zero below the active bin");
    }
    if bin.id > pool.active_id && bin.amount_y > 0 {
        return invalid("bins.amount_y", "is not zero above the active bin");
    }
    Ok(())
}

/// No token account holds more than 64 bits of a token.
fn totals(pool: &MeteoraDlmm) -> Result<(), PoolError> {
    let (mut x, mut y) = (u128::from(pool.protocol_fee_x), u128::from(pool.protocol_fee_y));
    for bin in &pool.bins {
        let orders = u128::from(bin.processed_order_remaining_amount) + u128::from(bin.open_order_amount);
        let (orders_x, orders_y) = if bin.limit_order_ask_side == 1 { (orders, 0) } else { (0, orders) };
        x += u128::from(bin.amount_x) + orders_x;
        y += u128::from(bin.amount_y) + orders_y;
    }
    if x > u128::from(u64::MAX) {
        return invalid("bins.amount_x", "adds up to more than a token account holds");
    }
    if y > u128::from(u64::MAX) {
        return invalid("bins.amount_y", "adds up to more than a token account holds");
    }
    Ok(())
}

fn invalid(field: &'static str, reason: &'static str) -> Result<(), PoolError> {
    Err(PoolError::Invalid { field, reason })
}

//! The least input that gives an output, for a program that knows only swaps of a given input.

use super::{MeteoraDammV1, Trade, View};
use crate::swap::PoolError;

/// How many smaller inputs are tried after the search: shares and fees are rounded apart, so that one unit more paid can
/// trade one unit less.
const NEIGHBOURS: u64 = 4;

/// The swap of the least input that gives at least `amount_out`.
///
/// Found by inverting each step of the program, then by search with the program's own steps. Where one share of a vault is
/// worth many units a smaller input outside of the search may give as much.
pub(super) fn exact_out(pool: &MeteoraDammV1, view: &View, amount_out: u64) -> Result<Trade, PoolError> {
    if amount_out >= view.limit() {
        return Err(PoolError::InsufficientLiquidity);
    }
    let covers = |amount_in: u64| match pool.exact_in(view, amount_in) {
        Ok(trade) => trade.swap.amount_out >= amount_out,
        // What the pool refuses as more than it has is more than enough.
        Err(PoolError::InsufficientLiquidity | PoolError::Overflow) => true,
        Err(_) => false,
    };
    let found = search(estimate(pool, view, amount_out).unwrap_or(1), covers)?;
    let mut best = pool.exact_in(view, found)?;
    for less in 1..=NEIGHBOURS {
        let Some(amount_in) = found.checked_sub(less).filter(|amount| *amount > 0) else { break };
        if let Ok(trade) = pool.exact_in(view, amount_in)
            && trade.swap.amount_out >= amount_out
        {
            best = trade;
        }
    }
    if best.swap.amount_out < amount_out {
        return Err(PoolError::InsufficientLiquidity);
    }
    Ok(best)
}

/// About the input that gives `amount_out`.
fn estimate(pool: &MeteoraDammV1, view: &View, amount_out: u64) -> Option<u64> {
    let (unlocked, supply) = (u128::from(view.unlocked_out), u128::from(view.vault_out.lp_supply));
    // The shares that are worth it, and the amount that these shares are burned for.
    let burned = (u128::from(amount_out).checked_mul(supply)?).div_ceil(unlocked.max(1));
    let given = u64::try_from(burned.checked_mul(unlocked)?.div_ceil(supply.max(1))).ok()?;
    let net = pool.curve.input(view, given).ok()?;
    let left = pool.trade_fee_denominator.checked_sub(pool.trade_fee_numerator).filter(|left| *left > 0)?;
    let gross = (u128::from(net) * u128::from(pool.trade_fee_denominator)).div_ceil(u128::from(left));
    u64::try_from(gross).ok()
}

/// The smallest number that covers, near a guess: strides that double, then halves.
fn search(guess: u64, covers: impl Fn(u64) -> bool) -> Result<u64, PoolError> {
    let mut stride = 1;
    let (mut low, mut high) = (guess, guess);
    if covers(guess) {
        while low > 0 && covers(low) {
            high = low;
            low = low.saturating_sub(stride);
            stride = stride.saturating_mul(2);
        }
    } else {
        while !covers(high) {
            if high == u64::MAX {
                return Err(PoolError::InsufficientLiquidity);
            }
            low = high;
            high = high.saturating_add(stride);
            stride = stride.saturating_mul(2);
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if covers(middle) { high = middle } else { low = middle }
    }
    Ok(high)
}

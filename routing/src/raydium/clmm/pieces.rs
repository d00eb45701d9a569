//! The pool as stretches of curves, for routers.

use super::{RATE_WHOLE, RaydiumClmm};
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::{PoolError, Side};

/// All pieces for trades that pay `input`, in the order in which a swap passes them.
pub(super) fn of(pool: &RaydiumClmm, input: Side, _now: u64) -> Result<Vec<Piece>, PoolError> {
    pool.check()?;
    let above = pool.ticks.partition_point(|tick| tick.tick() <= pool.tick_current);
    let (below, above) = pool.ticks.split_at(above);
    let mut pieces = Vec::with_capacity(pool.ticks.len());
    let mut price = pool.sqrt_price_x64;
    let mut liquidity = pool.liquidity;
    let mut pass = |next: &super::Tick, net: i128| {
        let to = next.sqrt_price_x64();
        if liquidity > 0 && to != price {
            pieces.push(curve(input, liquidity, price, to, pool.trade_fee_rate, pool.fee_on.token(input) == input));
        }
        price = to;
        liquidity = liquidity.checked_add_signed(net)?;
        Some(())
    };
    let invalid = PoolError::Invalid { field: "ticks", reason: "the liquidity does not add up" };
    match input {
        Side::A => below.iter().rev().try_for_each(|tick| pass(tick, tick.liquidity_net.checked_neg()?)),
        Side::B => above.iter().try_for_each(|tick| pass(tick, tick.liquidity_net)),
    }
    .ok_or(invalid)?;
    Ok(pieces)
}

/// One range of equal liquidity and fee, from one square root of a price to another.
fn curve(input: Side, liquidity: u128, from: u128, to: u128, rate: u32, fee_on_input: bool) -> Piece {
    let whole = Dyadic::whole(u64::from(RATE_WHOLE));
    let share = Dyadic::whole(u64::from(RATE_WHOLE.saturating_sub(rate)));
    // Virtual reserves in base units: L / √P of token 0, L · √P of token 1.
    let reserve = |side, round: Round| {
        let (amount, price) = (Dyadic::scaled(liquidity, 0, round), Dyadic::scaled(from, -64, round));
        match side {
            Side::A => amount.div(Dyadic::scaled(from, -64, round.other()), round),
            Side::B => amount.mul(price, round),
        }
    };
    let (x, y) = (reserve(input, Round::Down), reserve(input.other(), Round::Up));
    let amount = Dyadic::scaled(liquidity, 0, Round::Up);
    let distance = Dyadic::scaled(from.abs_diff(to), -64, Round::Up);
    let cap = match input {
        Side::A => amount
            .mul(distance, Round::Up)
            .div(Dyadic::scaled(from, -64, Round::Down), Round::Up)
            .div(Dyadic::scaled(to, -64, Round::Down), Round::Up),
        Side::B => amount.mul(distance, Round::Up),
    };
    if fee_on_input {
        let gross = |net: Dyadic, round| net.mul(whole, round).div(share, round);
        Piece::Curve { x: gross(x, Round::Down), y, cap: Some(gross(cap, Round::Up)) }
    } else {
        Piece::Curve { x, y: y.mul(share, Round::Up).div(whole, Round::Up), cap: Some(cap) }
    }
}

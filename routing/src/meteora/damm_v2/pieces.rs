//! A DAMM v2 pool as a router sees it.

use super::MeteoraDammV2;
use super::base_fee::{BaseFee, Size};
use super::fees::WHOLE;
use super::rate_limiter::RateLimiter;
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::{PoolError, Side};

/// How many steps of a rate limiter have a piece of their own; all that is paid beyond them counts at the rate of the
/// next one, so that the bound holds.
const STEPS: u64 = 64;

/// One stretch of what enters a pool at one fee.
struct Stretch {
    /// The marginal fee, 1e-9.
    rate: u64,
    /// The most that can be paid at it, fee included; none where there is no end.
    length: Option<u64>,
}

pub(super) fn pieces(pool: &MeteoraDammV2, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
    let terms = pool.terms(input, now)?;
    let (x, y, end) = curve(pool, input);
    let on_input = pool.collect_fee_mode.on_input(input);
    match &pool.base_fee {
        BaseFee::RateLimiter(limiter) if on_input && limiter.applies(&terms) => {
            let stretches = stretches(pool, limiter)?;
            Ok(along(x, y, end, &stretches))
        }
        _ => {
            let rate = pool.fee_rate(&terms, Size::Included(1))?;
            if on_input {
                return Ok(along(x, y, end, &[Stretch { rate, length: None }]));
            }
            let y = y.mul(kept(rate, Round::Up), Round::Up);
            Ok(vec![Piece::Curve { x, y, cap: end }])
        }
    }
}

/// Virtual reserves of the token paid (rounded down) and of the token received (up), and what can enter before the range
/// ends (up). The rounding of the last step to a price is to the pool's favour, so that what it lets in beyond brings nothing.
fn curve(pool: &MeteoraDammV2, input: Side) -> (Dyadic, Dyadic, Option<Dyadic>) {
    if pool.compounds() {
        let (a, b) = (Dyadic::whole(pool.token_a_amount), Dyadic::whole(pool.token_b_amount));
        return match input {
            Side::A => (a, b, None),
            Side::B => (b, a, None),
        };
    }
    let number = |value: u128, round: Round| Dyadic::scaled(value, 0, round);
    let a = |price: u128, round: Round| number(pool.liquidity, round).div(number(price, round.other()), round);
    let b = |price: u128, round: Round| Dyadic::scaled(pool.liquidity, -128, round).mul(number(price, round), round);
    let between = |low: u128, high: u128| number(high.saturating_sub(low), Round::Up);
    match input {
        Side::A => {
            // L · (P − P') / (P · P')
            let part =
                between(pool.sqrt_min_price, pool.sqrt_price).div(number(pool.sqrt_min_price, Round::Down), Round::Up);
            let end = a(pool.sqrt_price, Round::Up).mul(part, Round::Up);
            (a(pool.sqrt_price, Round::Down), b(pool.sqrt_price, Round::Up), Some(end))
        }
        Side::B => {
            let gap = between(pool.sqrt_price, pool.sqrt_max_price);
            let end = Dyadic::scaled(pool.liquidity, -128, Round::Up).mul(gap, Round::Up);
            (b(pool.sqrt_price, Round::Down), a(pool.sqrt_price, Round::Up), Some(end))
        }
    }
}

/// The first steps of a rate limiter, and one stretch for all the rest.
///
/// The program pays the average rate, cut to the limit; the sum of the marginal rates, each cut to the limit, is no more
/// than that, since a minimum of a mean is no less than the mean of minima.
fn stretches(pool: &MeteoraDammV2, limiter: &RateLimiter) -> Result<Vec<Stretch>, PoolError> {
    let more = pool.dynamic_rate()?;
    let marginal = |base: u64| base.saturating_add(more).min(pool.fee_version.limit());
    let growing = limiter.steps()?.saturating_add(1);
    let rate_of = |step: u64| {
        limiter.increment().saturating_mul(step).saturating_add(limiter.cliff_fee_numerator).min(limiter.maximum())
    };
    let mut stretches = Vec::new();
    for step in 0..growing.min(STEPS) {
        stretches.push(Stretch { rate: marginal(rate_of(step)), length: Some(limiter.reference_amount) });
    }
    let rest = if growing > STEPS { rate_of(STEPS) } else { limiter.maximum() };
    stretches.push(Stretch { rate: marginal(rest), length: None });
    Ok(stretches)
}

/// Pieces of one curve whose input pays one rate after the other. What has entered is rounded down where it makes the
/// reserve, up where it is held against the end, so that each piece promises no less than its stretch gives.
fn along(x: Dyadic, y: Dyadic, end: Option<Dyadic>, stretches: &[Stretch]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(stretches.len());
    let (mut least, mut entered_down) = (x, Dyadic::ZERO);
    for stretch in stretches {
        // After what has entered, y·x / (x + entered) is left of the token received.
        let left = y.mul(x.div(least, Round::Up), Round::Up);
        let to_end = end.map(|end| end.sub(entered_down, Round::Up).div(kept(stretch.rate, Round::Down), Round::Up));
        let length = stretch.length.map(Dyadic::whole);
        let cap = match (length, to_end) {
            (Some(length), Some(to_end)) if length.order(&to_end).is_lt() => Some(length),
            (Some(length), None) => Some(length),
            (_, to_end) => to_end,
        };
        if cap.is_some_and(Dyadic::is_zero) {
            break;
        }
        pieces.push(Piece::Curve { x: least.div(kept(stretch.rate, Round::Up), Round::Down), y: left, cap });
        let Some(length) = length else { break };
        let entering = length.mul(kept(stretch.rate, Round::Down), Round::Down);
        entered_down = entered_down.add(entering, Round::Down);
        least = x.add(entered_down, Round::Down);
    }
    pieces
}

/// What a fee leaves of an amount.
fn kept(rate: u64, round: Round) -> Dyadic {
    Dyadic::ratio(u128::from(WHOLE.saturating_sub(rate)), u128::from(WHOLE), round)
}

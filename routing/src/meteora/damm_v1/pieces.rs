//! A DAMM v1 pool as a router sees it.

use super::envelope;
use super::{Curve, MeteoraDammV1, View};
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::PoolError;

pub(super) fn pieces(pool: &MeteoraDammV1, view: &View) -> Result<Vec<Piece>, PoolError> {
    if view.limit() == 0 {
        return Ok(Vec::new());
    }
    match &pool.curve {
        Curve::ConstantProduct => Ok(product(pool, view)),
        Curve::Stable(stable) => envelope::pieces(pool, stable, view),
    }
}

/// What a fee leaves of an input.
pub(super) fn kept(pool: &MeteoraDammV1, round: Round) -> Dyadic {
    let left = pool.trade_fee_denominator.saturating_sub(pool.trade_fee_numerator);
    Dyadic::ratio(u128::from(left), u128::from(pool.trade_fee_denominator), round)
}

/// The curve of real numbers, and before it a line for the unit that a fee rounded down leaves.
///
/// With a fee of `f`, less than `(1 − f)·d + 1` of an input `d` trades. The line stands for the first unit paid: the curve
/// falls behind by `1 − f` for it, by one for the rounding, and its slope is steepest at its start: `(2 − f)·y/x` covers both.
fn product(pool: &MeteoraDammV1, view: &View) -> Vec<Piece> {
    let (x, y) = (Dyadic::whole(view.reserve_in), Dyadic::whole(view.reserve_out));
    let mut pieces = Vec::with_capacity(2);
    if pool.trade_fee_numerator > 0 {
        let lost = Dyadic::whole(1).add(kept(pool, Round::Up), Round::Up);
        let rate = lost.mul(y.div(x, Round::Up), Round::Up);
        pieces.push(Piece::Line { rate, cap: Dyadic::whole(1) });
    }
    let x = x.div(kept(pool, Round::Up), Round::Down);
    // What the vault has lent out it cannot pay.
    let limit = Dyadic::whole(view.limit());
    let cap = (view.limit() < view.reserve_out).then(|| {
        let x = Dyadic::whole(view.reserve_in).div(kept(pool, Round::Down), Round::Up);
        limit.mul(x, Round::Up).div(y.sub(limit, Round::Down), Round::Up)
    });
    pieces.push(Piece::Curve { x, y, cap });
    pieces
}

//! Bins as pieces of a curve.

use super::volatility::RATE_ONE;
use super::{Bin, MeteoraDlmm, Volatility};
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::{PoolError, Side};

/// One line per bin that has anything to give, in the order in which a swap comes to them.
pub(super) fn of(pool: &MeteoraDlmm, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
    let volatility = Volatility::at(pool, now)?;
    let mut pieces = Vec::new();
    for (_, bin) in pool.ahead(input) {
        let held = pool.layers(bin, input).total();
        if held == 0 {
            continue;
        }
        // No swap comes past a bin without a price.
        if bin.price_x64 == 0 {
            break;
        }
        pieces.push(line(bin, input, held, volatility.rate(bin.id), pool.fee_on_input(input)));
    }
    Ok(pieces)
}

/// A bin with its fee: on the input the fee makes the bin hold more of it, on the output less.
fn line(bin: &Bin, input: Side, held: u128, fee: u64, fee_on_input: bool) -> Piece {
    let price = |round| Dyadic::scaled(bin.price_x64, -64, round);
    let kept = |round| Dyadic::ratio(u128::from(RATE_ONE - fee), u128::from(RATE_ONE), round);
    let held = Dyadic::scaled(held, 0, Round::Up);
    let (gross_rate, gross_cap) = match input {
        Side::A => (price(Round::Up), held.div(price(Round::Down), Round::Up)),
        Side::B => (Dyadic::whole(1).div(price(Round::Down), Round::Up), held.mul(price(Round::Up), Round::Up)),
    };
    let rate = gross_rate.mul(kept(Round::Up), Round::Up);
    let cap = if fee_on_input { gross_cap.div(kept(Round::Down), Round::Up) } else { gross_cap };
    Piece::Line { rate, cap }
}

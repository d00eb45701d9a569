//! Bins as pieces of a curve.

use super::bin::Terms;
use super::volatility::RATE_ONE;
use super::{MeteoraDlmm, Volatility};
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::Side;

/// One line per bin that has anything to give, in the order in which a swap comes to them.
pub(super) fn of(pool: &MeteoraDlmm, input: Side, now: u64) -> Vec<Piece> {
    let volatility = Volatility::at(pool, now);
    let mut pieces = Vec::new();
    for (_, bin) in pool.ahead(input) {
        let layers = pool.layers(bin, input);
        let Some(first) = layers.first() else { continue };
        let terms = Terms { price: bin.price_x64, rate: volatility.rate(bin.id), ..pool.terms(input) };
        // No swap comes past a bin that cannot be computed.
        if bin.price_x64 == 0 || terms.input_for(first).is_err() {
            break;
        }
        pieces.push(line(&terms, layers.total()));
    }
    pieces
}

/// A bin with its fee: on the input the fee makes the bin hold more of it, on the output less.
fn line(terms: &Terms, held: u128) -> Piece {
    let price = |round| Dyadic::scaled(terms.price, -64, round);
    let kept = |round| Dyadic::ratio(u128::from(RATE_ONE - terms.rate), u128::from(RATE_ONE), round);
    let held = Dyadic::scaled(held, 0, Round::Up);
    let (gross_rate, gross_cap) = match terms.input {
        Side::A => (price(Round::Up), held.div(price(Round::Down), Round::Up)),
        Side::B => (Dyadic::whole(1).div(price(Round::Down), Round::Up), held.mul(price(Round::Up), Round::Up)),
    };
    let rate = gross_rate.mul(kept(Round::Up), Round::Up);
    let cap = if terms.fee_on_input { gross_cap.div(kept(Round::Down), Round::Up) } else { gross_cap };
    Piece::Line { rate, cap }
}

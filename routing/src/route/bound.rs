//! What no route can beat: weak duality, evaluated in integers.
//!
//! At any prices ν a route gives no more than its amount is worth and all that the pools would give away to whoever
//! trades with each of them at these prices: `g(ν) = A·ν_from + Σ sup (ν_out·f(d) − ν_in·d)`, in units of the token
//! received. However the prices were found, the bound holds for every route that asks each pool once, as all routes of this crate
//! do; good prices make it tight. Source: Angeris, Chitra, Evans, Boyd, "Optimal
//! Routing for Constant Function Market Makers" (2021), section on duality.

use std::cmp::Ordering;

use crate::dyadic::{Dyadic, Round};
use crate::network::Network;
use crate::piece::Piece;
use crate::swap::Amount;

use super::{Plan, Question};

/// A bound, and how far from it a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// In base units: no route receives more than this (exact-in), none pays less (exact-out).
    pub bound: u64,
    /// How far the plan is from the bound, in billionths of it, rounded up.
    pub gap_billionths: u64,
}

impl Certificate {
    /// The gap in basis points, as decimal text with five places.
    #[must_use]
    pub fn gap_bps(&self) -> String {
        format!("{}.{:05}", self.gap_billionths / 100_000, self.gap_billionths % 100_000)
    }
}

/// The bound that these prices prove, and a plan's distance from it. A price is the value of one base unit of a token, in
/// any unit; a token whose price is zero is worth nothing.
#[must_use]
pub fn certify(network: &Network, question: &Question, prices: &[Dyadic], plan: &Plan) -> Certificate {
    let price = |token: usize| prices.get(token).copied().unwrap_or(Dyadic::ZERO);
    let surplus = network
        .edges()
        .iter()
        .fold(Dyadic::ZERO, |sum, edge| sum.add(given_away(&edge.pieces, price(edge.from), price(edge.to)), Round::Up));
    match question.amount {
        Amount::In(units) => {
            let worth = Dyadic::whole(units).mul(price(question.from), Round::Up);
            let bound = worth.add(surplus, Round::Up).div(price(question.to), Round::Up).floor();
            let bound = u64::try_from(bound).unwrap_or(u64::MAX);
            Certificate { bound, gap_billionths: share(bound.saturating_sub(plan.amount_out), bound) }
        }
        Amount::Out(units) => {
            let worth = Dyadic::whole(units).mul(price(question.to), Round::Down);
            // Where what is paid is worth nothing the prices say nothing of how much it is.
            let paid = price(question.from);
            let bound = if paid.is_zero() { 0 } else { worth.sub(surplus, Round::Down).div(paid, Round::Down).ceil() };
            let bound = u64::try_from(bound).unwrap_or(u64::MAX);
            Certificate { bound, gap_billionths: share(plan.amount_in.saturating_sub(bound), bound) }
        }
    }
}

/// `part / whole` in billionths, rounded up.
fn share(part: u64, whole: u64) -> u64 {
    let billionths = (u128::from(part) * 1_000_000_000).div_ceil(u128::from(whole.max(1)));
    u64::try_from(billionths).unwrap_or(u64::MAX)
}

/// The most that trading with a pool in one direction can be worth at these prices, rounded up. Every piece is taken for
/// itself: where the pool's program makes one wait for another this is more than can be had, never less.
fn given_away(pieces: &[Piece], paid: Dyadic, received: Dyadic) -> Dyadic {
    if received.is_zero() {
        return Dyadic::ZERO;
    }
    pieces.iter().fold(Dyadic::ZERO, |sum, piece| match piece {
        Piece::Line { rate, cap } => {
            let profit = rate.mul(received, Round::Up).sub(paid, Round::Up);
            if profit.is_zero() { sum } else { sum.add(profit.mul(*cap, Round::Up), Round::Up) }
        }
        Piece::Curve { x, y, cap } => {
            // What all of `y` is worth, and what must be paid to double `x`.
            let (above, below) = (y.mul(received, Round::Up), x.mul(paid, Round::Down));
            if above.order(&below) != Ordering::Greater {
                return sum;
            }
            sum.add(on_curve(*x, *y, *cap, (paid, received), (above, below)), Round::Up)
        }
    })
}

/// `sup over 0 ≤ d ≤ cap of received·y·d/(x + d) − paid·d`, rounded up. Without an end it is `(√above − √below)²`; where
/// that lies surely beyond the end, the end is best.
fn on_curve(
    x: Dyadic,
    y: Dyadic,
    cap: Option<Dyadic>,
    (paid, received): (Dyadic, Dyadic),
    (above, below): (Dyadic, Dyadic),
) -> Dyadic {
    if let Some(cap) = cap {
        let end = x.add(cap, Round::Up);
        let needed = end.mul(end, Round::Up).mul(paid, Round::Up);
        let there = x.mul(y, Round::Down).mul(received, Round::Down);
        if there.order(&needed) != Ordering::Less {
            let got = above.mul(cap, Round::Up).div(x.add(cap, Round::Down), Round::Up);
            return got.sub(paid.mul(cap, Round::Down), Round::Up);
        }
    }
    let both = above.mul(below, Round::Down).sqrt(Round::Down);
    let twice = both.add(both, Round::Down);
    above.add(below, Round::Up).sub(twice, Round::Up)
}

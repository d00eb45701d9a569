//! A pool as a router sees it: stretches of a curve, one after the other, for trades in one direction.

use crate::dyadic::{Dyadic, Round};

/// One stretch: what a trader receives for the next units paid, every fee included, both in base units.
///
/// Pieces never promise less than the pool's program gives: for every amount `d`, the sum over the pieces, filled in
/// order, is at least the program's whole number of units received, and short of rounding it is no more. Hence `x` and
/// every divisor is rounded down, `y`, `rate` and `cap` up. Where the program's marginal price falls with size, as in
/// every family short of oddly set fees, pieces lie in falling order of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece {
    /// `out = y·d / (x + d)` for the next `d ≤ cap` units paid. Source: Uniswap v3 white paper, virtual reserves.
    Curve {
        /// Virtual reserve of the token paid, divided by the share of an input that trades.
        x: Dyadic,
        /// Virtual reserve of the token received, times the share of an output that reaches the trader.
        y: Dyadic,
        /// The most that can be paid here, fee included; none where there is no end.
        cap: Option<Dyadic>,
    },
    /// `out = rate·d` for the next `d ≤ cap` units paid: a bin, or limit orders at one price.
    Line {
        /// Units received for one unit paid.
        rate: Dyadic,
        /// The most that can be paid here, fee included.
        cap: Dyadic,
    },
}

impl Piece {
    /// A constant product of two reserves. A share is a fraction `(numerator, denominator)`: of what is paid, the part that
    /// trades; of what comes out, the part that the trader receives.
    #[must_use]
    pub fn product(reserve_in: u64, reserve_out: u64, share_in: (u64, u64), share_out: (u64, u64)) -> Self {
        let x = Dyadic::ratio(u128::from(reserve_in) * u128::from(share_in.1), u128::from(share_in.0), Round::Down);
        let y = Dyadic::ratio(u128::from(reserve_out) * u128::from(share_out.0), u128::from(share_out.1), Round::Up);
        Self::Curve { x, y, cap: None }
    }
}

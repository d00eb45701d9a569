//! A pool's pieces as floats, for searches: what they find is computed again in integers.
#![expect(clippy::float_arithmetic, reason = "a search; no amount is decided here")]

use crate::dyadic::Dyadic;
use crate::piece::Piece;

/// A curve of falling marginal rates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    pub(crate) stretches: Vec<Stretch>,
}

/// One stretch of it: `out = y·d / (x + d)`, or along a line, for the next `d ≤ cap` units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Units received for one more unit, at the beginning and at the end.
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// Zero on a line.
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) cap: f64,
    /// What was paid and received before it.
    pub(crate) paid: f64,
    pub(crate) received: f64,
    /// Received over all of it.
    pub(crate) yields: f64,
}

/// A curve up to where its marginal rate is as wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given {
    pub(crate) paid: f64,
    pub(crate) received: f64,
    /// How much more would be paid if the marginal rate fell by a small factor, per that factor.
    pub(crate) slope: f64,
}

impl Curve {
    pub(crate) fn new(pieces: &[Piece]) -> Self {
        let mut stretches: Vec<Stretch> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let Some(mut next) = Stretch::new(piece) else { continue };
            // Where a fee falls faster than the price a marginal rate rises: such neighbours become one line.
            while let Some(before) = stretches.last()
                && before.last < next.first * (1.0 - 1e-12)
            {
                let Some(merged) = Stretch::line(before.yields + next.yields, before.cap + next.cap) else { break };
                next = merged;
                stretches.pop();
            }
            let (paid, received) = stretches.last().map_or((0.0, 0.0), |b| (b.paid + b.cap, b.received + b.yields));
            stretches.push(Stretch { paid, received, ..next });
        }
        Self { stretches }
    }

    /// Units received for the first unit; nothing where there is no curve.
    pub(crate) fn first(&self) -> f64 {
        self.stretches.first().map_or(0.0, |stretch| stretch.first)
    }

    /// The most that can be paid.
    pub(crate) fn end(&self) -> f64 {
        self.stretches.last().map_or(0.0, |stretch| stretch.paid + stretch.cap)
    }

    /// What comes out for `paid`; none when the curve ends before.
    pub(crate) fn out(&self, paid: f64) -> Option<f64> {
        let at = self.stretches.partition_point(|stretch| stretch.paid + stretch.cap < paid);
        let stretch = self.stretches.get(at)?;
        Some(stretch.received + stretch.out(paid - stretch.paid))
    }

    /// What must be paid for `received`; none when the curve ends before.
    pub(crate) fn paid_for(&self, received: f64) -> Option<f64> {
        let at = self.stretches.partition_point(|stretch| stretch.received + stretch.yields < received);
        let stretch = self.stretches.get(at)?;
        let paid = stretch.paid_for(received - stretch.received);
        paid.is_finite().then_some(stretch.paid + paid)
    }
}

impl Stretch {
    /// None for a piece on which nothing can be traded.
    fn new(piece: &Piece) -> Option<Self> {
        match piece {
            Piece::Line { rate, cap } => {
                let (rate, cap) = (rate.to_float(), cap.to_float());
                Self::line(rate * cap, cap)
            }
            Piece::Curve { x, y, cap } => {
                let (x, y) = (x.to_float(), y.to_float());
                let cap = cap.map_or(f64::INFINITY, Dyadic::to_float);
                if x <= 0.0 || y <= 0.0 || cap <= 0.0 {
                    return None;
                }
                let share = x / (x + cap);
                let yields = if cap.is_finite() { y * cap / (x + cap) } else { y };
                let first = y / x;
                Some(Self { first, last: first * share * share, x, y, cap, paid: 0.0, received: 0.0, yields })
            }
        }
    }

    /// None for a line of no more than a unit: it stands for rounding, and its rate for nothing that can be had.
    fn line(yields: f64, cap: f64) -> Option<Self> {
        let rate = yields / cap;
        let usable = rate.is_finite() && rate > 0.0 && cap > 1.0 && cap.is_finite();
        usable.then_some(Self { first: rate, last: rate, x: 0.0, y: 0.0, cap, paid: 0.0, received: 0.0, yields })
    }

    pub(crate) const fn is_line(&self) -> bool {
        self.x == 0.0
    }

    fn out(&self, paid: f64) -> f64 {
        if self.is_line() { self.first * paid } else { self.y * paid / (self.x + paid) }
    }

    fn paid_for(&self, received: f64) -> f64 {
        if self.is_line() {
            received / self.first
        } else if received < self.y {
            self.x * received / (self.y - received)
        } else {
            f64::INFINITY
        }
    }
}

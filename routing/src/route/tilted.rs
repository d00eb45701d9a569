//! Curves without corners: lines tilted a little, so that how much a pool trades changes steadily with the price.
#![expect(clippy::float_arithmetic, reason = "a search; no amount is decided here")]

use crate::network::{Given, Stretch};

/// The most by which a line's rates are tilted, as a part of them.
pub(super) const WIDEST: f64 = 0.005;

/// The curve up to the marginal rate `rate`, and the stretch in which that is.
pub(super) fn until(stretches: &[Stretch], rate: f64, tilt: f64, hint: usize) -> (Given, usize) {
    let mut at = hint.min(stretches.len().saturating_sub(1));
    while at > 0 && rate > stretches[at].first * (1.0 + rise(stretches, at, tilt)) {
        at -= 1;
    }
    loop {
        let stretch = &stretches[at];
        let (first, last) =
            (stretch.first * (1.0 + rise(stretches, at, tilt)), stretch.last * (1.0 - fall(stretches, at, tilt)));
        if rate > first * (1.0 + 1e-12) {
            return (Given { paid: stretch.paid, received: stretch.received, slope: 0.0 }, at);
        }
        if rate >= last {
            return (stretch.part(rate, first, last), at);
        }
        if at + 1 == stretches.len() {
            let (paid, received) = (stretch.paid + stretch.cap, stretch.received + stretch.yields);
            return (Given { paid, received, slope: 0.0 }, at);
        }
        at += 1;
    }
}

/// How far the beginning of a line is tilted up: a share of half the way to the stretch before.
fn rise(stretches: &[Stretch], at: usize, tilt: f64) -> f64 {
    let stretch = &stretches[at];
    if !stretch.is_line() {
        return 0.0;
    }
    let gap = match at.checked_sub(1).map(|before| &stretches[before]) {
        Some(before) => (before.last / stretch.first - 1.0) * 0.5,
        None => 0.0005,
    };
    (gap * tilt).clamp(1e-9, WIDEST)
}

/// How far the end of a line is tilted down.
fn fall(stretches: &[Stretch], at: usize, tilt: f64) -> f64 {
    let stretch = &stretches[at];
    if !stretch.is_line() {
        return 0.0;
    }
    let gap = match stretches.get(at + 1) {
        Some(after) => (1.0 - after.first / stretch.last) * 0.5,
        None => 0.0005,
    };
    (gap * tilt).clamp(1e-9, WIDEST)
}

impl Stretch {
    /// The part of the stretch down to a marginal rate between its first and its last, which are tilted on a line.
    fn part(&self, rate: f64, first: f64, last: f64) -> Given {
        if self.is_line() {
            let range = first - last;
            let share = ((first - rate) / range).clamp(0.0, 1.0);
            let paid = self.cap * share;
            // The received amount is that of the straight line: tilts only say how much of it is used.
            return Given {
                paid: self.paid + paid,
                received: self.received + self.first * paid,
                slope: self.cap * rate / range,
            };
        }
        let reserve = (self.x * self.y / rate).sqrt();
        let paid = (reserve - self.x).clamp(0.0, self.cap);
        let received = self.y * paid / (self.x + paid);
        Given { paid: self.paid + paid, received: self.received + received, slope: reserve * 0.5 }
    }
}

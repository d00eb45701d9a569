//! A chain of lines above a stable curve: a bound that holds, and lies close.
//!
//! The curve of real numbers is concave, so that each of its tangents lies above it. Between neighbouring touching points a
//! corner is set no lower than both tangents; every side of the chain then lies above the tangent that it passes. Where the
//! touching points lie decides only how close the chain is: they are put where corners would stand too high.

use super::stable::{Stable, scaled};
use super::{MeteoraDammV1, View, pieces};
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::{PoolError, Ratio, Side};

/// A corner may stand above the curve by this part of it: `2^-16` is 0.15 basis points.
const CLOSE: i32 = -16;
/// The most corners of a chain. A curve that is not amplified needs half of them.
const CORNERS: usize = 1_024;
/// How often a stretch is halved at most.
const DEPTH: u32 = 24;
/// The chain of tangents ends where so many parts of what the pool can give are given; a last line goes on to the whole.
const LAST: (u64, u64) = (31, 32);

/// A stable curve with its numbers rounded both ways, in the common decimals.
struct Arc {
    invariant: [Dyadic; 2],
    /// `D / 2A`.
    part: [Dyadic; 2],
    /// `D³ / 8A`.
    cube: [Dyadic; 2],
}

/// A reserve beside another, and how fast it falls: rounded down and up.
struct Root {
    reserve: [Dyadic; 2],
    slope: [Dyadic; 2],
}

/// Where the curve is touched: an input, what it gives at most, and the marginal rate there, rounded down and up.
#[derive(Clone, Copy)]
struct Touch {
    amount: u64,
    given: Dyadic,
    slope: [Dyadic; 2],
}

/// The curve of a pool in base units: an input with its fee to what comes out.
struct PoolArc {
    arc: Arc,
    source: Dyadic,
    destination: Dyadic,
    up_in: Dyadic,
    up_out: Dyadic,
    kept: [Dyadic; 2],
    /// What more trades than a real share of the input: the fee is rounded down.
    lost: Dyadic,
}

const ROUNDS: [Round; 2] = [Round::Down, Round::Up];

/// The pool's pieces: lines of falling rates, up to all that it can give.
pub(super) fn pieces(pool: &MeteoraDammV1, stable: &Stable, view: &View) -> Result<Vec<Piece>, PoolError> {
    let arc = PoolArc::new(pool, stable, view)?;
    let limit = Dyadic::whole(view.limit());
    let first = arc.touch(1);
    let last = arc.touch(arc.end(view.limit()));
    let mut chain = Chain::default();
    chain.push(0, Dyadic::ZERO);
    chain.push(first.amount, first.given);
    arc.corners(first, last, &mut chain);
    chain.push(last.amount, last.given);
    Ok(chain.lines(limit, last.slope[1]))
}

/// The marginal rate of a curve before fees, in base units.
pub(super) fn price(stable: &Stable, input: Side, reserve_in: u64, reserve_out: u64) -> Result<Ratio, PoolError> {
    let (up_in, up_out) = stable.multipliers(input);
    let source = scaled(reserve_in, up_in);
    let arc = Arc::new(stable, source, scaled(reserve_out, up_out))?;
    let slope = arc.root(Dyadic::scaled(source, 0, Round::Down)).slope[0];
    let rate = slope.mul(Dyadic::whole(up_in), Round::Down).div(Dyadic::whole(up_out), Round::Down);
    let one: u128 = 1 << 62;
    let (above, below) = if rate.order(&Dyadic::whole(1)).is_lt() {
        let inverse = Dyadic::whole(1).div(rate, Round::Down).mul(Dyadic::scaled(one, 0, Round::Down), Round::Down);
        (one, inverse.floor())
    } else {
        (rate.mul(Dyadic::scaled(one, 0, Round::Down), Round::Down).floor(), one)
    };
    if rate.is_zero() || below == 0 {
        return Err(PoolError::InsufficientLiquidity);
    }
    Ok(Ratio { numerator: above, denominator: below })
}

impl Arc {
    fn new(stable: &Stable, source: u128, destination: u128) -> Result<Self, PoolError> {
        let invariant = stable.invariant(source, destination)?;
        let twice = stable.amplification();
        if twice == 0 {
            return Err(PoolError::Math);
        }
        let invariant = ROUNDS.map(|round| Dyadic::scaled(invariant, 0, round));
        let twice = ROUNDS.map(|round| Dyadic::scaled(twice, 0, round));
        let part = pair(|at, round| invariant[at].div(twice[1 - at], round));
        let cube = pair(|at, round| {
            let four_twice = twice[1 - at].mul(Dyadic::whole(4), round.other());
            invariant[at].mul(invariant[at], round).mul(invariant[at], round).div(four_twice, round)
        });
        Ok(Self { invariant, part, cube })
    }

    /// The positive root of `y² + b·y = c` with `b = x + D/2A − D` and `c = D³ / (8A·x)`, and `−dy/dx` there, which is
    /// `(y + c/x) / √(b² + 4c)`. Which form of the root is used depends on the sign of `b`: neither loses digits.
    fn root(&self, x: Dyadic) -> Root {
        let constant = pair(|at, round| self.cube[at].div(x, round));
        let plus = pair(|at, round| x.add(self.part[at], round));
        let falling = plus[1].order(&self.invariant[0]).is_lt();
        let linear = pair(|at, round| {
            if falling {
                self.invariant[at].sub(plus[1 - at], round)
            } else {
                plus[at].sub(self.invariant[1 - at], round)
            }
        });
        let radical = pair(|at, round| {
            let four = constant[at].mul(Dyadic::whole(4), round);
            linear[at].mul(linear[at], round).add(four, round).sqrt(round)
        });
        let (two, half) = (Dyadic::whole(2), Dyadic::scaled(1, -1, Round::Down));
        let reserve = pair(|at, round| {
            if falling {
                linear[at].add(radical[at], round).mul(half, round)
            } else {
                let divisor = linear[1 - at].add(radical[1 - at], round.other());
                constant[at].mul(two, round).div(divisor, round)
            }
        });
        let slope = pair(|at, round| reserve[at].add(constant[at].div(x, round), round).div(radical[1 - at], round));
        Root { reserve, slope }
    }
}

impl PoolArc {
    fn new(pool: &MeteoraDammV1, stable: &Stable, view: &View) -> Result<Self, PoolError> {
        let (up_in, up_out) = stable.multipliers(view.input);
        let (source, destination) = (scaled(view.reserve_in, up_in), scaled(view.reserve_out, up_out));
        Ok(Self {
            arc: Arc::new(stable, source, destination)?,
            source: Dyadic::scaled(source, 0, Round::Up),
            destination: Dyadic::scaled(destination, 0, Round::Up),
            up_in: Dyadic::whole(up_in),
            up_out: Dyadic::whole(up_out),
            kept: ROUNDS.map(|round| pieces::kept(pool, round)),
            lost: if pool.trade_fee_numerator > 0 { Dyadic::whole(1) } else { Dyadic::ZERO },
        })
    }

    /// Touches the curve at an input.
    ///
    /// The program's iterations end above the root less one, and it takes one off for that: a unit of the common decimals
    /// covers what its rounded coefficients can be apart.
    fn touch(&self, amount: u64) -> Touch {
        let net = Dyadic::whole(amount).mul(self.kept[1], Round::Up).add(self.lost, Round::Up);
        let root = self.arc.root(self.source.add(net.mul(self.up_in, Round::Up), Round::Up));
        let given = self.destination.sub(root.reserve[0], Round::Up).add(Dyadic::whole(1), Round::Up);
        let slope =
            pair(|at, round| root.slope[at].mul(self.kept[at], round).mul(self.up_in, round).div(self.up_out, round));
        Touch { amount, given: given.div(self.up_out, Round::Up), slope }
    }

    /// About the input that gives most of what the pool can give.
    fn end(&self, limit: u64) -> u64 {
        let most = Dyadic::whole(limit).mul(Dyadic::ratio(LAST.0.into(), LAST.1.into(), Round::Down), Round::Down);
        let left = self.destination.sub(most.mul(self.up_out, Round::Down), Round::Down);
        if left.is_zero() {
            return 2;
        }
        // The curve is the same seen from its other token.
        let net = self.arc.root(left).reserve[0].sub(self.source, Round::Down).div(self.up_in, Round::Down);
        u64::try_from(net.div(self.kept[0], Round::Down).floor()).unwrap_or(u64::MAX).max(2)
    }

    /// Sets the corners between two touching points, in rising order.
    ///
    /// Midway a corner is as high above the curve as the curve is above the chord, nearly; elsewhere it is no higher above the
    /// curve than above the chord. So much can be told without touching the curve below it.
    fn corners(&self, from: Touch, to: Touch, chain: &mut Chain) {
        let mut open = vec![(from, to, 0)];
        // Not the chain's corners: where it leaves out most of them that count would never end the search.
        let mut touched = 0;
        while let Some((low, high, depth)) = open.pop() {
            let middle = between(low.amount, high.amount);
            if middle <= low.amount || middle >= high.amount {
                continue;
            }
            let (left, right) = (low.tangent(middle), high.tangent(middle));
            let corner = if left.order(&right).is_lt() { right } else { left };
            let chord = rate((low.amount, low.given), (high.amount, high.given))
                .mul(Dyadic::whole(middle - low.amount), Round::Down)
                .add(low.given, Round::Down);
            let height = corner.sub(chord, Round::Up);
            let share = if is_far(low.amount, high.amount) { CLOSE } else { CLOSE + 1 };
            let close = corner.mul(Dyadic::scaled(1, share, Round::Up), Round::Up);
            let within = height.order(&close).is_le() || height.order(&Dyadic::scaled(1, -1, Round::Up)).is_le();
            if within || depth == DEPTH || touched >= CORNERS {
                chain.push(middle, corner);
                continue;
            }
            let touch = self.touch(middle);
            touched += 1;
            open.push((touch, high, depth + 1));
            open.push((low, touch, depth + 1));
        }
    }
}

impl Touch {
    /// The height of the tangent there, rounded up.
    fn tangent(&self, amount: u64) -> Dyadic {
        if amount >= self.amount {
            let rise = self.slope[1].mul(Dyadic::whole(amount - self.amount), Round::Up);
            self.given.add(rise, Round::Up)
        } else {
            let fall = self.slope[0].mul(Dyadic::whole(self.amount - amount), Round::Down);
            self.given.sub(fall, Round::Up)
        }
    }
}

/// Corners whose sides fall less and less: one that would stand in a hollow is left out, which only raises the chain.
#[derive(Default)]
struct Chain {
    corners: Vec<(u64, Dyadic)>,
}

impl Chain {
    fn push(&mut self, amount: u64, given: Dyadic) {
        while let [.., before, last] = self.corners.as_slice() {
            if amount > last.0 && rate(*last, (amount, given)).order(&rate(*before, *last)).is_lt() {
                break;
            }
            self.corners.pop();
        }
        self.corners.push((amount, given));
    }

    /// The sides as pieces, up to the limit, and a last one that goes on to it.
    fn lines(&self, limit: Dyadic, slope: Dyadic) -> Vec<Piece> {
        let mut lines = Vec::with_capacity(self.corners.len());
        for side in self.corners.windows(2) {
            let [from, to] = side else { continue };
            let rate = rate(*from, *to);
            if to.1.order(&limit).is_ge() {
                lines.push(Piece::Line { rate, cap: limit.sub(from.1, Round::Up).div(rate, Round::Up) });
                return lines;
            }
            lines.push(Piece::Line { rate, cap: Dyadic::whole(to.0 - from.0) });
        }
        if let Some(last) = self.corners.last()
            && !slope.is_zero()
        {
            lines.push(Piece::Line { rate: slope, cap: limit.sub(last.1, Round::Up).div(slope, Round::Up) });
        }
        lines
    }
}

/// What a side gives for one unit, rounded up.
fn rate(from: (u64, Dyadic), to: (u64, Dyadic)) -> Dyadic {
    to.1.sub(from.1, Round::Up).div(Dyadic::whole(to.0.saturating_sub(from.0)), Round::Up)
}

/// Whether two numbers are of different sizes.
fn is_far(low: u64, high: u64) -> bool {
    high / 4 > low
}

/// A number between two, nearer to the lower one where the other is far.
fn between(low: u64, high: u64) -> u64 {
    if is_far(low, high) {
        let product = u128::from(low) * u128::from(high);
        return u64::try_from(product.isqrt()).unwrap_or(high).max(low + 1);
    }
    low + (high - low) / 2
}

/// A number rounded down and up.
fn pair(number: impl Fn(usize, Round) -> Dyadic) -> [Dyadic; 2] {
    [number(0, Round::Down), number(1, Round::Up)]
}

//! Prices at which the pools of a network would carry the whole trade: the dual of best execution.
//!
//! Every pool trades until its marginal rate is the ratio of its tokens' prices; the prices are right when each token comes
//! in as much as it goes out. They minimise a convex function, the value of what is traded plus what all pools
//! would give away at these prices: Newton's method on its gradient, in the logarithms of the prices, where its second derivative
//! is the Laplacian of a graph. Source: Diamandis, Resnick, Chitra, Angeris, "An Efficient Algorithm for Optimal Routing
//! Through Constant Function Market Makers" (2023), with Newton in place of L-BFGS.
#![expect(clippy::float_arithmetic, reason = "a search; no amount is decided here")]

use crate::network::{Given, Network, Stretch};
use crate::swap::Amount;

use super::Question;
use super::linear::Matrix;

/// The most rounds of Newton's method.
const ROUNDS: usize = 160;

/// The largest step of a price: by this factor, less one.
const STEP: f64 = 0.5;

/// Prices, and what every pool does at them.
#[derive(Debug)]
pub(super) struct Equilibrium {
    /// Value of a unit of each token; zero where a token takes no part.
    pub(super) prices: Vec<f64>,
    /// Edges in use and what is paid into each.
    pub(super) flows: Vec<(u32, Given)>,
    /// Rounds it took.
    pub(super) rounds: usize,
    pub(super) off: f64,
}

/// An edge that may take part.
#[derive(Clone, Copy)]
struct Way {
    edge: u32,
    from: usize,
    to: usize,
    first: f64,
    /// The stretch in which the last look ended.
    hint: usize,
}

/// The search for an equilibrium.
pub(super) struct Search<'a> {
    network: &'a Network,
    question: Question,
    units: f64,
    ways: Vec<Way>,
    /// The value of a unit of this token is one.
    ground: usize,
    prices: Vec<f64>,
    /// How far lines are tilted, as a share of the way to their neighbours' rates: what has corners is searched smoothly first.
    tilt: f64,
    /// By token: what comes in less what goes out, in value.
    excess: Vec<f64>,
    /// By way: what its pool does at the prices.
    given: Vec<Given>,
    /// By way: how much more is taken believed to be paid per share by which the rate falls; no less than the slope.
    stiffness: Vec<f64>,
    matrix: Matrix,
    /// By token: its row in the matrix.
    rows: Vec<usize>,
    rounds: usize,
}

impl<'a> Search<'a> {
    /// A search over the edges in `allowed`, an answer for each edge, that lie on ways of at most `hops`.
    pub(super) fn new(network: &'a Network, question: &Question, hops: usize, allowed: Option<&[bool]>) -> Self {
        let tokens = network.tokens().len();
        let open = |edge: u32| allowed.is_none_or(|allowed| allowed[edge as usize]);
        let after_start = distances(network, question.from, |edge| open(edge));
        let before_end = distances(network, question.to, |edge| open(edge ^ 1));
        let mut ways = Vec::new();
        for from in 0..tokens {
            for way in network.leaving(from) {
                let hops_over = after_start[from].saturating_add(before_end[way.to]).saturating_add(1);
                if way.first > 0.0 && hops_over < 1000 && open(way.edge) {
                    ways.push(Way { edge: way.edge, from, to: way.to, first: way.first, hint: 0 });
                }
            }
        }
        let ground = if matches!(question.amount, Amount::In(_)) { question.to } else { question.from };
        #[expect(clippy::cast_precision_loss, reason = "a search")]
        let units = question.amount.units() as f64;
        Self {
            network,
            question: *question,
            units,
            ways,
            ground,
            prices: vec![0.0; tokens],
            tilt: 1.0,
            excess: vec![0.0; tokens],
            given: Vec::new(),
            stiffness: Vec::new(),
            matrix: Matrix::default(),
            rows: vec![usize::MAX; tokens],
            rounds: 0,
        }
    }

    /// Finds the prices, from none or from those of a search before; none when no way leads through.
    pub(super) fn run(mut self, start: Option<&[f64]>) -> Option<Equilibrium> {
        match start {
            Some(prices) => self.prices.copy_from_slice(prices),
            None => self.first_prices(),
        }
        if self.prices[self.question.from] <= 0.0 || self.prices[self.question.to] <= 0.0 {
            return None;
        }
        let tilts: &[(f64, f64)] =
            if start.is_some() { &[(0.03, 1e-3), (0.002, 1e-6)] } else { &[(1.0, 1e-2), (0.03, 1e-3), (0.002, 1e-6)] };
        for (tilt, close) in tilts {
            self.tilt = *tilt;
            self.settle(*close);
        }
        let flows = self.ways.iter().zip(&self.given).filter(|(_, given)| given.paid > 0.0);
        let flows = flows.map(|(way, given)| (way.edge, *given)).collect();
        let off = self.excess.iter().map(|e| e.abs()).sum::<f64>() / (self.units * self.prices[self.fixed()]);
        Some(Equilibrium { prices: self.prices, flows, rounds: self.rounds, off })
    }

    /// The value of a unit by the best chain of first rates: nobody would trade at these prices, and whoever asks for a
    /// little less than they do would.
    fn first_prices(&mut self) {
        let forward = matches!(self.question.amount, Amount::In(_));
        self.prices[self.ground] = 1.0;
        for _ in 0..self.prices.len() {
            let mut changed = false;
            for way in &self.ways {
                if forward {
                    let value = way.first * self.prices[way.to];
                    if value > self.prices[way.from] * (1.0 + 1e-12) {
                        self.prices[way.from] = value;
                        changed = true;
                    }
                } else if self.prices[way.from] > 0.0 {
                    let value = self.prices[way.from] / way.first;
                    if self.prices[way.to] == 0.0 || value < self.prices[way.to] * (1.0 - 1e-12) {
                        self.prices[way.to] = value;
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
    }

    /// Newton's method until every token comes in as it goes out.
    ///
    /// Where a curve has corners its slope says little. A step that went too far shows how much more a pool takes on the
    /// average of the way; with that the step is taken again, shorter for the tokens that it concerns only.
    fn settle(&mut self, close: f64) {
        self.look();
        self.stiffness.clear();
        self.stiffness.extend(self.given.iter().map(|given| given.slope));
        let mut before = self.prices.clone();
        let mut paid: Vec<f64> = Vec::new();
        while self.rounds < ROUNDS {
            let turnover = self.units * self.prices[self.fixed()];
            let off: f64 = self.excess.iter().map(|e| e.abs()).sum();
            if off <= turnover * close {
                break;
            }
            before.copy_from_slice(&self.prices);
            paid.clear();
            paid.extend(self.given.iter().map(|given| given.paid));
            let excess = self.excess.clone();
            for attempt in 0..8 {
                self.rounds += 1;
                let direction = self.direction(turnover, &before, &excess);
                let slope: f64 = direction.iter().zip(&excess).map(|(d, e)| d * e).sum();
                for (token, price) in self.prices.iter_mut().enumerate() {
                    let change = direction[token];
                    *price = before[token] * if change >= 0.0 { 1.0 + change } else { 1.0 / (1.0 - change) };
                }
                self.look();
                let slope_there: f64 = direction.iter().zip(&self.excess).map(|(d, e)| d * e).sum();
                if std::env::var("DBG2").is_ok() {
                    eprintln!(
                        "tilt {} round {} attempt {attempt} off {:e} step {:e} slopes {:e} {:e}",
                        self.tilt,
                        self.rounds,
                        off / turnover,
                        direction.iter().fold(0.0_f64, |a, b| a.max(b.abs())),
                        slope / turnover,
                        slope_there / turnover
                    );
                }
                // The slope along the way rises from below zero; far above it the step went past the bottom.
                if slope_there <= -slope * 0.5 {
                    break;
                }
                self.learn(&before, &paid);
            }
            for (stiffness, given) in self.stiffness.iter_mut().zip(&self.given) {
                *stiffness = given.slope.max(*stiffness * 0.25);
            }
        }
    }

    /// Raises what is believed of every pool to what the step from there to the prices shows.
    fn learn(&mut self, prices: &[f64], paid: &[f64]) {
        for (place, way) in self.ways.iter().enumerate() {
            let more = self.given[place].paid - paid[place];
            if more == 0.0 {
                continue;
            }
            let fall = 1.0 - (self.prices[way.from] * prices[way.to]) / (self.prices[way.to] * prices[way.from]);
            let slope = more / fall;
            if slope.is_finite() && slope > self.stiffness[place] {
                self.stiffness[place] = slope;
            }
        }
    }

    /// The token of which the amount is fixed.
    const fn fixed(&self) -> usize {
        if matches!(self.question.amount, Amount::In(_)) { self.question.from } else { self.question.to }
    }

    /// Newton's step from these prices and excesses, each price's change as a share of it.
    fn direction(&mut self, turnover: f64, prices: &[f64], excess: &[f64]) -> Vec<f64> {
        self.rows.fill(usize::MAX);
        let mut tokens = Vec::new();
        let mut row_of = |token: usize, rows: &mut Vec<usize>| {
            if rows[token] == usize::MAX {
                rows[token] = tokens.len();
                tokens.push(token);
            }
        };
        row_of(self.fixed(), &mut self.rows);
        for (way, _) in self.ways.iter().zip(&self.stiffness).filter(|(_, stiffness)| **stiffness > 0.0) {
            row_of(way.from, &mut self.rows);
            row_of(way.to, &mut self.rows);
        }
        self.matrix.reset(tokens.len());
        for (way, stiffness) in self.ways.iter().zip(&self.stiffness).filter(|(_, stiffness)| **stiffness > 0.0) {
            let weight = stiffness * prices[way.from];
            let (from, to) = (self.rows[way.from], self.rows[way.to]);
            if way.from != self.ground {
                self.matrix.add(from, from, weight);
            }
            if way.to != self.ground {
                self.matrix.add(to, to, weight);
            }
            if way.from != self.ground && way.to != self.ground {
                self.matrix.add(from, to, -weight);
            }
        }
        let mut right: Vec<f64> = tokens.iter().map(|token| -excess[*token]).collect();
        let ground = self.rows[self.ground];
        if ground != usize::MAX {
            self.matrix.add(ground, ground, turnover);
            right[ground] = 0.0;
        }
        self.matrix.solve(&mut right, turnover * 1e-9);
        let mut direction = vec![0.0; self.prices.len()];
        for (row, token) in tokens.iter().enumerate() {
            direction[*token] = right[row].clamp(-STEP, STEP);
        }
        direction
    }

    /// What every pool does at the prices.
    fn look(&mut self) {
        self.excess.fill(0.0);
        self.given.clear();
        let widest = 1.0 + 1e-12 + self.tilt * 0.005;
        for way in &mut self.ways {
            let (paid_price, received_price) = (self.prices[way.from], self.prices[way.to]);
            if received_price * way.first * widest < paid_price || paid_price <= 0.0 {
                self.given.push(Given::default());
                continue;
            }
            let stretches = &self.network.edges()[way.edge as usize].curve.stretches;
            let (given, hint) = until(stretches, paid_price / received_price, self.tilt, way.hint);
            way.hint = hint;
            self.excess[way.from] -= given.paid * paid_price;
            self.excess[way.to] += given.received * received_price;
            self.given.push(given);
        }
        let fixed = self.fixed();
        let traded = self.units * self.prices[fixed];
        self.excess[fixed] += if matches!(self.question.amount, Amount::In(_)) { traded } else { -traded };
        self.excess[self.ground] = 0.0;
    }
}

/// The curve up to the marginal rate `rate`, and the stretch in which that is.
fn until(stretches: &[Stretch], rate: f64, tilt: f64, hint: usize) -> (Given, usize) {
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
    (gap * tilt).clamp(1e-9, 0.005)
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
    (gap * tilt).clamp(1e-9, 0.005)
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

/// The number of hops from a token to every other over pools; against their direction where `open` says so.
fn distances(network: &Network, start: usize, open: impl Fn(u32) -> bool) -> Vec<usize> {
    let mut distances = vec![usize::MAX / 4; network.tokens().len()];
    distances[start] = 0;
    let mut front = vec![start];
    let mut hops = 0;
    while !front.is_empty() {
        hops += 1;
        let mut next = Vec::new();
        for way in front.iter().flat_map(|token| network.leaving(*token)) {
            if distances[way.to] > hops && open(way.edge) {
                distances[way.to] = hops;
                next.push(way.to);
            }
        }
        front = next;
    }
    distances
}

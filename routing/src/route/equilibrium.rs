//! Prices at which the pools of a network would carry the whole trade: the dual of best execution.
//!
//! Every pool trades until its marginal rate is the ratio of its tokens' prices; the prices are right when each token comes
//! in as much as it goes out. They minimise a convex function, the value of what is traded plus what all pools
//! would give away at these prices: Newton's method on its gradient, in the logarithms of the prices, where its second derivative
//! is the Laplacian of a graph. Source: Diamandis, Resnick, Chitra, Angeris, "An Efficient Algorithm for Optimal Routing
//! Through Constant Function Market Makers" (2023), with Newton in place of L-BFGS.
#![expect(clippy::float_arithmetic, reason = "a search; no amount is decided here")]

use crate::network::{Given, Network};
use crate::swap::Amount;

use super::linear::Matrix;
use super::tilted::{FIRST_RISE, until};
use super::{Question, may_give};

/// The most rounds of Newton's method.
const ROUNDS: usize = 120;

/// The most pools in a chain that gives a token its first price.
const CHAIN: usize = 16;

/// The largest step of a price: by this factor, less one.
const STEP: f64 = 0.5;

/// How far lines are tilted, as a share of the way to their neighbours' rates: so what has corners is searched smoothly. A part
/// of a bin's width in price is what the tilt costs.
const TILT: f64 = 0.05;

/// Where the fixed token's price has changed by this factor the pools cannot take the whole trade at any price.
const WORTHLESS: f64 = 1e-9;

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
    /// By token: what comes in less what goes out, in value.
    excess: Vec<f64>,
    /// By way: what its pool does at the prices.
    given: Vec<Given>,
    /// By way: how much more is believed to be paid per share by which the rate falls; no less than the slope.
    stiffness: Vec<f64>,
    matrix: Matrix,
    /// By token: its row in the matrix.
    rows: Vec<usize>,
}

impl<'a> Search<'a> {
    /// A search over the edges in `allowed`, an answer for each edge, or all; its prices are those before the trade. None when
    /// no way leads through.
    pub(super) fn new(network: &'a Network, question: &Question, allowed: Option<&[bool]>) -> Option<Self> {
        let tokens = network.tokens().len();
        let forward = matches!(question.amount, Amount::In(_));
        let open = |edge: u32| {
            (forward || may_give(network, edge, question.to)) && allowed.is_none_or(|allowed| allowed[edge as usize])
        };
        let from_start = reached(network, question.from, open);
        let to_end = reached(network, question.to, |edge| open(edge ^ 1));
        let mut ways = Vec::new();
        for from in (0..tokens).filter(|from| from_start[*from]) {
            for way in network.leaving(from) {
                if way.first > 0.0 && to_end[way.to] && open(way.edge) {
                    ways.push(Way { edge: way.edge, from, to: way.to, first: way.first, hint: 0 });
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a search")]
        let units = question.amount.units() as f64;
        let mut search = Self {
            network,
            question: *question,
            units,
            ways,
            ground: if forward { question.to } else { question.from },
            prices: vec![0.0; tokens],
            excess: vec![0.0; tokens],
            given: Vec::new(),
            stiffness: Vec::new(),
            matrix: Matrix::default(),
            rows: vec![usize::MAX; tokens],
        };
        search.first_prices();
        (search.prices[question.from] > 0.0 && search.prices[question.to] > 0.0).then_some(search)
    }

    /// Value of a unit of each token; zero where a token takes no part.
    pub(super) fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// Edges in use and what is paid into each; once the search has settled.
    pub(super) fn flows(&self) -> impl Iterator<Item = (u32, &Given)> {
        let used = self.ways.iter().zip(&self.given).filter(|(_, given)| given.paid > 0.0);
        used.map(|(way, given)| (way.edge, given))
    }

    /// The value of a unit by the best chain of first rates: nobody would trade at these prices, and whoever asks for a little
    /// less than they do would. Where a chain in a circle gains, they are only somewhere to begin.
    fn first_prices(&mut self) {
        let forward = matches!(self.question.amount, Amount::In(_));
        self.prices[self.ground] = 1.0;
        for _ in 0..CHAIN {
            let mut changed = false;
            for way in &self.ways {
                let grounded = if forward { way.from } else { way.to };
                if grounded == self.ground {
                    continue;
                }
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

    /// Newton's method until what all tokens together lack or have left over is no more than the part `close` of the trade;
    /// goes on from where it stands.
    ///
    /// Where a curve has corners its slope says little. A step that went too far shows how much more a pool takes on the
    /// average of the way; with that the step is taken again, shorter for the tokens that it concerns only.
    pub(super) fn settle(&mut self, close: f64) {
        self.look();
        self.stiffness.clear();
        self.stiffness.extend(self.given.iter().map(|given| given.slope));
        let (mut before, mut paid, mut excess) = (Vec::new(), Vec::new(), Vec::new());
        let first = self.prices[self.fixed()];
        let mut rounds = 0;
        while rounds < ROUNDS {
            let price = self.prices[self.fixed()];
            let turnover = self.units * price;
            let off: f64 = self.excess.iter().map(|e| e.abs()).sum();
            if off <= turnover * close || price < first * WORTHLESS || first < price * WORTHLESS {
                break;
            }
            before.clone_from(&self.prices);
            excess.clone_from(&self.excess);
            paid.clear();
            paid.extend(self.given.iter().map(|given| given.paid));
            for _ in 0..8 {
                rounds += 1;
                let direction = self.direction(turnover, &before, &excess);
                for (token, price) in self.prices.iter_mut().enumerate() {
                    let change = direction[token];
                    *price = before[token] * if change >= 0.0 { 1.0 + change } else { 1.0 / (1.0 - change) };
                }
                self.look();
                let slope = |excess: &[f64]| -> f64 { direction.iter().zip(excess).map(|(d, e)| d * e).sum() };
                // The slope along the way rises from below zero; far above it the step went past the bottom.
                if slope(&self.excess) <= slope(&excess) * -0.5 {
                    break;
                }
                self.learn(&before, &paid);
            }
            // What was learnt is forgotten little by little, and at last altogether.
            for ((stiffness, given), way) in self.stiffness.iter_mut().zip(&self.given).zip(&self.ways) {
                let kept = *stiffness * 0.4;
                *stiffness = given.slope.max(if kept * self.prices[way.from] > turnover * 1e-6 { kept } else { 0.0 });
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
        // Tokens of few pools come first, so that the matrix's rows stay short.
        let mut degrees = vec![0_u32; prices.len()];
        degrees[self.fixed()] = 1;
        let mut moving = Vec::with_capacity(prices.len() * 2);
        for (way, stiffness) in self.ways.iter().zip(&self.stiffness).filter(|(_, stiffness)| **stiffness > 0.0) {
            degrees[way.from] += 1;
            degrees[way.to] += 1;
            moving.push((way.from, way.to, stiffness * prices[way.from]));
        }
        degrees[self.ground] = 0;
        let mut tokens: Vec<usize> = (0..prices.len()).filter(|token| degrees[*token] > 0).collect();
        tokens.sort_unstable_by_key(|token| (degrees[*token], *token));
        self.rows.fill(usize::MAX);
        for (row, token) in tokens.iter().enumerate() {
            self.rows[*token] = row;
        }
        self.matrix.reset(tokens.len());
        for (from, to, weight) in moving {
            let (from, to) = (self.rows[from], self.rows[to]);
            if from != usize::MAX {
                self.matrix.add(from, from, weight);
            }
            if to != usize::MAX {
                self.matrix.add(to, to, weight);
            }
            if from != usize::MAX && to != usize::MAX {
                self.matrix.add(from, to, -weight);
            }
        }
        let mut right: Vec<f64> = tokens.iter().map(|token| -excess[*token]).collect();
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
        let widest = 1.0 + 2e-12 + FIRST_RISE * TILT;
        for way in &mut self.ways {
            let (paid_price, received_price) = (self.prices[way.from], self.prices[way.to]);
            if received_price * way.first * widest < paid_price || paid_price <= 0.0 {
                self.given.push(Given::default());
                continue;
            }
            let stretches = &self.network.edges()[way.edge as usize].curve.stretches;
            let (given, hint) = until(stretches, paid_price / received_price, TILT, way.hint);
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

/// The tokens that a chain of open edges leads to from one.
fn reached(network: &Network, start: usize, open: impl Fn(u32) -> bool) -> Vec<bool> {
    let mut reached = vec![false; network.tokens().len()];
    reached[start] = true;
    let mut front = vec![start];
    while let Some(token) = front.pop() {
        for way in network.leaving(token) {
            if !reached[way.to] && open(way.edge) {
                reached[way.to] = true;
                front.push(way.to);
            }
        }
    }
    reached
}

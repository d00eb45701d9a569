//! The best single path, by what comes out of it for this very amount.
#![expect(clippy::float_arithmetic, reason = "a search; the path it finds is quoted in integers")]

use crate::network::Network;
use crate::swap::{Amount, PoolError};

use super::plan::{Share, fill};
use super::{Plan, Question, RouteError, may_give};

/// The best single path of at most `hops` pools.
///
/// Bellman–Ford over amounts: what is the most of each token that one path can bring in one hop, two, three. Since a
/// pool gives more for more, the most of a token is all that the rest of a path needs to know. The best paths of every
/// length are then quoted in integers, and the best of those is the plan.
///
/// # Errors
/// See [`RouteError`].
pub fn fast(network: &Network, question: &Question, hops: usize) -> Result<Plan, RouteError> {
    question.check(network)?;
    let search = match question.amount {
        Amount::In(units) => Search { network, start: question.from, end: question.to, forward: true, units },
        Amount::Out(units) => Search { network, start: question.to, end: question.from, forward: false, units },
    };
    // No path that comes to each token once is longer.
    let mut paths = search.paths(hops.min(network.tokens().len()));
    // A way in a circle may come to a pool again, which has then changed.
    paths.retain(|path| path.iter().enumerate().all(|(at, edge)| path[..at].iter().all(|other| other / 2 != edge / 2)));
    let mut failure = None;
    let mut plans = Vec::with_capacity(paths.len());
    for path in &paths {
        let shares: Vec<_> = path.iter().map(|edge| Share { edge: *edge, weight: 1, full: false }).collect();
        match fill(network, question, &shares) {
            Ok(plan) => plans.push(plan),
            Err(error) => failure = Some(error),
        }
    }
    let best = match question.amount {
        Amount::In(_) => plans.into_iter().max_by_key(|plan| plan.amount_out),
        Amount::Out(_) => plans.into_iter().min_by_key(|plan| plan.amount_in),
    };
    let complete = |plan: &Plan| match question.amount {
        Amount::In(units) => plan.amount_in == units && plan.amount_out > 0,
        Amount::Out(units) => plan.amount_out >= units && plan.amount_in > 0,
    };
    match best.filter(complete) {
        Some(plan) => Ok(plan),
        None => Err(failure.map_or_else(|| search.why_not(question, hops), told)),
    }
}

/// What a refused path means for the whole question.
fn told(error: RouteError) -> RouteError {
    match error {
        RouteError::Refused {
            error: PoolError::ZeroAmount | PoolError::ZeroOutput | PoolError::AmountTooSmall,
            ..
        } => RouteError::Dust,
        RouteError::Refused { error: PoolError::InsufficientLiquidity | PoolError::PriceRange, .. } => {
            RouteError::TooMuch
        }
        other => other,
    }
}

/// A search from where the amount is fixed to the other end.
struct Search<'a> {
    network: &'a Network,
    start: usize,
    end: usize,
    /// With the pools' direction (exact-in) or against it (exact-out).
    forward: bool,
    units: u64,
}

/// The best amount of a token that is known, and the edge and hop by which it came.
#[derive(Clone, Copy)]
struct Reached {
    amount: f64,
    /// The edge on which the token was reached in each hop; that of the last hop in which it got better counts.
    by: u32,
}

impl Search<'_> {
    /// The best path of each length that beats the shorter ones.
    fn paths(&self, hops: usize) -> Vec<Vec<u32>> {
        let tokens = self.network.tokens().len();
        let nothing = if self.forward { 0.0 } else { f64::INFINITY };
        let mut layers: Vec<Vec<Reached>> = Vec::with_capacity(hops + 1);
        let mut first = vec![Reached { amount: nothing, by: u32::MAX }; tokens];
        #[expect(clippy::cast_precision_loss, reason = "a search")]
        let units = self.units as f64;
        first[self.start].amount = units;
        layers.push(first);
        let mut fresh = vec![self.start];
        let mut paths = Vec::new();
        for hop in 1..=hops {
            let before = layers[hop - 1].clone();
            let mut after: Vec<Reached> = before.iter().map(|r| Reached { by: u32::MAX, ..*r }).collect();
            let mut touched = Vec::new();
            for token in fresh {
                self.relax(token, before[token].amount, hop == hops, &mut after, &mut touched);
            }
            let arrived = after[self.end].by != u32::MAX;
            layers.push(after);
            if arrived {
                paths.push(self.path(&layers));
            }
            // What has reached the end goes no further.
            touched.retain(|token| *token != self.end);
            fresh = touched;
        }
        paths
    }

    /// Goes one hop on from a token, on the last hop to the end only.
    fn relax(&self, token: usize, amount: f64, last: bool, after: &mut [Reached], touched: &mut Vec<usize>) {
        for way in self.network.leaving(token) {
            let to = way.to;
            if to == self.start || (last && to != self.end) {
                continue;
            }
            let known = after[to].amount;
            let (edge, reached) = if self.forward {
                // No stretch gives more than the first rate: most edges need not be looked at.
                if amount * way.first <= known {
                    continue;
                }
                let Some(out) = self.network.edges()[way.edge as usize].curve.out(amount) else { continue };
                if out <= known {
                    continue;
                }
                (way.edge, out)
            } else {
                let edge = way.edge ^ 1;
                if !may_give(self.network, edge, self.start) {
                    continue;
                }
                let curve = &self.network.edges()[edge as usize].curve;
                if amount >= known * curve.first() {
                    continue;
                }
                let Some(paid) = curve.paid_for(amount).filter(|paid| *paid < known) else { continue };
                (edge, paid)
            };
            if after[to].by == u32::MAX {
                touched.push(to);
            }
            after[to] = Reached { amount: reached, by: edge };
        }
    }

    /// The path by which the end was reached in the last layer, in the order of its swaps.
    fn path(&self, layers: &[Vec<Reached>]) -> Vec<u32> {
        let mut path = Vec::with_capacity(layers.len());
        let mut token = self.end;
        for layer in layers.iter().rev() {
            let by = layer[token].by;
            // A token that got no better in this hop was reached before.
            if by == u32::MAX {
                continue;
            }
            path.push(by);
            let edge = &self.network.edges()[by as usize];
            token = if self.forward { edge.from } else { edge.to };
        }
        if self.forward {
            path.reverse();
        }
        path
    }

    /// Why no path was found at all.
    fn why_not(&self, question: &Question, hops: usize) -> RouteError {
        let mut seen = vec![false; self.network.tokens().len()];
        let mut front = vec![self.start];
        seen[self.start] = true;
        for _ in 0..hops.min(seen.len()) {
            let mut next = Vec::new();
            for way in front.iter().flat_map(|token| self.network.leaving(*token)) {
                let trades = if self.forward {
                    way.first > 0.0
                } else {
                    self.network.edges()[(way.edge ^ 1) as usize].curve.first() > 0.0
                };
                if trades && !std::mem::replace(&mut seen[way.to], true) {
                    next.push(way.to);
                }
            }
            front = next;
        }
        if seen[self.end] { RouteError::TooMuch } else { question.no_route(self.network, hops) }
    }
}

//! Plans: the swaps of a route with whole amounts, simulated pool by pool, so that what is quoted is what is executed.

use crate::math::mul_div_floor;
use crate::network::{Network, pool_of};
use crate::swap::{Amount, PoolError, Side, Swap};

use super::{Question, RouteError};

/// A route: swaps in the order of their execution, each from what the ones before it have brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The swaps, in order.
    pub legs: Vec<Leg>,
    /// Paid in all, in base units.
    pub amount_in: u64,
    /// Received in all, in base units.
    pub amount_out: u64,
}

/// One swap of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The pool, as a place in [`Network::pools`].
    pub pool: usize,
    /// The token of the pool that is paid.
    pub input: Side,
    /// The same token, as a place in [`Network::tokens`].
    pub from: usize,
    /// The token that is received.
    pub to: usize,
    /// What the pool gives for what.
    pub swap: Swap,
}

/// An edge and its part of a route, not yet in whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) edge: u32,
    /// About what it takes of its first token (exact-in) or gives of its last (exact-out).
    pub(super) weight: u64,
    /// It takes no more than its weight, since its pool or all that comes after it is full; what is left goes over the
    /// other edges of the token.
    pub(super) full: bool,
}

impl Plan {
    /// The plan's exact amounts, computed anew on the pools' states: what a chain would do that executed it now, for a question
    /// of which the same side is fixed.
    ///
    /// # Errors
    /// A pool's refusal, with the leg's place.
    pub fn simulate(&self, network: &Network, question: &Question) -> Result<Self, (usize, PoolError)> {
        let mut states: Vec<(usize, crate::Pool)> = Vec::with_capacity(self.legs.len());
        let mut plan = self.clone();
        let (mut paid, mut received) = (0_u64, 0_u64);
        for (place, leg) in plan.legs.iter_mut().enumerate() {
            let refused = |error| (place, error);
            let at = match states.iter().position(|(pool, _)| *pool == leg.pool) {
                Some(at) => at,
                None => {
                    let listed = network.pools().get(leg.pool).ok_or(refused(PoolError::Math))?;
                    states.push((leg.pool, listed.pool.clone()));
                    states.len() - 1
                }
            };
            let amount = match question.amount {
                Amount::In(_) => Amount::In(leg.swap.amount_in),
                Amount::Out(_) => Amount::Out(leg.swap.amount_out),
            };
            leg.swap = states[at].1.apply(leg.input, amount, network.now()).map_err(refused)?;
            if leg.from == question.from {
                paid = paid.checked_add(leg.swap.amount_in).ok_or(refused(PoolError::Overflow))?;
            }
            if leg.to == question.to {
                received = received.checked_add(leg.swap.amount_out).ok_or(refused(PoolError::Overflow))?;
            }
        }
        (plan.amount_in, plan.amount_out) = (paid, received);
        Ok(plan)
    }
}

/// Whole amounts for shares, which come in an order in which every token is filled before it is spent (exact-in), or needed
/// before it is got (exact-out, from the end).
///
/// What has come to a token, or is needed of it, is divided among its edges by weight, the last takes the rest. Each pool is
/// asked once, so its quote is its execution.
///
/// # Errors
/// A pool's refusal; [`RouteError::TooMuch`] when a token between the first and the last could not be divided whole.
pub(super) fn fill(network: &Network, question: &Question, shares: &[Share]) -> Result<Plan, RouteError> {
    let forward = matches!(question.amount, Amount::In(_));
    let tokens = network.tokens().len();
    let mut held = vec![0_u64; tokens];
    let mut weights = vec![0_u64; tokens];
    let side = |share: &Share| {
        let edge = &network.edges()[share.edge as usize];
        if forward { (edge.from, edge.to) } else { (edge.to, edge.from) }
    };
    for share in shares {
        let (near, _) = side(share);
        weights[near] = weights[near].saturating_add(share.weight);
    }
    let (start, end) = if forward { (question.from, question.to) } else { (question.to, question.from) };
    held[start] = question.amount.units();
    // Of what is fixed; a pool that knows no exact output may give a little more than it is asked for.
    let mut given = 0_u64;
    let mut legs = Vec::with_capacity(shares.len());
    for share in shares {
        let (near, far) = side(share);
        let part = part_of(held[near], share.weight, weights[near]);
        let units = if share.full { part.min(share.weight) } else { part };
        weights[near] = weights[near].saturating_sub(share.weight);
        if units == 0 {
            continue;
        }
        let (pool, input) = pool_of(share.edge);
        let listed = &network.pools()[pool];
        let amount = if forward { Amount::In(units) } else { Amount::Out(units) };
        let refused = |error| RouteError::Refused { pool: listed.id.to_string(), error };
        let swap = match listed.pool.quote(input, amount, network.now()) {
            Ok(swap) => swap,
            // Dust goes over the token's other edges.
            Err(PoolError::ZeroOutput | PoolError::AmountTooSmall) if weights[near] > 0 => continue,
            Err(error) => return Err(refused(error)),
        };
        held[near] -= units;
        let moved = if forward { swap.amount_in } else { swap.amount_out };
        if near == start {
            given = given.checked_add(moved).ok_or(refused(PoolError::Overflow))?;
        } else if moved != units {
            return Err(RouteError::TooMuch);
        }
        let brought = if forward { swap.amount_out } else { swap.amount_in };
        held[far] = held[far].checked_add(brought).ok_or(refused(PoolError::Overflow))?;
        let (from, to) = if forward { (near, far) } else { (far, near) };
        legs.push(Leg { pool, input, from, to, swap });
    }
    if !forward {
        legs.reverse();
    }
    if (0..tokens).any(|token| held[token] > 0 && token != start && token != end) {
        return Err(RouteError::TooMuch);
    }
    let got = held[end];
    let (amount_in, amount_out) = if forward { (given, got) } else { (got, given) };
    Ok(Plan { legs, amount_in, amount_out })
}

/// `held · weight / weights`, rounded down; all of it for the last.
fn part_of(held: u64, weight: u64, weights: u64) -> u64 {
    if weight >= weights {
        return held;
    }
    mul_div_floor(held.into(), weight.into(), weights.into()).and_then(|part| u64::try_from(part).ok()).unwrap_or(0)
}

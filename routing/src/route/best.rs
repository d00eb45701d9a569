//! The best split over all paths.
#![expect(clippy::float_arithmetic, reason = "a search; no amount is decided here")]

use crate::dyadic::Dyadic;
use crate::network::Network;
use crate::swap::Amount;

use super::bound::certify;
use super::equilibrium::Search;
use super::flows::Flows;
use super::plan::{Plan, fill};
use super::{Answer, Limits, Question, RouteError, fast};

/// A single path that is this close to what no route can beat is not split.
const CLOSE_BILLIONTHS: u64 = 1_000;

/// Where the proof leaves more than this open, in billionths, another is tried.
const LOOSE_BILLIONTHS: u64 = 10_000;

/// How far from balanced the tokens may be when a search ends, all together, as a part of the trade.
const CLOSE: f64 = 1e-2;

/// The same where that was not good enough.
const CLOSER: f64 = 1e-6;

/// The best route within limits, and what no route can beat.
///
/// Prices at which the pools would carry the trade say how much each of them takes; those flows become whole amounts, and
/// the same prices prove the bound. Where the limits forbid some of the flows the smallest are left out and the rest
/// balanced anew. The best single path is taken where it is no worse.
///
/// # Errors
/// See [`RouteError`].
pub fn best(network: &Network, question: &Question, limits: &Limits) -> Result<Answer, RouteError> {
    question.check(network)?;
    let most = limits.legs.unwrap_or(usize::MAX).min(limits.hops);
    let single = fast(network, question, most.min(3));
    let Some(mut search) = Search::new(network, question, None) else {
        return Err(single.err().unwrap_or_else(|| question.no_route(network, limits.hops)));
    };
    if let Some(single) = single.as_ref().ok().filter(|single| is_close(question, search.prices(), single)) {
        // A small trade moves no price: those before it prove that one path is enough.
        let certificate = proved(network, question, search.prices(), single);
        if certificate.gap_billionths <= CLOSE_BILLIONTHS {
            return Ok(Answer { plan: single.clone(), certificate, left_out: network.left_out() });
        }
    }
    let spot = search.prices().to_vec();
    search.settle(CLOSE);
    let mut found = split(network, question, limits, &search, &spot);
    if found.is_err() {
        // Where pools are nearly full the flows must fit closely.
        search.settle(CLOSER);
        found = split(network, question, limits, &search, &spot);
    }
    let plan = match (found, single) {
        (Ok(split), Ok(single)) => better(question, split, single),
        (Ok(plan), Err(_)) | (Err(_), Ok(plan)) => plan,
        (Err(_), Err(error)) => return Err(error),
    };
    let mut certificate = proved(network, question, search.prices(), &plan);
    if certificate.gap_billionths > LOOSE_BILLIONTHS {
        // Of a small trade the prices before it may prove more than those that a search has left a little off.
        let before = proved(network, question, &spot, &plan);
        if before.gap_billionths < certificate.gap_billionths {
            certificate = before;
        }
    }
    Ok(Answer { plan, certificate, left_out: network.left_out() })
}

/// The plan that the search's flows come to within the limits; `spot` are the prices before the trade.
fn split(
    network: &Network,
    question: &Question,
    limits: &Limits,
    search: &Search<'_>,
    spot: &[f64],
) -> Result<Plan, RouteError> {
    let mut flows = Flows::new(network, question, search, spot);
    while flows.restrict(limits) {
        let mut allowed = vec![false; network.edges().len()];
        for edge in flows.edges() {
            allowed[edge as usize] = true;
        }
        let Some(mut search) = Search::new(network, question, Some(&allowed)) else { break };
        search.settle(CLOSE);
        flows = Flows::new(network, question, &search, spot);
    }
    let plan = fill(network, question, &flows.shares())?;
    let whole = match question.amount {
        Amount::In(units) => plan.amount_in == units,
        Amount::Out(units) => plan.amount_out >= units,
    };
    if plan.amount_in == 0 || plan.amount_out == 0 {
        return Err(RouteError::Dust);
    }
    if whole || limits.partial { Ok(plan) } else { Err(RouteError::TooMuch) }
}

/// Whether the plan is worth about what is paid at these prices, without what pools may give away at them.
fn is_close(question: &Question, prices: &[f64], plan: &Plan) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a search")]
    let (paid, received) =
        (plan.amount_in as f64 * prices[question.from], plan.amount_out as f64 * prices[question.to]);
    received >= paid * (1.0 - 1e-6)
}

/// The plan that gives more, or takes less.
fn better(question: &Question, split: Plan, single: Plan) -> Plan {
    let splits = match question.amount {
        Amount::In(_) => split.amount_out > single.amount_out,
        Amount::Out(units) => split.amount_out >= units && split.amount_in < single.amount_in,
    };
    if splits { split } else { single }
}

fn proved(network: &Network, question: &Question, prices: &[f64], plan: &Plan) -> super::Certificate {
    let prices: Vec<_> = prices.iter().map(|price| Dyadic::of_float(*price)).collect();
    certify(network, question, &prices, plan)
}

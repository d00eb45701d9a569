//! The best split over all paths.
#![expect(clippy::float_arithmetic, reason = "a search; its shares become whole amounts elsewhere")]

use crate::dyadic::Dyadic;
use crate::network::Network;
use crate::swap::Amount;

use super::bound::certify;
use super::equilibrium::{Equilibrium, Search};
use super::plan::{Plan, Share, fill};
use super::{Answer, Limits, Question, RouteError, fast};

/// The best route within limits, and what no route can beat.
///
/// Prices at which the pools would carry the trade say how much each of them takes; those flows become whole amounts, and
/// the same prices prove the bound. The best single path is taken where it is better.
///
/// # Errors
/// See [`RouteError`].
pub fn best(network: &Network, question: &Question, limits: &Limits) -> Result<Answer, RouteError> {
    question.check(network)?;
    let single = fast(network, question, limits.hops.min(3));
    let Some(equilibrium) = Search::new(network, question, limits.hops, None).run(None) else {
        return Err(single.err().unwrap_or_else(|| question.no_route(network, limits.hops)));
    };
    let split = split(network, question, limits, &equilibrium);
    if std::env::var("DBG").is_ok() {
        eprintln!(
            "rounds {} price {:e} excess {:e} {:?}",
            equilibrium.rounds,
            equilibrium.prices[question.from],
            equilibrium.off,
            split.as_ref().err()
        );
    }
    let plan = match (split, single) {
        (Ok(split), Ok(single)) => better(question, split, single),
        (Ok(plan), Err(_)) | (Err(_), Ok(plan)) => plan,
        (Err(_), Err(error)) => return Err(error),
    };
    let prices: Vec<_> = equilibrium.prices.iter().map(|price| Dyadic::of_float(*price)).collect();
    let certificate = certify(network, question, &prices, &plan);
    Ok(Answer { plan, certificate })
}

/// The plan that gives more, or takes less.
fn better(question: &Question, split: Plan, single: Plan) -> Plan {
    let splits = match question.amount {
        Amount::In(_) => split.amount_out >= single.amount_out,
        Amount::Out(units) => split.amount_out >= units && split.amount_in <= single.amount_in,
    };
    if splits { split } else { single }
}

/// How much less than the search says is asked of what is full, at first and where that was too much still.
const SLACKS: [f64; 3] = [1e-8, 1e-6, 1e-4];

fn split(
    network: &Network,
    question: &Question,
    _limits: &Limits,
    equilibrium: &Equilibrium,
) -> Result<Plan, RouteError> {
    let mut flows = Flows::new(network, question, equilibrium);
    let order = flows.order();
    let mut result = Err(RouteError::Dust);
    for slack in SLACKS {
        result = fill(network, question, &flows.shares(&order, slack));
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Flows between tokens, seen from where the amount is fixed: each goes from a near token to a far one.
struct Flows<'a> {
    network: &'a Network,
    forward: bool,
    end: usize,
    flows: Vec<Flow>,
}

struct Flow {
    edge: u32,
    near: usize,
    far: usize,
    /// Of the near token, in base units.
    units: f64,
    /// In the equilibrium's prices.
    value: f64,
    /// The pool gives no more.
    full: bool,
}

impl<'a> Flows<'a> {
    fn new(network: &'a Network, question: &Question, equilibrium: &Equilibrium) -> Self {
        let forward = matches!(question.amount, Amount::In(_));
        let (start, end) = if forward { (question.from, question.to) } else { (question.to, question.from) };
        #[expect(clippy::cast_precision_loss, reason = "a search")]
        let least = question.amount.units() as f64 * equilibrium.prices[start] * 2e-9;
        let mut flows = Vec::with_capacity(equilibrium.flows.len());
        for (edge, given) in &equilibrium.flows {
            let ends = &network.edges()[*edge as usize];
            let value = given.paid * equilibrium.prices[ends.from];
            if given.paid < 1.0 || given.received < 1.0 || value < least {
                continue;
            }
            let (near, far) = if forward { (ends.from, ends.to) } else { (ends.to, ends.from) };
            if far == start || near == end {
                continue;
            }
            let units = if forward { given.paid } else { given.received };
            let full = given.paid >= ends.curve.end() * (1.0 - 1e-9);
            flows.push(Flow { edge: *edge, near, far, units, value, full });
        }
        Self { network, forward, end, flows }
    }

    /// The tokens in an order in which each comes after all that flows into it. Of what flows in a circle the smallest flow is left out.
    fn order(&mut self) -> Vec<usize> {
        loop {
            let mut entering = vec![0_usize; self.network.tokens().len()];
            for flow in &self.flows {
                entering[flow.far] += 1;
            }
            let mut order: Vec<usize> = (0..entering.len()).filter(|token| entering[*token] == 0).collect();
            let mut next = 0;
            while let Some(token) = order.get(next).copied() {
                next += 1;
                for flow in self.flows.iter().filter(|flow| flow.near == token) {
                    entering[flow.far] -= 1;
                    if entering[flow.far] == 0 {
                        order.push(flow.far);
                    }
                }
            }
            if order.len() == entering.len() {
                return order;
            }
            let circling = |flow: &Flow| entering[flow.near] > 0 && entering[flow.far] > 0;
            let smallest = self.flows.iter().enumerate().filter(|(_, flow)| circling(flow));
            let smallest = smallest.min_by(|(_, a), (_, b)| a.value.total_cmp(&b.value)).map(|(place, _)| place);
            let Some(place) = smallest else { return order };
            self.flows.swap_remove(place);
        }
    }

    /// Shares in this order of their near tokens; of one token's, those that are full come first and the largest last.
    fn shares(&self, order: &[usize], slack: f64) -> Vec<Share> {
        // From the end: a token that can only flow on into what is full is full itself. A curve gives up less than its share when
        // it is paid less, so the slack grows with every hop before what is full.
        let mut choked: Vec<Option<f64>> = vec![None; order.len()];
        let full = |flow: &Flow, choked: &[Option<f64>]| choked[flow.far].or(flow.full.then_some(slack));
        for token in order.iter().rev().filter(|token| **token != self.end) {
            let leaving = self.flows.iter().filter(|flow| flow.near == *token);
            choked[*token] =
                leaving.map(|flow| full(flow, &choked)).try_fold(0.0_f64, |most, s| s.map(|s| most.max(s * 10.0)));
        }
        let mut shares = Vec::with_capacity(self.flows.len());
        for token in order {
            let mut leaving: Vec<_> = self.flows.iter().filter(|flow| flow.near == *token).collect();
            let full = |flow: &Flow| full(flow, &choked);
            leaving.sort_by(|a, b| full(b).is_some().cmp(&full(a).is_some()).then(a.value.total_cmp(&b.value)));
            for flow in leaving {
                let units = full(flow).map_or(flow.units, |slack| flow.units * (1.0 - slack));
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share, not an amount")]
                shares.push(Share { edge: flow.edge, weight: units as u64, full: full(flow).is_some() });
            }
        }
        shares
    }
}

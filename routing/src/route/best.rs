//! The best split over all paths.

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
    if std::env::var("DBG").is_ok() { eprintln!("rounds {} price {:e} excess {:e} {:?}", equilibrium.rounds, equilibrium.prices[question.from], equilibrium.off, split.as_ref().err()); }
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

fn split(network: &Network, question: &Question, _limits: &Limits, equilibrium: &Equilibrium) -> Result<Plan, RouteError> {
    let shares = in_order(network, question, equilibrium);
    fill(network, question, &shares)
}

/// The flows in an order in which every token is filled before it is spent; what would flow in a circle is left out.
fn in_order(network: &Network, question: &Question, equilibrium: &Equilibrium) -> Vec<Share> {
    let forward = matches!(question.amount, Amount::In(_));
    let flows: Vec<_> = equilibrium.flows.iter().filter(|(_, given)| given.paid >= 1.0).collect();
    let mut entering = vec![0_usize; network.tokens().len()];
    for (edge, _) in &flows {
        entering[network.edges()[*edge as usize].to] += 1;
    }
    let mut ready: Vec<usize> = (0..entering.len()).filter(|token| entering[*token] == 0).collect();
    let mut shares = Vec::with_capacity(flows.len());
    while let Some(token) = ready.pop() {
        for (edge, given) in &flows {
            let ends = &network.edges()[*edge as usize];
            if ends.from == token {
                let weight = if forward { given.paid } else { given.received };
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share, not an amount")]
                shares.push(Share { edge: *edge, weight: weight as u64 });
                entering[ends.to] -= 1;
                if entering[ends.to] == 0 {
                    ready.push(ends.to);
                }
            }
        }
    }
    shares
}

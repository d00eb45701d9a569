//! `tradewind route`: the route of one trade through the pools of a network file, and what proves it good.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow};
use routing::{Amount, Certificate, LeftOut, Leg, Limits, Network, NetworkFile, Plan, Question, RouteError};
use serde_json::{Value, json};

use super::{columns, line};
use crate::config::{Route, RouteMode};

/// Routes, and prints what was found.
pub(crate) fn run(settings: &Route) -> anyhow::Result<u8> {
    let network = read(&settings.network)?;
    let place = |flag: &str, token: &str| {
        network.token(token).ok_or_else(|| anyhow!("{flag}: no token {token} in {}", settings.network.display()))
    };
    let (from, to) = (place("--from", &settings.from)?, place("--to", &settings.to)?);
    let amount = if settings.exact_out { Amount::Out(settings.amount) } else { Amount::In(settings.amount) };
    let found = find(&network, &Question { from, to, amount }, settings);
    if let Err(RouteError::BadQuestion { field, reason }) = &found {
        return Err(anyhow!("--{field}: {reason}"));
    }
    let shown = Shown { network: &network, settings };
    match (&found, settings.json) {
        (Ok(found), true) => line(shown.json(found))?,
        (Ok(found), false) => line(shown.table(found))?,
        (Err(error), true) => {
            line(json!({"error": error.to_string(), "leftOut": left_out(&network.left_out())}))?;
        }
        (Err(error), false) => {
            line(error)?;
            shown.left_out().iter().try_for_each(line)?;
        }
    }
    Ok(u8::from(found.is_err()))
}

fn read(path: &Path) -> anyhow::Result<Network> {
    let named = || format!("--network {}", path.display());
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.with_context(named)?;
    Ok(NetworkFile::read(&text).with_context(named)?.network)
}

/// A route, and how good it is at least.
struct Found {
    plan: Plan,
    /// Not there when the search for a bound failed, and only the single path is known.
    certificate: Option<Certificate>,
}

fn find(network: &Network, question: &Question, settings: &Route) -> Result<Found, RouteError> {
    let hops = settings.hops.map(usize::from);
    let limits = Limits { hops: hops.unwrap_or(4), legs: Some(settings.legs.into()), paths: None, partial: false };
    let best = routing::best(network, question, &limits);
    if settings.mode == RouteMode::Best {
        return best.map(|answer| Found { plan: answer.plan, certificate: Some(answer.certificate) });
    }
    let plan = routing::fast(network, question, hops.unwrap_or(3))?;
    // The bound holds for every route, so for this one too.
    let certificate = best.ok().map(|answer| against(answer.certificate.bound, question, &plan));
    Ok(Found { plan, certificate })
}

/// How far a plan is from a bound, in billionths, rounded up.
fn against(bound: u64, question: &Question, plan: &Plan) -> Certificate {
    let off = match question.amount {
        Amount::In(_) => bound.saturating_sub(plan.amount_out),
        Amount::Out(_) => plan.amount_in.saturating_sub(bound),
    };
    let billionths = (u128::from(off) * 1_000_000_000).div_ceil(u128::from(bound.max(1)));
    Certificate { bound, gap_billionths: u64::try_from(billionths).unwrap_or(u64::MAX) }
}

/// Names instead of places.
struct Shown<'a> {
    network: &'a Network,
    settings: &'a Route,
}

impl Shown<'_> {
    fn token(&self, place: usize) -> &str {
        self.network.tokens().get(place).map_or("?", |name| name)
    }

    fn pool(&self, leg: &Leg) -> (&str, &'static str) {
        self.network.pools().get(leg.pool).map_or(("?", "?"), |pool| (&pool.id, pool.pool.kind()))
    }

    /// The token that a leg's fee is taken in.
    fn fee_token(&self, leg: &Leg) -> &str {
        self.token(if leg.swap.fees.token == leg.input { leg.from } else { leg.to })
    }

    fn json(&self, found: &Found) -> Value {
        let Found { plan, certificate } = found;
        let leg = |leg: &Leg| {
            let (pool, family) = self.pool(leg);
            json!({
                "pool": pool, "family": family, "from": self.token(leg.from), "to": self.token(leg.to),
                "amountIn": leg.swap.amount_in.to_string(), "amountOut": leg.swap.amount_out.to_string(),
                "fee": leg.swap.fees.total.to_string(), "feeToken": self.fee_token(leg), "shareBps": share(plan, leg),
            })
        };
        json!({
            "from": self.settings.from, "to": self.settings.to,
            "mode": if self.settings.exact_out { "exactOut" } else { "exactIn" },
            "amountIn": plan.amount_in.to_string(), "amountOut": plan.amount_out.to_string(),
            "bound": certificate.map(|proved| proved.bound.to_string()),
            "gapBps": certificate.map(|proved| proved.gap_bps()),
            "legs": plan.legs.iter().map(leg).collect::<Vec<_>>(),
            "leftOut": left_out(&self.network.left_out()),
        })
    }

    /// The legs in columns, and under them what comes of them.
    fn table(&self, found: &Found) -> String {
        let Found { plan, certificate } = found;
        let head = ["#", "pool", "family", "pay", "receive", "fee", "share"].map(str::to_owned);
        let legs = plan.legs.iter().zip(1..).map(|(leg, number): (_, u32)| {
            let (pool, family) = self.pool(leg);
            let share = share(plan, leg);
            [
                number.to_string(),
                pool.to_owned(),
                family.to_owned(),
                format!("{} {}", leg.swap.amount_in, self.token(leg.from)),
                format!("{} {}", leg.swap.amount_out, self.token(leg.to)),
                format!("{} {}", leg.swap.fees.total, self.fee_token(leg)),
                format!("{}.{:02}%", share / 100, share % 100),
            ]
        });
        let mut lines = columns(&std::iter::once(head).chain(legs).collect::<Vec<_>>(), [1, 2]);
        let Route { from, to, exact_out, .. } = self.settings;
        lines.push(String::new());
        lines.push(format!("paid      {} {from}", plan.amount_in));
        lines.push(format!("received  {} {to}", plan.amount_out));
        match certificate {
            Some(proved) if *exact_out => lines.push(format!("bound     {} {from}: no route takes less", proved.bound)),
            Some(proved) => lines.push(format!("bound     {} {to}: no route gives more", proved.bound)),
            None => lines.push("bound     none was found".to_owned()),
        }
        lines.extend(certificate.map(|proved| format!("gap       {} bps at most", proved.gap_bps())));
        lines.extend(self.left_out());
        lines.join("\n")
    }

    fn left_out(&self) -> Vec<String> {
        self.network.left_out().iter().map(|LeftOut { pool, why }| format!("left out  {pool}: {why}")).collect()
    }
}

fn left_out(pools: &[LeftOut]) -> Vec<Value> {
    pools.iter().map(|LeftOut { pool, why }| json!({"pool": &**pool, "why": why})).collect()
}

/// The part of its token that a leg takes, of all that the plan's legs take of it, in hundredths of a per cent, rounded down.
fn share(plan: &Plan, leg: &Leg) -> u128 {
    let taken = |leg: &Leg| u128::from(leg.swap.amount_in);
    let all: u128 = plan.legs.iter().filter(|other| other.from == leg.from).map(taken).sum();
    taken(leg) * 10_000 / all.max(1)
}

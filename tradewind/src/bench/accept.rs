//! Durable orders accepted per second, and how soon at half of that rate, while the workers execute them at the pace of a
//! real chain.

use std::sync::Arc;
use std::time::Duration;

use super::histogram::Histogram;
use super::load::{self, Load, Until, precise};
use super::orders;
use super::progress::Progress;
use super::report::{Bar, Row, latency, median};
use super::rounds::{Contest, ROUNDS, Subject};
use crate::config::Bench;

const ARGUMENTS: [&str; 2] = ["--venue", "paper?pace=real"];

/// The peak; then half of it where the journal has a bar for that.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let peak = peak(settings).await?;
    if settings.journal.is_none() {
        return Ok(vec![peak]);
    }
    let half = at_half_of(settings, peak.value).await?;
    Ok(vec![peak, half])
}

/// A new server and journal every round: the backlog of one would slow down the yardstick of the next.
async fn peak(settings: &Bench) -> anyhow::Result<Row> {
    let contest = Contest {
        what: format!("orders accepted, {} connections", settings.connections),
        unit: "orders/s",
        bar: Bar::AtLeast(if settings.journal.is_some() { 0.15 } else { 0.35 }),
        make: orders::placing(),
        see: None,
    };
    contest.run(settings, |_| async { Ok(Arc::new(Subject::take(settings, &ARGUMENTS).await?)) }).await
}

/// Orders come at half of the peak rate, however soon they are answered; a latency counts from when its order was due.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
async fn at_half_of(settings: &Bench, peak: f64) -> anyhow::Result<Row> {
    let rate = (peak / 2.0).max(1.0);
    let what = format!("accepting {rate:.0} orders/s, half of the peak: p99");
    let progress = Progress::begin(&what);
    let (mut p99s, mut latencies) = (Vec::new(), Histogram::default());
    for round in 1..=ROUNDS {
        progress.say(format!("{what}: round {round} of {ROUNDS}"));
        let subject = Subject::take(settings, &ARGUMENTS).await?;
        let load = Load {
            address: subject.address,
            connections: settings.connections,
            make: orders::placing(),
            see: None,
            until: Until::Elapsed(Duration::from_secs(settings.seconds)),
            first: 0,
            pace: Some(Duration::from_secs_f64(1.0 / rate)),
        };
        let measured = load::run(load).await?.all_good(&what)?;
        p99s.push(precise(measured.latency.quantile(990)) / 1_000.0);
        latencies.merge(&measured.latency);
    }
    let p99 = median(p99s);
    Ok(Row {
        what,
        value: p99,
        unit: "ms",
        yardstick: None,
        score: p99,
        bar: Bar::AtMost(50.0),
        latency: Some(latency(&latencies)),
        spoilt: None,
    })
}

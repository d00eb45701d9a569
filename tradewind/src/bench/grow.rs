//! What many orders cost: memory after a million of them, and whether the hundredth run is as fast as the first.

use std::time::Instant;

use super::child::Server;
use super::load::precise;
use super::orders::{self, Ended};
use super::progress::Progress;
use super::report::{Bar, Row, median};
use super::store::Store;
use crate::config::{Bench, Scenario};

/// Orders of one run.
const RUN: u64 = 10_000;
const MEGABYTE: f64 = 1_000_000.0;

/// Resident memory of the server after accepting and executing many orders, its highest mark included.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(crate) async fn memory(settings: &Bench) -> anyhow::Result<Row> {
    let reduced = settings.scenario == Scenario::All && !settings.full;
    let count = settings.orders.unwrap_or(if reduced { 200_000 } else { 1_000_000 });
    let store = Store::make(settings).await?;
    let server = store.serve(&["--venue", "paper?pace=instant"])?;
    let progress = Progress::begin("memory");
    let (mut done, mut ended) = (0, Ended::default());
    while done < count {
        let part = RUN.min(count - done);
        (ended, _) = one_run(&server, settings.connections, part, done).await?;
        done += part;
        progress.say(format!("memory: {done} of {count} orders"));
    }
    let now = precise(server.memory("VmRSS")?) / MEGABYTE;
    let highest = precise(server.memory("VmHWM")?) / MEGABYTE;
    Ok(Row {
        what: format!("resident memory at its highest, {count} orders (at the end: {now:.0} MB)"),
        value: highest,
        unit: "MB",
        yardstick: None,
        score: highest,
        bar: Bar::AtMost(256.0),
        latency: None,
        spoilt: ended.spoilt(),
    })
}

/// Runs of ten thousand orders, each until all have ended: the median rate of the last five ÷ that of the first five
/// (of fewer when there are fewer than ten runs).
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(crate) async fn linear(settings: &Bench) -> anyhow::Result<Row> {
    let store = Store::make(settings).await?;
    let server = store.serve(&["--venue", "paper?pace=instant"])?;
    let progress = Progress::begin("linear");
    let (mut rates, mut ended) = (Vec::new(), Ended::default());
    for run in 0..settings.runs {
        let rate;
        (ended, rate) = one_run(&server, settings.connections, RUN, run * RUN).await?;
        rates.push(rate);
        progress.say(format!("linear: run {} of {}, {rate:.0} orders/s", run + 1, settings.runs));
    }
    let few = (rates.len() / 2).clamp(1, 5);
    let first = median(rates[..few].to_vec());
    let last = median(rates[rates.len() - few..].to_vec());
    Ok(Row {
        what: format!("last of {} runs of {RUN} orders ÷ the first (yardstick)", settings.runs),
        value: last,
        unit: "orders/s",
        yardstick: Some(first),
        score: last / first,
        bar: Bar::AtLeast(0.9),
        latency: None,
        spoilt: ended.spoilt(),
    })
}

/// Places `count` orders after the `before` earlier ones and waits for the last; answers with the orders per second.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
async fn one_run(server: &Server, connections: u32, count: u64, before: u64) -> anyhow::Result<(Ended, f64)> {
    let begun = Instant::now();
    orders::place(server.address, connections, count).await?;
    let ended = Ended::wait(server.address, before + count, |_| {}).await?;
    Ok((ended, precise(count) / begun.elapsed().as_secs_f64()))
}

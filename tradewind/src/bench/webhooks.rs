//! Webhooks: how many are delivered per second, how soon after the commit, and the list of deals that they are about.

pub(in crate::bench) mod deals;
mod list;
mod receivers;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::load::{self, Load, Until, precise};
use super::orders;
use super::progress::Progress;
use super::report::{Bar, Row, latency};
use super::store::Store;
use crate::config::Bench;
use receivers::Receivers;

/// What lets the server reach endpoints on this machine.
const ALLOWED: [&str; 4] = ["--webhook-allow-net", "127.0.0.1", "--venue", "paper?pace=instant"];
/// Deliveries of a drain for each of `--seconds`, unless `--orders` says how many.
const DELIVERIES_A_SECOND: u64 = 10_000;
/// A change is due so often: 500 a second.
const PACE: Duration = Duration::from_millis(2);

/// Everything about webhooks that has a bar.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let postgres = settings.journal.is_some();
    Ok(vec![
        drain(settings, 1, if postgres { 1_500.0 } else { 3_000.0 }).await?,
        drain(settings, 100, if postgres { 1_500.0 } else { 2_000.0 }).await?,
        arrive(settings).await?,
        list::run(settings).await?,
    ])
}

/// Deals that were posted while no server ran, each delivered to its seller's endpoint: from the first arrival to the last.
async fn drain(settings: &Bench, endpoints: u64, bar: f64) -> anyhow::Result<Row> {
    let count = settings.orders.unwrap_or(DELIVERIES_A_SECOND * settings.seconds);
    let progress = Progress::begin("webhooks: endpoints");
    let receivers = Receivers::listen(endpoints).await?;
    let store = Store::make(settings).await?;
    let server = store.serve(&ALLOWED)?;
    receivers.enrol(server.address, deals::seller).await?;
    server.stop()?;
    deals::post(&store, count, endpoints, &progress).await?;
    let _server = store.serve(&ALLOWED)?;
    let came = receivers.wait(count, |came| progress.say(format!("webhooks: {came} of {count} delivered"))).await;
    let rate = receivers.rate();
    let to = if endpoints == 1 { "one keep-alive endpoint".to_owned() } else { format!("{endpoints} endpoints") };
    Ok(Row {
        what: format!("{count} webhooks delivered to {to}"),
        value: rate,
        unit: "deliveries/s",
        yardstick: None,
        score: rate,
        bar: Bar::AtLeast(bar),
        latency: None,
        spoilt: (came < count).then(|| format!("only {came} of {count} webhooks came")),
    })
}

/// Deals posted at a steady rate: from their decision to their arrival.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
async fn arrive(settings: &Bench) -> anyhow::Result<Row> {
    let seconds = settings.seconds.saturating_mul(3);
    let progress = Progress::begin(format!("webhooks: {seconds} s of changes"));
    let receivers = Receivers::listen(1).await?;
    let store = Store::make(settings).await?;
    let server = store.serve(&ALLOWED)?;
    receivers.enrol(server.address, deals::seller).await?;
    let body = br#"{"name":"Deal","currency":"GBP","items":[{"name":"Chair","price":1200}]}"#;
    let make: load::Make = Arc::new(|_| orders::post("/v1/deals", Bytes::from_static(body), Some(&deals::seller(0))));
    let until = Until::Elapsed(Duration::from_secs(seconds));
    let load = Load {
        address: server.address,
        connections: settings.connections,
        make,
        see: None,
        until,
        first: 0,
        pace: Some(PACE),
    };
    let sent = load::run(load).await?.all_good("posting deals")?.sent;
    progress.say("webhooks: the last of them");
    let came = receivers.wait(sent, |_| {}).await;
    let ages = receivers.ages();
    let p99 = precise(ages.quantile(990)) / 1_000.0;
    Ok(Row {
        what: format!("500 changes/s, commit → arrival: p99 (longest {} ms)", ages.most() / 1_000),
        value: p99,
        unit: "ms",
        yardstick: None,
        score: p99,
        bar: Bar::AtMost(100.0),
        latency: Some(latency(&ages)),
        spoilt: (came < sent).then(|| format!("only {came} of {sent} webhooks came")),
    })
}

//! Venues over HTTP, on a simulated chain: what an adapter adds to its venue's own time, what a venue that hangs costs an order,
//! and how many orders the chain confirms per second.

mod overhead;
mod wallet;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use serde_json::Value;

use self::wallet::Wallet;
use super::child::Server;
use super::load::{self, Load, Until};
use super::orders::{self, Ended};
use super::progress::Progress;
use super::report::{Bar, Row, latency, median};
use super::store::Store;
use crate::config::{Bench, Scenario};

/// Orders that are on their way at once.
const AT_ONCE: u32 = 200;
/// How many orders the chain is given, unless the operator says.
const ORDERS: u64 = 2_000;
const CONFIRMED_BAR: f64 = 150.0;

/// How long a venue has for a quote, in milliseconds, and what timers may add.
const DEADLINE: f64 = 800.0;
const TIMERS: f64 = 20.0;
/// So many orders are delayed by a venue that hangs; then it is no longer asked.
const DELAYED: usize = 5;

/// All three.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let wallet = Wallet::make(settings)?;
    let mut rows = overhead::run(&wallet).await?;
    rows.push(hanging(settings, &wallet).await?);
    rows.push(confirmed(settings, &wallet).await?);
    Ok(rows)
}

/// Starts the chain.
fn chain(pace: &str, faults: &str) -> anyhow::Result<Server> {
    let common = ["simnet", "--listen", "127.0.0.1:0", "--log", "error", "--pace", pace];
    Server::start(&[&common[..], &["--faults", faults]].concat())
}

fn jupiter(chain: SocketAddr) -> String {
    format!("jupiter=http://{chain}/jupiter?rpc=http://{chain}/rpc")
}

/// How much longer an order takes because one of its venues never answers: the worst of those before the venue is left alone.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
async fn hanging(settings: &Bench, wallet: &Wallet) -> anyhow::Result<Row> {
    let progress = Progress::begin("venues: orders beside a venue that hangs");
    let chain = chain("instant", "jupiter.timeout=1.0")?;
    let (venue, signer) = (jupiter(chain.address), wallet.signer());
    let store = Store::make(settings).await?;
    let server = store.serve(&["--venue", "paper?pace=instant"])?;
    let alone = median(orders_one_by_one(server.address, 4 * DELAYED + 1).await?);
    server.stop()?;
    let store = Store::make(settings).await?;
    let server = store.serve(&["--venue", "paper?pace=instant", "--venue", &venue, "--signer", &signer])?;
    let beside = orders_one_by_one(server.address, DELAYED).await?;
    server.stop()?;
    drop(progress);
    let delay = beside.into_iter().reduce(f64::max).unwrap_or_default() - alone;
    Ok(Row {
        what: format!("an order beside a venue that hangs, longer than without it; deadline {DEADLINE} ms"),
        value: delay,
        unit: "ms",
        yardstick: None,
        score: delay,
        bar: Bar::AtMost(DEADLINE + TIMERS),
        latency: None,
        spoilt: None,
    })
}

/// How long each of so many orders took until it was confirmed, in milliseconds.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
async fn orders_one_by_one(server: SocketAddr, count: usize) -> anyhow::Result<Vec<f64>> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(40)).build()?;
    let mut took = Vec::new();
    for _ in 0..count {
        let request = client.post(format!("http://{server}/v1/swaps?wait=30")).body(SELL);
        let begun = Instant::now();
        let answer: Value = request.header("content-type", "application/json").send().await?.json().await?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
        ensure!(
            answer.get("status").and_then(Value::as_str) == Some("confirmed"),
            "an order was not confirmed: {answer}"
        );
    }
    Ok(took)
}

const SELL: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"0.01"}"#;

/// Orders per second from acceptance to confirmation, with so many on their way at once, on a chain with slots of 400 ms.
async fn confirmed(settings: &Bench, wallet: &Wallet) -> anyhow::Result<Row> {
    // Within all the operator's number is meant for others: this chain confirms some two hundred a second.
    let count = settings.orders.filter(|_| settings.scenario == Scenario::Venues).unwrap_or(ORDERS);
    let progress = Progress::begin(format!("venues: {count} orders on a chain with slots of 400 ms"));
    let chain = chain("real", "")?;
    wallet.fund(chain.address).await?;
    let store = Store::make(settings).await?;
    let server = store.serve(&["--venue", &jupiter(chain.address), "--signer", &wallet.signer()])?;
    let make: load::Make =
        std::sync::Arc::new(|_| orders::post("/v1/swaps?wait=30", Bytes::from_static(SELL.as_bytes()), None));
    let (address, until) = (server.address, Until::Sent(count));
    let load = Load { address, connections: AT_ONCE, make, see: None, until, first: 0, pace: None };
    let measured = load::run(load).await?.all_good("placing orders")?;
    let ended = Ended::wait(server.address, count, |_| ()).await?;
    server.stop().context("after the orders")?;
    drop(progress);
    let rate = measured.rate();
    Ok(Row {
        what: format!("{count} orders confirmed at Jupiter on a simulated Solana, {AT_ONCE} at once"),
        value: rate,
        unit: "orders/s",
        yardstick: None,
        score: rate,
        bar: Bar::AtLeast(CONFIRMED_BAR),
        latency: Some(latency(&measured.latency)),
        spoilt: ended.spoilt(),
    })
}

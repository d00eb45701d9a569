//! The drain: orders that are on disk already, executed to their end on venues that answer at once.

use std::time::Instant;

use super::load::precise;
use super::orders::{self, Ended};
use super::progress::Progress;
use super::report::{Bar, Row};
use super::store::Store;
use crate::config::Bench;

const ORDERS: u64 = 200_000;
/// Every step of an order is a commit over there.
const ORDERS_POSTGRES: u64 = 50_000;
const BAR: f64 = 8_000.0;
const BAR_POSTGRES: f64 = 3_000.0;

/// Accepts all orders on a server whose workers rest, starts it anew with 256 of them, and takes the time until the
/// last order is final: from the moment that the server says that it listens, less what it had done until then.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let count = settings.orders.unwrap_or(if settings.journal.is_some() { ORDERS_POSTGRES } else { ORDERS });
    let store = Store::make(settings).await?;
    let progress = Progress::begin(format!("execute: placing {count} orders"));
    let resting = store.serve(&["--concurrency", "swap.execute=0", "--venue", "paper?pace=instant"])?;
    orders::place(resting.address, settings.connections, count).await?;
    resting.stop()?;

    let working = store.serve(&["--concurrency", "swap.execute=256", "--venue", "paper?pace=instant"])?;
    let begun = Instant::now();
    let client = reqwest::Client::new();
    let before = Ended::read(&client, working.address).await?;
    let ended = Ended::wait(working.address, count, |ended| {
        progress.say(format!("execute: {} of {count} orders", ended.all()));
    })
    .await?;
    let rate = precise(count - before.all()) / begun.elapsed().as_secs_f64();
    Ok(Row {
        what: format!("{count} accepted orders executed"),
        value: rate,
        unit: "orders/s",
        yardstick: None,
        score: rate,
        bar: Bar::AtLeast(if settings.journal.is_some() { BAR_POSTGRES } else { BAR }),
        latency: None,
        spoilt: ended.spoilt(),
    })
}

//! The drain: orders that are on disk already, executed to their end on venues that answer at once.

use std::time::Instant;

use super::child::Folder;
use super::load::precise;
use super::orders::{self, Ended};
use super::progress::Progress;
use super::report::{Bar, Row};
use super::rounds::start;
use crate::config::Bench;

const ORDERS: u64 = 200_000;
const BAR: f64 = 8_000.0;

/// Accepts all orders on a server whose workers rest, starts it anew with 256 of them, and takes the time until the
/// last order is final: from the moment that the server says that it listens, less what it had done until then.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let count = settings.orders.unwrap_or(ORDERS);
    let folder = Folder::make(settings.dir.as_deref())?;
    let progress = Progress::begin(format!("execute: placing {count} orders"));
    let resting = start(&folder, &["--swap-concurrency", "0", "--venue", "paper?pace=instant"])?;
    orders::place(resting.address, settings.connections, count).await?;
    resting.stop()?;

    let working = start(&folder, &["--swap-concurrency", "256", "--venue", "paper?pace=instant"])?;
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
        bar: Bar::AtLeast(BAR),
        latency: None,
        spoilt: ended.spoilt(),
    })
}

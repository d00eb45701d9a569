//! Reads: orders by id, from the journal and from the cache, and the cheapest request there is.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;
use bytes::Bytes;

use super::load::{self, Load, Until};
use super::orders;
use super::progress::Progress;
use super::report::{Bar, Row};
use super::rounds::{Contest, Subject};
use crate::config::Bench;

/// So many distinct orders are read, over and over.
const DISTINCT: u64 = 10_000;

/// `GET /v1/swaps/{id}`: straight from the journal, then from the cache with every request counted by both limits.
/// A server of `--url` is measured as it is set.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    if settings.url.is_some() {
        return Ok(vec![read(settings, "as the server is set", Bar::AtLeast(0.45), &[]).await?]);
    }
    // Nobody has said how fast a read from PostgreSQL must be.
    let uncached = if settings.journal.is_some() { Bar::None } else { Bar::AtLeast(0.45) };
    Ok(vec![
        read(settings, "uncached", uncached, &["--cache", "none"]).await?,
        read(settings, "cached, limits checked", Bar::AtLeast(0.65), &LIMITED).await?,
    ])
}

/// The cache that is the default, and limits that nobody reaches.
const LIMITED: [&str; 4] = ["--rate-limit", "1000000/s", "--rate-limit-address", "1000000/s"];

async fn read(settings: &Bench, how: &str, bar: Bar, arguments: &[&str]) -> anyhow::Result<Row> {
    let arguments = [&["--concurrency", "swap.execute=0"], arguments].concat();
    let subject = Arc::new(Subject::take(settings, &arguments).await?);
    let ids = {
        let _progress = Progress::begin(format!("read: placing {DISTINCT} orders"));
        place(&subject, settings.connections).await?
    };
    let make: load::Make = Arc::new(move |number| {
        // A stride that shares no factor with the count visits every id before one returns.
        let index = usize::try_from(number.wrapping_mul(7_919) % DISTINCT).unwrap_or(0);
        orders::get(&ids[index])
    });
    let what = format!("orders read by id, {DISTINCT} of them, {how}");
    let contest = Contest { what, unit: "reads/s", bar, make, see: None };
    contest.run(settings, |_| shared(&subject)).await
}

/// `GET /health/live`.
pub(crate) async fn health(settings: &Bench) -> anyhow::Result<Row> {
    let subject = Arc::new(Subject::take(settings, &["--concurrency", "swap.execute=0"]).await?);
    let make: load::Make = Arc::new(|_| orders::get("/health/live"));
    let contest =
        Contest { what: "GET /health/live".to_owned(), unit: "requests/s", bar: Bar::AtLeast(0.80), make, see: None };
    contest.run(settings, |_| shared(&subject)).await
}

/// An idle server does not disturb the yardstick: one is enough for all rounds.
fn shared(subject: &Arc<Subject>) -> std::future::Ready<anyhow::Result<Arc<Subject>>> {
    std::future::ready(Ok(Arc::clone(subject)))
}

async fn place(subject: &Subject, connections: u32) -> anyhow::Result<Vec<String>> {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let see: load::See = {
        let paths = Arc::clone(&paths);
        Arc::new(move |body: &Bytes| {
            if let Some(id) = id(body) {
                paths.lock().unwrap_or_else(PoisonError::into_inner).push(format!("/v1/swaps/{id}"));
            }
        })
    };
    let make = orders::placing();
    let until = Until::Sent(DISTINCT);
    let load = Load { address: subject.address, connections, make, see: Some(see), until, first: 0, pace: None };
    load::run(load).await?.all_good("placing orders")?;
    let paths = std::mem::take(&mut *paths.lock().unwrap_or_else(PoisonError::into_inner));
    ensure!(paths.len() as u64 == DISTINCT, "the server answered orders without an id");
    Ok(paths)
}

fn id(body: &Bytes) -> Option<String> {
    let order: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(order.get("id")?.as_str()?.to_owned())
}

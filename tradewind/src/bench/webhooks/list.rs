//! The deal list of a buyer whom fifty of a thousand sellers authorised, from the journal.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::{Owner, authorisation};
use engine::clock;

use super::deals;
use crate::bench::backlog::open;
use crate::bench::load::{self, Load, Until, precise};
use crate::bench::orders;
use crate::bench::progress::Progress;
use crate::bench::report::{Bar, Row, latency};
use crate::bench::store::Store;
use crate::config::{Bench, Scenario};

const DEALS: u64 = 1_000_000;
/// Within all, unless in full.
const REDUCED: u64 = 100_000;
const SELLERS: u64 = 1_000;
/// Who authorised the buyer: every twentieth seller.
const AUTHORISED: u64 = 50;
const BUYER: &str = "buyer";
/// A request is due so often.
const PACE: Duration = Duration::from_millis(5);
const CONNECTIONS: u32 = 8;
/// The first page, those still to be had, those of one seller, of a currency, of a price.
const QUERIES: [&str; 5] =
    ["", "&status=available", "&seller=seller-20", "&currency=EUR", "&minPrice=2500&maxPrice=3500"];

/// The p99 of pages of fifty, of five sorts in turn.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(super) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let reduced = settings.scenario == Scenario::All && !settings.full;
    let count = settings.deals.unwrap_or(if reduced { REDUCED } else { DEALS });
    let progress = Progress::begin("webhooks: deals");
    let store = Store::make(settings).await?;
    deals::post(&store, count, SELLERS, &progress).await?;
    authorise(&store).await?;
    let server = store.serve(&["--venue", "paper?pace=instant", "--cache", "none"])?;
    progress.say("webhooks: lists of deals");
    let make: load::Make = Arc::new(|number| {
        let query = QUERIES[usize::try_from(number).unwrap_or(0) % QUERIES.len()];
        let mut request = orders::get(&format!("/v1/deals?limit=50{query}"));
        request.headers_mut().insert("x-account", hyper::header::HeaderValue::from_static(BUYER));
        request
    });
    let see: load::See = Arc::new(|_| {});
    let until = Until::Elapsed(Duration::from_secs(settings.seconds.saturating_mul(2)));
    let load = Load {
        address: server.address,
        connections: CONNECTIONS,
        make,
        see: Some(see),
        until,
        first: 0,
        pace: Some(PACE),
    };
    let measured = load::run(load).await?.all_good("listing deals")?;
    ensure!(measured.good > 0, "no list was answered");
    let p99 = precise(measured.latency.quantile(990)) / 1_000.0;
    Ok(Row {
        what: format!("deal list of a buyer of {AUTHORISED} sellers among {count} deals: p99"),
        value: p99,
        unit: "ms",
        yardstick: None,
        score: p99,
        bar: Bar::AtMost(5.0),
        latency: Some(latency(&measured.latency)),
        spoilt: None,
    })
}

/// Lets the buyer see the deals of its sellers.
async fn authorise(store: &Store) -> anyhow::Result<()> {
    let journal = open(store).await?;
    let buyer = Owner::parse(BUYER).context("an account")?;
    for number in (0..SELLERS).step_by(usize::try_from(SELLERS / AUTHORISED)?) {
        let seller = Owner::parse(&deals::seller(number)).context("an account")?;
        let granted = authorisation::grant(None, &seller, &buyer, clock::now());
        journal.apply(granted.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?.change).await?;
    }
    journal.close().await;
    Ok(())
}

//! One product that everyone buys: orders of it per second, through the engine's intake in this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use domain::money::Currency;
use domain::shop::stock::{Count, Levels};
use domain::shop::{Content, Customer, Draft, Place, Wanted};
use domain::{Owner, Refusal};
use engine::intake::{Intake, IntakeError, new_id};
use tokio::task::JoinSet;

use crate::bench::backlog::open;
use crate::bench::histogram::Histogram;
use crate::bench::load::precise;
use crate::bench::progress::Progress;
use crate::bench::report::{Bar, Row, latency};
use crate::bench::store::Store;
use crate::config::Bench;

const CLIENTS: usize = 64;
const PRODUCT: &str = "mug";
const PIECES: i64 = 1_000_000_000;

/// Clients buy one piece after the other for some seconds: each sale is an order with its event and its reservation.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(super) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let store = Store::make(settings).await?;
    let journal = open(&store).await?;
    let intake = Arc::new(Intake::new(Arc::clone(&journal), Arc::default()));
    let (shop, content) = (Owner::default(), content()?);
    intake.count_stock(&shop, (PRODUCT, None), Count::Set(PIECES), None).await?;
    let progress = Progress::begin(format!("queue: one product, {CLIENTS} clients"));
    let begun = Instant::now();
    let until = begun + Duration::from_secs(settings.seconds.saturating_mul(2));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (intake, shop, content) = (Arc::clone(&intake), shop.clone(), content.clone());
        clients.spawn(async move { buy(&intake, shop, content, until).await });
    }
    let mut latencies = Histogram::default();
    let mut sold = 0;
    while let Some(one) = clients.join_next().await {
        let (count, one) = one??;
        sold += count;
        latencies.merge(&one);
    }
    let took = begun.elapsed();
    drop(progress);
    let levels = intake.levels(&shop, &[PRODUCT]).await?;
    ensure!(
        levels == [Levels { available: PIECES - sold, reserved: sold }],
        "{sold} pieces were sold and the levels are {levels:?}"
    );
    journal.close().await;
    let rate = precise(sold.unsigned_abs()) / took.as_secs_f64();
    Ok(Row {
        what: format!("orders of one product, {CLIENTS} clients, through the intake"),
        value: rate,
        unit: "orders/s",
        yardstick: None,
        score: rate,
        bar: Bar::AtLeast(500.0),
        latency: Some(latency(&latencies)),
        spoilt: None,
    })
}

async fn buy(intake: &Intake, shop: Owner, content: Content, until: Instant) -> Result<(i64, Histogram), IntakeError> {
    let (mut sold, mut latencies) = (0, Histogram::default());
    while Instant::now() < until {
        let place = Place { id: new_id(), shop: shop.clone(), content: content.clone(), external_reference: None };
        let asked = Instant::now();
        intake.place_order(place, None).await?;
        sold += 1;
        latencies.record(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok((sold, latencies))
}

fn content() -> Result<Content, Refusal> {
    let customer = Customer::new("Ada".to_owned(), "ada@example.org".to_owned(), None)?;
    let wanted = Wanted { product_id: PRODUCT.to_owned(), name: "Mug".to_owned(), quantity: 1, unit_price: 1_250 };
    let currency = Currency::parse("GBP").ok_or_else(|| Refusal::new("CURRENCY_UNKNOWN", "GBP"))?;
    Content::new(Draft { customer, items: vec![wanted], currency, discount: None, stated: None, note: None })
}

//! Reads through the engine's cache beside writers: each is held to what was answered before it began.

use std::fmt::Write;
use std::str::from_utf8;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, anyhow, ensure};
use bytes::Bytes;
use domain::money::Currency;
use domain::shop::{Amendment, Content, Customer, Draft, Place, Wanted};
use domain::token::Registry;
use domain::{Kind, Owner};
use drivers::cache::Statistics;
use drivers::journal::{Among, List};
use drivers::{Fault, cache, venue, wake};
use engine::cached::Whose;
use engine::intake::{Intake, Target, new_id};
use engine::{Concurrency, Engine, Parts, Settings, clock};
use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use super::super::backlog::open;
use super::super::load::precise;
use super::super::progress::Progress;
use super::super::report::{Bar, Row};
use super::super::store::Store;
use super::super::webhooks::deals;
use crate::config::{Bench, Scenario};
use crate::serve::plain;

const READS: u64 = 10_000_000;
/// Within all.
const REDUCED: u64 = 1_000_000;
const READERS: u64 = 64;
const WRITERS: u64 = 8;
const SELLERS: u64 = 50;
const DEALS: u64 = 1_000;
/// Of each seller.
const ORDERS: u64 = 20;
/// One in so many reads is of a list.
const LISTS: u64 = 8;

/// A deal or an order, and the version that was answered last.
struct One {
    id: String,
    answered: AtomicU64,
}

/// All of a seller's of one kind, oldest first.
struct Shelf {
    kind: Kind,
    owner: Owner,
    all: Vec<One>,
}

struct Site {
    engine: Engine,
    shelves: Vec<Shelf>,
    left: AtomicU64,
    stale: AtomicU64,
    over: AtomicBool,
}

/// So many reads by 64 readers, by id and of lists, while eight writers change the deals and orders one after the other.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(super) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let usual = if settings.scenario == Scenario::All && !settings.full { REDUCED } else { READS };
    let reads = settings.reads.unwrap_or(usual);
    let progress = Progress::begin("cache: stale reads");
    let store = Store::make(settings).await?;
    deals::post(&store, DEALS, SELLERS, &progress).await?;
    let site = Arc::new(Site::open(&store, reads).await?);
    let begun = Instant::now();
    let (mut readers, mut writers) = (JoinSet::new(), JoinSet::new());
    for seed in 0..READERS {
        let site = Arc::clone(&site);
        readers.spawn(async move { site.read(seed).await });
    }
    for seed in 0..WRITERS {
        let site = Arc::clone(&site);
        writers.spawn(async move { site.write(seed).await });
    }
    while let Some(done) = readers.join_next().await {
        done??;
        progress.say(format!("cache: {} reads to go", site.left.load(Ordering::Relaxed)));
    }
    let took = begun.elapsed();
    site.over.store(true, Ordering::Relaxed);
    let mut written = 0;
    while let Some(done) = writers.join_next().await {
        written += done??;
    }
    let Statistics { hits, misses, joined, fills_refused, .. } = site.engine.cached.cache().statistics();
    let stale = site.stale.load(Ordering::SeqCst);
    site.engine.stop(std::time::Duration::from_secs(10)).await;
    let (rate, share) = (precise(reads) / took.as_secs_f64(), 100.0 * precise(hits) / precise(hits + misses + joined));
    let why =
        format!("the reads met {written} writes and {fills_refused} loads that these had made old: too few to tell");
    Ok(Row {
        what: format!(
            "stale of {reads} reads of deals and orders in process beside {written} durable writes \
             ({rate:.0} reads/s, {share:.1} % hits, {fills_refused} fills refused)"
        ),
        value: precise(stale),
        unit: "stale reads",
        yardstick: None,
        score: precise(stale),
        bar: Bar::AtMost(0.0),
        latency: None,
        spoilt: (written < 100 || fills_refused == 0).then_some(why),
    })
}

impl Site {
    async fn open(store: &Store, reads: u64) -> anyhow::Result<Self> {
        let (journal, tokens) = (open(store).await?, Arc::new(Registry::default()));
        let mut shelves: Vec<Shelf> = Vec::new();
        for (id, owner) in super::all_deals(journal.as_ref()).await? {
            let deal = One { id, answered: AtomicU64::new(1) };
            match shelves.iter_mut().find(|shelf| shelf.owner == owner) {
                Some(shelf) => shelf.all.push(deal),
                None => shelves.push(Shelf { kind: Kind::Deal, owner, all: vec![deal] }),
            }
        }
        ensure!(!shelves.is_empty(), "no deal was posted");
        let engine = Engine::start(Parts {
            journal,
            wake: wake::local(),
            cache: cache::open("memory").await.map_err(plain)?,
            limit: None,
            venues: venue::open("paper?pace=instant", &tokens, clock::now()).map_err(plain)?,
            exports: Vec::new(),
            tokens,
            settings: Settings { concurrency: Concurrency::from([]), ..Settings::default() },
        });
        let orders = try_join_all(shelves.iter().map(|shelf| orders(&engine.intake, &shelf.owner))).await?;
        shelves.extend(orders);
        let (left, stale, over) = (AtomicU64::new(reads), AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { engine, shelves, left, stale, over })
    }

    async fn read(&self, seed: u64) -> anyhow::Result<()> {
        let mut chance = Chance(seed + 1);
        while self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let shelf = chance.pick(&self.shelves);
            let stale = match chance.below(LISTS) {
                0 => self.list_is_stale(shelf).await?,
                _ => self.one_is_stale(shelf.kind, chance.pick(&shelf.all)).await?,
            };
            self.stale.fetch_add(u64::from(stale), Ordering::SeqCst);
            if chance.below(32) == 0 {
                // A hit never waits, and others want to run, too.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn one_is_stale(&self, kind: Kind, one: &One) -> anyhow::Result<bool> {
        let least = one.answered.load(Ordering::SeqCst);
        let view = self.engine.cached.view(kind, &one.id).await?;
        Ok(view.is_none_or(|view| view.version < least))
    }

    /// The page shows all of the seller's, oldest first: the version of each, one a line.
    async fn list_is_stale(&self, shelf: &Shelf) -> anyhow::Result<bool> {
        let least: Vec<u64> = shelf.all.iter().map(|one| one.answered.load(Ordering::SeqCst)).collect();
        let whose = Whose::Of(std::slice::from_ref(&shelf.owner));
        let page = self.engine.cached.list(shelf.kind, whose, "bench", || self.versions(shelf)).await?;
        let shown: Vec<u64> = from_utf8(&page)?.lines().map(str::parse).collect::<Result<_, _>>()?;
        Ok(shown.len() != least.len() || shown.iter().zip(least).any(|(shown, least)| *shown < least))
    }

    async fn versions(&self, shelf: &Shelf) -> Result<Bytes, Fault> {
        let list = List {
            kind: shelf.kind,
            among: vec![Among::Owner(shelf.owner.clone())],
            statuses: Vec::new(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after: None,
            newest_first: false,
            limit: 100,
        };
        let mut lines = String::new();
        for entity in self.engine.journal.entities(list).await?.entities {
            let _ = writeln!(lines, "{}", entity.version);
        }
        Ok(lines.into())
    }

    /// Changes one deal or order after the other; answers with how many.
    async fn write(&self, seed: u64) -> anyhow::Result<u64> {
        let mut chance = Chance(!seed);
        let terms = (0..10).map(deals::terms).collect::<anyhow::Result<Vec<_>>>()?;
        let mut written = 0_u64;
        while !self.over.load(Ordering::Relaxed) {
            let Shelf { kind, owner, all } = chance.pick(&self.shelves);
            let one = chance.pick(all);
            let (intake, target) = (&self.engine.intake, Target { id: &one.id, version: None });
            let taken = if *kind == Kind::Deal {
                intake.update_deal(owner, target, chance.pick(&terms), None).await
            } else {
                let amendment = Amendment { note: Some(Some(written.to_string())), ..Amendment::default() };
                intake.amend_order(owner, target, &amendment, None).await
            };
            let taken = taken.map_err(|error| anyhow!("{error}")).context("a write")?;
            one.answered.fetch_max(taken.version, Ordering::SeqCst);
            written += 1;
        }
        Ok(written)
    }
}

/// Places a seller's orders, one after the other, so that their list has them in this order.
async fn orders(intake: &Intake, shop: &Owner) -> anyhow::Result<Shelf> {
    let customer = Customer::new("Ada".to_owned(), "ada@example.org".to_owned(), None);
    let customer = customer.map_err(|refusal| anyhow!("{refusal:?}"))?;
    let items = vec![Wanted { product_id: "mug".to_owned(), name: "Mug".to_owned(), quantity: 1, unit_price: 1_250 }];
    let currency = Currency::parse("GBP").context("a currency")?;
    let content = Content::new(Draft { customer, items, currency, discount: None, stated: None, note: None });
    let content = content.map_err(|refusal| anyhow!("{refusal:?}"))?;
    let mut all = Vec::new();
    for _ in 0..ORDERS {
        let place = Place { id: new_id(), shop: shop.clone(), content: content.clone(), external_reference: None };
        let taken = intake.place_order(place, None).await.map_err(|error| anyhow!("{error}"))?;
        all.push(One { id: taken.id, answered: AtomicU64::new(taken.version) });
    }
    Ok(Shelf { kind: Kind::ShopOrder, owner: shop.clone(), all })
}

/// Numbers that look random: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let length = from.len().max(1) as u64;
        &from[usize::try_from(self.below(length)).unwrap_or(0)]
    }
}

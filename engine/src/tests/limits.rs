//! Orders with a limit price and plans, on a stage: a venue whose price is set by the test.

mod races;
mod slices;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::Kind;
use domain::swap::{Conditions, Inquiry, LimitPrice, Mode, Place, Prepared, QUEUE, Quote, Status, Swap, TimeInForce};
use drivers::venue::{Order, Outcome, Settlement, Venue, VenueError};

use super::{Engine, PATIENCE, Site, clock, owner, place, until, until_final};
use crate::follow::Follower;

/// Base units of a SOL.
const SOL: u128 = 1_000_000_000;

/// A venue that gives `price` micro-USDC for a SOL, at most `depth` SOL at a time.
pub(super) struct Stage {
    pub(super) price: AtomicU64,
    depth: AtomicU64,
    /// The next transactions fail because their price is gone.
    slips: AtomicBool,
    quotes: AtomicU64,
    /// Those of them that orders asked for, and not a beat.
    own: AtomicU64,
    /// What was executed, by transaction: paid, received, and how often it was sent.
    executed: Mutex<BTreeMap<String, (u128, u128)>>,
}

impl Stage {
    pub(super) fn at(price: u64) -> Arc<Self> {
        Arc::new(Self {
            price: AtomicU64::new(price),
            depth: AtomicU64::new(u64::MAX),
            slips: AtomicBool::new(false),
            quotes: AtomicU64::new(0),
            own: AtomicU64::new(0),
            executed: Mutex::default(),
        })
    }

    /// The orders that were executed.
    pub(super) fn orders(&self) -> Vec<String> {
        let executed = self.executed.lock().unwrap_or_else(PoisonError::into_inner);
        executed.keys().filter_map(|id| Some(id.split_once('/')?.0.to_owned())).collect()
    }
}

/// The stage as an engine has it.
pub(super) struct OnStage(pub(super) Arc<Stage>);

#[async_trait]
impl Venue for OnStage {
    fn name(&self) -> &'static str {
        "Stage"
    }

    fn settlement(&self) -> Settlement {
        Settlement::Signature
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        self.0.quotes.fetch_add(1, Ordering::AcqRel);
        self.0.own.fetch_add(u64::from(inquiry.limit.is_some()), Ordering::AcqRel);
        let (price, ask) = (u128::from(self.0.price.load(Ordering::Acquire)), &inquiry.ask);
        if ask.mode != Mode::ExactIn || ask.amount > u128::from(self.0.depth.load(Ordering::Acquire)) {
            return Err(VenueError::NoRoute("not that much".to_owned()));
        }
        Ok(Quote {
            venue: "Stage".into(),
            ask: ask.clone(),
            amount_in: ask.amount,
            amount_out: ask.amount * price / SOL,
            fee: 0,
            price_impact_bps: 0,
            legs: Vec::new(),
            certificate: None,
            opaque: None,
        })
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        Ok(Prepared {
            venue: "Stage".into(),
            bytes: format!("{} {}", order.quote.amount_in, order.limit),
            id: format!("{}/{}", order.id, order.attempt),
            expires_at_height: 1,
            build: order.attempt,
        })
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        let parts =
            prepared.bytes.split_once(' ').and_then(|(paid, least)| Some((paid.parse().ok()?, least.parse().ok()?)));
        let (paid, least): (u128, u128) = parts.expect("its own bytes");
        if !self.0.slips.load(Ordering::Acquire) {
            let mut executed = self.0.executed.lock().unwrap_or_else(PoisonError::into_inner);
            executed.entry(prepared.id.clone()).or_insert((paid, least));
        }
        Ok(())
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        let executed = self.0.executed.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = |one: &Arc<Prepared>| match executed.get(&one.id) {
            Some((amount_in, amount_out)) => {
                Outcome::Confirmed { amount_in: *amount_in, amount_out: *amount_out, slot: 1 }
            }
            None => Outcome::Failed { code: "SLIPPAGE_EXCEEDED".to_owned(), message: "too little".to_owned() },
        };
        Ok(prepared.iter().map(outcome).collect())
    }

    fn poll_millis(&self) -> u64 {
        1
    }
}

/// A sale of one SOL at that price or better.
pub(super) fn limited(price: &str, time_in_force: TimeInForce) -> Place {
    let limit_price = Some(LimitPrice::parse(price).expect("a price"));
    Place { conditions: Conditions { limit_price, time_in_force, ..Conditions::default() }, ..place() }
}

async fn staged(site: &Site, stage: &Arc<Stage>) -> Engine {
    site.engine_trading_at(vec![Arc::new(OnStage(Arc::clone(stage)))], Vec::new(), 8).await
}

async fn order(engine: &Engine, id: &str) -> Swap {
    let entity = engine.journal.entity(Kind::Swap, id).await.expect("reads").expect("is there");
    Swap::from_entity(&entity).expect("reads back")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_rests_until_its_price_is_there_over_a_restart_and_leaves_no_trace_of_waiting() {
    let (site, stage) = (Site::new(), Stage::at(140_000_000));
    let engine = staged(&site, &stage).await;
    let near = engine.intake.place(limited("150", TimeInForce::Gtc), None).await.expect("taken");
    let far = engine.intake.place(limited("200", TimeInForce::Gtc), None).await.expect("taken");
    until("a look at the price", async || stage.quotes.load(Ordering::Acquire) >= 2).await;
    engine.stop(PATIENCE).await;
    drop(engine);
    let engine = staged(&site, &stage).await;
    let seen = stage.quotes.load(Ordering::Acquire);
    until("a look at the price", async || stage.quotes.load(Ordering::Acquire) >= seen + 2).await;
    assert_eq!((order(&engine, &near.id).await.version, stage.orders().len()), (1, 0));
    stage.price.store(151_000_000, Ordering::Release);
    let swap = until_final(&engine, &near.id).await;
    assert_eq!((swap.status, swap.version), (Status::Confirmed, 5));
    // The price binds, which is tighter than slippage would be.
    assert_eq!(swap.route.expect("a route").limit, 150_245_000);
    assert_eq!((order(&engine, &far.id).await.status, stage.orders()), (Status::Open, vec![near.id]));
    until("the end of the jobs", async || engine.journal.jobs(QUEUE, 0, 10).await.expect("jobs").is_empty()).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_crosses_and_is_too_large_stays_as_it_is_and_trades_when_it_can() {
    let (site, stage) = (Site::new(), Stage::at(151_000_000));
    stage.depth.store(500_000_000, Ordering::Release);
    let engine = staged(&site, &stage).await;
    let taken = engine.intake.place(limited("150", TimeInForce::Gtc), None).await.expect("taken");
    until("a look in vain", async || stage.own.load(Ordering::Acquire) > 0).await;
    until("its end", async || engine.journal.jobs(QUEUE, 0, 10).await.expect("jobs").is_empty()).await;
    assert_eq!(order(&engine, &taken.id).await.version, 1, "nothing of it changed");
    stage.depth.store(u64::MAX, Ordering::Release);
    assert_eq!(until_final(&engine, &taken.id).await.status, Status::Confirmed);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_fails_for_its_price_rests_again_and_is_built_anew() {
    let (site, stage) = (Site::new(), Stage::at(151_000_000));
    stage.slips.store(true, Ordering::Release);
    let engine = staged(&site, &stage).await;
    let soon = clock::now().plus_millis(60_000);
    let mine = Place { expires_at: Some(soon), ..limited("150", TimeInForce::Gtd) };
    let taken = engine.intake.place(mine, None).await.expect("taken");
    until("its rest", async || order(&engine, &taken.id).await.failure.is_some()).await;
    stage.slips.store(false, Ordering::Release);
    let swap = until_final(&engine, &taken.id).await;
    assert_eq!(swap.status, Status::Confirmed);
    assert!(swap.prepared.as_ref().is_some_and(|prepared| prepared.build > 1), "another transaction");
    let mut follower = Follower::entity(&engine.hub, None, Kind::Swap, &taken.id).await.expect("a follower");
    let mut types = Vec::new();
    while types.last().is_none_or(|last| last != "swap.confirmed") {
        types.push(super::next(&mut follower).await.type_);
    }
    let once = ["swap.open", "swap.routing", "swap.building", "swap.submitted"];
    assert_eq!(types[..5], [&once[..], &["swap.open"]].concat());
    assert_eq!(stage.orders(), [taken.id]);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_had_at_once_is_filled_in_whole_in_part_or_not_at_all() {
    let (site, stage) = (Site::new(), Stage::at(150_000_000));
    let engine = staged(&site, &stage).await;
    for (depth, price, time_in_force, filled) in [
        (u64::MAX, "150", TimeInForce::Fok, Some(SOL)),
        (u64::MAX, "150.1", TimeInForce::Fok, None),
        (999_999_999, "150", TimeInForce::Fok, None),
        (u64::MAX, "149", TimeInForce::Ioc, Some(SOL)),
        (999_999_999, "150", TimeInForce::Ioc, Some(SOL / 2)),
        (15_625_000, "150", TimeInForce::Ioc, Some(SOL / 64)),
        (15_624_999, "150", TimeInForce::Ioc, None),
        (u64::MAX, "150.1", TimeInForce::Ioc, None),
    ] {
        stage.depth.store(depth, Ordering::Release);
        let taken = engine.intake.place(limited(price, time_in_force), None).await.expect("taken");
        let swap = until_final(&engine, &taken.id).await;
        let told = (swap.status, swap.fill.map(|fill| fill.amount_in), swap.failure.map(|failure| failure.code));
        let expected = match filled {
            Some(_) => (Status::Confirmed, filled, None),
            None => (Status::Expired, None, Some("NOT_FILLED".to_owned())),
        };
        assert_eq!(told, expected, "{depth} {price} {time_in_force:?}");
    }
    until("the end of the jobs", async || engine.journal.jobs(QUEUE, 0, 10).await.expect("jobs").is_empty()).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_order_is_cancelled_and_expires_without_any_work() {
    let (site, stage) = (Site::new(), Stage::at(100_000_000));
    let engine = staged(&site, &stage).await;
    let one = engine.intake.place(limited("150", TimeInForce::Gtc), None).await.expect("taken");
    let cancelled = engine.intake.cancel(&owner("alice"), &one.id, None).await.expect("cancelled");
    assert_eq!(cancelled.version, 2);
    let soon = clock::now().plus_millis(100);
    let other = Place { expires_at: Some(soon), ..limited("150", TimeInForce::Gtd) };
    let other = engine.intake.place(other, None).await.expect("taken");
    assert_eq!(until_final(&engine, &other.id).await.status, Status::Expired);
    assert_eq!(stage.orders(), Vec::<String>::new());
    engine.stop(PATIENCE).await;
}

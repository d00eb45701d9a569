//! Plans: each slice is one order, whatever dies.

use std::sync::Arc;

use domain::plan::{Make, Plan, QUEUE_SLICE, Status};
use domain::swap::{Conditions, QUEUE, QUEUE_EXPIRE, Side, Swap};
use domain::token::Registry;
use domain::{Entity, Kind};
use drivers::cache;
use drivers::journal::{Among, Claim, List};

use super::{OnStage, Stage};
use crate::Concurrency;
use crate::intake::Target;
use crate::tests::{Engine, PATIENCE, Parts, Settings, Site, clock, new_id, owner, until};

fn make() -> Make {
    Make {
        id: new_id(),
        account: owner("alice"),
        side: Side::Sell,
        input: "SOL".into(),
        input_decimals: 9,
        output: "USDC".into(),
        output_decimals: 6,
        total: 10_000_000_001,
        slices: 3,
        every_seconds: 1,
        slippage_bps: 50,
        conditions: Conditions::default(),
        client_order_id: None,
        starts_at: None,
    }
}

async fn engine(site: &Site, stage: &Arc<Stage>, slices: usize) -> Engine {
    Engine::start(Parts {
        journal: site.journal().await,
        wake: Arc::clone(&site.wake),
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: vec![Arc::new(OnStage(Arc::clone(stage)))],
        exports: Vec::new(),
        tokens: Arc::new(Registry::default()),
        settings: Settings {
            concurrency: Concurrency::from([(QUEUE, 4), (QUEUE_EXPIRE, 4), (QUEUE_SLICE, slices)]),
            ..Settings::default()
        },
    })
}

async fn plan(engine: &Engine, id: &str) -> Plan {
    let entity = engine.journal.entity(Kind::Plan, id).await.expect("reads").expect("is there");
    Plan::from_entity(&entity).expect("reads back")
}

async fn orders(engine: &Engine, id: &str) -> Vec<Entity> {
    let list = List {
        kind: Kind::Swap,
        among: vec![Among::Parent(id.to_owned())],
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: 100,
    };
    engine.journal.entities(list).await.expect("a page").entities
}

#[tokio::test(flavor = "multi_thread")]
async fn every_slice_is_one_order_though_processes_die_with_its_job() {
    let (site, stage) = (Site::new(), Stage::at(150_000_000));
    let idle = engine(&site, &stage, 0).await;
    let taken = idle.intake.make_plan(make(), None).await.expect("taken");
    idle.stop(PATIENCE).await;
    drop(idle);
    // A process takes the first slice up and is killed.
    let journal = site.journal().await;
    let claim = Claim { queue: QUEUE_SLICE, limit: 1, per_lane: 1, narrow: Vec::new(), now: clock::now() };
    assert_eq!(journal.claim(claim).await.expect("claims").len(), 1);
    journal.close().await;
    let engine = engine(&site, &stage, 4).await;
    until("the last slice", async || plan(&engine, &taken.id).await.status == Status::Completed).await;
    let orders = orders(&engine, &taken.id).await;
    let paid: Vec<u128> = orders.iter().map(|order| Swap::from_entity(order).expect("reads back").ask.amount).collect();
    assert_eq!((paid.len(), paid.iter().sum::<u128>()), (3, 10_000_000_001));
    until("the trades", async || stage.orders().len() == 3).await;
    let plan = plan(&engine, &taken.id).await;
    assert_eq!((plan.turns, plan.skipped, plan.version), (3, 0, 4));
    assert!(engine.journal.jobs(QUEUE_SLICE, 0, 10).await.expect("jobs").is_empty());
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_plan_places_no_more_and_leaves_no_job() {
    let (site, stage) = (Site::new(), Stage::at(150_000_000));
    let engine = engine(&site, &stage, 4).await;
    let taken = engine.intake.make_plan(Make { slices: 1_000, ..make() }, None).await.expect("taken");
    until("a slice", async || plan(&engine, &taken.id).await.turns >= 1).await;
    let target = Target { id: &taken.id, version: None };
    engine.intake.cancel_plan(&owner("alice"), target, None).await.expect("cancelled");
    let placed = orders(&engine, &taken.id).await.len();
    until("the end of its job", async || engine.journal.jobs(QUEUE_SLICE, 0, 10).await.expect("jobs").is_empty()).await;
    assert_eq!(
        (orders(&engine, &taken.id).await.len(), plan(&engine, &taken.id).await.status),
        (placed, Status::Cancelled)
    );
    assert!(engine.intake.cancel_plan(&owner("mallory"), target, None).await.is_err());
    engine.stop(PATIENCE).await;
}

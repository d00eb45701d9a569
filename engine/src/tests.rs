//! The engine on a real journal and the paper venue.

mod audiences;
mod cached;
mod cluster;
mod consistency;
mod deals;
mod faults;
mod keys;
mod limits;
mod operator;
mod orders;
mod queues;
mod relays;
mod resting;
mod retention;
mod risk;
mod roles;
mod webhooks;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::swap::{Ask, Conditions, Mode, Place, QUEUE, QUEUE_EXPIRE, Side, Status, Swap};
use domain::token::Registry;
use domain::{Event, Kind, Owner};
use drivers::export::Export;
use drivers::journal::{Claim, Journal, Options};
use drivers::venue::Venue;
use drivers::{cache, export, journal, venue, wake};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::follow::{Follower, Item};
use crate::hub::{Hub, Watch};
use crate::intake::{IntakeError, RequestKey, Taken, new_id};
use crate::{Concurrency, Engine, Parts, Settings, clock};

const PATIENCE: Duration = Duration::from_secs(30);

struct Site {
    dir: tempfile::TempDir,
    wake: Arc<dyn wake::Wake>,
}

impl Site {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder"), wake: wake::local() }
    }

    async fn journal(&self) -> Arc<dyn Journal> {
        let url = format!("sqlite:{}/t.db", self.dir.path().display());
        let options = Options { wake: Arc::clone(&self.wake), lease_millis: 30_000, migrate: true };
        // A journal that was just let go of gives its lock back when its threads have ended.
        let started = Instant::now();
        loop {
            match journal::open(&url, options.clone()).await {
                Ok(journal) => return journal,
                Err(fault) => assert!(started.elapsed() < PATIENCE, "{fault}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn engine(&self, venue: &str, swap_concurrency: usize) -> Engine {
        self.engine_exporting(Vec::new(), venue, swap_concurrency).await
    }

    /// Longer than an id may be.
    fn export_url(&self) -> String {
        format!("file:{}/{}/../events.jsonl", self.dir.path().display(), "long".repeat(20))
    }

    async fn export(&self) -> Vec<(String, Arc<dyn Export>)> {
        let journal = self.journal().await;
        let epoch = journal.head().await.expect("a head").epoch;
        journal.close().await;
        let url = self.export_url();
        vec![(url.clone(), export::open(&url, epoch).await.expect("an export"))]
    }

    async fn engine_exporting(
        &self,
        exports: Vec<(String, Arc<dyn Export>)>,
        venue: &str,
        swap_concurrency: usize,
    ) -> Engine {
        let tokens = Arc::new(Registry::default());
        let venues = venue::open(venue, &tokens, clock::now()).expect("venues");
        self.engine_trading_at(venues, exports, swap_concurrency).await
    }

    async fn engine_trading_at(
        &self,
        venues: Vec<Arc<dyn Venue>>,
        exports: Vec<(String, Arc<dyn Export>)>,
        swap_concurrency: usize,
    ) -> Engine {
        Engine::start(Parts {
            journal: self.journal().await,
            wake: Arc::clone(&self.wake),
            cache: cache::open("memory").await.expect("a cache"),
            limit: None,
            venues,
            exports,
            tokens: Arc::new(Registry::default()),
            settings: Settings { concurrency: at_once(swap_concurrency), ..Settings::default() },
        })
    }
}

fn at_once(jobs: usize) -> Concurrency {
    Concurrency::from([(QUEUE, jobs), (QUEUE_EXPIRE, jobs)])
}

fn owner(name: &str) -> Owner {
    Owner::parse(name).expect("a name")
}

fn place() -> Place {
    Place {
        id: new_id(),
        account: owner("alice"),
        side: Side::Sell,
        ask: Ask { input: "SOL".into(), output: "USDC".into(), mode: Mode::ExactIn, amount: 1_000_000_000 },
        input_decimals: 9,
        output_decimals: 6,
        slippage_bps: 50,
        client_order_id: None,
        expires_at: None,
        conditions: Conditions::default(),
        firm: None,
        plan: None,
    }
}

fn key(key: &str, fingerprint: u8) -> RequestKey {
    RequestKey { scope: "swaps.create:alice".to_owned(), key: key.to_owned(), fingerprint: [fingerprint; 32] }
}

async fn next(follower: &mut Follower) -> Event {
    match tokio::time::timeout(PATIENCE, follower.next()).await.expect("an event in time").expect("no fault") {
        Item::Event(published) => published.event.clone(),
        Item::Lagged { resume } => panic!("cut off at {resume}"),
    }
}

async fn until_final(engine: &Engine, id: &str) -> Swap {
    let mut follower = Follower::entity(&engine.hub, None, Kind::Swap, id).await.expect("a follower");
    loop {
        let event = next(&mut follower).await;
        let last = event.type_.rsplit('.').next().and_then(Status::parse);
        if last.is_some_and(Status::is_final) {
            let entity = engine.journal.entity(Kind::Swap, id).await.expect("reads").expect("is there");
            return Swap::from_entity(&entity).expect("reads back");
        }
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_from_pending_to_confirmed() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant&seed=1", 4).await;
    let taken = engine.intake.place(place(), None).await.expect("taken");
    let mut follower = Follower::entity(&engine.hub, None, Kind::Swap, &taken.id).await.expect("a follower");
    let mut seen = Vec::new();
    while seen.last().is_none_or(|e: &Event| e.type_ != "swap.confirmed") {
        seen.push(next(&mut follower).await);
    }
    let types: Vec<_> = seen.iter().map(|e| e.type_.as_str()).collect();
    assert_eq!(types, ["swap.pending", "swap.routing", "swap.building", "swap.submitted", "swap.confirmed"]);
    assert_eq!(seen.iter().map(|e| e.version).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(domain::view::of_event(&seen[0].body), taken.view);
    let swap = until_final(&engine, &taken.id).await;
    let (route, fill) = (swap.route.expect("a route"), swap.fill.expect("a fill"));
    assert!(fill.amount_out >= route.limit && fill.amount_in == 1_000_000_000);
    let depth = engine.journal.depth(QUEUE, clock::now()).await.expect("a depth");
    assert_eq!((depth.ready, depth.leased, depth.waiting, depth.dead), (0, 0, 0, 0));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_order_however_often_and_at_once() {
    let site = Site::new();
    let engine = Arc::new(site.engine("paper?pace=instant", 4).await);
    let calls = (0..32).map(|_| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.intake.place(place(), Some(key("k", 1))).await.expect("taken") })
    });
    let answers: Vec<Taken> = futures_util::future::try_join_all(calls).await.expect("no panic");
    assert!(answers.iter().all(|a| a.id == answers[0].id && a.view == answers[0].view));
    assert_eq!(answers.iter().filter(|a| !a.replayed).count(), 1);
    assert_eq!(engine.intake.place(place(), Some(key("k", 2))).await, Err(IntakeError::KeyReused));
    until_final(&engine, &answers[0].id).await;
    // Long after its end the key still answers with the order as it was accepted.
    let again = engine.intake.place(place(), Some(key("k", 1))).await.expect("taken");
    assert_eq!((again.view, again.replayed), (answers[0].view.clone(), true));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_keep_no_key_but_a_taken_order_is_replayed_past_its_expiry() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let late = Place { expires_at: Some(clock::now().plus_millis(-1)), ..place() };
    let refused = engine.intake.place(late.clone(), Some(key("k", 1))).await;
    assert!(matches!(refused, Err(IntakeError::Refused(r)) if r.code == "EXPIRE_TIME_IN_PAST"));
    let first = engine.intake.place(place(), Some(key("k", 1))).await.expect("the key is free");
    let replay = engine.intake.place(late, Some(key("k", 1))).await.expect("replayed");
    assert_eq!((replay.id, replay.replayed), (first.id, true));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_order_ids_are_unique_per_account() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let mine = || Place { client_order_id: Some("mine".to_owned()), ..place() };
    let first = engine.intake.place(mine(), None).await.expect("taken");
    let second = engine.intake.place(mine(), Some(key("k", 1))).await;
    assert!(matches!(second, Err(IntakeError::Duplicate { id, .. }) if id == first.id));
    let other = Place { account: owner("bob"), ..mine() };
    engine.intake.place(other, None).await.expect("another account's ids are its own");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_is_never_traded_and_leaves_no_job() {
    let site = Site::new();
    let idle = site.engine("paper?pace=instant", 0).await;
    let taken = idle.intake.place(place(), None).await.expect("taken");
    assert_eq!(idle.intake.cancel(&owner("mallory"), &taken.id, None).await, Err(IntakeError::NotFound));
    let cancelled = idle.intake.cancel(&owner("alice"), &taken.id, None).await.expect("cancelled");
    assert!(cancelled.view.contains("\"status\":\"cancelled\""));
    let again = idle.intake.cancel(&owner("alice"), &taken.id, None).await.expect("once more");
    assert_eq!(again.version, cancelled.version);
    idle.stop(PATIENCE).await;
    drop(idle);
    let engine = site.engine("paper?pace=instant", 4).await;
    until("the job's end", async || engine.journal.jobs(QUEUE, 0, 10).await.expect("jobs").is_empty()).await;
    assert_eq!(until_final(&engine, &taken.id).await.status, Status::Cancelled);
    let late = engine.intake.place(place(), None).await.expect("taken");
    until_final(&engine, &late.id).await;
    let refused = engine.intake.cancel(&owner("alice"), &late.id, None).await;
    assert!(matches!(refused, Err(IntakeError::Refused(r)) if r.code == "NOT_CANCELLABLE"));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_expires_on_time_though_its_venues_stall() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant&stall=1", 4).await;
    let soon = Place { expires_at: Some(clock::now().plus_millis(300)), ..place() };
    let taken = engine.intake.place(soon, None).await.expect("taken");
    assert_eq!(until_final(&engine, &taken.id).await.status, Status::Expired);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn venues_that_always_fail_end_the_order_after_three_attempts_with_the_reason() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant&fail=1", 4).await;
    let taken = engine.intake.place(place(), None).await.expect("taken");
    let swap = until_final(&engine, &taken.id).await;
    assert_eq!((swap.status, swap.attempt), (Status::Failed, 3));
    assert_eq!(swap.failure.expect("a reason").code, "VENUE_FAILED");
    let dead = engine.journal.dead_jobs(QUEUE, 0, 10).await.expect("dead jobs");
    assert_eq!(dead.iter().map(|d| d.job.body.as_str()).collect::<Vec<_>>(), [taken.id.as_str()]);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_kills_the_process_three_times_is_dead_at_the_fourth_start() {
    let site = Site::new();
    let idle = site.engine("paper?pace=instant", 0).await;
    let taken = idle.intake.place(place(), None).await.expect("taken");
    idle.stop(PATIENCE).await;
    drop(idle);
    for attempt in 1..=3 {
        let journal = site.journal().await;
        let claim = Claim { queue: QUEUE, limit: 1, per_lane: usize::MAX, narrow: Vec::new(), now: clock::now() };
        let claimed = journal.claim(claim).await.expect("claims");
        assert_eq!(claimed.iter().map(|c| c.job.attempt).collect::<Vec<_>>(), [attempt]);
        journal.close().await;
    }
    let engine = site.engine("paper?pace=instant", 4).await;
    let swap = until_final(&engine, &taken.id).await;
    assert_eq!(swap.failure.expect("a reason").code, "ATTEMPTS_EXHAUSTED");
    assert_eq!(engine.journal.dead_jobs(QUEUE, 0, 10).await.expect("dead jobs").len(), 1);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_follower_sees_every_event_once_and_in_order_while_more_come() {
    let site = Site::new();
    let engine = Arc::new(site.engine("paper?pace=instant", 16).await);
    let writer = Arc::clone(&engine);
    let writing = tokio::spawn(async move {
        for _ in 0..200 {
            writer.intake.place(place(), None).await.expect("taken");
        }
    });
    let watch = || Watch { account: Some(owner("alice")), ..Watch::default() };
    let (mut position, mut seen) = (0, 0);
    // Five events an order; a new follower every 37 of them.
    while seen < 1_000 {
        let mut follower = Follower::open(&engine.hub, watch(), Some(position)).await.expect("a follower");
        for _ in 0..37.min(1_000 - seen) {
            let event = next(&mut follower).await;
            assert_eq!(event.seq, position + 1);
            position = event.seq;
            assert_eq!(follower.position(), position);
            seen += 1;
        }
    }
    writing.await.expect("no panic");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_from_now_sees_nothing_older_though_the_hub_is_behind() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    // A hub that nobody moves yet, as one that has fallen behind.
    let hub = Arc::new(Hub::new(Arc::clone(&engine.journal), Arc::clone(&site.wake), Arc::clone(&engine.access)));
    let mut first = Follower::open(&hub, Watch::default(), None).await.expect("a follower");
    let old = engine.intake.place(place(), None).await.expect("taken");
    let mut second = Follower::open(&hub, Watch::default(), None).await.expect("a follower");
    assert_eq!((first.position(), second.position()), (0, 1));
    let new = engine.intake.place(place(), None).await.expect("taken");
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    assert_eq!(next(&mut second).await.id, new.id);
    assert_eq!([next(&mut first).await.id, next(&mut first).await.id], [old.id, new.id]);
    stop.cancel();
    running.await.expect("no panic");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_cut_off_and_told_where_to_resume() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 64).await;
    let watch = || Watch::default();
    let mut slow = Follower::open(&engine.hub, watch(), None).await.expect("a follower");
    for _ in 0..400 {
        engine.intake.place(place(), None).await.expect("taken");
    }
    until("two thousand events", async || engine.journal.head().await.expect("a head").seq == 2_000).await;
    until("the cut", async || engine.hub.watchers() == 0).await;
    let mut position = 0;
    let resume = loop {
        match slow.next().await.expect("no fault") {
            Item::Event(published) => {
                assert_eq!(published.event.seq, position + 1);
                position += 1;
            }
            Item::Lagged { resume } => break resume,
        }
    };
    assert_eq!(resume, position);
    let mut again = Follower::open(&engine.hub, watch(), Some(resume)).await.expect("a follower");
    assert_eq!(next(&mut again).await.seq, resume + 1);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_exports_every_event_once_over_restarts() {
    let site = Site::new();
    for round in 1..=3_usize {
        let engine = site.engine_exporting(site.export().await, "paper?pace=instant", 4).await;
        for _ in 0..10 {
            let taken = engine.intake.place(place(), None).await.expect("taken");
            until_final(&engine, &taken.id).await;
        }
        let path = site.dir.path().join("events.jsonl");
        let lines = || std::fs::read_to_string(&path).unwrap_or_default();
        until("the export", async || lines().lines().count() == round * 50).await;
        for (line, seq) in lines().lines().zip(1_u64..) {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(line["seq"], seq);
        }
        let row = Uuid::new_v5(&Uuid::NAMESPACE_URL, site.export_url().as_bytes()).to_string();
        until("the position", async || {
            let kept = engine.journal.entity(Kind::Relay, &row).await.expect("reads").expect("a row");
            serde_json::from_str::<serde_json::Value>(&kept.body).expect("JSON")["position"] == round * 50
        })
        .await;
        engine.stop(PATIENCE).await;
    }
}

//! Cancel, expiry and execution at the same moment: exactly one wins, on every journal.

use std::sync::Arc;
use std::time::Duration;

use domain::swap::{Place, QUEUE, Status, TimeInForce, wake};
use domain::token::Registry;
use drivers::journal::{self, Options};
use drivers::{cache, wake};
use futures_util::stream::{self, StreamExt};

use super::{OnStage, Stage, limited, order};
use crate::tests::{Engine, PATIENCE, Parts, Settings, Site, at_once, clock, owner, until, until_final};

const RACES: u64 = 64;

async fn engine(url: &str, wakes: Arc<dyn wake::Wake>, stage: &Arc<Stage>) -> Engine {
    let options = Options { wake: Arc::clone(&wakes), lease_millis: 30_000, migrate: true };
    Engine::start(Parts {
        journal: journal::open(url, options).await.expect("a journal"),
        wake: wakes,
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: vec![Arc::new(OnStage(Arc::clone(stage)))],
        exports: Vec::new(),
        tokens: Arc::new(Registry::default()),
        settings: Settings { concurrency: at_once(8), ..Settings::default() },
    })
}

/// What an order came to; in each second race its time runs out, in the others it is withdrawn, about when it is woken.
async fn race(engine: &Engine, stage: &Stage, number: u64) -> Status {
    let expires = number.is_multiple_of(2);
    let expires_at = expires.then(|| clock::now().plus_millis(1_000));
    let place = Place { expires_at, ..limited("150", TimeInForce::Gtc) };
    let taken = engine.intake.place(place, None).await.expect("taken");
    let wakes = async {
        let left = expires_at.map_or(0, |at| at.0 - clock::now().0);
        tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0))).await;
        // It may be gone already.
        let _ = engine.journal.apply(wake(&taken.id, taken.version, clock::now())).await;
    };
    let cancels = async {
        if expires {
            return None;
        }
        tokio::time::sleep(Duration::from_micros(number * 61 % 4_000)).await;
        Some(engine.intake.cancel(&owner("alice"), &taken.id, None).await.is_ok())
    };
    let ((), cancelled) = tokio::join!(wakes, cancels);
    let status = until_final(engine, &taken.id).await.status;
    assert_eq!(stage.orders().contains(&taken.id), status == Status::Confirmed, "{status:?}");
    match cancelled {
        Some(cancelled) => assert_eq!(cancelled, status == Status::Cancelled, "{status:?}"),
        None => assert!(matches!(status, Status::Confirmed | Status::Expired), "{status:?}"),
    }
    status
}

/// How many of them end in which way is for the machine to say; each ends in one, and trades at most once.
async fn races(engine: &Engine, stage: &Stage) {
    let ended = stream::iter((0..2 * RACES).map(|number| race(engine, stage, number))).buffer_unordered(16);
    let ended: Vec<Status> = ended.collect().await;
    let traded = ended.iter().filter(|status| **status == Status::Confirmed).count();
    assert_eq!((ended.len() as u64, stage.orders().len()), (2 * RACES, traded));
    until("the end of the jobs", async || engine.journal.jobs(QUEUE, 0, 10).await.expect("jobs").is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wins_on_sqlite() {
    let (site, stage) = (Site::new(), Stage::at(151_000_000));
    let url = format!("sqlite:{}/t.db", site.dir.path().display());
    let engine = engine(&url, Arc::clone(&site.wake), &stage).await;
    races(&engine, &stage).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wins_on_postgres_between_two_processes() {
    let (database, stage) = (testbed::database(), Stage::at(151_000_000));
    let open =
        async || engine(&database.url, wake::open("postgres", &database.url).await.expect("a wake"), &stage).await;
    let (one, other) = (open().await, open().await);
    races(&one, &stage).await;
    // What one takes in, either wakes, and it trades once.
    let taken = other.intake.place(limited("150", TimeInForce::Gtc), None).await.expect("taken");
    assert_eq!(until_final(&one, &taken.id).await.status, Status::Confirmed);
    assert_eq!(order(&other, &taken.id).await.prepared.map(|prepared| prepared.build), Some(1));
    one.stop(PATIENCE).await;
    other.stop(PATIENCE).await;
}

//! Old events are forgotten, and whoever would have needed them is told, or helped.

use std::sync::Arc;
use std::time::Duration;

use domain::swap::Status;
use domain::token::Registry;
use domain::{Change, EntityWrite, Expect, Kind, Owner, Timestamp};
use drivers::journal::Journal;
use drivers::{cache, venue};
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Site, at_once, key, next, owner, place, until, until_final};
use crate::follow::{Follower, Item};
use crate::hub::{Hub, Watch};
use crate::{Engine, Parts, Settings, clock};

impl Site {
    /// An engine that keeps events for so long.
    async fn keeping(&self, keep: Duration) -> Engine {
        let tokens = Arc::new(Registry::default());
        Engine::start(Parts {
            journal: self.journal().await,
            wake: Arc::clone(&self.wake),
            cache: cache::open("none").await.expect("a cache"),
            limit: None,
            venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
            exports: Vec::new(),
            tokens,
            settings: Settings { keep_events: Some(keep), concurrency: at_once(4), ..Settings::default() },
        })
    }
}

async fn floor(journal: &dyn Journal) -> u64 {
    journal.head().await.expect("a head").floor
}

async fn lagged(follower: &mut Follower) -> u64 {
    match tokio::time::timeout(PATIENCE, follower.next()).await.expect("an answer in time").expect("no fault") {
        Item::Lagged { resume } => resume,
        Item::Event(published) => panic!("{:?}", published.event),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_events_are_forgotten_and_replays_and_sockets_live_on() {
    let site = Site::new();
    let engine = site.keeping(Duration::from_millis(500)).await;
    let first = engine.intake.place(place(), Some(key("k", 1))).await.expect("taken");
    let second = engine.intake.place(place(), None).await.expect("taken");
    for taken in [&first, &second] {
        until_final(&engine, &taken.id).await;
    }
    until("the forgetting", async || floor(&*engine.journal).await == 9).await;

    // The key outlives the event: it answers with the order as it is now.
    let again = engine.intake.place(place(), Some(key("k", 1))).await.expect("replayed");
    assert_eq!((&again.id, again.version, again.replayed), (&first.id, 5, true));
    assert!(again.view.contains("\"status\":\"confirmed\""), "{}", again.view);

    // Who follows one order sees how it stands, once.
    for taken in [&first, &second] {
        let mut follower = Follower::entity(&engine.hub, None, Kind::Swap, &taken.id).await.expect("a follower");
        let event = next(&mut follower).await;
        assert_eq!((event.type_.as_str(), event.version, &event.id), ("swap.confirmed", 5, &taken.id));
        assert!(futures_util::FutureExt::now_or_never(follower.next()).is_none());
    }
    // Who resumes from what is gone is told so, whatever the filter would have let through.
    for owner in [None, Some(owner("nobody"))] {
        let watch = Watch { account: owner, ..Watch::default() };
        let mut late = Follower::open(&engine.hub, watch, Some(3)).await.expect("a follower");
        assert_eq!(lagged(&mut late).await, 3);
    }
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_forgotten_that_an_export_has_not_got() {
    let site = Site::new();
    let relay = |position: u64, expect, status| {
        let body = format!("{{\"position\":{position},\"holder\":\"other\"}}");
        let (kind, id, owner) = (Kind::Relay, "r".to_owned(), Owner::system());
        let row = EntityWrite { kind, id, expect, status, owner, party: None, parent: None, body, event: None };
        Change { at: clock::now(), entities: vec![row], ..Change::default() }
    };
    let journal = site.journal().await;
    journal.apply(relay(3, Expect::Absent, "active")).await.expect("written");
    journal.close().await;
    drop(journal);
    let engine = site.keeping(Duration::from_millis(500)).await;
    for _ in 0..4 {
        let taken = engine.intake.place(place(), None).await.expect("taken");
        assert_eq!(until_final(&engine, &taken.id).await.status, Status::Confirmed);
    }
    // The export gets on, and is then given up by an operator.
    let steps = [(3, "active", 3), (11, "active", 11), (11, "gone", 19)];
    for (version, (position, status, forgotten)) in (1..).zip(steps) {
        engine.journal.apply(relay(position, Expect::Version(version), status)).await.expect("written");
        until("the forgetting", async || {
            let floor = floor(&*engine.journal).await;
            assert!(floor <= forgotten, "{floor} is forgotten while an export is at {position}");
            floor == forgotten
        })
        .await;
    }
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_whose_events_were_forgotten_are_cut_off() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    // A hub that nobody moves yet, as of a process that was stopped for long.
    let hub = Arc::new(Hub::new(Arc::clone(&engine.journal), Arc::clone(&site.wake), Arc::clone(&engine.access)));
    let mut watcher = Follower::open(&hub, Watch::default(), None).await.expect("a follower");
    for _ in 0..3 {
        engine.intake.place(place(), None).await.expect("taken");
    }
    assert_eq!(engine.journal.forget(Timestamp(i64::MAX), 10).await, Ok(2));
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    assert_eq!(lagged(&mut watcher).await, 0);
    let mut again = Follower::open(&hub, Watch::default(), Some(2)).await.expect("a follower");
    assert_eq!(next(&mut again).await.seq, 3);
    stop.cancel();
    running.await.expect("no panic");
    engine.stop(PATIENCE).await;
}

//! What the engine does when its own code or a driver fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::swap::{Inquiry, Place, Prepared, QUEUE, QUEUE_EXPIRE, Quote, Status, Swap};
use domain::token::Registry;
use domain::{Change, EntityWrite, Event, Expect, Kind, NewJob};
use drivers::export::Export;
use drivers::journal::Claim;
use drivers::venue::{Order, Outcome, Settlement, Venue, VenueError};
use drivers::{Fault, venue};

use super::{PATIENCE, Site, owner, place, until, until_final};
use crate::clock;
use crate::intake::new_id;

/// The paper venue, but for a fault when it is to build the transaction of this number; those before it never execute.
struct Faulty {
    venue: Arc<dyn Venue>,
    build: u32,
    reached: Arc<AtomicBool>,
    then: Then,
}

/// What a fault does.
#[derive(Clone, Copy)]
enum Then {
    Panic,
    Hang,
    Refuse,
}

impl Then {
    async fn happen<T, E>(self, refusal: E) -> Result<T, E> {
        match self {
            Self::Panic => panic!("on purpose"),
            Self::Hang => std::future::pending().await,
            Self::Refuse => Err(refusal),
        }
    }
}

#[async_trait]
impl Venue for Faulty {
    fn name(&self) -> &'static str {
        self.venue.name()
    }

    fn settlement(&self) -> Settlement {
        self.venue.settlement()
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        self.venue.quote(inquiry).await
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        if order.attempt == self.build {
            self.reached.store(true, Ordering::Release);
            return self.then.happen(VenueError::NoRoute("gone".to_owned())).await;
        }
        self.venue.prepare(order).await
    }

    async fn submit(&self, _: &Prepared) -> Result<(), VenueError> {
        Ok(())
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        Ok(vec![Outcome::Expired; prepared.len()])
    }

    fn poll_millis(&self) -> u64 {
        self.venue.poll_millis()
    }
}

fn faulty(build: u32, then: Then, reached: &Arc<AtomicBool>) -> Vec<Arc<dyn Venue>> {
    let venues = venue::open("paper?pace=instant", &Arc::new(Registry::default()), clock::now()).expect("venues");
    let faulty = |venue| -> Arc<dyn Venue> { Arc::new(Faulty { venue, build, reached: Arc::clone(reached), then }) };
    venues.into_iter().map(faulty).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_lets_go_of_its_lease() {
    for (build, rests) in [(1, Status::Building), (2, Status::Submitted)] {
        let (site, panicked) = (Site::new(), Arc::new(AtomicBool::new(false)));
        let engine = site.engine_trading_at(faulty(build, Then::Panic, &panicked), Vec::new(), 4).await;
        let taken = engine.intake.place(place(), None).await.expect("taken");
        until("the panic", async || panicked.load(Ordering::Acquire)).await;
        until("the end of the renewal", async || engine.leases() == 0).await;
        let entity = engine.journal.entity(Kind::Swap, &taken.id).await.expect("reads").expect("is there");
        assert_eq!(Swap::from_entity(&entity).expect("reads back").status, rests);
        engine.stop(PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_expired_at_its_venue_and_has_no_route_any_more_fails_after_three_attempts() {
    let (site, refused) = (Site::new(), Arc::new(AtomicBool::new(false)));
    let engine = site.engine_trading_at(faulty(2, Then::Refuse, &refused), Vec::new(), 4).await;
    let taken = engine.intake.place(place(), None).await.expect("taken");
    let swap = until_final(&engine, &taken.id).await;
    assert_eq!((swap.status, swap.failure.map(|f| f.code).as_deref()), (Status::Failed, Some("TRANSACTION_EXPIRED")));
    assert!(refused.load(Ordering::Acquire));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_a_signed_quote_asks_nobody_else_and_is_never_built_anew() {
    let (site, reached) = (Site::new(), Arc::new(AtomicBool::new(false)));
    let engine = site.engine_trading_at(faulty(2, Then::Refuse, &reached), Vec::new(), 4).await;
    let answers = engine.router.quote(&place().ask.into()).await;
    // The quote of whoever gives least: on its own merits it would not be chosen.
    let quote = answers.into_iter().filter_map(|answer| answer.result.ok()).min_by_key(|quote| quote.amount_out);
    let firm = Box::new(quote.expect("a quote"));
    let taken = engine.intake.place(Place { firm: Some(firm.clone()), ..place() }, None).await.expect("taken");
    let swap = until_final(&engine, &taken.id).await;
    assert_eq!((swap.status, swap.failure.map(|f| f.code).as_deref()), (Status::Failed, Some("QUOTE_EXPIRED")));
    assert_eq!(swap.route.map(|route| route.quote), Some(*firm));
    assert!(!reached.load(Ordering::Acquire), "it was built once");
    engine.stop(PATIENCE).await;
}

/// An export with a fault in its code.
struct Breaks(Then);

#[async_trait]
impl Export for Breaks {
    async fn position(&self) -> Result<Option<u64>, Fault> {
        Ok(Some(0))
    }

    async fn send(&self, _: &[Event]) -> Result<(), Fault> {
        self.0.happen(Fault::Busy).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_that_panics_breaks_the_engine() {
    let site = Site::new();
    let engine = site
        .engine_exporting(vec![("breaks".to_owned(), Arc::new(Breaks(Then::Panic)))], "paper?pace=instant", 4)
        .await;
    engine.intake.place(place(), None).await.expect("taken");
    tokio::time::timeout(PATIENCE, engine.broken()).await.expect("the relay's panic is noticed");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_its_deadline_though_a_task_and_an_export_hang_and_gives_the_order_back() {
    let (site, hangs) = (Site::new(), Arc::new(AtomicBool::new(false)));
    let exports: Vec<(String, Arc<dyn Export>)> = vec![("hangs".to_owned(), Arc::new(Breaks(Then::Hang)))];
    let engine = site.engine_trading_at(faulty(1, Then::Hang, &hangs), exports, 4).await;
    engine.intake.place(place(), None).await.expect("taken");
    until("the order in hand", async || hangs.load(Ordering::Acquire)).await;
    // Both hang for ever: a stop that gave each of them the whole time would not end in it.
    let deadline = Duration::from_secs(4);
    tokio::time::timeout(deadline, engine.stop(deadline)).await.expect("within the deadline");
    drop(engine);
    let claim = Claim { queue: QUEUE, limit: 1, per_lane: 1, narrow: Vec::new(), now: clock::now() };
    let claimed = site.journal().await.claim(claim).await.expect("claims");
    assert_eq!(claimed.iter().map(|c| c.job.attempt).collect::<Vec<_>>(), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_cannot_be_carried_out_is_dead_after_three_attempts() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 4).await;
    let (id, now) = (new_id(), clock::now());
    let unreadable = EntityWrite {
        kind: Kind::Swap,
        id: id.clone(),
        expect: Expect::Absent,
        status: "pending",
        owner: owner("alice"),
        party: None,
        parent: None,
        body: "{}".to_owned(),
        event: None,
    };
    let job = NewJob { queue: QUEUE_EXPIRE.into(), group: None, lane: None, run_at: now, body: id, dedup: None };
    let change = Change { at: now, entities: vec![unreadable], jobs: vec![job], ..Change::default() };
    engine.journal.apply(change).await.expect("written");
    until("the burial", async || !engine.journal.dead_jobs(QUEUE_EXPIRE, 0, 10).await.expect("reads").is_empty()).await;
    let dead = engine.journal.dead_jobs(QUEUE_EXPIRE, 0, 10).await.expect("reads");
    assert_eq!(dead.iter().map(|d| d.job.attempt).collect::<Vec<_>>(), [3]);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_kills_the_process_three_times_is_dead_and_its_order_expires_all_the_same() {
    let site = Site::new();
    let idle = site.engine("paper?pace=instant", 0).await;
    let ends = clock::now().plus_millis(100);
    let soon = Place { expires_at: Some(ends), ..place() };
    let taken = idle.intake.place(soon, None).await.expect("taken");
    idle.stop(PATIENCE).await;
    drop(idle);
    for attempt in 1..=3 {
        let journal = site.journal().await;
        let claim = Claim {
            queue: QUEUE_EXPIRE,
            limit: 1,
            per_lane: 1,
            narrow: Vec::new(),
            now: clock::now().plus_millis(100),
        };
        let claimed = journal.claim(claim).await.expect("claims");
        assert_eq!(claimed.iter().map(|c| c.job.attempt).collect::<Vec<_>>(), [attempt]);
        journal.close().await;
    }
    until("the order's time", async || clock::now() > ends).await;
    let engine = site.engine("paper?pace=instant", 4).await;
    assert_eq!(until_final(&engine, &taken.id).await.status, Status::Expired);
    until("the burial", async || engine.journal.dead_jobs(QUEUE_EXPIRE, 0, 10).await.expect("reads").len() == 1).await;
    engine.stop(PATIENCE).await;
}

//! Orders at venues that rest, and at venues that refuse for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::swap::{Inquiry, Place, Prepared, Quote, Status, Swap};
use domain::token::Registry;
use drivers::venue::{self, Order, Outcome, Settlement, Venue, VenueError};

use super::{PATIENCE, Site, place, until_final};
use crate::clock;

/// A paper venue that rests the first times that it is asked to quote, or to build.
struct Tired {
    venue: Arc<dyn Venue>,
    quotes: u32,
    builds: u32,
    refuses: bool,
    quoted: Arc<AtomicU32>,
    built: Arc<AtomicU32>,
}

fn rests() -> VenueError {
    VenueError::Resting { pause_millis: 300, why: "it is tired".to_owned() }
}

#[async_trait]
impl Venue for Tired {
    fn name(&self) -> &'static str {
        self.venue.name()
    }

    fn settlement(&self) -> Settlement {
        self.venue.settlement()
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        if self.quoted.fetch_add(1, Ordering::SeqCst) < self.quotes {
            return Err(rests());
        }
        self.venue.quote(inquiry).await
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        if self.refuses {
            return Err(VenueError::Refused { code: "TRANSACTION_MISMATCH", message: "it swaps 2 times".to_owned() });
        }
        if self.built.fetch_add(1, Ordering::SeqCst) < self.builds {
            return Err(rests());
        }
        self.venue.prepare(order).await
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        self.venue.submit(prepared).await
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        self.venue.look_up(prepared).await
    }

    fn poll_millis(&self) -> u64 {
        self.venue.poll_millis()
    }
}

/// The venues of a paper world; those whose names are listed rest so often.
fn venues(tired: &[&str], quotes: u32, builds: u32, refuses: bool) -> Vec<Arc<dyn Venue>> {
    let venues = venue::open("paper?pace=instant", &Arc::new(Registry::default()), clock::now()).expect("venues");
    let wrap = |venue: Arc<dyn Venue>| -> Arc<dyn Venue> {
        if !tired.contains(&venue.name()) {
            return venue;
        }
        let (quoted, built) = (Arc::default(), Arc::default());
        Arc::new(Tired { venue, quotes, builds, refuses, quoted, built })
    };
    venues.into_iter().map(wrap).collect()
}

const ALL: [&str; 3] = ["Raydium", "Meteora", "Tradewind"];

async fn traded(venues: Vec<Arc<dyn Venue>>, place: Place) -> Swap {
    let site = Site::new();
    let engine = site.engine_trading_at(venues, Vec::new(), 4).await;
    let taken = engine.intake.place(place, None).await.expect("taken");
    let swap = until_final(&engine, &taken.id).await;
    engine.stop(PATIENCE).await;
    swap
}

#[tokio::test(flavor = "multi_thread")]
async fn while_every_venue_rests_an_order_waits_and_no_attempt_counts() {
    let swap = traded(venues(&ALL, 5, 0, false), place()).await;
    assert_eq!((swap.status, swap.attempt, swap.failure), (Status::Confirmed, 1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_rests_holds_nobody_up() {
    let swap = traded(venues(&ALL[1..], u32::MAX, 0, false), place()).await;
    let venue = swap.route.map(|route| route.quote.venue);
    assert_eq!((swap.status, venue.as_deref()), (Status::Confirmed, Some("Raydium")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_no_longer_than_its_own_time() {
    let expires_at = Some(clock::now().plus_millis(900));
    let swap = traded(venues(&ALL, u32::MAX, 0, false), Place { expires_at, ..place() }).await;
    assert_eq!(swap.status, Status::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_rests_when_it_is_to_build_is_waited_for() {
    let swap = traded(venues(&ALL, 0, 4, false), place()).await;
    assert_eq!((swap.status, swap.attempt, swap.failure), (Status::Confirmed, 1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_not_tried_again() {
    let swap = traded(venues(&ALL, 0, 0, true), place()).await;
    let why = swap.failure.expect("a reason");
    assert_eq!((swap.status, swap.attempt, why.code.as_str()), (Status::Failed, 1, "TRANSACTION_MISMATCH"));
    assert!(why.message.contains("swaps 2 times"), "{}", why.message);
}

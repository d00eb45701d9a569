//! Follows the log for all webhooks: makes a delivery, and the job that brings it, of every event that an endpoint wants.
//!
//! A page's deliveries and the new position are one compare-and-set change, and a delivery's id follows from its endpoint
//! and event: two relays cannot make two of one. An event that nobody wants costs no write.

mod load;

use std::sync::Arc;
use std::time::Duration;

use domain::webhook::delivery::{About, Delivery, To};
use domain::{Change, Event, Kind};
use drivers::journal::{Journal, List};
use drivers::wake::Wake;
use drivers::{Conflict, Fault};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::book::{Book, Entry};
use super::{RELAY, Webhooks, delivery_id};
use crate::access::Access;
use crate::observe::Metrics;
use crate::relay::lease::{Lease, Place};
use crate::{backoff, clock, observe};

/// Events read at once.
const PAGE: usize = 500;
/// One change makes no more deliveries than this, but for those of a single event.
const BATCH: usize = 1_000;
/// A lost hint costs this much.
const POLL: Duration = Duration::from_millis(20);
/// How often a standby looks at the row.
const WATCH: Duration = Duration::from_millis(500);
/// How long letting go of the lease may take.
const LAST_WORD: Duration = Duration::from_millis(500);
/// The row may lie behind by so many events that nobody wants,
const BEHIND: u64 = 5_000;
/// or for so long.
const BEHIND_FOR: Duration = Duration::from_secs(1);

/// One process's relay to all webhooks.
pub(crate) struct WebhookRelay {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) access: Arc<Access>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) metrics: Arc<Metrics>,
    lease: Lease,
    book: Book,
    /// What comes next lies beyond this; the row may lie behind.
    position: u64,
    /// When the row was last moved.
    moved: Instant,
    /// A delivery that stands in the journal already.
    standing: Option<String>,
}

/// What one step came to.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// There may be more.
    More,
    /// Everything is on its way.
    Idle,
    /// Another process relays.
    Standby,
}

impl WebhookRelay {
    /// A relay that others may stand beside where the journal is shared.
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        wake: Arc<dyn Wake>,
        access: Arc<Access>,
        webhooks: Arc<Webhooks>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let lease = Lease::new(Arc::clone(&journal), RELAY.to_owned(), !journal.shared());
        let (book, moved) = (Book::default(), Instant::now());
        Self { journal, wake, access, webhooks, metrics, lease, book, position: 0, moved, standing: None }
    }

    /// Relays until `stop`, then lets another process go on.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut heads = self.wake.head();
        let mut failures = 0;
        while !stop.is_cancelled() {
            heads.mark_unchanged();
            let Some(done) = stop.run_until_cancelled(self.step()).await else { break };
            match done {
                Ok(Step::More) => failures = 0,
                Ok(Step::Idle) => {
                    failures = 0;
                    tokio::select! { _ = heads.changed() => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Ok(Step::Standby) => {
                    failures = 0;
                    stop.run_until_cancelled(tokio::time::sleep(WATCH)).await;
                }
                Err(fault) => {
                    failures += 1;
                    self.lease.drop_it();
                    self.say(&fault);
                    let wait = backoff::millis(50, 5_000, failures, 0);
                    let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
                    stop.run_until_cancelled(tokio::time::sleep(wait)).await;
                }
            }
        }
        // The others would take over without it, a little later.
        let _ = tokio::time::timeout(LAST_WORD, self.lease.release()).await;
    }

    fn say(&mut self, fault: &Fault) {
        match fault {
            Fault::Conflict(Conflict::Exists { kind: Kind::Delivery, id }) => self.standing = Some(id.clone()),
            Fault::Conflict(_) => observe::relay_steps_back(RELAY),
            fault => observe::fault("relay to webhooks", fault),
        }
    }

    async fn step(&mut self) -> Result<Step, Fault> {
        if self.lease.place().is_none() && !self.take_over().await? {
            return Ok(Step::Standby);
        }
        self.lease.renew().await?;
        let events = self.journal.events(self.position, None, PAGE).await?;
        let full = events.len() == PAGE;
        let mut batch = Change::default();
        for event in events {
            let seq = event.seq;
            self.follow(&event).await?;
            let before = batch.jobs.len();
            self.deliver(&event, &mut batch);
            if batch.jobs.len() > before {
                self.webhooks.events.keep(event);
            }
            self.position = seq;
            if batch.jobs.len() >= BATCH {
                self.commit(std::mem::take(&mut batch)).await?;
            }
        }
        if batch.jobs.is_empty() {
            self.move_lazily().await?;
        } else {
            self.commit(batch).await?;
        }
        Ok(if full { Step::More } else { Step::Idle })
    }

    /// Keeps the book.
    async fn follow(&mut self, event: &Event) -> Result<(), Fault> {
        match event.kind {
            Kind::Endpoint => {
                match Entry::after(event) {
                    Ok(entry) => {
                        if self.book.enter(&event.owner, entry) {
                            self.take_in(vec![event.owner.clone()]).await?;
                        }
                    }
                    Err(error) => unreadable(&event.id, &error),
                }
                let (active, disabled) = self.book.counts();
                self.metrics.webhook_endpoints(active, disabled);
            }
            Kind::Authorisation => self.book.hear(event),
            _ => {}
        }
        Ok(())
    }

    fn deliver(&self, event: &Event, batch: &mut Change) {
        let now = clock::now();
        for (account, entry) in self.book.wanted_by(event) {
            let id = delivery_id(&entry.id, event.seq);
            if self.standing.as_ref() == Some(&id) {
                continue;
            }
            let to = To { endpoint: &entry.id, account, ordered: entry.ordered };
            let delivery = Delivery::new(id, &to, About::from(event), None, now);
            batch.jobs.push(delivery.job(entry.ordered, now));
            batch.entities.push(delivery.write());
        }
    }

    async fn commit(&mut self, batch: Change) -> Result<(), Fault> {
        self.lease.move_with(Place::at(self.position), batch).await?;
        (self.moved, self.standing) = (Instant::now(), None);
        Ok(())
    }

    /// Moves the row over events that nobody wants, once it lies far enough behind.
    async fn move_lazily(&mut self) -> Result<(), Fault> {
        let row = self.lease.place().map_or(self.position, |place| place.position);
        let behind = self.position.saturating_sub(row);
        if behind >= BEHIND || (behind > 0 && self.moved.elapsed() >= BEHIND_FOR) {
            self.lease.move_to(Place::at(self.position)).await?;
            self.moved = Instant::now();
        }
        Ok(())
    }

    /// Tries to become the one who relays; loads the book then.
    async fn take_over(&mut self) -> Result<bool, Fault> {
        let journal = Arc::clone(&self.journal);
        if !self.lease.stand(async || begin(journal.as_ref()).await).await? {
            return Ok(false);
        }
        observe::relay_sends(RELAY);
        self.position = self.lease.place().map_or(0, |place| place.position);
        self.moved = Instant::now();
        self.load().await?;
        let (active, disabled) = self.book.counts();
        self.metrics.webhook_endpoints(active, disabled);
        Ok(true)
    }
}

/// Where the first relay begins: before the oldest endpoint, or at the log's end where there is none yet.
async fn begin(journal: &dyn Journal) -> Result<u64, Fault> {
    // First: an endpoint that is made after this look comes after this end.
    let head = journal.head().await?;
    let oldest = journal.entities(endpoints(None, 1)).await?.entities;
    let Some(oldest) = oldest.first() else { return Ok(head.seq) };
    let made = journal.history(Kind::Endpoint, &oldest.id, 0, 1).await?;
    Ok(made.first().map_or(head.floor, |event| event.seq.saturating_sub(1)))
}

fn endpoints(after: Option<u64>, limit: usize) -> List {
    List {
        kind: Kind::Endpoint,
        among: Vec::new(),
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after,
        newest_first: false,
        limit,
    }
}

/// One that a newer release wrote must not keep the others waiting.
fn unreadable(id: &str, error: &serde_json::Error) {
    observe::broken("a webhook endpoint cannot be read; it gets nothing", id, &error.to_string());
}

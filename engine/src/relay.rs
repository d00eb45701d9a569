//! Follows the log for an export: sends what is new, then moves its position, by compare-and-set. Of all processes that
//! relay to an export one sends; the others stand by.

pub(crate) mod lease;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::Event;
use drivers::export::Export;
use drivers::journal::Journal;
use drivers::wake::Wake;
use drivers::{Fault, export, failpoint};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::lease::{Lease, Place};
use crate::observe::Metrics;
use crate::{backoff, observe};

const PAGE: usize = 500;
const POLL: Duration = Duration::from_millis(20);
/// How often a standby looks at the row.
const WATCH: Duration = Duration::from_millis(500);
/// How often the export is asked where it really ends: it may have been wiped or restored.
const CHECK: Duration = Duration::from_secs(5);
/// How long letting go of the lease may take.
const LAST_WORD: Duration = Duration::from_millis(500);

/// From a journal to an export.
pub(crate) struct Route {
    pub(crate) url: String,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) export: Arc<dyn Export>,
    pub(crate) metrics: Arc<Metrics>,
}

/// One process's relay to one export.
pub(crate) struct Relay {
    route: Route,
    /// The export's URL without its secrets.
    name: String,
    lease: Lease,
    /// What comes next lies beyond its position; before the row's where the export lost some.
    place: Place,
    /// When the export was last asked where it ends.
    checked: Option<Instant>,
}

/// What one step came to.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A full page was sent: there may be more.
    More,
    /// Everything is outside.
    Idle,
    /// Another process sends.
    Standby,
}

impl Relay {
    /// A relay along `route`. Its row is named by a digest (UUID version 5) of the export's name, which may be longer than an
    /// id and holds no secret: processes that say the same export share it, also when its password has changed.
    pub(crate) fn new(route: Route) -> Self {
        let alone = !route.journal.shared();
        Self::standing(route, alone)
    }

    /// One that other processes may stand beside, or none.
    pub(crate) fn standing(route: Route, alone: bool) -> Self {
        let name = export::name(&route.url);
        let row = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string();
        let lease = Lease::new(Arc::clone(&route.journal), row, alone);
        Self { name, lease, route, place: Place::at(0), checked: None }
    }

    /// Relays until `stop`, then lets another process go on.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut heads = self.route.wake.head();
        let mut failures = 0;
        while !stop.is_cancelled() {
            heads.mark_unchanged();
            let Some(done) = stop.run_until_cancelled(self.step()).await else { break };
            if done.is_ok() {
                failures = 0;
            }
            match done {
                Ok(Step::More) => {}
                Ok(Step::Idle) => {
                    tokio::select! { _ = heads.changed() => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Ok(Step::Standby) => {
                    stop.run_until_cancelled(tokio::time::sleep(WATCH)).await;
                }
                Err(fault) => {
                    failures += 1;
                    stop.run_until_cancelled(self.recover(&fault, failures)).await;
                }
            }
        }
        // The others would take over without it, a little later.
        let _ = tokio::time::timeout(LAST_WORD, self.lease.release()).await;
    }

    /// Waits, then looks again where things stand. Who keeps failing waits longer than the lease, and loses it to one who
    /// stands by.
    async fn recover(&mut self, fault: &Fault, failures: u32) {
        self.lease.drop_it();
        if matches!(fault, Fault::Conflict(_)) {
            observe::relay_steps_back(&self.name);
        } else {
            observe::fault("relay", fault);
        }
        let _ = self.report().await;
        let wait = backoff::millis(50, 5_000, failures, 0);
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
    }

    async fn step(&mut self) -> Result<Step, Fault> {
        if self.lease.place().is_none() && !self.take_over().await? {
            self.report().await?;
            return Ok(Step::Standby);
        }
        if self.checked.is_none_or(|checked| checked.elapsed() >= CHECK) {
            self.check().await?;
        }
        let mut events: Vec<Event> = self.route.journal.events(self.place.position, None, PAGE).await?;
        let full = events.len() == PAGE;
        self.lease.renew().await?;
        let Some(last) = events.last().map(|event| event.seq) else {
            self.route.metrics.export_lag(&self.name, 0);
            return Ok(Step::Idle);
        };
        events.retain(|event| self.route.export.takes(event));
        failpoint::hit("relay.before");
        if !events.is_empty() {
            self.send(&events).await?;
        }
        failpoint::hit("relay.sent");
        let place = Place { position: last, sent: events.last().map_or(self.place.sent, |event| event.seq) };
        self.lease.move_to(place).await?;
        failpoint::hit("relay.after");
        self.place = place;
        let head = (*self.route.wake.head().borrow()).max(last);
        self.route.metrics.export_lag(&self.name, head - last);
        Ok(if full { Step::More } else { Step::Idle })
    }

    /// Tries to become the one who sends.
    async fn take_over(&mut self) -> Result<bool, Fault> {
        let export = Arc::clone(&self.route.export);
        if !self.lease.stand(async || Ok(export.position().await?.unwrap_or(0))).await? {
            return Ok(false);
        }
        observe::relay_sends(&self.name);
        self.checked = None;
        Ok(true)
    }

    /// Goes on from the row's place, or from where the export ends if that is before what it was sent: what it lost is sent
    /// again. What lies between the export's end and the row's position it does not take.
    async fn check(&mut self) -> Result<(), Fault> {
        let outside = self.route.export.position().await?;
        let head = self.route.journal.head().await?.seq;
        if let Some(outside) = outside.filter(|outside| *outside > head) {
            return Err(Fault::Broken(format!(
                "the export {} holds events up to {outside}, the journal ends at {head}: it lost its last events; start a new \
                 epoch with `tradewind migrate --new-epoch`, and name another stream or file",
                self.name
            )));
        }
        let kept = self.lease.place().unwrap_or(Place::at(0));
        self.place = outside.filter(|outside| *outside < kept.sent).map_or(kept, Place::at);
        if self.place != kept {
            observe::export_fell_back(&self.name, kept.position, self.place.position);
            self.route.metrics.export_lag(&self.name, kept.position - self.place.position);
        }
        self.checked = Some(Instant::now());
        Ok(())
    }

    /// Sends a page, and holds on to the lease meanwhile; losing it ends the sending.
    async fn send(&mut self, events: &[Event]) -> Result<(), Fault> {
        let export = Arc::clone(&self.route.export);
        let mut sending = pin!(export.send(events));
        loop {
            tokio::select! {
                sent = &mut sending => return sent,
                () = tokio::time::sleep_until(self.lease.due()) => self.lease.renew().await?,
            }
        }
    }

    /// How far the export is behind, as the row says.
    async fn report(&self) -> Result<(), Fault> {
        let position = self.lease.look().await?.unwrap_or(0);
        let head = self.route.journal.head().await?.seq;
        self.route.metrics.export_lag(&self.name, head.saturating_sub(position));
        Ok(())
    }
}

//! Brings deliveries to their endpoints: claims jobs, a lane for each endpoint, and sends each from a task of its own.

use std::sync::Arc;
use std::time::Duration;

use domain::webhook::delivery::QUEUE_DELIVER;
use drivers::journal::{Claim, Journal};
use drivers::wake::Wake;
use drivers::webhook::Sender;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Webhooks;
use super::pace::{Paces, Rooms};
use super::vigil::Vigil;
use crate::leases::Leases;
use crate::observe::Metrics;
use crate::operator::Paused;
use crate::{clock, observe};

/// A lost hint costs this much, and so does a rate that was used up.
const POLL: Duration = Duration::from_millis(20);
/// One claim takes no more than this, so that the first of them are sent while the next are claimed.
const AT_ONCE: usize = 256;
/// How often the queue is measured.
const MEASURE: Duration = Duration::from_secs(10);

/// What a deliverer works with.
pub(crate) struct Deliverer {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) leases: Arc<Leases>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) sender: Sender,
    pub(super) paces: Paces,
    pub(super) vigil: Vigil,
    /// A lane that was full has room.
    pub(super) room: Notify,
    paused: Arc<Paused>,
    wake: Arc<dyn Wake>,
    tasks: TaskTracker,
    concurrency: usize,
}

/// What a deliverer is made of.
pub(crate) struct Parts {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) paused: Arc<Paused>,
    pub(crate) tasks: TaskTracker,
    pub(crate) sender: Sender,
    /// So many requests at once, to all endpoints.
    pub(crate) concurrency: usize,
}

impl Deliverer {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { journal, wake, webhooks, leases, metrics, paused, tasks, sender, concurrency } = parts;
        let (paces, vigil, room) = (Paces::new(concurrency), Vigil::default(), Notify::new());
        Arc::new(Self {
            journal,
            webhooks,
            leases,
            metrics,
            sender,
            paces,
            vigil,
            room,
            paused,
            wake,
            tasks,
            concurrency,
        })
    }

    /// Claims and sends until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let news = self.wake.queue(QUEUE_DELIVER);
        let slots = Arc::new(Semaphore::new(self.concurrency));
        while !stop.is_cancelled() {
            let (heard, room) = (news.notified(), self.room.notified());
            let first = tokio::select! {
                first = Arc::clone(&slots).acquire_owned() => first,
                () = stop.cancelled() => return,
            };
            let Ok(mut free) = first else { return };
            if !self.paused.pass(QUEUE_DELIVER, &stop).await {
                return;
            }
            let unused = slots.available_permits() + 1;
            let more = self.paces.at_once(unused).min(AT_ONCE) - 1;
            if let Ok(more) = Arc::clone(&slots).try_acquire_many_owned(u32::try_from(more).unwrap_or(0)) {
                free.merge(more);
            }
            let (limit, now) = (free.num_permits(), clock::now());
            let Rooms { per_lane, narrow } = self.paces.rooms(unused, now);
            let claim = Claim { queue: QUEUE_DELIVER, limit, per_lane, narrow, now };
            let full = match self.journal.claim(claim).await {
                Ok(claimed) => {
                    let full = claimed.len() == limit;
                    for job in claimed {
                        let (slot, deliverer) = (free.split(1), Arc::clone(&self));
                        self.tasks.spawn(async move {
                            deliverer.work(job).await;
                            drop(slot);
                        });
                    }
                    full
                }
                Err(fault) => {
                    observe::fault("claim deliveries", &fault);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    false
                }
            };
            drop(free);
            if !full {
                tokio::select! { () = heard => {}, () = room => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
            }
        }
    }

    /// Keeps vigil over endpoints that fail.
    pub(crate) async fn watch(self: Arc<Self>, stop: CancellationToken) {
        self.vigil.run(Arc::clone(&self.journal), Arc::clone(&self.webhooks), stop).await;
    }

    /// Measures the queue now and then.
    pub(crate) async fn measure(self: Arc<Self>, stop: CancellationToken) {
        loop {
            match self.journal.depth(QUEUE_DELIVER, clock::now()).await {
                Ok(depth) => self.metrics.webhooks_pending(depth.ready + depth.leased + depth.waiting),
                Err(fault) => observe::fault("measure the deliveries", &fault),
            }
            if stop.run_until_cancelled(tokio::time::sleep(MEASURE)).await.is_none() {
                return;
            }
        }
    }
}

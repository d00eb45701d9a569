//! Waits for the venues' word on submitted orders: one batched poller per venue, no worker slot held.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::swap::{Choice, Failure, Fill, Prepared, QUEUE, Status, Swap, confirm, fail, rest};
use domain::{Change, JobStep, Lease, Then};
use drivers::venue::{LOOK_UP_LIMIT, Outcome, Venue};
use drivers::{Conflict, Fault, failpoint};
use futures_util::StreamExt;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::loops::Loops;
use crate::work::{SLIPPAGE_EXCEEDED, Worker};
use crate::{backoff, clock, observe};

/// Orders on their way to one poller; when it is full they go back into their queue.
const INBOX: usize = 1_024;
/// Orders one poller follows at once; beyond it the inbox fills.
const FOLLOWED: usize = 50_000;
/// Bytes whose outcome stays open are sent again after this, doubled each time up to the cap.
const RESEND_BASE_MILLIS: u64 = 4_000;
const RESEND_CAP_MILLIS: u64 = 30_000;
/// A venue that moves at this pace has new orders done at once: they are looked up as they come, not on its beat.
const AT_ONCE_MILLIS: u64 = 20;
/// Bytes sent again at once, per venue.
const RESENDS: usize = 16;
/// How long an order waits in its queue whose venue's poller has no room, or that would be built anew while its queue is paused.
const LATER_MILLIS: i64 = 5_000;
/// The longest pause between look-ups while a venue fails.
const LOOK_UP_CAP_MILLIS: u64 = 5_000;

/// A submitted order and the right to end it.
pub(crate) struct Pending {
    pub(crate) swap: Swap,
    pub(crate) lease: Lease,
    pub(crate) bytes: Arc<Prepared>,
    /// Which attempt of the job this is.
    pub(crate) attempt: u32,
}

/// An order the poller follows.
struct Followed {
    pending: Pending,
    sends: u32,
    send_again: Instant,
}

/// The way to the pollers.
#[derive(Clone)]
pub(crate) struct Confirmers {
    inboxes: Arc<HashMap<&'static str, mpsc::Sender<Pending>>>,
    worker: Arc<Worker>,
}

impl Confirmers {
    /// Starts one poller per venue, until `stop`.
    pub(crate) fn start(worker: &Arc<Worker>, loops: &Loops, stop: &CancellationToken) -> Self {
        let mut inboxes = HashMap::new();
        let mut outlets = Vec::new();
        for venue in worker.router.all() {
            let (sender, receiver) = mpsc::channel(INBOX);
            inboxes.insert(venue.name(), sender);
            outlets.push((Arc::clone(venue), receiver));
        }
        let confirmers = Self { inboxes: Arc::new(inboxes), worker: Arc::clone(worker) };
        for (venue, inbox) in outlets {
            let (followed, next_beat, confirmers) = (VecDeque::new(), Instant::now(), confirmers.clone());
            let poller = Poller { venue, inbox, followed, failures: 0, next_beat, resending: None, confirmers };
            loops.spawn("confirm", stop, poller.run(stop.clone()));
        }
        confirmers
    }

    /// Gives an order to its venue's poller, or back to its queue while that has no room: nothing waits in a worker's slot.
    pub(crate) async fn hand_over(&self, pending: Pending) {
        let lease = pending.lease;
        let Some(inbox) = self.inboxes.get(&*pending.bytes.venue) else {
            // A venue that is no longer configured: the lease lapses and a later claim sees to it.
            self.worker.leases.let_go(lease);
            return;
        };
        if let Err(refused) = inbox.try_send(pending) {
            if let TrySendError::Full(pending) = refused {
                observe::no_room(&pending.bytes.venue);
                self.give_back(lease).await;
            }
            self.worker.leases.let_go(lease);
        }
    }

    /// Back to its queue for a while.
    async fn give_back(&self, lease: Lease) {
        let now = clock::now();
        let step = Some(JobStep { lease, then: Then::Wait { run_at: now.plus_millis(LATER_MILLIS) } });
        if let Err(fault) = self.worker.journal.apply(Change { at: now, step, ..Change::default() }).await {
            observe::fault("give an order back; it is left until its lease lapses", &fault);
        }
    }
}

struct Poller {
    venue: Arc<dyn Venue>,
    inbox: mpsc::Receiver<Pending>,
    followed: VecDeque<Followed>,
    failures: u32,
    next_beat: Instant,
    /// Sends bytes again beside the look-ups; one lot at a time.
    resending: Option<JoinHandle<()>>,
    confirmers: Confirmers,
}

impl Poller {
    async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.step()).await.is_some() {}
    }

    /// Takes new orders in, looks orders up, settles those that have an outcome.
    async fn step(&mut self) {
        let new = self.wait().await;
        let (now, beat) = (Instant::now(), new.is_empty());
        self.confirmers.worker.metrics.confirming(i64::try_from(new.len()).unwrap_or(0));
        let again = now + Duration::from_millis(RESEND_BASE_MILLIS);
        let new = new.into_iter().map(|pending| Followed { pending, sends: 1, send_again: again });
        let mut rest = if beat {
            self.next_beat = now + self.pause();
            std::mem::take(&mut self.followed)
        } else if self.venue.poll_millis() <= AT_ONCE_MILLIS && self.failures == 0 {
            new.collect()
        } else {
            self.followed.extend(new);
            return;
        };
        while !rest.is_empty() {
            let batch: Vec<Followed> = rest.drain(..rest.len().min(LOOK_UP_LIMIT)).collect();
            let bytes: Vec<_> = batch.iter().map(|f| Arc::clone(&f.pending.bytes)).collect();
            match self.venue.look_up(&bytes).await {
                Ok(outcomes) => {
                    self.failures = 0;
                    for (followed, outcome) in batch.into_iter().zip(outcomes) {
                        self.settle(followed, outcome);
                    }
                }
                Err(error) => {
                    self.failures += 1;
                    self.followed.extend(batch);
                    self.followed.append(&mut rest);
                    observe::look_up_failed(self.venue.name(), &error.to_string(), self.followed.len());
                }
            }
        }
        if beat {
            self.send_again(now);
        }
    }

    /// Sends bytes again whose outcome has been open for long, unless the last lot is still being sent, or the queue of
    /// orders is paused: outcomes are looked up then, but nothing new is caused.
    fn send_again(&mut self, now: Instant) {
        let paused = self.confirmers.worker.paused.is_paused(QUEUE);
        if paused || self.resending.as_ref().is_some_and(|lot| !lot.is_finished()) {
            return;
        }
        let mut due = Vec::new();
        for followed in self.followed.iter_mut().filter(|f| f.send_again <= now).take(LOOK_UP_LIMIT) {
            followed.sends += 1;
            let job = followed.pending.lease.job;
            let wait = backoff::millis(RESEND_BASE_MILLIS, RESEND_CAP_MILLIS, followed.sends, job);
            followed.send_again = now + Duration::from_millis(u64::try_from(wait).unwrap_or(0));
            due.push((followed.pending.swap.id.clone(), Arc::clone(&followed.pending.bytes)));
        }
        if due.is_empty() {
            return;
        }
        let venue = Arc::clone(&self.venue);
        self.resending = Some(self.confirmers.worker.tasks.spawn(async move {
            let send = |(id, bytes): (String, Arc<Prepared>)| {
                let venue = Arc::clone(&venue);
                async move {
                    if let Err(error) = venue.submit(&bytes).await {
                        observe::submit_unanswered(&id, venue.name(), &error.to_string());
                    }
                }
            };
            futures_util::stream::iter(due).for_each_concurrent(RESENDS, send).await;
        }));
    }

    /// New orders as soon as there are some, or none when it is time to look the followed ones up.
    async fn wait(&mut self) -> Vec<Pending> {
        let mut new = Vec::new();
        let room = FOLLOWED.saturating_sub(self.followed.len()).min(LOOK_UP_LIMIT);
        let beat = tokio::time::sleep_until(self.next_beat.into());
        if self.followed.is_empty() {
            self.inbox.recv_many(&mut new, LOOK_UP_LIMIT).await;
        } else if room > 0 {
            tokio::select! { biased; () = beat => {}, _ = self.inbox.recv_many(&mut new, room) => {} }
        } else {
            beat.await;
        }
        new
    }

    /// Until the next look-up: the venue's own pace, or a growing pause while it fails.
    fn pause(&self) -> Duration {
        Duration::from_millis(match self.failures {
            0 => self.venue.poll_millis(),
            n => u64::try_from(backoff::millis(100, LOOK_UP_CAP_MILLIS, n, 1)).unwrap_or(LOOK_UP_CAP_MILLIS),
        })
    }

    fn settle(&mut self, followed: Followed, outcome: Outcome) {
        match outcome {
            Outcome::Open => self.followed.push_back(followed),
            ended => {
                let confirmers = self.confirmers.clone();
                let tasks = self.confirmers.worker.tasks.clone();
                tasks.spawn(async move { confirmers.end(followed.pending, ended).await });
            }
        }
    }
}

impl Confirmers {
    async fn end(&self, pending: Pending, outcome: Outcome) {
        let worker = &self.worker;
        let _guard = worker.leases.guard(pending.lease);
        let done = JobStep { lease: pending.lease, then: Then::Finish };
        failpoint::hit("confirm.before");
        match outcome {
            Outcome::Open => {}
            Outcome::Expired if worker.paused.is_paused(QUEUE) || worker.rests(&pending.swap, clock::now()) => {
                // Whoever claims it when the queue runs again, and trading does, finds the bytes expired, and builds it anew.
                self.give_back(pending.lease).await;
            }
            Outcome::Expired => {
                if let Some(again) = worker.rebuild(pending).await {
                    Box::pin(self.hand_over(again)).await;
                }
                worker.metrics.confirming(-1);
                return;
            }
            Outcome::Confirmed { amount_in, amount_out, slot } => {
                let fill = Fill { amount_in, amount_out, slot };
                let receipt = worker.router.venue(&pending.bytes.venue).and_then(|venue| venue.receipt(&pending.bytes));
                let traded = |swap: &Swap| Swap { receipt: receipt.clone(), ..swap.clone() };
                let decide = |swap: &Swap| confirm(&traded(swap), fill, done.clone(), clock::now());
                self.commit(&pending, Status::Confirmed, decide).await;
            }
            // Its price was gone when its turn came: it waits for it again.
            Outcome::Failed { code, message } if pending.swap.rests() && code == SLIPPAGE_EXCEEDED => {
                let why = Failure { code, message };
                self.commit(&pending, Status::Open, |swap| rest(swap, why.clone(), done.clone(), clock::now())).await;
            }
            Outcome::Failed { code, message } => {
                let why = Failure { code, message };
                self.commit(&pending, Status::Failed, |swap| fail(swap, why.clone(), done.clone(), clock::now())).await;
            }
        }
        failpoint::hit("confirm.after");
        worker.metrics.confirming(-1);
        worker.leases.let_go(pending.lease);
    }

    /// Writes a venue's word down; while the journal is away it tries on, for the word is final.
    async fn commit<F>(&self, pending: &Pending, status: Status, decide: F)
    where
        F: Fn(&Swap) -> Result<Choice, domain::Refusal>,
    {
        let worker = &self.worker;
        let mut tries = 0;
        loop {
            match worker.commit(decide(&pending.swap)).await {
                Ok(_) => {
                    if let Some(venue) = worker.router.venue(&pending.bytes.venue) {
                        venue.settled(&pending.bytes);
                    }
                    return worker.metrics.swap_ended(status);
                }
                Err(fault) if fault.is_transient() => {
                    tries += 1;
                    observe::fault("write an outcome", &fault);
                    let wait = backoff::millis(100, LOOK_UP_CAP_MILLIS, tries, pending.lease.job);
                    tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
                }
                // Another worker holds the job now, and sees the same outcome.
                Err(Fault::Conflict(Conflict::StaleLease(job))) => return observe::lease_lost(job),
                Err(fault) => {
                    return observe::fault("write an outcome; the order is left until its lease lapses", &fault);
                }
            }
        }
    }
}

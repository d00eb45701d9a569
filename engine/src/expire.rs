//! Ends orders whose time ran out before a transaction was built: one job each, due at that time.

use std::sync::Arc;
use std::time::Duration;

use domain::swap::{MAX_ATTEMPTS, QUEUE_EXPIRE, Status, Swap, expire};
use domain::{Change, Claimed, JobStep, Kind, Then};
use drivers::journal::{Claim, Journal};
use drivers::wake::Wake;
use drivers::{Conflict, Fault};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::observe::Metrics;
use crate::{backoff, clock, observe};

const POLL: Duration = Duration::from_millis(100);

/// The loop over the queue of orders to expire.
pub(crate) struct Expiry {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) concurrency: usize,
}

impl Expiry {
    /// Expires until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let news = self.wake.queue(QUEUE_EXPIRE);
        while !stop.is_cancelled() {
            let heard = news.notified();
            match self.step().await {
                Ok(claimed) if claimed == self.concurrency => {}
                Ok(_) => {
                    tokio::select! { () = heard => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Err(fault) => {
                    observe::fault("claim expiries", &fault);
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn step(&self) -> Result<usize, Fault> {
        let claim = Claim { queue: QUEUE_EXPIRE, limit: self.concurrency, per_lane: usize::MAX, now: clock::now() };
        let claimed = self.journal.claim(claim).await?;
        join_all(claimed.iter().map(|job| self.work(job))).await;
        Ok(claimed.len())
    }

    async fn work(&self, job: &Claimed) {
        let ended = if job.job.attempt > MAX_ATTEMPTS {
            Err(Fault::Broken(format!("{MAX_ATTEMPTS} attempts did not come to an end")))
        } else {
            self.expire(job).await
        };
        if let Err(fault) = ended {
            observe::fault("expire an order", &fault);
            self.try_again(job, &fault).await;
        }
    }

    /// Back to the queue, or among the dead jobs after the last attempt. A job that this cannot be written of keeps its
    /// lease until that lapses.
    async fn try_again(&self, claimed: &Claimed, fault: &Fault) {
        let (attempt, now) = (claimed.job.attempt, clock::now());
        let then = match fault {
            Fault::Conflict(_) => return,
            // No fault of the order's: it does not count.
            fault if fault.is_transient() => {
                Then::Wait { run_at: now.plus_millis(backoff::millis(1_000, 30_000, 1, claimed.job.id)) }
            }
            _ if attempt >= MAX_ATTEMPTS => Then::Bury { why: fault.to_string(), park: false },
            _ => {
                let run_at = now.plus_millis(backoff::millis(1_000, 30_000, attempt, claimed.job.id));
                Then::Retry { run_at, error: fault.to_string() }
            }
        };
        let step = Some(JobStep { lease: claimed.lease, then });
        if let Err(fault) = self.journal.apply(Change { at: now, step, ..Change::default() }).await {
            observe::fault("give an expiry back", &fault);
        }
    }

    async fn expire(&self, claimed: &Claimed) -> Result<(), Fault> {
        let step = JobStep { lease: claimed.lease, then: Then::Finish };
        loop {
            let now = clock::now();
            let entity = self.journal.entity(Kind::Swap, &claimed.job.body).await?;
            let swap = entity.as_ref().map(Swap::from_entity).transpose().map_err(|e| Fault::Broken(e.to_string()))?;
            let choice = swap.as_ref().map(|swap| expire(swap, step.clone(), now));
            // Too late to expire, or nothing there: only the job ends.
            let change = match choice {
                Some(Ok(choice)) => choice.change,
                _ => Change { at: now, step: Some(step.clone()), ..Change::default() },
            };
            let expired = !change.entities.is_empty();
            match self.journal.apply(change).await {
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(fault) => return Err(fault),
                Ok(_) if expired => {
                    self.metrics.swap_ended(Status::Expired);
                    return Ok(());
                }
                Ok(_) => return Ok(()),
            }
        }
    }
}

//! Queues whose jobs are done at one go: claim, do, and what became of a job that could not be done.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::swap::MAX_ATTEMPTS;
use domain::{Change, Claimed, JobStep, Then};
use drivers::Fault;
use drivers::journal::{Claim, Journal};
use drivers::wake::Wake;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::operator::Paused;
use crate::{backoff, clock, observe};

const POLL: Duration = Duration::from_millis(100);

/// What the jobs of one queue ask for. A job takes far less time than its lease lasts.
#[async_trait]
pub(crate) trait Chore: Send + Sync + 'static {
    /// The queue.
    fn queue(&self) -> &'static str;

    /// Does the job, and finishes it in the same change.
    async fn work(&self, claimed: &Claimed) -> Result<(), Fault>;
}

/// The loop over one such queue.
pub(crate) struct Chores<C> {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) paused: Arc<Paused>,
    pub(crate) chore: C,
    pub(crate) concurrency: usize,
}

impl<C: Chore> Chores<C> {
    /// Works until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let news = self.wake.queue(self.chore.queue());
        while !stop.is_cancelled() {
            if !self.paused.pass(self.chore.queue(), &stop).await {
                return;
            }
            let heard = news.notified();
            match self.step().await {
                Ok(claimed) if claimed == self.concurrency => {}
                Ok(_) => {
                    tokio::select! { () = heard => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Err(fault) => {
                    observe::fault("claim jobs", &fault);
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn step(&self) -> Result<usize, Fault> {
        let claim = Claim {
            queue: self.chore.queue(),
            limit: self.concurrency,
            per_lane: usize::MAX,
            narrow: Vec::new(),
            now: clock::now(),
        };
        let claimed = self.journal.claim(claim).await?;
        join_all(claimed.iter().map(|job| self.work(job))).await;
        Ok(claimed.len())
    }

    async fn work(&self, job: &Claimed) {
        let ended = if job.job.attempt > MAX_ATTEMPTS {
            Err(Fault::Broken(format!("{MAX_ATTEMPTS} attempts did not come to an end")))
        } else {
            self.chore.work(job).await
        };
        if let Err(fault) = ended {
            observe::fault(self.chore.queue(), &fault);
            self.try_again(job, &fault).await;
        }
    }

    /// Back to the queue, or among the dead jobs after the last attempt. A job that this cannot be written of keeps its
    /// lease until that lapses.
    async fn try_again(&self, claimed: &Claimed, fault: &Fault) {
        let (attempt, now) = (claimed.job.attempt, clock::now());
        let then = match fault {
            Fault::Conflict(_) => return,
            // No fault of the job's: it does not count.
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
            observe::fault("give a job back", &fault);
        }
    }
}

//! Executes swap orders: claims jobs, and steps each order through its life until a venue has its bytes.

use std::sync::Arc;
use std::time::Duration;

use domain::swap::{
    Answer, Choice, Failure, MAX_ATTEMPTS, Prepared, QUEUE, QUOTE_FRESH_MICROS, Route, Status, Swap, Verdict, begin,
    bound_to, expire, fail, prepared, rebuilt, retry, routed, too_much_impact,
};
use domain::{Change, Claimed, JobStep, Kind, Lease, Then, Timestamp};
use drivers::journal::{Claim, Journal};
use drivers::venue::Order;
use drivers::wake::Wake;
use drivers::{Conflict, Fault, failpoint};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::confirm::{Confirmers, Pending};
use crate::leases::Leases;
use crate::observe::Metrics;
use crate::operator::Paused;
use crate::risk::Risk;
use crate::router::{Router, is_refusal, is_resting, no_venue, why_none};
use crate::{backoff, clock, firm, observe};

mod resting;

mod conditional;

pub(crate) use conditional::SLIPPAGE_EXCEEDED;
use conditional::is_passing;

/// A lost hint costs this much.
const POLL: Duration = Duration::from_millis(20);
/// How often a step is tried again while the journal is away, before the lease is left to lapse.
const PATIENCE: u32 = 6;

/// What a worker works with.
pub(crate) struct Worker {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) router: Arc<Router>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) paused: Arc<Paused>,
    pub(crate) risk: Arc<Risk>,
    pub(crate) tasks: TaskTracker,
    pub(crate) concurrency: usize,
}

/// Where a step left the order.
#[expect(clippy::large_enum_variant, reason = "moved once per step; a box would cost more than the copy")]
pub(crate) enum Step {
    /// In its next state, on disk; go on.
    Next(Swap),
    /// With the venue; its outcome is to be looked up.
    Sent(Box<Pending>),
    /// Off this worker's hands.
    Gone,
}

impl Worker {
    /// Claims and works until `stop`. Hands every order out to a task of its own, at most `concurrency` at once.
    pub(crate) async fn run(self: Arc<Self>, confirmers: Confirmers, stop: CancellationToken) {
        let news = self.wake.queue(QUEUE);
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let mut backlog = false;
        while !stop.is_cancelled() {
            let heard = news.notified();
            // With a backlog wait for a handful of free slots: one claim for many jobs costs about as much as for one.
            let at_least = if backlog { (self.concurrency / 8).max(1) } else { 1 };
            let first = tokio::select! {
                first = Arc::clone(&slots).acquire_many_owned(u32::try_from(at_least).unwrap_or(1)) => first,
                () = stop.cancelled() => return,
            };
            let Ok(mut free) = first else { return };
            if !self.paused.pass(QUEUE, &stop).await || !self.risk.pass(&stop).await {
                return;
            }
            if let Ok(more) =
                Arc::clone(&slots).try_acquire_many_owned(u32::try_from(slots.available_permits()).unwrap_or(0))
            {
                free.merge(more);
            }
            let limit = free.num_permits();
            let claim = Claim { queue: QUEUE, limit, per_lane: usize::MAX, narrow: Vec::new(), now: clock::now() };
            match self.journal.claim(claim).await {
                Ok(claimed) => {
                    backlog = claimed.len() == limit;
                    for job in claimed {
                        let slot = free.split(1);
                        let (worker, confirmers) = (Arc::clone(&self), confirmers.clone());
                        self.tasks.spawn(async move {
                            worker.work(job, &confirmers).await;
                            drop(slot);
                        });
                    }
                }
                Err(fault) => {
                    backlog = false;
                    observe::fault("claim orders", &fault);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            drop(free);
            if !backlog {
                tokio::select! { () = heard => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
            }
        }
    }

    async fn work(&self, claimed: Claimed, confirmers: &Confirmers) {
        let _guard = self.leases.hold(claimed.lease);
        self.metrics.working(1);
        let sent = self.execute(&claimed).await;
        self.metrics.working(-1);
        match sent {
            // The poller takes the lease over; its bounded queue is what slows the workers down when venues are slow.
            Some(pending) => confirmers.hand_over(*pending).await,
            None => drop(self.leases.let_go(claimed.lease)),
        }
    }

    /// Steps the order until it is sent or gone. A lost lease or a journal that stays away leave it to a later claim.
    async fn execute(&self, claimed: &Claimed) -> Option<Box<Pending>> {
        let id = claimed.job.body.as_str();
        let mut known: Option<Swap> = None;
        let mut faults = 0;
        loop {
            let step = match known.take() {
                Some(swap) => self.step(swap, claimed).await,
                None => match self.load(id).await {
                    Ok(Some(swap)) => self.step(swap, claimed).await,
                    Ok(None) => self.end_job(claimed.lease, "a job for an order that is not there", id).await,
                    Err(fault) => Err(fault),
                },
            };
            match step {
                Ok(Step::Next(swap)) => known = Some(swap),
                Ok(Step::Sent(pending)) => return Some(pending),
                Ok(Step::Gone) => return None,
                // The owner cancelled or the expiry came: look at the order again.
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(Fault::Conflict(Conflict::StaleLease(job))) => {
                    observe::lease_lost(job);
                    return None;
                }
                Err(fault) if fault.is_transient() && faults < PATIENCE => {
                    faults += 1;
                    observe::fault("work on an order", &fault);
                    let wait = backoff::millis(50, 2_000, faults, claimed.job.id);
                    tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
                }
                Err(fault) => {
                    observe::fault("work on an order; it is left until its lease lapses", &fault);
                    return None;
                }
            }
        }
    }

    pub(crate) async fn load(&self, id: &str) -> Result<Option<Swap>, Fault> {
        let entity = self.journal.entity(Kind::Swap, id).await?;
        entity.as_ref().map(Swap::from_entity).transpose().map_err(|e| Fault::Broken(format!("swap {id}: {e}")))
    }

    async fn step(&self, mut swap: Swap, claimed: &Claimed) -> Result<Step, Fault> {
        let (lease, attempt, now) = (claimed.lease, claimed.job.attempt, clock::now());
        if swap.status.is_final() {
            return self.end_job(lease, "", &swap.id).await;
        }
        if swap.status == Status::Submitted {
            // Sent before, perhaps by a process that died: the same bytes again do no harm.
            return Ok(self.send(swap, lease, attempt).await);
        }
        if self.rests(&swap, now) {
            return self.put_off(lease, now).await;
        }
        if attempt > MAX_ATTEMPTS {
            let message = format!("given up after {MAX_ATTEMPTS} attempts that did not come to an end");
            let why = swap.failure.clone().unwrap_or(Failure { code: "ATTEMPTS_EXHAUSTED".to_owned(), message });
            return self.bury(&swap, why, lease, now).await;
        }
        if swap.expires_at.is_some_and(|at| at <= now) {
            let choice = expire(&swap, JobStep { lease, then: Then::Finish }, now);
            return self.end(choice, Status::Expired).await;
        }
        swap.attempt = attempt.max(swap.attempt);
        match swap.status {
            Status::Pending => self.commit(begin(&swap, attempt, hold(lease), now)).await.map(Step::Next),
            Status::Open => self.look(swap, claimed).await,
            Status::Building if swap.firm.is_some() || fresh(&swap, now) && !self.is_kept_waiting(&swap) => {
                self.build(swap, claimed).await
            }
            _ => self.route(&swap, claimed).await,
        }
    }

    /// Asks the venues and commits the choice.
    async fn route(&self, swap: &Swap, claimed: &Claimed) -> Result<Step, Fault> {
        let (answers, verdict) = match self.within_price(swap).await {
            Ok(chosen) => chosen,
            Err(why) => return self.not_met(swap, why, claimed.lease).await,
        };
        let now = clock::now();
        let Some(verdict) = verdict else {
            if let Some(why) = too_much_impact(swap, &answers) {
                let done = JobStep { lease: claimed.lease, then: Then::Finish };
                return self.end(fail(swap, why, done, now), Status::Failed).await;
            }
            return self.try_again(swap, why_none(answers), claimed, now).await;
        };
        self.take(swap, (&answers, &verdict), claimed.lease, now).await
    }

    /// Commits the choice of an answer.
    pub(crate) async fn take(
        &self,
        swap: &Swap,
        (answers, verdict): (&[Answer], &Verdict),
        lease: Lease,
        now: Timestamp,
    ) -> Result<Step, Fault> {
        let Some(route) = route_of(swap, answers, verdict, now) else {
            return Err(Fault::Broken(format!("swap {}: a choice of no quote", swap.id)));
        };
        observe::order_routed(&swap.id, &route.quote, &verdict.reason);
        let after = self.commit(routed(swap, route, (answers, verdict), hold(lease), now)).await?;
        failpoint::hit("routing.after");
        Ok(Step::Next(after))
    }

    /// Has the transaction built, commits its bytes, and only then sends them.
    async fn build(&self, swap: Swap, claimed: &Claimed) -> Result<Step, Fault> {
        // An order that rested was built before; a new transaction is never the same as an old one.
        let build = swap.prepared.as_ref().map_or(1, |old| old.build + 1);
        let bytes = match self.prepare(&swap, swap.route.as_ref(), build).await {
            Ok(bytes) => bytes,
            Err(why) => return self.try_again(&swap, why, claimed, clock::now()).await,
        };
        if self.rests(&swap, clock::now()) {
            return self.put_off(claimed.lease, clock::now()).await;
        }
        let after = self.commit(prepared(&swap, bytes, hold(claimed.lease), clock::now())).await?;
        Ok(self.send(after, claimed.lease, claimed.job.attempt).await)
    }

    async fn prepare(&self, swap: &Swap, route: Option<&Route>, build: u32) -> Result<Prepared, Failure> {
        let route = route.ok_or_else(no_venue)?;
        let venue = self.router.venue(&route.quote.venue).ok_or_else(no_venue)?;
        let quote = route.quote.clone();
        let order =
            Order { account: swap.account.clone(), id: swap.id.clone(), attempt: build, quote, limit: route.limit };
        venue.prepare(&order).await.map_err(|error| self.router.failure(venue.name(), error))
    }

    async fn send(&self, swap: Swap, lease: Lease, attempt: u32) -> Step {
        let Some(bytes) = swap.prepared.clone().map(Arc::new) else {
            observe::broken("a submitted order without bytes", &swap.id, "left for an operator");
            return Step::Gone;
        };
        failpoint::hit("submit.before");
        match self.router.venue(&bytes.venue) {
            // Whatever comes of it is for the look-up to find out.
            Some(venue) => {
                if let Err(error) = venue.submit(&bytes).await {
                    observe::submit_unanswered(&swap.id, &bytes.venue, &error.to_string());
                }
            }
            None => observe::broken("an order at a venue that is not configured", &swap.id, &bytes.venue),
        }
        failpoint::hit("submit.sent");
        Step::Sent(Box::new(Pending { swap, lease, bytes, attempt }))
    }

    /// The bytes expired unexecuted: routes and builds anew, in one change, and sends that. The order stays submitted.
    pub(crate) async fn rebuild(&self, pending: Pending) -> Option<Pending> {
        let Pending { swap, lease, bytes, attempt } = pending;
        let step = self.rebuild_now(&swap, lease, attempt, bytes.build + 1).await;
        match step {
            Ok(Step::Sent(pending)) => return Some(*pending),
            Ok(_) => {}
            Err(fault) => observe::fault("build an expired order anew", &fault),
        }
        self.leases.let_go(lease);
        None
    }

    async fn rebuild_now(&self, swap: &Swap, lease: Lease, attempt: u32, build: u32) -> Result<Step, Fault> {
        let now = clock::now();
        let gone = |code: &str, message: &str| Failure { code: code.to_owned(), message: message.to_owned() };
        let done = JobStep { lease, then: Then::Finish };
        if swap.expires_at.is_some_and(|at| at <= now) {
            let why = gone("ORDER_EXPIRED", "the transaction was never executed and the order's time is over");
            return self.end(fail(swap, why, done, now), Status::Failed).await;
        }
        if swap.firm.is_some() {
            return self.end(fail(swap, firm::expired(), done, now), Status::Failed).await;
        }
        if swap.is_conditional() {
            return self.not_rebuilt(swap, lease, now).await;
        }
        if build > MAX_ATTEMPTS {
            let why = gone("TRANSACTION_EXPIRED", "no transaction built for the order was executed before it expired");
            return self.end(fail(swap, why, done, now), Status::Failed).await;
        }
        let (answers, verdict) = self.choose(swap).await;
        let route = verdict.as_ref().and_then(|verdict| route_of(swap, &answers, verdict, now));
        if let Some(why) = too_much_impact(swap, &answers) {
            return self.end(fail(swap, why, done, now), Status::Failed).await;
        }
        let bytes = self.prepare(swap, route.as_ref(), build).await;
        if self.rests(swap, clock::now()) {
            return self.put_off(lease, clock::now()).await;
        }
        if let Err(why) = &bytes {
            let why = if route.is_some() { why.clone() } else { why_none(answers.clone()) };
            if is_resting(&why) {
                return self.wait_for_venues(swap, lease, now).await;
            }
            if is_refusal(&why) {
                return self.end(fail(swap, why, done, now), Status::Failed).await;
            }
        }
        let (Some(verdict), Some(route), Ok(bytes)) = (verdict, route, bytes) else {
            if attempt >= MAX_ATTEMPTS {
                let why =
                    gone("TRANSACTION_EXPIRED", "the transaction expired unexecuted and no venue has a quote any more");
                return self.end(fail(swap, why, done, now), Status::Failed).await;
            }
            // No venue just now. The order waits in its queue; the next claim finds the bytes expired again.
            let run_at = now.plus_millis(backoff::millis(1_000, 30_000, attempt, lease.job));
            let then = Then::Retry { run_at, error: "no venue has a quote".to_owned() };
            let step = Some(JobStep { lease, then });
            self.journal.apply(Change { at: now, step, ..Change::default() }).await?;
            return Ok(Step::Gone);
        };
        let choice = rebuilt(swap, route, bytes, (&answers, &verdict), hold(lease), now);
        let after = self.commit(choice).await?;
        Ok(self.send(after, lease, attempt).await)
    }

    async fn try_again(&self, swap: &Swap, why: Failure, claimed: &Claimed, now: Timestamp) -> Result<Step, Fault> {
        if is_resting(&why) {
            return self.wait_for_venues(swap, claimed.lease, now).await;
        }
        if swap.is_conditional() && is_passing(&why.code) {
            return self.not_met(swap, why, claimed.lease).await;
        }
        if is_refusal(&why) {
            let done = JobStep { lease: claimed.lease, then: Then::Finish };
            return self.end(fail(swap, why, done, now), Status::Failed).await;
        }
        let attempt = claimed.job.attempt;
        observe::attempt_failed(&swap.id, attempt, &why.code, &why.message);
        if attempt >= MAX_ATTEMPTS {
            return self.bury(swap, why, claimed.lease, now).await;
        }
        let run_at = now.plus_millis(backoff::millis(1_000, 30_000, attempt, claimed.job.id));
        let then = Then::Retry { run_at, error: why.message.clone() };
        failpoint::hit("retry.before");
        self.commit(retry(swap, why, JobStep { lease: claimed.lease, then }, now)).await?;
        self.metrics.swap_retried();
        Ok(Step::Gone)
    }

    /// Whether nothing may be built for an order now; what ran out of time does not wait for its end.
    pub(crate) fn rests(&self, swap: &Swap, now: Timestamp) -> bool {
        !self.risk.lets(&swap.ask) && swap.expires_at.is_none_or(|at| at > now)
    }

    /// Trading rests for this order: it goes back to its queue, and the attempt does not count.
    async fn put_off(&self, lease: Lease, now: Timestamp) -> Result<Step, Fault> {
        let step = Some(JobStep { lease, then: Then::Wait { run_at: self.risk.later(now) } });
        self.journal.apply(Change { at: now, step, ..Change::default() }).await?;
        Ok(Step::Gone)
    }

    async fn bury(&self, swap: &Swap, why: Failure, lease: Lease, now: Timestamp) -> Result<Step, Fault> {
        failpoint::hit("bury.before");
        let then = Then::Bury { why: format!("{}: {}", why.code, why.message), park: false };
        self.end(fail(swap, why, JobStep { lease, then }, now), Status::Failed).await
    }

    pub(crate) async fn end(&self, choice: Result<Choice, domain::Refusal>, status: Status) -> Result<Step, Fault> {
        self.commit(choice).await?;
        self.metrics.swap_ended(status);
        Ok(Step::Gone)
    }

    /// Ends a job that has nothing left to do.
    pub(crate) async fn end_job(&self, lease: Lease, wonder: &str, id: &str) -> Result<Step, Fault> {
        if !wonder.is_empty() {
            observe::broken(wonder, id, "the job ends");
        }
        let step = Some(JobStep { lease, then: Then::Finish });
        self.journal.apply(Change { at: clock::now(), step, ..Change::default() }).await?;
        Ok(Step::Gone)
    }

    pub(crate) async fn commit(&self, choice: Result<Choice, domain::Refusal>) -> Result<Swap, Fault> {
        let choice = choice.map_err(|refusal| Fault::Broken(refusal.to_string()))?;
        self.journal.apply(choice.change).await?;
        Ok(choice.swap)
    }
}

pub(crate) fn hold(lease: Lease) -> JobStep {
    JobStep { lease, then: Then::Hold }
}

fn fresh(swap: &Swap, now: Timestamp) -> bool {
    swap.route.as_ref().is_some_and(|route| now.0 - route.quoted_at.0 < QUOTE_FRESH_MICROS)
}

fn route_of(swap: &Swap, answers: &[Answer], verdict: &Verdict, now: Timestamp) -> Option<Route> {
    let quote = answers.get(verdict.index)?.result.as_ref().ok()?.clone();
    Some(Route { limit: bound_to(swap, &quote), quote, quoted_at: now })
}

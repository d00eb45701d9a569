//! One job of one delivery: what is sent is looked up, signed, sent, and what came of it committed with the job's step.

mod plan;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::webhook::delivery::{Answer, Delivery, Outcome, Settled, Task, settle, settle_moved};
use domain::webhook::endpoint::{Endpoint, Reason, disable};
use domain::webhook::sign::signature;
use domain::{Change, Claimed, JobStep, Kind, Owner, Then, Timestamp};
use drivers::webhook::{NoAnswer, Post};
use drivers::{Conflict, Fault};
use tokio::time::Instant;

use self::plan::{Letter, Plan};
use super::deliver::Deliverer;
use super::known::Ready;
use crate::{backoff, clock, observe};

/// How often a commit is tried again while the journal is away, before the lease is left to lapse.
const PATIENCE: u32 = 6;

impl Deliverer {
    /// Works on a job until it is off this process's hands.
    pub(super) async fn work(&self, claimed: Claimed) {
        let _guard = self.leases.hold(claimed.lease);
        if let Err(fault) = self.attempt(&claimed).await {
            match fault {
                Fault::Conflict(Conflict::StaleLease(job)) => observe::lease_lost(job),
                fault => observe::fault("deliver a webhook; it is left until its lease lapses", &fault),
            }
        }
        self.leases.let_go(claimed.lease);
    }

    async fn attempt(&self, claimed: &Claimed) -> Result<(), Fault> {
        match self.plan_patiently(claimed).await? {
            Plan::Nothing => self.step(claimed, Then::Finish).await,
            Plan::Wait(run_at) => self.step(claimed, Then::Wait { run_at }).await,
            Plan::Rest(run_at, error) => self.step(claimed, Then::Retry { run_at, error }).await,
            Plan::GiveUp(delivery, reason) => self.give_up(claimed, *delivery, reason).await,
            Plan::Send(ready, letter) => self.send(claimed, ready, *letter).await,
        }
    }

    async fn send(&self, claimed: &Claimed, ready: Arc<Ready>, letter: Letter) -> Result<(), Fault> {
        let Letter { delivery, payload, happened } = letter;
        let outcome = self.post(&ready, &delivery.id, &payload).await;
        let well = outcome.answer.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status));
        self.tell(&ready, &outcome, well, happened.unwrap_or(delivery.created_at));
        let committed = self.settle(claimed, &ready, delivery, &outcome, &payload).await;
        let micros = i64::try_from(outcome.millis).unwrap_or(i64::MAX).saturating_mul(1_000);
        if self.paces.leave(&ready.endpoint.id, claimed.job.id, Some((well, micros))) {
            self.room.notify_one();
        }
        committed
    }

    async fn post(&self, ready: &Ready, id: &str, payload: &str) -> Outcome {
        let (at, began) = (clock::now(), Instant::now());
        let timestamp = at.0.div_euclid(1_000_000);
        let signature = signature(&ready.signing(at), id, timestamp, payload.as_bytes());
        let body = Bytes::copy_from_slice(payload.as_bytes());
        let post = Post { url: &ready.endpoint.url, id, timestamp, signature: &signature, body };
        let answer = self.sender.post(post).await;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let answer = match answer {
            Ok(drivers::webhook::Answer { status, body, retry_after }) => {
                let retry_after = retry_after.map(|wait| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
                Ok(Answer { status, body, retry_after })
            }
            Err(NoAnswer::Forbidden(said) | NoAnswer::Failed(said)) => Err(said),
        };
        Outcome { at, millis, answer }
    }

    fn tell(&self, ready: &Ready, outcome: &Outcome, well: bool, happened: Timestamp) {
        self.vigil.saw(&ready.endpoint, well, outcome.at);
        self.metrics.webhook_attempt(match outcome.answer {
            Ok(_) if well => "delivered",
            Ok(_) => "refused",
            Err(_) => "unanswered",
        });
        if well {
            let micros = clock::now().0.saturating_sub(happened.0).max(0);
            self.metrics.webhook_delivered(Duration::from_micros(micros.unsigned_abs()));
        }
    }

    /// Commits what came of the request with the job's step, and on 410 the endpoint's end: one change.
    async fn settle(
        &self,
        claimed: &Claimed,
        ready: &Ready,
        mut delivery: Delivery,
        outcome: &Outcome,
        payload: &str,
    ) -> Result<(), Fault> {
        let schedule = &self.webhooks.settings.schedule;
        let mut endpoint = ready.endpoint.clone();
        loop {
            // What the old place of an endpoint says is not said by the new one.
            let settle = if endpoint.url == ready.endpoint.url { settle } else { settle_moved };
            let Settled { delivery: after, then, gone } = settle(&delivery, outcome, payload, schedule, claimed.job.id);
            let now = clock::now();
            let step = Some(JobStep { lease: claimed.lease, then });
            let mut change = Change { at: now, entities: vec![after.write()], step, ..Change::default() };
            let disabled = gone.then(|| disable(&endpoint, Reason::Gone, &Owner::system(), now).ok()).flatten();
            change.entities.extend(disabled.iter().flat_map(|choice| choice.change.entities.iter().cloned()));
            match self.apply(claimed, change).await {
                Ok(()) => {
                    if disabled.is_some() {
                        self.webhooks.changed(&endpoint.id);
                        observe::webhook_endpoint_disabled(&endpoint.id, "it answered 410");
                    }
                    return Ok(());
                }
                Err(Fault::Conflict(Conflict::Version { kind: Kind::Endpoint, .. })) => {
                    self.webhooks.changed(&endpoint.id);
                    let row = self.journal.entity(Kind::Endpoint, &endpoint.id).await?;
                    let Some(row) = row else { return self.step(claimed, Then::Finish).await };
                    endpoint = Endpoint::from_entity(&row).map_err(|error| Fault::Broken(error.to_string()))?;
                }
                Err(Fault::Conflict(Conflict::Version { .. })) => match self.again(claimed).await? {
                    Some(current) => delivery = current,
                    // Put on its way again meanwhile: that round's job goes on with it.
                    None => return self.step(claimed, Then::Finish).await,
                },
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn give_up(&self, claimed: &Claimed, mut delivery: Delivery, reason: &str) -> Result<(), Fault> {
        loop {
            let now = clock::now();
            let step = Some(JobStep { lease: claimed.lease, then: Then::Finish });
            let entities = vec![delivery.given_up(reason, now).write()];
            match self.apply(claimed, Change { at: now, entities, step, ..Change::default() }).await {
                Err(Fault::Conflict(Conflict::Version { .. })) => match self.again(claimed).await? {
                    Some(current) => delivery = current,
                    None => return self.step(claimed, Then::Finish).await,
                },
                done => return done,
            }
        }
    }

    /// The delivery as it is now, if the job is still for it.
    async fn again(&self, claimed: &Claimed) -> Result<Option<Delivery>, Fault> {
        let Some(task) = Task::read(&claimed.job.body) else { return Ok(None) };
        let mut faults = 0;
        loop {
            match self.read(&task).await {
                Err(fault) if self.bears(&fault, &mut faults, claimed).await => {}
                found => return Ok(found?.map(|(delivery, _)| delivery)),
            }
        }
    }

    async fn step(&self, claimed: &Claimed, then: Then) -> Result<(), Fault> {
        let step = Some(JobStep { lease: claimed.lease, then });
        self.apply(claimed, Change { at: clock::now(), step, ..Change::default() }).await
    }

    async fn apply(&self, claimed: &Claimed, change: Change) -> Result<(), Fault> {
        let mut faults = 0;
        loop {
            match self.journal.apply(change.clone()).await {
                Err(fault) if self.bears(&fault, &mut faults, claimed).await => {}
                done => return done.map(drop),
            }
        }
    }

    /// Waits while the journal is away, longer each time; false when it is no use, or has been long enough.
    async fn bears(&self, fault: &Fault, faults: &mut u32, claimed: &Claimed) -> bool {
        if !fault.is_transient() || *faults >= PATIENCE {
            return false;
        }
        *faults += 1;
        observe::fault("deliver a webhook", fault);
        let wait = backoff::millis(50, 2_000, *faults, claimed.job.id);
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
        true
    }
}

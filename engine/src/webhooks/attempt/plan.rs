//! What is to be done with a job: sent, put off, or given up.

use std::sync::Arc;

use domain::webhook::delivery::{About, Delivery, Round, Task, To};
use domain::webhook::endpoint::{Endpoint, Status};
use domain::{Claimed, Event, Kind, Timestamp};
use drivers::Fault;

use super::super::deliver::Deliverer;
use super::super::known::Ready;
use super::super::pace::Turn;
use super::super::payload;
use crate::{backoff, clock, observe};

/// A job may be handed out so often without an attempt that came to its end before it rests.
const LOST_ATTEMPTS: u32 = 10;
/// Its first rest; each is twice as long as the one before,
const REST_MILLIS: u64 = 60_000;
/// up to this.
const LONGEST_REST_MILLIS: u64 = 3_600_000;

/// How long a delivery rests that cannot be signed.
const UNSIGNED_MICROS: i64 = 60_000_000;

/// A delivery that can be sent.
pub(super) struct Letter {
    pub(super) delivery: Delivery,
    pub(super) payload: String,
    /// When the event happened, where that is known.
    pub(super) happened: Option<Timestamp>,
}

/// A delivery and, where it has no payload yet, its event.
type Found = (Delivery, Option<Arc<Event>>);

/// What is to be done with a job.
pub(super) enum Plan {
    Send(Arc<Ready>, Box<Letter>),
    /// Given up, for this reason.
    GiveUp(Box<Delivery>, &'static str),
    /// Back until this instant.
    Wait(Timestamp),
    /// The same for a job that gets lost, and why: unlike a wait it counts as a hand-out, so that an attempt follows it.
    Rest(Timestamp, String),
    /// The job has nothing to do.
    Nothing,
}

impl Deliverer {
    pub(super) async fn plan_patiently(&self, claimed: &Claimed) -> Result<Plan, Fault> {
        let mut faults = 0;
        loop {
            match self.plan(claimed).await {
                Err(fault) if self.bears(&fault, &mut faults, claimed).await => {}
                planned => return planned,
            }
        }
    }

    /// Looks up what the job is about, and whether and when it may be sent.
    async fn plan(&self, claimed: &Claimed) -> Result<Plan, Fault> {
        let lane = claimed.job.lane.as_deref().unwrap_or_default();
        let Some(task) = Task::read(&claimed.job.body) else {
            observe::broken("a delivery's job cannot be read", &claimed.job.body, "the job ends");
            return Ok(Plan::Nothing);
        };
        let Some(ready) = self.webhooks.known.get(lane).await? else { return Ok(Plan::Nothing) };
        let plan = self.plan_for(claimed, &task, ready).await?;
        if !matches!(plan, Plan::GiveUp(..)) {
            return Ok(plan);
        }
        // What was known of the endpoint may be a moment old, and giving up is for good: only what holds now decides that.
        let Some(ready) = self.webhooks.known.get_anew(lane).await? else { return Ok(Plan::Nothing) };
        self.plan_for(claimed, &task, ready).await
    }

    /// The plan for an endpoint that is as `ready` has it.
    async fn plan_for(&self, claimed: &Claimed, task: &Task, ready: Arc<Ready>) -> Result<Plan, Fault> {
        let found = self.look_up(task, claimed.job.attempt, &ready.endpoint).await?;
        let Some((delivery, event)) = found else { return Ok(Plan::Nothing) };
        let give_up = |delivery, reason| Ok(Plan::GiveUp(Box::new(delivery), reason));
        match ready.endpoint.status {
            Status::Active => {}
            Status::Disabled => return give_up(delivery, "ENDPOINT_DISABLED"),
            Status::Deleted => return give_up(delivery, "ENDPOINT_DELETED"),
        }
        if let Some(millis) = rest_millis(claimed.job.attempt, delivery.tries, claimed.job.id) {
            let until = clock::now().plus_millis(millis);
            observe::webhook_delivery_rests(&delivery.id, &ready.endpoint.id, claimed.job.attempt, until);
            let error = format!("handed out {} times, tried {} times", claimed.job.attempt, delivery.tries);
            return Ok(Plan::Rest(until, error));
        }
        if !self.webhooks.known.may_see(&ready, &delivery.about).await? {
            return give_up(delivery, "NOT_AUTHORISED");
        }
        let happened = event.as_ref().map(|event| event.at);
        let payload = match (&delivery.payload, &event) {
            (Some(payload), _) => Some(payload.clone()),
            (None, Some(event)) => payload::of(self.journal.as_ref(), &ready.endpoint, event).await?,
            (None, None) => return give_up(delivery, "EVENT_FORGOTTEN"),
        };
        let Some(payload) = payload else { return give_up(delivery, "NOTHING_TO_SEND") };
        if ready.signing(clock::now()).is_empty() {
            // The operator was told; it is delivered when the right secret is back.
            return Ok(Plan::Wait(clock::now().plus_micros(UNSIGNED_MICROS)));
        }
        match self.paces.enter(&ready.endpoint, claimed.job.id, clock::now()) {
            Turn::At(instant) => Ok(Plan::Wait(instant)),
            Turn::Now => Ok(Plan::Send(ready, Box::new(Letter { delivery, payload, happened }))),
        }
    }

    /// The delivery and, where it has no payload yet, its event. None when the job has nothing to do any more.
    async fn look_up(&self, task: &Task, attempt: u32, endpoint: &Endpoint) -> Result<Option<Found>, Fault> {
        if let Round::First(seq) = task.round
            && attempt == 1
            && let Some(event) = self.webhooks.events.get(seq).await?
        {
            // Nobody else touches it before its first attempt; if somebody did, the commit says so.
            let to = To { endpoint: &endpoint.id, account: &endpoint.account, ordered: endpoint.ordered };
            let delivery = Delivery::new(task.delivery.clone(), &to, About::from(&*event), None, event.at);
            return Ok(Some((delivery, Some(event))));
        }
        self.read(task).await
    }

    pub(super) async fn read(&self, task: &Task) -> Result<Option<Found>, Fault> {
        let Some(row) = self.journal.entity(Kind::Delivery, &task.delivery).await? else { return Ok(None) };
        let delivery = Delivery::from_entity(&row)
            .map_err(|error| Fault::Broken(format!("webhook.delivery {}: {error}", task.delivery)))?;
        if !task.is_for(&delivery) {
            return Ok(None);
        }
        let event = match delivery.payload {
            Some(_) => None,
            None => self.webhooks.events.get(delivery.about.seq).await?,
        };
        Ok(Some((delivery, event)))
    }
}

/// How long a job rests that was handed out `attempt` times for a delivery that was tried `tries` times; none when it is to be
/// tried now.
///
/// A job that was lost many times may kill its process; but any restart counts as well, so it is never given up for that. From
/// then on every other hand-out is a rest, and the one after it an attempt.
fn rest_millis(attempt: u32, tries: u32, draw: u64) -> Option<i64> {
    let lost = attempt.saturating_sub(tries.saturating_add(LOST_ATTEMPTS));
    (lost % 2 == 1).then(|| backoff::millis(REST_MILLIS, LONGEST_REST_MILLIS, lost.div_ceil(2), draw))
}

#[cfg(test)]
mod tests {
    use super::rest_millis;

    #[test]
    fn a_job_that_gets_lost_rests_longer_each_time_and_is_tried_after_each_rest() {
        for tries in [0, 3] {
            assert!((1..=tries + 10).all(|attempt| rest_millis(attempt, tries, 7).is_none()));
            for (lost, minutes) in [(1, Some(1)), (2, None), (3, Some(2)), (4, None), (5, Some(4)), (13, Some(60))] {
                let rests = rest_millis(tries + 10 + lost, tries, 7);
                let within = |minutes: i64| (minutes * 48_000..=minutes * 72_000).contains(&rests.unwrap_or_default());
                assert!(minutes.map_or(rests.is_none(), within), "{lost}: {rests:?}");
            }
        }
    }
}

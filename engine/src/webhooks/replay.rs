//! Makes the deliveries of a range of events again: a page of the log at a time, each with the progress in one change, so
//! that a process that dies leaves it to the next one where it stands. After each page the job goes back to the end of the
//! queue: a long replay holds up no other.

use std::sync::Arc;
use std::time::Duration;

use domain::webhook::News;
use domain::webhook::delivery::{About, Delivery, Status as DeliveryStatus, To};
use domain::webhook::endpoint::{Endpoint, Status as EndpointStatus};
use domain::webhook::replay::{QUEUE_REPLAY, Replay, Status};
use domain::{Audience, Change, Claimed, Event, JobStep, Kind, Then, Timestamp};
use drivers::Fault;
use drivers::journal::{Claim, Journal};
use drivers::wake::Wake;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{RELAY, delivery_id, payload};
use crate::access::Access;
use crate::leases::Leases;
use crate::operator::Paused;
use crate::{backoff, clock, observe};

const POLL: Duration = Duration::from_millis(200);
/// Events looked at in one change.
const PAGE: usize = 200;
/// How much earlier than `since` the first event looked at is: clocks of several machines may differ a little.
const MARGIN_MICROS: i64 = 60_000_000;

/// What one look at the log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// There is more.
    More,
    /// That was the last.
    Done,
    /// The relay is not that far yet.
    TooEarly,
}

/// The loop over the queue of replays.
pub(crate) struct Replays {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) access: Arc<Access>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) paused: Arc<Paused>,
    pub(crate) concurrency: usize,
}

impl Replays {
    /// Replays until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let news = self.wake.queue(QUEUE_REPLAY);
        while !stop.is_cancelled() {
            if !self.paused.pass(QUEUE_REPLAY, &stop).await {
                return;
            }
            let heard = news.notified();
            let (limit, now) = (self.concurrency, clock::now());
            let claim = Claim { queue: QUEUE_REPLAY, limit, per_lane: 1, narrow: Vec::new(), now };
            match self.journal.claim(claim).await {
                Ok(claimed) if claimed.is_empty() => {
                    tokio::select! { () = heard => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Ok(claimed) => {
                    join_all(claimed.iter().map(|job| self.work(job))).await;
                }
                Err(fault) => {
                    observe::fault("claim replays", &fault);
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn work(&self, claimed: &Claimed) {
        let _guard = self.leases.hold(claimed.lease);
        let then = match &self.page(claimed).await {
            // The job's step stood in the page's change.
            Ok(Page::Done | Page::More) => None,
            Ok(Page::TooEarly) => Some(Then::Wait { run_at: clock::now().plus_millis(200) }),
            // Another delivery of the range changed at the same moment: look again.
            Err(Fault::Conflict(_)) => Some(Then::Wait { run_at: clock::now().plus_millis(20) }),
            Err(fault) => {
                observe::fault("replay deliveries", fault);
                let wait = backoff::millis(1_000, 60_000, claimed.job.attempt, claimed.job.id);
                Some(Then::Retry { run_at: clock::now().plus_millis(wait), error: fault.to_string() })
            }
        };
        if let Some(then) = then {
            let step = Some(JobStep { lease: claimed.lease, then });
            let _ = self.journal.apply(Change { at: clock::now(), step, ..Change::default() }).await;
        }
        self.leases.let_go(claimed.lease);
    }

    /// Looks at one page.
    async fn page(&self, claimed: &Claimed) -> Result<Page, Fault> {
        let journal = &self.journal;
        let replay = journal.entity(Kind::Replay, &claimed.job.body).await?;
        let replay =
            replay.as_ref().map(Replay::from_entity).transpose().map_err(|error| broken(&claimed.job.body, &error))?;
        let Some(mut replay) = replay.filter(|replay| replay.status == Status::Running) else {
            return self.commit(claimed, Change::default(), Page::Done).await;
        };
        (replay.version, replay.updated_at) = (replay.version + 1, clock::now());
        let endpoint = journal.entity(Kind::Endpoint, &replay.endpoint).await?;
        let endpoint = endpoint
            .as_ref()
            .map(Endpoint::from_entity)
            .transpose()
            .map_err(|error| broken(&replay.endpoint, &error))?;
        let Some(endpoint) = endpoint.filter(|endpoint| endpoint.status == EndpointStatus::Active) else {
            replay.status = Status::Stopped;
            return self
                .commit(claimed, Change { entities: vec![replay.write()], ..Change::default() }, Page::Done)
                .await;
        };
        if replay.from.is_none() {
            if passed(journal.as_ref()).await? < replay.last {
                // What the relay has not passed yet it makes itself, and must not find made.
                return Ok(Page::TooEarly);
            }
            let from = self.before(replay.since.plus_micros(-MARGIN_MICROS), replay.last).await?;
            (replay.from, replay.position) = (Some(from), from);
        }
        let audience = self.access.audience(&endpoint.account).await?;
        let events = journal.events(replay.position, Some(&audience), PAGE).await?;
        let mut change = Change::default();
        for event in events.iter().take_while(|event| event.seq <= replay.last) {
            if wants(&endpoint, &audience, event, (replay.since, replay.until)) {
                self.put_on_its_way(&endpoint, event, &mut change).await?;
            }
        }
        replay.deliveries += change.jobs.len() as u64;
        let end = events.last().map_or(replay.last, |last| if events.len() < PAGE { replay.last } else { last.seq });
        replay.position = end.min(replay.last);
        let page = if replay.position >= replay.last { Page::Done } else { Page::More };
        if page == Page::Done {
            replay.status = Status::Done;
        }
        change.entities.push(replay.write());
        self.commit(claimed, change, page).await
    }

    /// A delivery that is on its way already is left to go on.
    async fn put_on_its_way(&self, endpoint: &Endpoint, event: &Event, change: &mut Change) -> Result<(), Fault> {
        let Some(payload) = payload::of(self.journal.as_ref(), endpoint, event).await? else { return Ok(()) };
        let (id, now) = (delivery_id(&endpoint.id, event.seq), clock::now());
        let delivery = match self.journal.entity(Kind::Delivery, &id).await? {
            None => {
                let to = To { endpoint: &endpoint.id, account: &endpoint.account, ordered: endpoint.ordered };
                Delivery::new(id, &to, About::from(event), Some(payload), now)
            }
            Some(row) => {
                let delivery = Delivery::from_entity(&row).map_err(|error| broken(&id, &error))?;
                if delivery.status == DeliveryStatus::Pending {
                    return Ok(());
                }
                delivery.again(Some(payload), now)
            }
        };
        change.jobs.push(delivery.job(endpoint.ordered, now));
        change.entities.push(delivery.write());
        Ok(())
    }

    async fn commit(&self, claimed: &Claimed, mut change: Change, page: Page) -> Result<Page, Fault> {
        change.at = clock::now();
        let then = if page == Page::Done { Then::Finish } else { Then::Wait { run_at: change.at } };
        change.step = Some(JobStep { lease: claimed.lease, then });
        self.journal.apply(change).await?;
        Ok(page)
    }

    /// The number of an event, such that no later one up to `last` happened before `since`: events are nearly in the order
    /// of their times.
    async fn before(&self, since: Timestamp, last: u64) -> Result<u64, Fault> {
        let mut low = self.journal.head().await?.floor.min(last);
        let mut high = last;
        while low < high {
            let middle = low + (high - low) / 2;
            let next = self.journal.events(middle, None, 1).await?;
            match next.first() {
                Some(event) if event.at < since => low = event.seq.min(high).max(middle + 1),
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

/// How far the relay has come.
async fn passed(journal: &dyn Journal) -> Result<u64, Fault> {
    #[derive(serde::Deserialize)]
    struct Row {
        position: u64,
    }
    let Some(row) = journal.entity(Kind::Relay, RELAY).await? else { return Ok(0) };
    serde_json::from_str::<Row>(&row.body).map(|row| row.position).map_err(|error| broken(RELAY, &error))
}

fn wants(endpoint: &Endpoint, audience: &Audience, event: &Event, (since, until): (Timestamp, Timestamp)) -> bool {
    let within = since <= event.at && event.at < until;
    let Some(news) = News::of(event).filter(|_| within && audience.sees_event(event)) else { return false };
    payload::has_news(&endpoint.patterns, endpoint.format, &news)
}

fn broken(id: &str, error: &serde_json::Error) -> Fault {
    Fault::Broken(format!("replay {id}: {error}"))
}

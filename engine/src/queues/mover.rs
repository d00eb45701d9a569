//! Moves messages: a page at a time, each with the progress in one change, so that a process that dies leaves the move to the
//! next one where it stands. A page's hand-out has a name: whoever takes the move up gets the same messages again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::queue::{Message, Move, MoveStatus, QUEUE_MOVE, Queue, Refusal, arn};
use domain::{Change, Claimed, JobStep, Kind, MessageStep, Received, Settle, Then, Timestamp};
use drivers::journal::{Claim, Receive};
use drivers::{Conflict, Fault};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::known::read;
use super::{QueueError, Queues};
use crate::leases::Leases;
use crate::operator::Paused;
use crate::{backoff, clock, observe};

const POLL: Duration = Duration::from_millis(200);
/// Messages moved in one change: at most so many, and about so many bytes as the oldest that are looked at first let expect.
const PAGE: u32 = 100;
const BYTES: usize = 4 << 20;
const LOOKED_AT: usize = 4;
/// How long a page's messages are hidden from others: far longer than a page takes.
const HIDDEN_MICROS: i64 = 60_000_000;
/// A rate is kept by so many pages a second, or fewer.
const PAGES_A_SECOND: u32 = 4;

/// The loop over the queue of moves.
pub(crate) struct Movers {
    pub(crate) queues: Arc<Queues>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) paused: Arc<Paused>,
    pub(crate) concurrency: usize,
}

impl Movers {
    /// Moves until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let news = self.queues.wake.queue(QUEUE_MOVE);
        while !stop.is_cancelled() {
            if !self.paused.pass(QUEUE_MOVE, &stop).await {
                return;
            }
            let heard = news.notified();
            match self.step().await {
                Ok(0) => {
                    tokio::select! { () = heard => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Ok(_) => {}
                Err(fault) => {
                    observe::fault("claim moves", &fault);
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn step(&self) -> Result<usize, Fault> {
        let (limit, now) = (self.concurrency, clock::now());
        let claim = Claim { queue: QUEUE_MOVE, limit, per_lane: usize::MAX, narrow: Vec::new(), now };
        let claimed = self.queues.journal.claim(claim).await?;
        join_all(claimed.iter().map(|job| self.work(job))).await;
        Ok(claimed.len())
    }

    async fn work(&self, claimed: &Claimed) {
        let _guard = self.leases.hold(claimed.lease);
        let then = match self.page(claimed).await {
            // The job's step stood in the page's change.
            Ok(()) => None,
            // A part of the page was purged or grew too old: what is left of it shows itself again.
            Err(QueueError::Fault(Fault::Conflict(Conflict::Settled))) => self.next_page(claimed).await,
            // A queue changed, or the move was cancelled: look again.
            Err(QueueError::Fault(Fault::Conflict(_))) => Some(Then::Wait { run_at: clock::now().plus_millis(20) }),
            Err(error) => {
                let fault = match error {
                    QueueError::Fault(fault) => fault,
                    other => Fault::Broken(other.to_string()),
                };
                observe::fault("move messages", &fault);
                let wait = backoff::millis(1_000, 60_000, claimed.job.attempt, claimed.job.id);
                Some(Then::Retry { run_at: clock::now().plus_millis(wait), error: fault.to_string() })
            }
        };
        if let Some(then) = then {
            let step = Some(JobStep { lease: claimed.lease, then });
            let _ = self.queues.journal.apply(Change { at: clock::now(), step, ..Change::default() }).await;
        }
        self.leases.let_go(claimed.lease);
    }

    /// Moves one page.
    async fn page(&self, claimed: &Claimed) -> Result<(), QueueError> {
        let (queues, id) = (&self.queues, &claimed.job.body);
        let entity = queues.journal.entity(Kind::MessageMove, id).await?;
        let one = entity.as_ref().map(Move::from_entity).transpose().map_err(|error| broken(id, &error))?;
        let Some(one) = one else { return self.commit(claimed, Change::default(), Then::Finish).await };
        let source = read(queues.journal.as_ref(), &one.source_id).await?.filter(Queue::is_active);
        let Some(source) = source else {
            return self.end(claimed, &one, &[], Some("AWS.SimpleQueueService.NonExistentQueue")).await;
        };
        if one.status != MoveStatus::Running {
            // What the move had in hand when it was cancelled; if that was nothing, a message that shows itself again at once.
            let in_hand = self.receive(&one, &source, 1).await.or_else(nothing_of_settled)?;
            return self.let_go(claimed, &in_hand).await;
        }
        let left = u32::try_from(one.body.total.saturating_sub(one.body.moved)).unwrap_or(u32::MAX);
        let at_once = one.body.per_second.map_or(PAGE, |rate| rate.div_ceil(PAGES_A_SECOND)).min(left);
        let at_once = at_once.min(self.page_size(&source).await?);
        let received = self.receive(&one, &source, at_once as usize).await?;
        if received.is_empty() {
            return self.end(claimed, &one, &[], None).await;
        }
        let mut change = Change::default();
        let mut to: BTreeMap<String, Queue> = BTreeMap::new();
        for message in &received {
            match self.bring(&one, &source, message, &mut to, &mut change).await? {
                None => change.messages.push(step(message, Settle::Delete)),
                Some(why) => return self.end(claimed, &one, &received, Some(why)).await,
            }
        }
        let mut next = one.clone();
        (next.version, next.body.page) = (one.version + 1, one.body.page + 1);
        next.body.moved += received.len() as u64;
        change.entities = vec![next.write()];
        change.given = to.values().chain([&source]).map(Queue::given).collect();
        let run_at = clock::now().plus_micros(match one.body.per_second {
            Some(rate) => i64::from(at_once) * 1_000_000 / i64::from(rate),
            None => 0,
        });
        self.commit(claimed, change, Then::Wait { run_at }).await?;
        queues.metrics.queues.moved(received.len());
        Ok(())
    }

    /// Adds to the change what brings a message to its queue; else says, in AWS's words, why it cannot be brought.
    async fn bring(
        &self,
        one: &Move,
        source: &Queue,
        received: &Received,
        to: &mut BTreeMap<String, Queue>,
        change: &mut Change,
    ) -> Result<Option<&'static str>, QueueError> {
        let job = &received.job;
        let message: Message = serde_json::from_str(&job.body).map_err(|error| broken(&one.id, &error))?;
        if message.is_over(source.settings().retention, clock::now()) {
            return Ok(None);
        }
        let origin = message.dead_letter_source.as_deref().and_then(|from| arn::name_of(&one.account, from));
        let Some(name) = one.body.destination.as_deref().or(origin) else {
            return Ok(Some("CouldNotDetermineMessageSource"));
        };
        if !to.contains_key(name) {
            let id = domain::queue::id_of(&one.account, name);
            let found = read(self.queues.journal.as_ref(), &id).await?.filter(Queue::is_active);
            match found.filter(|queue| queue.settings().fifo == source.settings().fifo) {
                Some(queue) => to.insert(name.to_owned(), queue),
                None => return Ok(Some("AWS.SimpleQueueService.NonExistentQueue")),
            };
        }
        change.jobs.extend(to.get(name).map(|queue| queue.redriven(message, clock::now())));
        Ok(None)
    }

    /// How many messages a page holds: fewer where they are large.
    async fn page_size(&self, source: &Queue) -> Result<u32, QueueError> {
        let oldest = self.queues.journal.jobs(source.generation(), 0, LOOKED_AT).await?;
        let largest = oldest.iter().map(|job| job.body.len()).max().unwrap_or(0).max(1);
        Ok(u32::try_from(BYTES / largest).unwrap_or(PAGE).clamp(1, PAGE))
    }

    /// The messages of the move's present page: the same ones, whoever asks.
    async fn receive(&self, one: &Move, source: &Queue, limit: usize) -> Result<Vec<Received>, QueueError> {
        let receive = Receive {
            queue: source.generation().to_owned(),
            limit,
            hide_micros: HIDDEN_MICROS,
            call: Some(format!("move:{}:{}", one.id, one.body.page)),
            one_each: false,
            now: clock::now(),
        };
        Ok(self.queues.journal.receive(receive).await?)
    }

    /// The move came to its end: by its own doing, or by what stands against it.
    async fn end(
        &self,
        claimed: &Claimed,
        one: &Move,
        in_hand: &[Received],
        failure: Option<&str>,
    ) -> Result<(), QueueError> {
        if one.status != MoveStatus::Running {
            return self.let_go(claimed, in_hand).await;
        }
        let status = if failure.is_some() { MoveStatus::Failed } else { MoveStatus::Completed };
        let mut change = self.queues.ending(one, status, failure).await?;
        change.messages = shown(in_hand);
        self.commit(claimed, change, Then::Finish).await
    }

    /// Shows the messages again, and is done.
    async fn let_go(&self, claimed: &Claimed, in_hand: &[Received]) -> Result<(), QueueError> {
        self.commit(claimed, Change { messages: shown(in_hand), ..Change::default() }, Then::Finish).await
    }

    async fn commit(&self, claimed: &Claimed, mut change: Change, then: Then) -> Result<(), QueueError> {
        change.at = clock::now();
        change.step = Some(JobStep { lease: claimed.lease, then });
        self.queues.journal.apply(change).await?;
        Ok(())
    }

    /// Goes on with a page of another name, when what this one held back is there again.
    async fn next_page(&self, claimed: &Claimed) -> Option<Then> {
        let wait = Then::Wait { run_at: clock::now().plus_micros(HIDDEN_MICROS) };
        let entity = self.queues.journal.entity(Kind::MessageMove, &claimed.job.body).await.ok().flatten();
        let Some(Ok(mut one)) = entity.as_ref().map(Move::from_entity) else { return Some(wait) };
        (one.version, one.body.page) = (one.version + 1, one.body.page + 1);
        let change = Change { entities: vec![one.write()], ..Change::default() };
        // If that fails the lease lapses, and the next one comes here again.
        let _ = self.commit(claimed, change, wait).await;
        None
    }
}

fn nothing_of_settled(error: QueueError) -> Result<Vec<Received>, QueueError> {
    match error {
        QueueError::Fault(Fault::Conflict(Conflict::Settled)) => Ok(Vec::new()),
        error => Err(error),
    }
}

fn shown(in_hand: &[Received]) -> Vec<MessageStep> {
    let now: Timestamp = clock::now();
    in_hand.iter().map(|message| step(message, Settle::ShowAt(now))).collect()
}

fn step(message: &Received, then: Settle) -> MessageStep {
    let Received { job, token, .. } = message;
    MessageStep { queue: job.queue.clone(), job: job.id, token: Some(*token), late: true, then }
}

fn broken(id: &str, error: &serde_json::Error) -> QueueError {
    Refusal::UnsupportedOperation(format!("move {id}: {error}")).into()
}

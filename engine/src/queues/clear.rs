//! Clears away what is left of purged and deleted queues, messages that are too old, and moves that ended long ago: a few at a
//! time, so that no write waits noticeably.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::queue::{Message, MoveStatus, Queue, Status};
use domain::{Change, Job, JobId, Kind, MessageStep, Settle};
use drivers::journal::List;
use drivers::{Conflict, Fault};
use tokio_util::sync::CancellationToken;

use super::{Queues, lists};
use crate::{clock, observe};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(30);
/// How long it rests after a round, whoever calls: a round looks at every queue.
const AGAIN: Duration = Duration::from_secs(1);
/// So many at once, and such a rest between.
const AT_ONCE: usize = 250;
const REST: Duration = Duration::from_millis(20);
/// So many messages are looked at at once, a MiB each at most, and such a rest between.
const PAGE: usize = 16;
const PAGE_REST: Duration = Duration::from_millis(5);
/// So much of a queue is looked at beyond its oldest messages in each round, in pages and in bytes: dead letters may lie anywhere.
const PAGES: usize = 64;
const BYTES: usize = 1 << 20;
/// How long a move that ended is kept, in microseconds: 14 days.
const KEEP_MOVES_MICROS: i64 = 14 * 86_400 * 1_000_000;

/// The loop.
pub(crate) struct Clearing {
    queues: Arc<Queues>,
    /// How far each generation was looked through.
    walked: BTreeMap<String, JobId>,
}

/// A page that was looked at.
struct Looked {
    /// Its last message, or 0 at the queue's end.
    last: JobId,
    deleted: usize,
    bytes: usize,
}

impl Clearing {
    pub(crate) fn new(queues: Arc<Queues>) -> Self {
        Self { queues, walked: BTreeMap::new() }
    }

    /// Clears until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.queues.litter.notified() => {}
                () = stop.cancelled() => return,
            }
            if let Some(Err(fault)) = stop.run_until_cancelled(self.step()).await {
                observe::fault("clear queues", &fault);
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
        }
    }

    /// One round over all queues.
    pub(super) async fn step(&mut self) -> Result<(), Fault> {
        let statuses = [Status::Active, Status::Deleted].map(|status| status.as_str().to_owned()).to_vec();
        let mut list = List { statuses, ..lists::active(Vec::new(), Vec::new(), None) };
        let mut walked = BTreeMap::new();
        loop {
            let page = self.queues.journal.entities(list.clone()).await?;
            for entity in &page.entities {
                let Some(queue) = lists::read(entity)? else { continue };
                let queue = self.clear_old(queue).await?;
                if queue.is_active() {
                    let at = self.walked.get(queue.generation()).copied().unwrap_or(0);
                    walked.insert(queue.generation().to_owned(), self.expire(&queue, at).await?);
                }
            }
            list.after = match page.next {
                None => break,
                next => next,
            };
        }
        self.walked = walked;
        self.prune_moves().await
    }

    /// Deletes the messages of former generations. Nothing comes into them any more: whatever sends is given the queue's version.
    async fn clear_old(&self, mut queue: Queue) -> Result<Queue, Fault> {
        for generation in queue.body.old.clone() {
            while self.queues.journal.drop_jobs(&generation, AT_ONCE).await? > 0 {
                tokio::time::sleep(REST).await;
            }
            let next = queue.cleared(&generation);
            let change = Change { at: clock::now(), entities: vec![next.write()], ..Change::default() };
            match self.queues.journal.apply(change).await {
                Ok(_) => queue = next,
                // It changed meanwhile: another round, at once, sees how it is.
                Err(Fault::Conflict(_)) => {
                    self.queues.litter.notify_one();
                    break;
                }
                Err(fault) => return Err(fault),
            }
            self.queues.known.forget(&queue.id);
        }
        Ok(queue)
    }

    /// Deletes messages that are too old: the oldest, and some pages from where the last round ended. Answers with where this one
    /// did.
    async fn expire(&self, queue: &Queue, walked: JobId) -> Result<JobId, Fault> {
        while self.expire_page(queue, 0).await?.deleted == PAGE {
            tokio::time::sleep(PAGE_REST).await;
        }
        let (mut at, mut bytes) = (walked, 0);
        for _ in 0..PAGES {
            let looked = self.expire_page(queue, at).await?;
            (at, bytes) = (looked.last, bytes + looked.bytes);
            if at == 0 || bytes >= BYTES {
                break;
            }
            tokio::time::sleep(PAGE_REST).await;
        }
        Ok(at)
    }

    /// Looks at a page after `after`.
    async fn expire_page(&self, queue: &Queue, after: JobId) -> Result<Looked, Fault> {
        let page = self.queues.journal.jobs(queue.generation(), after, PAGE).await?;
        let now = clock::now();
        let over = |job: &&Job| {
            let message = serde_json::from_str::<Message>(&job.body);
            message.is_ok_and(|message| message.is_over(queue.settings().retention, now))
        };
        let mut steps: Vec<MessageStep> = page.iter().filter(over).map(deletion).collect();
        let mut deleted = 0;
        while !steps.is_empty() {
            let change = Change { at: now, messages: steps.clone(), ..Change::default() };
            match self.queues.journal.apply(change).await {
                Ok(_) => {
                    deleted = steps.len();
                    break;
                }
                Err(Fault::Conflict(Conflict::Gone(job))) => steps.retain(|step| step.job != job),
                Err(fault) => return Err(fault),
            }
        }
        self.queues.metrics.queues.expired(deleted);
        if deleted > 0 && queue.settings().fifo {
            self.queues.tell(queue.generation());
        }
        let last = page.last().filter(|_| page.len() == PAGE).map_or(0, |job| job.id);
        Ok(Looked { last, deleted, bytes: page.iter().map(|job| job.body.len()).sum() })
    }

    async fn prune_moves(&self) -> Result<(), Fault> {
        let ended = [MoveStatus::Completed, MoveStatus::Cancelled, MoveStatus::Failed].map(MoveStatus::as_str);
        let before = clock::now().plus_micros(-KEEP_MOVES_MICROS);
        while self.queues.journal.prune(Kind::MessageMove, &ended, before, AT_ONCE).await? == AT_ONCE {
            tokio::time::sleep(REST).await;
        }
        Ok(())
    }
}

fn deletion(job: &Job) -> MessageStep {
    MessageStep { queue: job.queue.clone(), job: job.id, token: None, late: true, then: Settle::Delete }
}

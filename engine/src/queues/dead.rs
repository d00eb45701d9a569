//! What a receive does not hand out: messages that are too old are deleted, and those received too often or unreadable become
//! dead letters.

use std::sync::Arc;

use domain::queue::{Handle, Incoming, Message, Queue, Refusal};
use domain::{Change, MessageStep, NewJob, Received, Settle, Timestamp};
use drivers::{Conflict, Fault};
use uuid::Uuid;

use super::receive::Look;
use super::{QueueError, Queues};
use crate::observe;

/// A message in hand, read; none where it cannot be read.
struct InHand {
    received: Received,
    message: Option<Message>,
}

impl InHand {
    /// Deletes it, whether its time has run out or not: it may have been received to be hidden for no time at all.
    fn deletion(&self) -> MessageStep {
        let Received { job, token, .. } = &self.received;
        MessageStep { queue: job.queue.clone(), job: job.id, token: Some(*token), late: true, then: Settle::Delete }
    }

    /// What it becomes among the dead letters: what cannot be read is kept as it is, for whoever looks at the journal.
    fn dead_letter(&self, source: &Queue, dead_letters: &Queue, now: Timestamp) -> NewJob {
        let job = &self.received.job;
        if let Some(message) = &self.message {
            return dead_letters.dead_letter(source, &message.id(&job.queue, job.id), message.clone(), now);
        }
        let group = job.group.clone().filter(|_| dead_letters.settings().fifo);
        let queue = dead_letters.generation().to_owned().into();
        NewJob { queue, group, lane: None, run_at: now, body: job.body.clone(), dedup: None }
    }
}

impl Queues {
    /// What is left to hand out of messages that were received at `now`.
    pub(super) async fn sift(
        &self,
        queue: &Arc<Queue>,
        received: Vec<Received>,
        look: &Look,
        now: Timestamp,
    ) -> Result<Vec<Incoming>, QueueError> {
        let mut in_hand: Vec<InHand> = received.into_iter().map(read).collect();
        let mut queue = Arc::clone(queue);
        // Ends: each round settles them all, loses one of them, or sees a newer version.
        loop {
            let dead_letters = self.dead_letters(&queue).await?;
            let over = |one: &InHand| {
                one.message.as_ref().is_some_and(|message| message.is_over(queue.settings().retention, now))
            };
            let dead = |one: &InHand| {
                let limit = queue.settings().redrive.as_ref().filter(|_| dead_letters.is_some() && !look.in_turn);
                limit.is_some_and(|redrive| one.received.job.attempt > redrive.max_receives)
            };
            let (gone, kept): (Vec<&InHand>, Vec<&InHand>) =
                in_hand.iter().partition(|one| one.message.is_none() || over(one) || dead(one));
            if gone.is_empty() {
                return Ok(kept.into_iter().filter_map(|one| self.incoming(&queue, one, look, now)).collect());
            }
            let mut change = Change { at: now, ..Change::default() };
            for one in &gone {
                change.messages.push(one.deletion());
                if let Some(dead_letters) = dead_letters.as_ref().filter(|_| !over(one)) {
                    change.jobs.push(one.dead_letter(&queue, dead_letters, now));
                    change.given = vec![queue.given(), dead_letters.given()];
                }
            }
            let (died, ended) = (change.jobs.len(), gone.len() - change.jobs.len());
            match self.journal.apply(change).await {
                Ok(_) => {
                    self.metrics.queues.died(died);
                    self.metrics.queues.expired(ended);
                    let kept = kept.into_iter().filter_map(|one| self.incoming(&queue, one, look, now));
                    return Ok(kept.collect());
                }
                // Somebody else received it since, or it is gone.
                Err(Fault::Conflict(Conflict::Gone(job))) => in_hand.retain(|one| one.received.job.id != job),
                Err(Fault::Conflict(Conflict::Version { id, .. })) => {
                    self.known.forget(&id);
                    let generation = queue.generation().to_owned();
                    queue = self.queue_now(&queue.id).await?;
                    if queue.generation() != generation {
                        return Ok(Vec::new());
                    }
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// The queue's dead-letter queue, if it has one that is there.
    async fn dead_letters(&self, queue: &Queue) -> Result<Option<Arc<Queue>>, QueueError> {
        let Some(redrive) = &queue.settings().redrive else { return Ok(None) };
        match self.queue(&queue.account, &redrive.target).await {
            Ok(queue) => Ok(Some(queue)),
            Err(QueueError::Refused(Refusal::QueueDoesNotExist)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn incoming(&self, queue: &Queue, one: &InHand, look: &Look, now: Timestamp) -> Option<Incoming> {
        let Received { job, token, first_at } = &one.received;
        // A call that is answered again gets the same handles: only what does not change may stand in them.
        let received_at = match (&look.call, job.attempt) {
            (None, _) => now,
            (Some(_), 1) => *first_at,
            (Some(_), _) => Timestamp(0),
        };
        let handle = Handle {
            queue: Uuid::parse_str(&queue.id).unwrap_or_default(),
            generation: Uuid::parse_str(&job.queue).unwrap_or_default(),
            job: job.id,
            token: *token,
            received_at,
        };
        let handle = handle.seal(&self.settings.secret);
        Some(Incoming::new(&one.received, one.message.clone()?, handle, queue.settings().fifo))
    }
}

fn read(received: Received) -> InHand {
    let message = serde_json::from_str(&received.job.body).inspect_err(|error| {
        let name = format!("{}/{}", received.job.queue, received.job.id);
        observe::broken("a message cannot be read: it is taken out of its queue", &name, &error.to_string());
    });
    InHand { message: message.ok(), received }
}

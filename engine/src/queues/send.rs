//! Messages sent: those of one call in one change, which holds only while their queue stands as it was looked at.

use domain::queue::{LONGEST, Outgoing, Queue, Refusal, Sent, batch_size};
use domain::{Change, NewJob, Owner, Timestamp};
use drivers::{Conflict, Fault};

use super::{DEADLINE, EntryError, QueueError, Queues, within};
use crate::clock;

impl Queues {
    /// Sends messages, 1 to 10, in one change: those that are refused are left out of it. An entry of the answer per message.
    ///
    /// # Errors
    /// `QueueDoesNotExist`; `BatchRequestTooLong` for more than one message of more than 1 MiB together.
    pub async fn send(
        &self,
        account: &Owner,
        name: &str,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Result<Sent, EntryError>>, QueueError> {
        within(DEADLINE, self.send_at(account, name, &messages, clock::now())).await
    }

    pub(super) async fn send_at(
        &self,
        account: &Owner,
        name: &str,
        messages: &[Outgoing],
        now: Timestamp,
    ) -> Result<Vec<Result<Sent, EntryError>>, QueueError> {
        let size = batch_size(messages);
        loop {
            let queue = self.queue(account, name).await?;
            if messages.len() > 1 && size > LONGEST {
                return Err(Refusal::BatchRequestTooLong(size).into());
            }
            if let Some(sent) = self.try_send(&queue, messages, now).await? {
                return Ok(sent);
            }
            self.known.forget(&queue.id);
        }
    }

    /// None when the queue is another one by now.
    async fn try_send(
        &self,
        queue: &Queue,
        messages: &[Outgoing],
        now: Timestamp,
    ) -> Result<Option<Vec<Result<Sent, EntryError>>>, QueueError> {
        let (mut jobs, mut refusals): (Vec<NewJob>, Vec<Option<Refusal>>) = (Vec::new(), Vec::new());
        for message in messages {
            match queue.job(message, now) {
                Ok(job) => {
                    jobs.push(job);
                    refusals.push(None);
                }
                Err(refusal) => refusals.push(Some(refusal)),
            }
        }
        let taken = jobs.len();
        let ids = match taken {
            0 => Vec::new(),
            _ => {
                let change = Change { at: now, jobs, given: vec![queue.given()], ..Change::default() };
                match self.journal.apply(change).await {
                    Ok(receipt) => receipt.jobs,
                    Err(Fault::Conflict(Conflict::Version { .. })) => return Ok(None),
                    Err(fault) => return Err(fault.into()),
                }
            }
        };
        self.metrics.queues.sent(taken);
        let mut ids = ids.into_iter();
        let lost = || QueueError::Fault(Fault::Broken("fewer jobs than were sent".to_owned()));
        let answers = refusals.into_iter().map(|refusal| match refusal {
            Some(refusal) => Err(refusal.into()),
            None => ids.next().map(|id| queue.sent(id)).ok_or_else(lost),
        });
        Ok(Some(answers.collect()))
    }
}

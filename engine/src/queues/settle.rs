//! What receivers decide about messages: deleted, or hidden for longer or for no longer.

use std::collections::BTreeSet;

use domain::queue::{Handle, Queue, Refusal};
use domain::{Change, JobId, MessageStep, Owner, Settle, Timestamp};
use drivers::{Conflict, Fault};

use super::receive::{LONGEST_HIDDEN, check_visibility};
use super::{DEADLINE, EntryError, QueueError, Queues, within};
use crate::clock;

/// What became of the step of one entry.
#[derive(Clone, Debug)]
enum Outcome {
    /// It was made.
    Done,
    /// The message is not there, or was received again.
    Gone,
    /// The hand-out's time had run out.
    Late,
    Fault(Fault),
}

/// The step of one entry of a batch.
struct Entry {
    place: usize,
    step: MessageStep,
}

impl Queues {
    /// Deletes messages; an entry of the answer per handle.
    ///
    /// # Errors
    /// `QueueDoesNotExist`; of an entry `ReceiptHandleIsInvalid`, and `InvalidParameterValue` where a FIFO queue's has expired.
    pub async fn delete_messages(
        &self,
        account: &Owner,
        name: &str,
        handles: &[String],
    ) -> Result<Vec<Result<(), EntryError>>, QueueError> {
        within(DEADLINE, self.delete_at(account, name, handles, clock::now())).await
    }

    pub(super) async fn delete_at(
        &self,
        account: &Owner,
        name: &str,
        handles: &[String],
        now: Timestamp,
    ) -> Result<Vec<Result<(), EntryError>>, QueueError> {
        let queue = self.queue(account, name).await?;
        let steps = handles.iter().map(|text| Ok((Settle::Delete, self.open(&queue, text)?)));
        let late = !queue.settings().fifo;
        let answers = self.settle(&queue, steps.collect(), late, now).await;
        let answers = answers.into_iter().zip(handles).map(|(outcome, text)| match outcome? {
            Outcome::Done => {
                self.metrics.queues.deleted(1);
                Ok(())
            }
            // "The request will succeed, but the message might not be deleted."
            Outcome::Gone => Ok(()),
            Outcome::Late => Err(Refusal::expired(text).into()),
            Outcome::Fault(fault) => Err(fault.into()),
        });
        Ok(answers.collect())
    }

    /// Hides messages for so many seconds from now; an entry of the answer per handle.
    ///
    /// # Errors
    /// `QueueDoesNotExist`; of an entry `ReceiptHandleIsInvalid`, `MessageNotInflight`, `InvalidParameterValue`.
    pub async fn change_visibility(
        &self,
        account: &Owner,
        name: &str,
        wanted: &[(String, i64)],
    ) -> Result<Vec<Result<(), EntryError>>, QueueError> {
        within(DEADLINE, self.change_visibility_at(account, name, wanted, clock::now())).await
    }

    pub(super) async fn change_visibility_at(
        &self,
        account: &Owner,
        name: &str,
        wanted: &[(String, i64)],
        now: Timestamp,
    ) -> Result<Vec<Result<(), EntryError>>, QueueError> {
        let queue = self.queue(account, name).await?;
        let steps = wanted.iter().map(|(text, seconds)| {
            let handle = self.open(&queue, text)?;
            check_hidden(&handle, *seconds, now)?;
            Ok((Settle::ShowAt(now.plus_micros(seconds * 1_000_000)), handle))
        });
        let answers = self.settle(&queue, steps.collect(), false, now).await;
        let answers = answers.into_iter().zip(wanted).map(|(outcome, (text, _))| match outcome? {
            Outcome::Done => Ok(()),
            Outcome::Gone => Err(Refusal::not_available(text).into()),
            Outcome::Late => Err(Refusal::MessageNotInflight.into()),
            Outcome::Fault(fault) => Err(fault.into()),
        });
        Ok(answers.collect())
    }

    fn open(&self, queue: &Queue, text: &str) -> Result<Handle, Refusal> {
        Handle::open(&self.settings.secret, &queue.id, text)
    }

    /// Makes the steps in one change; what stands against one of them leaves the others.
    async fn settle(
        &self,
        queue: &Queue,
        wanted: Vec<Result<(Settle, Handle), Refusal>>,
        late: bool,
        at: Timestamp,
    ) -> Vec<Result<Outcome, EntryError>> {
        let mut answers = Vec::with_capacity(wanted.len());
        let mut entries = Vec::new();
        for (place, step) in wanted.into_iter().enumerate() {
            answers.push(match step {
                Err(refusal) => Err(refusal.into()),
                Ok((then, handle)) => {
                    // The handle's generation, not the one that this process believes in: that may be a second old.
                    let generation = handle.generation.to_string();
                    let step =
                        MessageStep { queue: generation, job: handle.job, token: Some(handle.token), late, then };
                    entries.push(Entry { place, step });
                    Ok(Outcome::Done)
                }
            });
        }
        let mut told = BTreeSet::new();
        while !entries.is_empty() {
            let mut jobs = BTreeSet::new();
            // The same message twice: one change after the other.
            let (mut now, later) = entries.into_iter().partition::<Vec<_>, _>(|entry| jobs.insert(entry.step.job));
            entries = later;
            self.settle_each(&mut now, &mut answers, at).await;
            told.extend(now.into_iter().map(|entry| entry.step.queue));
        }
        if queue.settings().fifo {
            // The next of a group may be there to be received.
            told.iter().for_each(|generation| self.tell(generation));
        }
        answers
    }

    /// Makes steps of different messages; leaves those that were made.
    async fn settle_each(&self, entries: &mut Vec<Entry>, answers: &mut [Result<Outcome, EntryError>], at: Timestamp) {
        while !entries.is_empty() {
            let messages = entries.iter().map(|entry| entry.step.clone()).collect();
            let (job, outcome): (JobId, Outcome) =
                match self.journal.apply(Change { at, messages, ..Change::default() }).await {
                    Ok(_) => return,
                    Err(Fault::Conflict(Conflict::Gone(job))) => (job, Outcome::Gone),
                    Err(Fault::Conflict(Conflict::StaleLease(job))) => (job, Outcome::Late),
                    Err(fault) => {
                        for entry in entries.drain(..) {
                            answers[entry.place] = Ok(Outcome::Fault(fault.clone()));
                        }
                        return;
                    }
                };
            let before = entries.len();
            entries.retain(|entry| {
                if entry.step.job == job {
                    answers[entry.place] = Ok(outcome.clone());
                }
                entry.step.job != job
            });
            if entries.len() == before {
                let fault = Fault::Broken(format!("message {job} was not asked for"));
                for entry in entries.drain(..) {
                    answers[entry.place] = Ok(Outcome::Fault(fault.clone()));
                }
            }
        }
    }
}

/// Whether a message may be hidden for so many seconds more: all in all 12 hours since it was received.
fn check_hidden(handle: &Handle, seconds: i64, now: Timestamp) -> Result<(), Refusal> {
    check_visibility(seconds)?;
    let since = match handle.received_at {
        Timestamp(0) => 0,
        Timestamp(at) => now.0.saturating_sub(at).max(0) / 1_000_000,
    };
    if since + seconds > LONGEST_HIDDEN {
        let why = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
        return Err(Refusal::value(seconds, "VisibilityTimeout", why));
    }
    Ok(())
}

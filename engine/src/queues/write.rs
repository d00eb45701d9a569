//! Queues made, changed, purged, deleted: decided on what the journal holds, and again when that has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::queue::{self, Create, Queue, Refusal, Wanted, id_of};
use domain::{Change, Owner, Timestamp};
use drivers::journal::MessageCounts;
use drivers::{Conflict, Fault};

use super::known::read;
use super::{DEADLINE, QueueError, QueueInfo, Queues, within};
use crate::clock;
use crate::intake::new_id;

/// What a queue is to be, and the change that makes it so, if any is needed.
type Choice = Result<(Queue, Option<Change>), Refusal>;

impl Queues {
    /// Makes a queue, or finds the one that is there with the same attributes.
    ///
    /// # Errors
    /// `QueueNameExists`, `QueueDeletedRecently`, and those of names, attributes and tags.
    pub async fn create(
        &self,
        account: &Owner,
        name: &str,
        wanted: Wanted,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<QueueInfo>, QueueError> {
        let create = Create { account: account.clone(), name: name.to_owned(), wanted, tags, generation: new_id() };
        within(DEADLINE, async {
            let id = id_of(account, name);
            let target = self.target(account, create.target()?).await?;
            loop {
                let existing = read(self.journal.as_ref(), &id).await?;
                let now = clock::now();
                let choice =
                    queue::create(existing.as_ref(), create.clone(), target.as_deref(), self.settings.rests, now)?;
                if let Some(queue) = self.made(choice).await? {
                    return Ok(queue);
                }
            }
        })
        .await
    }

    /// Changes attributes.
    ///
    /// # Errors
    /// `QueueDoesNotExist`, and those of attributes.
    pub async fn set(&self, account: &Owner, name: &str, wanted: Wanted) -> Result<Arc<QueueInfo>, QueueError> {
        let target = within(DEADLINE, async { self.target(account, queue::target(account, &wanted)?).await }).await?;
        self.change(account, name, |queue, now| queue::set(queue, &wanted, target.as_deref(), now)).await
    }

    /// Changes its policy into what `decide` makes of the one that it has; no text takes it away.
    ///
    /// # Errors
    /// `QueueDoesNotExist`, those of attributes, and those of `decide`.
    pub async fn set_policy(
        &self,
        account: &Owner,
        name: &str,
        decide: impl Fn(Option<&str>) -> Result<String, Refusal>,
    ) -> Result<Arc<QueueInfo>, QueueError> {
        self.change(account, name, |queue, now| {
            let wanted = Wanted::from([("Policy".to_owned(), decide(queue.settings().policy.as_deref())?)]);
            queue::set(queue, &wanted, None, now)
        })
        .await
    }

    /// Adds tags, or gives them other values.
    ///
    /// # Errors
    /// `QueueDoesNotExist`, and those of tags.
    pub async fn tag(
        &self,
        account: &Owner,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<QueueInfo>, QueueError> {
        self.change(account, name, |queue, now| queue::tag(queue, tags.clone(), now)).await
    }

    /// Takes tags away.
    ///
    /// # Errors
    /// `QueueDoesNotExist`.
    pub async fn untag(&self, account: &Owner, name: &str, keys: &[String]) -> Result<Arc<QueueInfo>, QueueError> {
        self.change(account, name, |queue, now| Ok(queue::untag(queue, keys, now))).await
    }

    /// Lets it hand out nothing, or go on.
    ///
    /// # Errors
    /// `QueueDoesNotExist`.
    pub async fn pause(&self, account: &Owner, name: &str, paused: bool) -> Result<Arc<QueueInfo>, QueueError> {
        self.change(account, name, |queue, now| Ok(queue::paused(queue, paused, now))).await
    }

    /// Deletes all its messages, those in flight too.
    ///
    /// # Errors
    /// `QueueDoesNotExist`, `PurgeQueueInProgress`.
    pub async fn purge(&self, account: &Owner, name: &str) -> Result<Arc<QueueInfo>, QueueError> {
        let rests = self.settings.rests;
        let purged = self.change(account, name, |queue, now| queue::purge(queue, new_id(), rests, now)).await?;
        self.litter.notify_one();
        Ok(purged)
    }

    /// Deletes it with its messages.
    ///
    /// # Errors
    /// `QueueDoesNotExist`.
    pub async fn delete(&self, account: &Owner, name: &str) -> Result<(), QueueError> {
        self.change(account, name, |queue, now| Ok(queue::delete(queue, now))).await?;
        self.litter.notify_one();
        Ok(())
    }

    /// How many messages it has, by their state.
    ///
    /// # Errors
    /// The journal's.
    pub async fn counts(&self, queue: &QueueInfo) -> Result<MessageCounts, QueueError> {
        within(DEADLINE, async { Ok(self.journal.message_counts(queue.generation(), clock::now()).await?) }).await
    }

    async fn change(
        &self,
        account: &Owner,
        name: &str,
        decide: impl Fn(&Queue, Timestamp) -> Choice,
    ) -> Result<Arc<Queue>, QueueError> {
        within(DEADLINE, async {
            let id = id_of(account, name);
            loop {
                let queue = self.queue_now(&id).await?;
                if let Some(queue) = self.made(decide(&queue, clock::now())?).await? {
                    return Ok(queue);
                }
            }
        })
        .await
    }

    /// Applies what was decided; none when another was faster.
    async fn made(&self, (queue, change): (Queue, Option<Change>)) -> Result<Option<Arc<Queue>>, QueueError> {
        if let Some(change) = change {
            match self.journal.apply(change).await {
                Ok(_) => {}
                Err(Fault::Conflict(Conflict::Version { .. } | Conflict::Exists { .. })) => return Ok(None),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Some(match queue.is_active() {
            true => self.known.keep(queue),
            false => {
                self.known.forget(&queue.id);
                Arc::new(queue)
            }
        }))
    }

    /// The queue of that name, if there is one.
    async fn target(&self, account: &Owner, name: Option<String>) -> Result<Option<Arc<Queue>>, QueueError> {
        let Some(name) = name else { return Ok(None) };
        match self.queue_now(&id_of(account, &name)).await {
            Ok(queue) => Ok(Some(queue)),
            Err(QueueError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

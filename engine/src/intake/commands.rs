//! Commands on shop orders that go through the account's queue: put there together with the keys that tell of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::queue::{Message, Outgoing, Queue, Refusal, Wanted, arn};
use domain::shop::DELETED;
use domain::shop::command::{DEAD, ORDERS};
use domain::{Change, Key, Kind, Owner, Timestamp};
use drivers::{Conflict, Fault};
use serde_json::json;
use thiserror::Error;

use super::{Intake, RequestKey};
use crate::clock;
use crate::queues::{QueueError, Queues};

/// A command that was received more often goes there.
const MAX_RECEIVES: u32 = 3;
/// How long an order counts as on its way that is not refused: as long as a message lasts at most.
const ON_ITS_WAY_MICROS: i64 = 14 * 86_400 * 1_000_000;

/// A command on an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The order's id, that of a new one too.
    pub order: String,
    /// Whether it makes the order.
    pub creates: bool,
    /// The message's id.
    pub message_id: String,
    /// The message; its group is the order.
    pub outgoing: Outgoing,
}

/// A command that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The order's id: of a replay that of the first request.
    pub order: String,
    /// An earlier request with the same key did it.
    pub replayed: bool,
}

/// Why a command was not queued. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The account has no such order, and none is on its way.
    #[error("there is no such order")]
    NotFound,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The queue or the journal failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl From<Fault> for CommandError {
    fn from(fault: Fault) -> Self {
        Self::Queue(fault.into())
    }
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        Self::Queue(refusal.into())
    }
}

impl Intake {
    /// Puts a command into the account's queue, which is made with its dead-letter queue when it is not there. What is not a new
    /// order's must be of one that is there or on its way.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn queue_command(
        &self,
        queues: &Queues,
        account: &Owner,
        command: &Command,
        request: Option<&RequestKey>,
    ) -> Result<Queued, CommandError> {
        let timed = tokio::time::timeout(super::DEADLINE, Box::pin(self.queue_now(queues, account, command, request)));
        timed.await.unwrap_or(Err(QueueError::Timeout.into()))
    }

    async fn queue_now(
        &self,
        queues: &Queues,
        account: &Owner,
        command: &Command,
        request: Option<&RequestKey>,
    ) -> Result<Queued, CommandError> {
        if let Some(replay) = self.command_replayed(request).await? {
            return Ok(replay);
        }
        if !command.creates && !self.knows_order(account, &command.order).await? {
            return Err(CommandError::NotFound);
        }
        loop {
            let (queue, now) = (commands_of(queues, account).await?, clock::now());
            let mut job = queue.job(&command.outgoing, now)?;
            let broken = |error: serde_json::Error| Fault::Broken(format!("a message: {error}"));
            let mut message: Message = serde_json::from_str(&job.body).map_err(broken)?;
            message.message_id = Some(command.message_id.clone());
            job.body = message.to_json();
            let (keys, given) = (keys(account, command, request, now), vec![queue.given()]);
            match self.journal.apply(Change { at: now, jobs: vec![job], keys, given, ..Change::default() }).await {
                Ok(_) => return Ok(Queued { order: command.order.clone(), replayed: false }),
                // The queue was purged or changed: into the new one.
                Err(Fault::Conflict(Conflict::Version { .. })) => queues.look_again(account, ORDERS),
                // The same request at the same moment.
                Err(Fault::Conflict(Conflict::Key(_))) if request.is_some() => {
                    let replay = self.command_replayed(request).await?;
                    return replay.ok_or_else(|| Fault::Busy.into());
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// The answer to an earlier request with the same key.
    async fn command_replayed(&self, request: Option<&RequestKey>) -> Result<Option<Queued>, CommandError> {
        let Some(request) = request else { return Ok(None) };
        let held = self.journal.key(&request.scope, &request.key, clock::now()).await?;
        let Some(held) = held else { return Ok(None) };
        if held.fingerprint != Some(request.fingerprint) {
            return Err(CommandError::KeyReused);
        }
        self.metrics.replayed();
        Ok(Some(Queued { order: held.id, replayed: true }))
    }

    /// Whether the account has such an order, or one is on its way.
    async fn knows_order(&self, account: &Owner, id: &str) -> Result<bool, Fault> {
        if id.is_empty() || id.len() > 64 {
            return Ok(false);
        }
        match self.journal.entity(Kind::ShopOrder, id).await? {
            Some(order) => Ok(order.owner == *account && order.status != DELETED),
            None => {
                let now = clock::now();
                let queued = self.journal.key(&on_its_way(account), id, now).await?.is_some();
                Ok(queued && self.journal.key(&refused(account), id, now).await?.is_none())
            }
        }
    }

    /// What a change says that refuses the making of an order: that it is on its way no more. None where it never was, where
    /// that is said already, and where there is such an order.
    pub(crate) async fn refused_order(&self, account: &Owner, id: &str, now: Timestamp) -> Result<Option<Key>, Fault> {
        let scope = refused(account);
        let queued = self.journal.key(&on_its_way(account), id, now).await?;
        let said = self.journal.key(&scope, id, now).await?.is_some();
        Ok(queued.filter(|_| !said).map(|_| told(scope, id, now)))
    }
}

/// That the request was made, and that the order is on its way.
fn keys(account: &Owner, command: &Command, request: Option<&RequestKey>, now: Timestamp) -> Vec<Key> {
    let asked = request.map(|request| request.leads_to(Kind::ShopOrder, &command.order, 1, now));
    let queued = command.creates.then(|| told(on_its_way(account), &command.order, now));
    asked.into_iter().chain(queued).collect()
}

/// What is told of an order that is not there yet.
fn told(scope: String, order: &str, now: Timestamp) -> Key {
    Key {
        scope,
        key: order.to_owned(),
        fingerprint: None,
        kind: Kind::ShopOrder,
        id: order.to_owned(),
        version: 1,
        expires_at: Some(now.plus_micros(ON_ITS_WAY_MICROS)),
    }
}

/// The scope of the keys of orders that are on their way.
fn on_its_way(account: &Owner) -> String {
    format!("shop.queued:{account}")
}

/// The scope of the keys of those of them that were refused.
fn refused(account: &Owner) -> String {
    format!("shop.refused:{account}")
}

/// The account's queue of commands, made when it is not there.
async fn commands_of(queues: &Queues, account: &Owner) -> Result<Arc<Queue>, QueueError> {
    match queues.find(account, ORDERS).await {
        Err(QueueError::Refused(Refusal::QueueDoesNotExist)) => {}
        found => return found,
    }
    let fifo = ("FifoQueue".to_owned(), "true".to_owned());
    let made = |made: Result<Arc<Queue>, QueueError>| match made {
        // Somebody made one of other attributes.
        Err(QueueError::Refused(Refusal::QueueNameExists(_))) => Ok(()),
        made => made.map(|_| ()),
    };
    made(queues.create(account, DEAD, Wanted::from([fifo.clone()]), BTreeMap::new()).await)?;
    let redrive = json!({ "deadLetterTargetArn": arn::of(account, DEAD), "maxReceiveCount": MAX_RECEIVES });
    let wanted = Wanted::from([fifo, ("RedrivePolicy".to_owned(), redrive.to_string())]);
    made(queues.create(account, ORDERS, wanted, BTreeMap::new()).await)?;
    queues.find(account, ORDERS).await
}

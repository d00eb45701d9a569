//! What becomes of commands that were received: done, or moved to the dead letters with the reason, or left to come again.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::queue::{Incoming, Queue, Refusal as QueueRefusal, Wanted, arn};
use domain::shop::Place;
use domain::shop::command::{self, Command, DEAD, ORDERS, REASON, Source, id_of_message};
use domain::{Change, Key, Owner, Refusal, Timestamp};
use drivers::{Conflict, Fault};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Notify;

use super::Orders;
use crate::intake::{Held, IntakeError, Taken, Target};
use crate::queues::{QueueError, Queues};
use crate::{clock, observe};

/// A command that was received more often without coming to an end is a dead letter.
pub(super) const MAX_RECEIVES: u32 = 3;
/// How often a change is tried again that met another version of a queue.
const TRIES: usize = 20;

/// What became of a message.
enum Outcome {
    /// It is gone: the command is done, or refused.
    Settled,
    /// It is somebody else's by now.
    Left,
}

/// Does what the messages of one receipt say.
pub(super) struct Act {
    pub(super) orders: Arc<Orders>,
    pub(super) account: Owner,
    /// So often a command is received at most.
    pub(super) most: u32,
    /// Who waits for those behind what was settled.
    pub(super) settled: Arc<Notify>,
}

impl Act {
    /// Each is of another group: they go beside each other.
    pub(super) async fn all(&self, messages: Vec<Incoming>) {
        join_all(messages.iter().map(|message| self.to_an_end(message))).await;
    }

    async fn to_an_end(&self, message: &Incoming) {
        let outcome = match self.one(message).await {
            Err(fault) if message.receive_count >= self.most => {
                observe::fault("a command about a shop order is given up", &fault);
                self.refuse(message, &source(message), &given_up(message)).await
            }
            outcome => outcome,
        };
        match outcome {
            Ok(Outcome::Settled) => self.settled.notify_one(),
            Ok(Outcome::Left) => {}
            Err(fault) => observe::fault("a command about a shop order comes again", &fault),
        }
    }

    async fn one(&self, message: &Incoming) -> Result<Outcome, Fault> {
        let source = source(message);
        let refusal = match Command::parse(&message.message.body) {
            // Whoever had it in hand before ended without a word.
            _ if message.receive_count > self.most => given_up(message),
            Err(refusal) => refusal,
            Ok(command) => match self.command(command, message, &source).await {
                Ok(_) => {
                    self.orders.metrics.queues.deleted(1);
                    return Ok(Outcome::Settled);
                }
                Err(IntakeError::Refused(refusal)) => refusal,
                Err(IntakeError::Duplicate { code, pointer, id }) => {
                    Refusal::at(pointer, code, format!("the order {id} has it"))
                }
                Err(IntakeError::Fault(fault)) => return lost(fault),
                Err(error @ (IntakeError::NotFound | IntakeError::KeyReused | IntakeError::Timeout)) => {
                    return Err(Fault::Unavailable(error.to_string()));
                }
            },
        };
        observe::order_refused(&self.account, &source.message_id, refusal.code);
        self.refuse(message, &source, &refusal).await
    }

    async fn command(&self, command: Command, message: &Incoming, source: &Source) -> Result<Taken, IntakeError> {
        let held = Held { source: source.clone(), deletion: message.deletion() };
        let (intake, shop) = (&self.orders.intake, &self.account);
        let target = |id| Target { id, version: None };
        match command {
            Command::Create { id, content, external_reference } => {
                let id = id.unwrap_or_else(|| id_of_message(&source.message_id));
                let place = Place { id, shop: shop.clone(), content: *content, external_reference };
                intake.place_named_order(place, held).await
            }
            Command::Update { id, status } => intake.move_order(shop, target(&id), status, held).await,
            Command::Delete { id } => intake.delete_order(shop, target(&id), held).await,
        }
    }

    /// That an order is on its way no more, where the message was to make one.
    async fn refused_order(&self, message: &Incoming, now: Timestamp) -> Result<Option<Key>, Fault> {
        match Command::parse(&message.message.body) {
            Ok(Command::Create { id: Some(id), .. }) => self.orders.intake.refused_order(&self.account, &id, now).await,
            _ => Ok(None),
        }
    }

    /// Moves a message to the dead letters, with the reason, and tells of it: all in one change.
    async fn refuse(&self, message: &Incoming, source: &Source, refusal: &Refusal) -> Result<Outcome, Fault> {
        let queues = &self.orders.queues;
        for _ in 0..TRIES {
            let (queue, dead) = dead_letters(queues, &self.account).await.map_err(as_fault)?;
            let now = clock::now();
            let mut letter = message.message.clone();
            letter.attributes.retain(|attribute| attribute.name != REASON);
            letter.attributes.push(command::reason(refusal));
            let mut change = Change {
                at: now,
                keys: self.refused_order(message, now).await?.into_iter().collect(),
                jobs: vec![dead.dead_letter(&queue, &message.message_id, letter, now)],
                messages: vec![message.deletion()],
                given: vec![queue.given(), dead.given()],
                ..Change::default()
            };
            self.orders.intake.announcer().tell_refused(&mut change, &self.account, source, refusal).await?;
            match self.orders.journal.apply(change).await {
                Ok(_) => {
                    self.orders.metrics.queues.died(1);
                    return Ok(Outcome::Settled);
                }
                Err(Fault::Conflict(Conflict::Version { id, .. })) => {
                    self.orders.intake.announcer().look_again(&id);
                    queues.look_again(&self.account, ORDERS);
                    queues.look_again(&self.account, dead.name());
                }
                // Said at the same moment: look again.
                Err(Fault::Conflict(Conflict::Key(_))) => {}
                Err(fault) => return lost(fault),
            }
        }
        Err(Fault::Unavailable("its queues change all the time".to_owned()))
    }
}

/// An account's queue and that of its dead letters: made where there is none, and named by the first where that names none.
pub(super) async fn dead_letters(queues: &Queues, account: &Owner) -> Result<(Arc<Queue>, Arc<Queue>), QueueError> {
    let queue = queues.find(account, ORDERS).await?;
    let named = queue.settings().redrive.as_ref().map(|redrive| redrive.target.clone());
    if let Some(name) = &named {
        match queues.find(account, name).await {
            Err(QueueError::Refused(QueueRefusal::QueueDoesNotExist)) => {}
            found => return Ok((queue, found?)),
        }
    }
    let name = named.as_deref().unwrap_or(DEAD);
    let fifo = Wanted::from([("FifoQueue".to_owned(), "true".to_owned())]);
    let dead = match queues.create(account, name, fifo, BTreeMap::new()).await {
        // Somebody made one of other attributes.
        Err(QueueError::Refused(QueueRefusal::QueueNameExists(_))) => queues.find(account, name).await?,
        made => made?,
    };
    if named.is_some() {
        return Ok((queue, dead));
    }
    let redrive = json!({ "deadLetterTargetArn": arn::of(account, DEAD), "maxReceiveCount": MAX_RECEIVES });
    let wanted = Wanted::from([("RedrivePolicy".to_owned(), redrive.to_string())]);
    Ok((queues.set(account, ORDERS, wanted).await?, dead))
}

fn source(message: &Incoming) -> Source {
    let group = message.message.group.clone().unwrap_or_else(|| message.message_id.clone());
    Source { message_id: message.message_id.clone(), group }
}

fn given_up(message: &Incoming) -> Refusal {
    let text = format!("it could not be done for the moment, received {} times: send it again", message.receive_count);
    Refusal::new("GIVEN_UP", text)
}

/// A message that somebody else has by now, or that is deleted, is none of ours.
fn lost(fault: Fault) -> Result<Outcome, Fault> {
    match fault {
        Fault::Conflict(Conflict::Gone(_) | Conflict::StaleLease(_)) => Ok(Outcome::Left),
        fault => Err(fault),
    }
}

fn as_fault(error: QueueError) -> Fault {
    match error {
        QueueError::Fault(fault) => fault,
        other => Fault::Unavailable(other.to_string()),
    }
}

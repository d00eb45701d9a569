//! Messages: sent, received, deleted, hidden for longer.

use std::collections::BTreeMap;

use domain::queue::{Attribute, Incoming, LONGEST, Outgoing, Refusal, Sent, Value, arn, batch_size};
use engine::queues::{EntryError, QueueInfo, Wish};
use serde::Serialize;

use super::attributes::{self, ByName, md5_of, md5_of_body};
use super::call::Call;
use super::check::{batch, required};
use super::error::Refused;
use super::operation::{
    ChangeMessageVisibility, ChangeMessageVisibilityBatch, DeleteMessage, DeleteMessageBatch, Handle, ReceiveMessage,
    SendMessage, SendMessageBatch,
};

/// A message that was taken.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Taken {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    body: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

/// What clients compare with what they sent.
struct Digests {
    body: String,
    attributes: Option<String>,
    system: Option<String>,
}

impl Digests {
    fn of(message: &Outgoing) -> Self {
        let (body, attributes) = (md5_of_body(&message.body), md5_of(&message.attributes));
        Self { body, attributes, system: md5_of(&message.system) }
    }

    fn taken(self, id: Option<String>, sent: Sent) -> Taken {
        let Self { body, attributes, system } = self;
        Taken { id, message_id: sent.message_id, body, attributes, system, sequence_number: sent.sequence }
    }
}

/// What became of a batch.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Outcome<T> {
    successful: Vec<T>,
    failed: Vec<Failed>,
}

/// An entry that was refused.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

/// An entry that was done.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Done {
    id: String,
}

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self { successful: Vec::new(), failed: Vec::new() }
    }
}

impl<T> Outcome<T> {
    fn add(&mut self, id: String, done: Result<T, Refused>) {
        match done {
            Ok(done) => self.successful.push(done),
            Err(Refused { code, message }) => {
                let failed = Failed { id, sender_fault: code.sender, code: code.query, message: message.into_owned() };
                self.failed.push(failed);
            }
        }
    }
}

/// SendMessage.
pub(super) async fn send(call: &Call, mut asked: SendMessage) -> Result<Taken, Refused> {
    let queue = call.queue(asked.queue_url.take())?;
    let message = outgoing(call, asked)?;
    let digests = Digests::of(&message);
    let sent = call.app.engine.queues.send(&call.account, &queue, vec![message]).await?.pop();
    let sent = sent.ok_or(EntryError::Timeout)??;
    Ok(digests.taken(None, sent))
}

/// SendMessageBatch.
pub(super) async fn send_batch(call: &Call, asked: SendMessageBatch) -> Result<Outcome<Taken>, Refused> {
    let queue = call.queue(asked.queue_url)?;
    let entries = asked.entries.unwrap_or_default();
    // Whether the queue is there is said before what is wrong with its messages.
    let (mut outcome, mut messages, mut good) = (Outcome::default(), Vec::new(), Vec::new());
    let info = call.app.engine.queues.find(&call.account, &queue).await?;
    batch(entries.iter().map(|entry| entry.id.as_deref()), "SendMessageBatchRequestEntry")?;
    in_order(&info, &entries)?;
    for mut entry in entries {
        let id = entry.id.take().unwrap_or_default();
        match outgoing(call, entry) {
            Ok(message) => {
                good.push((id, Digests::of(&message)));
                messages.push(message);
            }
            Err(refused) => outcome.add(id, Err(refused)),
        }
    }
    if messages.is_empty() {
        return Ok(outcome);
    }
    let bytes = batch_size(&messages);
    if bytes > LONGEST {
        return Err(Refusal::BatchRequestTooLong(bytes).into());
    }
    let sent = call.app.engine.queues.send(&call.account, &queue, messages).await?;
    for ((id, digests), sent) in good.into_iter().zip(sent) {
        let taken = sent.map(|sent| digests.taken(Some(id.clone()), sent));
        outcome.add(id, taken.map_err(Refused::from));
    }
    Ok(outcome)
}

/// An entry without a group, or without an id of duplicates where the queue makes none, spoils the whole batch. Recorded so.
fn in_order(queue: &QueueInfo, entries: &[SendMessage]) -> Result<(), Refusal> {
    let settings = queue.settings();
    if !settings.fifo {
        return Ok(());
    }
    if entries.iter().any(|entry| entry.message_group_id.is_none()) {
        return Err(Refusal::InvalidParameterValue(
            "The request must contain the parameter MessageGroupId.".to_owned(),
        ));
    }
    if !settings.content_dedup && entries.iter().any(|entry| entry.message_deduplication_id.is_none()) {
        let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                   explicitly";
        return Err(Refusal::InvalidParameterValue(why.to_owned()));
    }
    Ok(())
}

fn outgoing(call: &Call, asked: SendMessage) -> Result<Outgoing, Refused> {
    Ok(Outgoing {
        body: required(asked.message_body, "MessageBody")?,
        attributes: attributes::read(asked.message_attributes)?,
        system: attributes::read(asked.message_system_attributes)?,
        delay: asked.delay_seconds,
        group: asked.message_group_id,
        dedup: asked.message_deduplication_id,
        sender: call.digits.clone(),
    })
}

/// What a receiver gets.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Received {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

/// A message on the wire.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_attributes: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: ByName,
}

/// ReceiveMessage.
pub(super) async fn receive(call: &Call, asked: ReceiveMessage) -> Result<Received, Refused> {
    let queue = call.queue(asked.queue_url)?;
    call.may_receive(&queue)?;
    let mut system = asked.attribute_names.unwrap_or_default();
    system.extend(asked.message_system_attribute_names.unwrap_or_default());
    let system = System::parse(&system)?;
    let names = asked.message_attribute_names.unwrap_or_default();
    let wish = Wish {
        max: asked.max_number_of_messages.unwrap_or(1),
        visibility: asked.visibility_timeout,
        wait: asked.wait_time_seconds,
        attempt_id: asked.receive_request_attempt_id,
        in_turn: false,
    };
    let received = call.app.engine.queues.receive(&call.account, &queue, wish).await?;
    Ok(Received { messages: received.into_iter().map(|one| shown(call, one, &system, &names)).collect() })
}

fn shown(call: &Call, incoming: Incoming, system: &System, names: &[String]) -> Message {
    let attributes = system.of(call, &incoming);
    let wanted: Vec<&Attribute> =
        incoming.message.attributes.iter().filter(|attribute| is_wanted(&attribute.name, names)).collect();
    Message {
        md5_of_attributes: md5_of(wanted.iter().copied()),
        message_attributes: attributes::shown(wanted),
        message_id: incoming.message_id,
        receipt_handle: incoming.handle,
        md5: md5_of_body(&incoming.message.body),
        body: incoming.message.body,
        attributes,
    }
}

/// By name, by prefix (`order.*`), or all of them (`All`, `.*`, `*`).
fn is_wanted(name: &str, wanted: &[String]) -> bool {
    wanted.iter().any(|one| match one.as_str() {
        "All" | ".*" | "*" => true,
        one => one == name || one.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix)),
    })
}

/// Which of the attributes that the queue itself gives a message are wanted.
struct System(Vec<&'static str>);

impl System {
    const ALL: [&'static str; 9] = [
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "SequenceNumber",
        "MessageDeduplicationId",
        "MessageGroupId",
        "AWSTraceHeader",
        "DeadLetterQueueSourceArn",
    ];

    fn parse(names: &[String]) -> Result<Self, Refusal> {
        let mut wanted = Vec::new();
        for name in names {
            if name == "All" {
                return Ok(Self(Self::ALL.to_vec()));
            }
            let known = Self::ALL.into_iter().find(|known| known == name);
            wanted.push(known.ok_or_else(|| Refusal::InvalidAttributeName(name.clone()))?);
        }
        Ok(Self(wanted))
    }

    fn of(&self, call: &Call, incoming: &Incoming) -> BTreeMap<&'static str, String> {
        let Incoming { message, receive_count, first_received_at, sequence, .. } = incoming;
        let value = |name: &str| match name {
            "SenderId" => Some(message.sender.clone()),
            "SentTimestamp" => Some(message.sent_at.to_string()),
            "ApproximateReceiveCount" => Some(receive_count.to_string()),
            "ApproximateFirstReceiveTimestamp" => Some(first_received_at.to_string()),
            "SequenceNumber" => sequence.clone(),
            "MessageDeduplicationId" => message.dedup.clone(),
            "MessageGroupId" => message.group.clone(),
            "DeadLetterQueueSourceArn" => {
                let source = message.dead_letter_source.as_deref();
                source.and_then(|source| arn::name_of(&call.account, source)).map(|name| call.arn(name))
            }
            name => message.system.iter().find(|attribute| attribute.name == name).map(|attribute| {
                match &attribute.value {
                    Value::Text(text) => text.clone(),
                    // It is text: nothing else is let in.
                    Value::Bytes(_) => String::new(),
                }
            }),
        };
        self.0.iter().filter_map(|name| Some((*name, value(name)?))).collect()
    }
}

/// DeleteMessage.
pub(super) async fn delete(call: &Call, asked: DeleteMessage) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    let handle = required(asked.receipt_handle, "ReceiptHandle")?;
    let done = call.app.engine.queues.delete_messages(&call.account, &queue, &[handle]).await?.pop();
    Ok(done.ok_or(EntryError::Timeout)??)
}

/// DeleteMessageBatch.
pub(super) async fn delete_batch(call: &Call, asked: DeleteMessageBatch) -> Result<Outcome<Done>, Refused> {
    let queue = call.queue(asked.queue_url)?;
    let entries = asked.entries.unwrap_or_default();
    batch(entries.iter().map(|entry| entry.id.as_deref()), "DeleteMessageBatchRequestEntry")?;
    let (mut outcome, ids, handles) = sorted(entries, |entry| Ok(required(entry.receipt_handle, "ReceiptHandle")?));
    let done = call.app.engine.queues.delete_messages(&call.account, &queue, &handles).await?;
    outcome.add_all(ids, done);
    Ok(outcome)
}

/// ChangeMessageVisibility.
pub(super) async fn change_visibility(call: &Call, asked: ChangeMessageVisibility) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    let handle = required(asked.receipt_handle, "ReceiptHandle")?;
    let seconds = visibility(asked.visibility_timeout)?;
    let done = call.app.engine.queues.change_visibility(&call.account, &queue, &[(handle, seconds)]).await?.pop();
    Ok(done.ok_or(EntryError::Timeout)??)
}

/// ChangeMessageVisibilityBatch.
pub(super) async fn change_visibility_batch(
    call: &Call,
    asked: ChangeMessageVisibilityBatch,
) -> Result<Outcome<Done>, Refused> {
    let queue = call.queue(asked.queue_url)?;
    let entries = asked.entries.unwrap_or_default();
    batch(entries.iter().map(|entry| entry.id.as_deref()), "ChangeMessageVisibilityBatchRequestEntry")?;
    let (mut outcome, ids, wanted) = sorted(entries, |entry| {
        let handle = required(entry.receipt_handle, "ReceiptHandle")?;
        Ok((handle, visibility(entry.visibility_timeout)?))
    });
    let done = call.app.engine.queues.change_visibility(&call.account, &queue, &wanted).await?;
    outcome.add_all(ids, done);
    Ok(outcome)
}

/// The entries of a batch: those refused at once, and the ids and contents of the others.
fn sorted<T>(
    entries: Vec<Handle>,
    read: impl Fn(Handle) -> Result<T, Refused>,
) -> (Outcome<Done>, Vec<String>, Vec<T>) {
    let (mut outcome, mut ids, mut good) = (Outcome::default(), Vec::new(), Vec::new());
    for mut entry in entries {
        let id = entry.id.take().unwrap_or_default();
        match read(entry) {
            Ok(one) => {
                ids.push(id);
                good.push(one);
            }
            Err(refused) => outcome.add(id, Err(refused)),
        }
    }
    (outcome, ids, good)
}

impl Outcome<Done> {
    fn add_all(&mut self, ids: Vec<String>, done: Vec<Result<(), EntryError>>) {
        for (id, done) in ids.into_iter().zip(done) {
            let done = done.map(|()| Done { id: id.clone() }).map_err(Refused::from);
            self.add(id, done);
        }
    }
}

fn visibility(seconds: Option<i64>) -> Result<i64, Refusal> {
    seconds.ok_or_else(|| Refusal::MissingParameter("VisibilityTimeout".to_owned()))
}

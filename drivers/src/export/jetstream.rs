//! Events in a JetStream stream: one message each, in order, acknowledged by the server before it is answered.
//!
//! Every message says which sequence it expects to follow. So a message that got lost takes those behind it with it, a relay
//! that was stopped and goes on cannot write between another one's messages, and a stream that was wiped or restored
//! refuses what does not fit its end: the relay then asks where that is.

mod format;
mod stream;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context};
use async_trait::async_trait;
use domain::Event;
use tokio::time::timeout;

use self::format::Message;
use self::stream::Stream;
use super::{Export, object};
use crate::address::Address;
use crate::{Fault, nats};

/// How long the server may take to answer: a request, and any one message.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a call of `send` may take in all.
const PAGE: Duration = Duration::from_secs(30);
/// How many messages may be on their way to the stream.
const IN_FLIGHT: usize = 256;

/// `epoch-seq`, as the API takes it.
const POSITION: &str = "Tradewind-Position";
/// Who may see the event.
const OWNER: &str = "Tradewind-Owner";

struct JetStreamExport {
    context: Context,
    stream: Stream,
    epoch: u64,
    // None: not known, or no longer.
    end: Mutex<Option<End>>,
}

/// Where the stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    /// The stream's own number of its last message.
    sequence: u64,
    /// The event in it.
    seq: u64,
}

pub(super) async fn open(url: &str, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
    let address = Address::parse("--export", url, &["stream", "subject", "replicas", "format"], &[])?;
    let client = nats::connect(&address, nats::options()).await?;
    let builder = jetstream::context::ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER);
    let context = builder.max_ack_inflight(2 * IN_FLIGHT).build(client);
    let stream = Stream::at(address)?;
    let export = JetStreamExport { context, stream, epoch, end: Mutex::new(None) };
    export.position().await?;
    Ok(Arc::new(export))
}

#[async_trait]
impl Export for JetStreamExport {
    async fn position(&self) -> Result<Option<u64>, Fault> {
        self.set(None);
        let asked = timeout(PAGE, self.stream.last(&self.context)).await;
        let last = asked.map_err(|_| self.stream.wrong("no answer from JetStream; it is tried again"))??;
        let seq = match last.position {
            Some((theirs, _)) if theirs != self.epoch => return Err(self.of_another_epoch(theirs)),
            Some((_, seq)) => seq,
            None if last.sequence == 0 => 0,
            None => return Ok(None),
        };
        self.set(Some(End { sequence: last.sequence, seq }));
        Ok(Some(seq))
    }

    fn takes(&self, event: &Event) -> bool {
        self.stream.format.takes(event)
    }

    async fn send(&self, events: &[Event]) -> Result<(), Fault> {
        // Whatever interrupts this leaves the end unknown.
        let known = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        let end = match known {
            Some(end) => end,
            None => self.look(events).await?,
        };
        let sent = timeout(PAGE, self.publish(end, events)).await;
        let end = sent.map_err(|_| self.stream.wrong(&format!("no answer within {PAGE:?}")))??;
        self.set(Some(end));
        Ok(())
    }

    async fn ping(&self) -> Result<(), Fault> {
        self.stream.last(&self.context).await.map(drop)
    }
}

impl JetStreamExport {
    /// Where the stream ends. Where that cannot be told, it ends before `events`: the caller knows what was acknowledged.
    async fn look(&self, events: &[Event]) -> Result<End, Fault> {
        if self.position().await?.is_none() {
            let sequence = self.stream.last(&self.context).await?.sequence;
            return Ok(End { sequence, seq: events.first().map_or(0, |event| event.seq.saturating_sub(1)) });
        }
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.ok_or_else(|| self.stream.wrong("its end moved while it was looked at; it is tried again"))
    }

    async fn publish(&self, mut end: End, events: &[Event]) -> Result<End, Fault> {
        let first = end.seq;
        let mut on_their_way: VecDeque<(u64, PublishAckFuture)> = VecDeque::with_capacity(IN_FLIGHT);
        for event in events.iter().filter(|event| event.seq > first) {
            if event.seq <= end.seq {
                return Err(Fault::Broken(format!("event {} after {}", event.seq, end.seq)));
            }
            let Some(Message { subject, payload }) = self.stream.format.message(event, self.epoch)? else { continue };
            if on_their_way.len() == IN_FLIGHT
                && let Some(oldest) = on_their_way.pop_front()
            {
                self.acknowledged(oldest).await?;
            }
            let subject = format!("{}.{subject}", self.stream.subject);
            let sent = self.context.send_publish(subject, self.message(event, payload, end.sequence)).await;
            end = End { sequence: end.sequence + 1, seq: event.seq };
            on_their_way.push_back((end.sequence, sent.map_err(|error| self.stream.refused(&error))?));
        }
        for waiting in on_their_way {
            self.acknowledged(waiting).await?;
        }
        Ok(end)
    }

    fn message(&self, event: &Event, payload: Vec<u8>, after: u64) -> PublishMessage {
        let message = PublishMessage::build().payload(payload.into()).message_id(event.seq.to_string());
        let position = object::position(self.epoch, event.seq);
        let message = message.header(POSITION, position.as_str()).header(OWNER, event.owner.as_str());
        message.expected_last_sequence(after)
    }

    /// Waits for a message's acknowledgement, and sees that it lies where it was to lie.
    async fn acknowledged(&self, (expected, waiting): (u64, PublishAckFuture)) -> Result<(), Fault> {
        let ack = waiting.await.map_err(|error| self.stream.refused(&error))?;
        if ack.stream != self.stream.name {
            return Err(self
                .stream
                .wrong(&format!("the stream {} takes its messages; name another ?subject=", ack.stream)));
        }
        if ack.sequence != expected || ack.duplicate {
            let what = if ack.duplicate { "was taken for a duplicate" } else { "lies elsewhere" };
            return Err(self.stream.wrong(&format!("message {expected} {what}: the stream is not as it was left")));
        }
        Ok(())
    }

    fn set(&self, end: Option<End>) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    fn of_another_epoch(&self, theirs: u64) -> Fault {
        self.stream.wrong(&format!(
            "it holds events of epoch {theirs}, the journal is of epoch {}: another journal, or a restored copy, whose \
             numbers mean other events; delete the stream {} or name another with ?stream= and ?subject=",
            self.epoch, self.stream.name
        ))
    }
}

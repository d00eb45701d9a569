//! A message: what is sent, what the journal keeps of it, what is received.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{JobId, MessageStep, Received, Settle, Timestamp};

/// A message to be sent, as its sender gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The text.
    pub body: String,
    /// What is said beside the text.
    pub attributes: Vec<Attribute>,
    /// What is said to AWS's own services: `AWSTraceHeader` alone.
    pub system: Vec<Attribute>,
    /// Hidden for so many seconds at first; none: as the queue says.
    pub delay: Option<i64>,
    /// Its group.
    pub group: Option<String>,
    /// What duplicates are known by.
    pub dedup: Option<String>,
    /// Who sends it.
    pub sender: String,
}

/// Something said beside a message's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// `String`, `Number` or `Binary`, perhaps with a suffix: `Number.int`.
    #[serde(rename = "type")]
    pub type_: String,
    /// What it says.
    #[serde(flatten)]
    pub value: Value,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Text, of numbers too.
    #[serde(rename = "text")]
    Text(String),
    /// Bytes; Base64 in the journal.
    #[serde(rename = "bytes", serialize_with = "to_base64", deserialize_with = "from_base64")]
    Bytes(Vec<u8>),
}

impl Value {
    /// How many bytes it counts for.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)
}

/// A message as the body of its job, in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id where that is not made of its job: it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The text.
    pub body: String,
    /// What is said beside it, sorted by name: digests of it count on that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// `AWSTraceHeader`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Attribute>,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sender: String,
    /// When it was sent, in milliseconds since the epoch.
    pub sent_at: i64,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What duplicates were known by, given or made of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup: Option<String>,
    /// The name (ARN) of the queue that it was moved from as a dead letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_source: Option<String>,
}

impl Message {
    /// The message as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// Its id, as the job `job` of the generation `generation`.
    #[must_use]
    pub fn id(&self, generation: &str, job: JobId) -> String {
        self.message_id.clone().unwrap_or_else(|| id_of(generation, job))
    }

    /// Whether a queue that keeps messages for `retention` seconds has it no more at `now`.
    #[must_use]
    pub fn is_over(&self, retention: u32, now: Timestamp) -> bool {
        self.sent_at.saturating_add(i64::from(retention).saturating_mul(1_000)) <= now.as_millis()
    }
}

/// The id of a message that was not moved: the same for whoever asks.
#[must_use]
pub(super) fn id_of(generation: &str, job: JobId) -> String {
    let space = Uuid::parse_str(generation).unwrap_or(Uuid::NAMESPACE_OID);
    Uuid::new_v5(&space, &job.to_be_bytes()).to_string()
}

/// The number of a message in its queue, as twenty digits.
#[must_use]
pub(super) fn sequence_of(job: JobId) -> String {
    format!("{job:020}")
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its id.
    pub message_id: String,
    /// The right to delete it or to hide it for longer.
    pub handle: String,
    /// What it says.
    pub message: Message,
    /// How many times it was received, this time included.
    pub receive_count: u32,
    /// When it was received first, in milliseconds since the epoch.
    pub first_received_at: i64,
    /// Its number, of a FIFO queue only.
    pub sequence: Option<String>,
    /// The journal's queue: the generation that it is in.
    pub generation: String,
    /// Its job.
    pub job: JobId,
    /// This hand-out.
    pub token: u64,
}

impl Incoming {
    /// A message as a FIFO queue (or not) hands it out.
    #[must_use]
    pub fn new(received: &Received, message: Message, handle: String, fifo: bool) -> Self {
        Self {
            message_id: message.id(&received.job.queue, received.job.id),
            handle,
            message,
            receive_count: received.job.attempt,
            first_received_at: received.first_at.as_millis(),
            sequence: fifo.then(|| sequence_of(received.job.id)),
            generation: received.job.queue.clone(),
            job: received.job.id,
            token: received.token,
        }
    }

    /// What deletes it, for a change that does more; the change conflicts when its time has run out.
    #[must_use]
    pub fn deletion(&self) -> MessageStep {
        self.step(Settle::Delete)
    }

    /// What becomes of it, for a change that does more.
    #[must_use]
    pub fn step(&self, then: Settle) -> MessageStep {
        MessageStep { queue: self.generation.clone(), job: self.job, token: Some(self.token), late: false, then }
    }
}

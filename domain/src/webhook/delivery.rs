//! One event on its way to one endpoint: what was tried, what came of it, and what follows.

mod settle;
mod task;
mod view;

use serde::{Deserialize, Serialize};

pub use self::settle::{Answer, Outcome, Settled, settle, settle_moved};
pub use self::task::{Round, Task};
use crate::{Entity, EntityWrite, Event, Expect, Kind, NewJob, Owner, Timestamp};

/// The queue of deliveries; a job's lane is the endpoint.
pub const QUEUE_DELIVER: &str = "webhook.deliver";
/// So many attempts are kept, the newest.
pub const ATTEMPTS_KEPT: usize = 16;
/// So many bytes of an answer are kept.
pub const ANSWER_KEPT: usize = 4_096;

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is on its way: not tried yet, or to be tried again.
    #[default]
    Pending,
    /// The endpoint took it.
    Delivered,
    /// Given up.
    Failed,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// What a delivery tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The event's number; 0 for a test, which stands in no log.
    pub seq: u64,
    /// The event's type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The kind of the entity it is about.
    pub kind: String,
    /// That entity.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// The other account that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Owner>,
}

impl From<&Event> for About {
    fn from(event: &Event) -> Self {
        Self {
            seq: event.seq,
            type_: event.type_.clone(),
            kind: event.kind.to_string(),
            id: event.id.clone(),
            owner: event.owner.clone(),
            party: event.party.clone(),
        }
    }
}

/// One request, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When it was sent.
    pub at: Timestamp,
    /// The answer's HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u64,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The beginning of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A delivery: the whole state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// UUID v5 of endpoint and event: the `webhook-id`, the same over all attempts. A column.
    #[serde(skip)]
    pub id: String,
    /// 1 for a new one. A column.
    #[serde(skip)]
    pub version: u64,
    /// Whose endpoint it is. A column.
    #[serde(skip)]
    pub account: Owner,
    /// The endpoint. A column.
    #[serde(skip)]
    pub endpoint: String,
    /// How it stands. A column.
    #[serde(skip)]
    pub status: Status,
    /// What it tells of.
    pub about: About,
    /// How often it was put on its way again: a job of an earlier round does nothing.
    #[serde(default)]
    pub round: u32,
    /// How often it was tried in this round.
    #[serde(default)]
    pub tries: u32,
    /// What was tried, oldest first, at most [`ATTEMPTS_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The request's body, kept from the first failure on: the event may be forgotten before the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// When it was made. A column.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When it last changed. A column.
    #[serde(skip)]
    pub updated_at: Timestamp,
}

/// The endpoint that a delivery is for, as far as that matters to its making.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The endpoint.
    pub endpoint: &'a str,
    /// Whose it is.
    pub account: &'a Owner,
    /// Whether the events of one entity come one after the other.
    pub ordered: bool,
}

impl Delivery {
    /// A new delivery of `about`.
    #[must_use]
    pub fn new(id: String, to: &To<'_>, about: About, payload: Option<String>, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            account: to.account.clone(),
            endpoint: to.endpoint.to_owned(),
            status: Status::Pending,
            about,
            round: 0,
            tries: 0,
            attempts: Vec::new(),
            next_at: None,
            reason: None,
            payload,
            created_at: now,
            updated_at: now,
        }
    }

    /// The same, on its way once more with as many attempts as a new one.
    #[must_use]
    pub fn again(&self, payload: Option<String>, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            status: Status::Pending,
            round: self.round.wrapping_add(1),
            tries: 0,
            next_at: None,
            reason: None,
            payload: payload.or_else(|| self.payload.clone()),
            updated_at: now,
            ..self.clone()
        }
    }

    /// What the journal is to keep. The first version is a new row.
    #[must_use]
    pub fn write(&self) -> EntityWrite {
        EntityWrite {
            kind: Kind::Delivery,
            id: self.id.clone(),
            expect: if self.version == 1 { Expect::Absent } else { Expect::Version(self.version - 1) },
            status: self.status.as_str(),
            owner: self.account.clone(),
            party: None,
            parent: Some(self.endpoint.clone()),
            // Text, numbers and lists of them: writing them cannot fail.
            body: serde_json::to_string(self).unwrap_or_default(),
            event: None,
        }
    }

    /// The job that brings it.
    #[must_use]
    pub fn job(&self, ordered: bool, run_at: Timestamp) -> NewJob {
        let About { kind, id, .. } = &self.about;
        NewJob {
            queue: QUEUE_DELIVER.into(),
            group: ordered.then(|| format!("{}:{kind}:{id}", self.endpoint)),
            lane: Some(self.endpoint.clone()),
            run_at,
            body: self.task().write(),
            dedup: None,
        }
    }

    /// Reads the delivery from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let broken = |why| <serde_json::Error as serde::de::Error>::custom(why);
        let status = Status::parse(&entity.status).ok_or_else(|| broken("no such status"))?;
        let endpoint = entity.parent.clone().ok_or_else(|| broken("no endpoint"))?;
        let body: Self = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            account: entity.owner.clone(),
            endpoint,
            status,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
            ..body
        })
    }
}

#[cfg(test)]
mod tests;

//! A queue as it stands in the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::{id_of, sequence_of};
use super::{Settings, Wanted, arn};
use crate::{Entity, EntityWrite, Expect, Given, JobId, Kind, Owner, Timestamp};

/// Whether a queue is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Active,
    /// It was deleted; its row remembers when, and what is still to be cleared away.
    Deleted,
    /// It was deleted, and nothing is left of it but when.
    Cleared,
}

impl Status {
    /// The word in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
            Self::Cleared => "cleared",
        }
    }
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// [`super::id_of`] its account and name.
    pub id: String,
    /// Its version in the journal.
    pub version: u64,
    /// Whether it is there.
    pub status: Status,
    /// Whose it is.
    pub account: Owner,
    /// All else.
    pub body: Body,
}

/// What the journal keeps of a queue as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// Its name.
    pub name: String,
    /// The journal's queue that its messages are in: a UUID, another one after each purge.
    pub generation: String,
    /// How it behaves.
    pub settings: Settings,
    /// What its owner calls it.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// It hands out nothing.
    #[serde(default)]
    pub paused: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed.
    pub modified_at: Timestamp,
    /// When it was last purged.
    #[serde(default)]
    pub purged_at: Option<Timestamp>,
    /// When it was deleted.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    /// The move that takes its messages away, if one does.
    #[serde(default)]
    pub moving: Option<String>,
    /// Former generations whose messages are still to be cleared away.
    #[serde(default)]
    pub old: Vec<String>,
}

impl Queue {
    /// Reads what the journal holds.
    ///
    /// # Errors
    /// When it is no queue of this program.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let all = [Status::Active, Status::Deleted, Status::Cleared];
        let status = all.into_iter().find(|one| one.as_str() == entity.status).unwrap_or(Status::Deleted);
        let body = serde_json::from_str(&entity.body)?;
        Ok(Self { id: entity.id.clone(), version: entity.version, status, account: entity.owner.clone(), body })
    }

    /// What the journal is to hold: `version` is that after the write.
    #[must_use]
    pub fn write(&self) -> EntityWrite {
        EntityWrite {
            kind: Kind::Queue,
            id: self.id.clone(),
            expect: if self.version <= 1 { Expect::Absent } else { Expect::Version(self.version - 1) },
            status: self.status.as_str(),
            owner: self.account.clone(),
            party: None,
            // The queues of one name, of all accounts, are found by it.
            parent: Some(self.body.name.clone()),
            body: serde_json::to_string(&self.body).expect("texts and numbers are JSON"),
            event: None,
        }
    }

    /// What a change is decided by that puts messages into it: that it is there still, and in this generation.
    #[must_use]
    pub fn given(&self) -> Given {
        Given { kind: Kind::Queue, id: self.id.clone(), version: self.version }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// How it behaves.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.body.settings
    }

    /// The journal's queue that its messages are in.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.body.generation
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    /// The queue without a former generation whose messages are cleared away.
    #[must_use]
    pub fn cleared(&self, generation: &str) -> Self {
        let mut next = self.clone();
        next.version += 1;
        next.body.old.retain(|one| one != generation);
        if next.status == Status::Deleted && next.body.old.is_empty() {
            next.status = Status::Cleared;
        }
        next
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        arn::of(&self.account, self.name())
    }

    /// All that is shown of it by AWS's names but for the numbers of its messages; times are whole seconds since the epoch.
    #[must_use]
    pub fn attributes(&self) -> Wanted {
        let mut shown = self.settings().attributes();
        let seconds = |at: Timestamp| at.0.div_euclid(1_000_000).to_string();
        shown.insert("QueueArn".to_owned(), self.arn());
        shown.insert("CreatedTimestamp".to_owned(), seconds(self.body.created_at));
        shown.insert("LastModifiedTimestamp".to_owned(), seconds(self.body.modified_at));
        shown
    }

    /// The message that became the job `job` of it: its id, and its number if it has an order.
    #[must_use]
    pub fn sent(&self, job: JobId) -> Sent {
        let sequence = self.settings().fifo.then(|| sequence_of(job));
        Sent { message_id: id_of(self.generation(), job), sequence }
    }
}

/// A message that was taken, or is the duplicate of one that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub message_id: String,
    /// Its number, of a FIFO queue only.
    pub sequence: Option<String>,
}

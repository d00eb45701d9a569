//! A move: messages of a dead-letter queue on their way back, or to another queue.

use serde::{Deserialize, Serialize};

use crate::{Entity, EntityWrite, Expect, Kind, NewJob, Owner, Timestamp};

/// The queue of the jobs that move messages.
pub const QUEUE_MOVE: &str = "queue.move";

/// What became of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveStatus {
    /// It goes on.
    Running,
    /// Everything that was there is moved.
    Completed,
    /// Its owner stopped it.
    Cancelled,
    /// It cannot go on.
    Failed,
}

impl MoveStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Completed, Self::Cancelled, Self::Failed];

    /// The word in the journal; AWS says it in capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// A move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its id, a UUID v7: the `taskId` in its handle.
    pub id: String,
    /// Its version in the journal.
    pub version: u64,
    /// What became of it.
    pub status: MoveStatus,
    /// Whose it is.
    pub account: Owner,
    /// The id of the queue that it takes from.
    pub source_id: String,
    /// All else.
    pub body: MoveBody,
}

/// What the journal keeps of a move as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveBody {
    /// The name of the queue that it takes from.
    pub source: String,
    /// The name of the queue that it brings to; none: each message to where it came from.
    pub destination: Option<String>,
    /// At most so many a second; 1 to 500.
    pub per_second: Option<u32>,
    /// How many it has moved.
    pub moved: u64,
    /// How many there were when it began.
    pub total: u64,
    /// How many pages it has moved: names its next hand-out.
    pub page: u64,
    /// Why it failed, in AWS's words.
    #[serde(default)]
    pub failure: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
}

impl Move {
    /// Reads what the journal holds.
    ///
    /// # Errors
    /// When it is no move of this program.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let status = MoveStatus::ALL.into_iter().find(|one| one.as_str() == entity.status);
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            status: status.unwrap_or(MoveStatus::Failed),
            account: entity.owner.clone(),
            source_id: entity.parent.clone().unwrap_or_default(),
            body: serde_json::from_str(&entity.body)?,
        })
    }

    /// What the journal is to hold: `version` is that after the write.
    #[must_use]
    pub fn write(&self) -> EntityWrite {
        EntityWrite {
            kind: Kind::MessageMove,
            id: self.id.clone(),
            expect: if self.version <= 1 { Expect::Absent } else { Expect::Version(self.version - 1) },
            status: self.status.as_str(),
            owner: self.account.clone(),
            party: None,
            parent: Some(self.source_id.clone()),
            body: serde_json::to_string(&self.body).expect("texts and numbers are JSON"),
            event: None,
        }
    }

    /// The job that moves its first page.
    #[must_use]
    pub fn job(&self, now: Timestamp) -> NewJob {
        NewJob {
            queue: QUEUE_MOVE.into(),
            group: Some(self.id.clone()),
            lane: None,
            run_at: now,
            body: self.id.clone(),
            dedup: None,
        }
    }
}

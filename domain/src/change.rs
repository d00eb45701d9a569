//! All that one decision does; the journal applies it whole or not at all.

use crate::{JobId, Kind, Lease, NewJob, Owner, Timestamp};

/// The effects of one decision, decided at `at`.
///
/// The journal checks every version, key and lease first; when one does not hold, nothing of the change happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// When it was decided: the time of its events and of its entities' update.
    pub at: Timestamp,
    /// The next states, each with at most one event.
    pub entities: Vec<EntityWrite>,
    /// Work left to do.
    pub jobs: Vec<NewJob>,
    /// What becomes of the job under which this was decided.
    pub step: Option<JobStep>,
    /// Idempotency and uniqueness.
    pub keys: Vec<Key>,
    /// What it was decided by without changing it.
    pub given: Vec<Given>,
    /// What becomes of messages that were received.
    pub messages: Vec<MessageStep>,
    /// What is taken from levels or put back.
    pub levels: Vec<LevelMove>,
}

/// An entity that must stand at a version when the change is applied, and is not changed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// At exactly this version; 0 when there must be none.
    pub version: u64,
}

/// What becomes of a message: a job that was received, and so is hidden until a time rather than under a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageStep {
    /// The queue it was received from.
    pub queue: String,
    /// Which one.
    pub job: JobId,
    /// The hand-out that is spoken of: only the newest counts. None speaks of the message whoever has it.
    pub token: Option<u64>,
    /// Whether a hand-out counts whose time has run out, as long as it is the newest.
    pub late: bool,
    /// What becomes of it.
    pub then: Settle,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// It is deleted, and the next of its group may be received.
    Delete,
    /// It is hidden until this instant, or visible from it on.
    ShowAt(Timestamp),
}

/// Moves a level, a number that is never negative: what is left of something. A level that nobody moved is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelMove {
    /// Which level, at most 255 bytes: `stock:<account>:<product>`.
    pub name: String,
    /// What is added, or taken away where it is negative. A level stays within 0 and 2^53 - 1, or nothing of the change happens.
    pub add: i64,
    /// Where the level may stand at most after the change; none where 2^53 - 1 alone bounds it. Of several moves of one level
    /// the lowest counts.
    pub most: Option<i64>,
}

impl LevelMove {
    /// The highest level: the largest integer that every JSON reader keeps exact.
    pub const HIGHEST: i64 = (1 << 53) - 1;
}

/// The next state of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityWrite {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// What the journal must hold now; the version after the change is one more (1 for a new one).
    pub expect: Expect,
    /// Its status after the change.
    pub status: &'static str,
    /// Its owner; an existing entity keeps the one it has.
    pub owner: Owner,
    /// The other account that it concerns, which sees the entity and its events too. An existing entity keeps the one it
    /// has; the event has this one.
    pub party: Option<Owner>,
    /// What it hangs on, at most 64 bytes: lists go by it. An existing entity keeps the one it has.
    pub parent: Option<String>,
    /// Its whole state after the change, as JSON.
    pub body: String,
    /// The fact to tell, if it is one; bookkeeping tells none.
    pub event: Option<EventDraft>,
}

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No entity of that kind and id.
    Absent,
    /// The entity at exactly this version.
    Version(u64),
}

impl Expect {
    /// The version after the write.
    #[must_use]
    pub const fn next_version(self) -> u64 {
        match self {
            Self::Absent => 1,
            Self::Version(v) => v + 1,
        }
    }
}

/// An event before it has its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDraft {
    /// `<kind>.<what happened>`.
    pub type_: &'static str,
    /// The public view after the change plus `changed`, as JSON; at most [`crate::Event::BODY_LIMIT`] bytes.
    pub body: String,
}

/// What becomes of the leased job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStep {
    /// The right to decide that; a stale one makes the change a conflict.
    pub lease: Lease,
    /// The verdict.
    pub then: Then,
}

/// The verdict on a leased job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Work goes on under the same lease.
    Hold,
    /// Done: the job is deleted and the next of its group may run.
    Finish,
    /// This attempt failed: back to the queue until `run_at`; the attempt counts.
    Retry {
        /// Not before this instant.
        run_at: Timestamp,
        /// Why.
        error: String,
    },
    /// It cannot go on yet, through no fault of its own: back to the queue; the attempt does not count.
    Wait {
        /// Not before this instant.
        run_at: Timestamp,
    },
    /// Given up: to `dead_job`. With `park` its group waits for an operator, else the group goes on.
    Bury {
        /// Why.
        why: String,
        /// Stop the group.
        park: bool,
    },
}

/// A key that may be used once per scope until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What the key is unique within, such as `swaps.create:<account>`.
    pub scope: String,
    /// The key, at most 255 bytes.
    pub key: String,
    /// SHA-256 of the canonical request; a second use with another one is a misuse. None where any second use is.
    pub fingerprint: Option<[u8; 32]>,
    /// The entity it led to.
    pub kind: Kind,
    /// That entity's id.
    pub id: String,
    /// That entity's version after the change: the replay answers with its event.
    pub version: u64,
    /// When it may be used again; none means never.
    pub expires_at: Option<Timestamp>,
}

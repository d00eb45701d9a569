//! A driver could not do what it was asked; says whether asking again can help.

use domain::{JobId, Kind};
use thiserror::Error;

/// Why a driver failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The change met a state that it was not decided for: load, decide again, apply again. Nothing of it happened.
    #[error("conflict: {0}")]
    Conflict(Conflict),
    /// A bounded queue is full: nothing happened; try again after a moment.
    #[error("busy")]
    Busy,
    /// The technology behind the port is away, full or read-only: nothing was acknowledged; try again later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A bug or a damaged store; trying again will not help. The text is for the operator alone.
    #[error("broken: {0}")]
    Broken(String),
}

impl Fault {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_))
    }
}

/// Which expectation of a change did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Conflict {
    /// The entity is not at the expected version, or is absent.
    #[error("{kind} {id} is not at the expected version")]
    Version {
        /// Kind of the entity.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// An entity of that id exists already.
    #[error("{kind} {id} exists")]
    Exists {
        /// Kind of the entity.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// The lease is not the newest of its job, has lapsed, or the job is gone.
    #[error("stale lease on job {0}")]
    StaleLease(JobId),
    /// The message is not there, or was received again since.
    #[error("message {0} is gone, or somebody else's")]
    Gone(JobId),
    /// What a call received was settled in part: it cannot be answered again.
    #[error("what the call received was settled in part")]
    Settled,
    /// A level would leave its bounds.
    #[error("level {name} is at {at}")]
    Level {
        /// Its name.
        name: String,
        /// Where it stands.
        at: i64,
    },
    /// The key is in use.
    #[error("key in use")]
    Key(KeyHeld),
}

/// A key that an earlier change took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHeld {
    /// The key's scope.
    pub scope: String,
    /// The key.
    pub key: String,
    /// The fingerprint it was taken with.
    pub fingerprint: Option<[u8; 32]>,
    /// The entity it led to.
    pub kind: Kind,
    /// That entity's id.
    pub id: String,
    /// That entity's version then.
    pub version: u64,
}

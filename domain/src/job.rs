//! Work that a change left to do: FIFO within its group, at least once, under a lease.

use std::borrow::Cow;

use crate::Timestamp;

/// The number of a job: given by the journal, increasing.
pub type JobId = u64;

/// A job to be enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The queue's name, such as `swap.execute`.
    pub queue: Cow<'static, str>,
    /// Jobs of one group run one after the other, in the order of their ids; none means a group of its own.
    pub group: Option<String>,
    /// Jobs of one lane (an endpoint, a venue) share its in-flight limit; none means the queue's common lane.
    pub lane: Option<String>,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// What to do, as JSON or plain text; the queue's worker knows.
    pub body: String,
    /// Drop the job silently when one with the same key was enqueued within the window.
    pub dedup: Option<Dedup>,
}

/// De-duplication of a job: the key is unique within its queue for `window_micros` after its first use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedup {
    /// At most 128 bytes.
    pub key: String,
    /// How long it counts, in microseconds; it goes on counting after the job is done.
    pub window_micros: i64,
}

/// The right to work on a job: only the newest lease of a job may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Which job.
    pub job: JobId,
    /// Increases with every hand-out of the job.
    pub token: u64,
}

/// A job as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its group, if it shares one.
    pub group: Option<String>,
    /// Its lane, if it shares one.
    pub lane: Option<String>,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// How many times it was handed out, the present hand-out included.
    pub attempt: u32,
    /// What to do.
    pub body: String,
    /// Why the previous attempt failed.
    pub last_error: Option<String>,
}

/// A job that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The job, with this hand-out counted in `attempt`.
    pub job: Job,
    /// The right to it.
    pub lease: Lease,
}

/// A message: a job that was received, hidden from others until its `run_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The job, with this hand-out counted in `attempt`; `run_at` is when it is visible again.
    pub job: Job,
    /// Increases with every hand-out of the job; the newest alone may settle it.
    pub token: u64,
    /// When it was received for the first time.
    pub first_at: Timestamp,
}

/// A job that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadJob {
    /// The job as it last stood.
    pub job: Job,
    /// Why it was given up.
    pub why: String,
    /// When.
    pub died_at: Timestamp,
    /// Its group waits until an operator retries or discards it.
    pub parked: bool,
}

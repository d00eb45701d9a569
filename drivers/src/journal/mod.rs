//! Where entities, events, jobs and keys live; applies each change in one transaction, many changes per fsync.
//!
//! A new driver: one file here, one arm in [`open`], and the conformance suite passes unchanged.

#[cfg(test)]
pub mod conformance;

mod limits;
mod postgres;
mod scratch;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Change, Claimed, DeadJob, Entity, Event, Job, JobId, Kind, Lease, Owner, Timestamp};

use crate::wake::Wake;
use crate::{Fault, KeyHeld, without_secrets};

pub use scratch::{Scratch, scratch};

/// The journal port. Every method that writes is one transaction; an `Ok` means on disk.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Whether other processes may write to it too.
    fn shared(&self) -> bool {
        true
    }

    /// Applies one change, whole or not at all; it shares its fsync with every change that waits.
    async fn apply(&self, change: Change) -> Result<Receipt, Fault>;

    /// Hands out jobs: the only way to get one. Counts the attempt on disk before it answers.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Fault>;

    /// Prolongs leases by the lease time from now; answers with those that were lost.
    async fn renew(&self, leases: &[Lease]) -> Result<Vec<Lease>, Fault>;

    /// Puts a dead job back into its queue, its attempts at zero; a parked group goes on with it. False if there is none.
    async fn retry_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault>;

    /// Deletes a dead job; a parked group goes on with the next. False if there is none.
    async fn discard_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault>;

    /// Deletes at most `limit` expired keys; answers with how many it deleted.
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, Fault>;

    /// Deletes the oldest events, at most `limit` (1,000 at most), up to the first that is not older than `before`, and
    /// raises [`Head::floor`] to the last of them; answers with how many. The newest event always stays. Entities, jobs
    /// and keys stay too. Whoever reads events after a position and then finds the floor at or below it has missed none.
    async fn forget(&self, before: Timestamp, limit: usize) -> Result<usize, Fault>;

    /// One entity.
    async fn entity(&self, kind: Kind, id: &str) -> Result<Option<Entity>, Fault>;

    /// A page of entities, by `created_seq`.
    async fn entities(&self, list: List) -> Result<Page, Fault>;

    /// The events of one entity with versions above `after`, oldest first, at most `limit`.
    async fn history(&self, kind: Kind, id: &str, after: u64, limit: usize) -> Result<Vec<Event>, Fault>;

    /// The events with `seq > after`, of one owner if given, oldest first, at most `limit`.
    async fn events(&self, after: u64, owner: Option<Owner>, limit: usize) -> Result<Vec<Event>, Fault>;

    /// What a key led to, unless it has expired at `now`.
    async fn key(&self, scope: &str, key: &str, now: Timestamp) -> Result<Option<KeyHeld>, Fault>;

    /// The newest event and the journal's epoch.
    async fn head(&self) -> Result<Head, Fault>;

    /// A queue's jobs, oldest first, at most `limit`: to look at, not to work on.
    async fn jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Fault>;

    /// Given-up jobs of a queue with ids above `after`, by id, at most `limit`.
    async fn dead_jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<DeadJob>, Fault>;

    /// How a queue stands.
    async fn depth(&self, queue: &str, now: Timestamp) -> Result<Depth, Fault>;

    /// Asks for a durable no-op write, to see that writes work.
    async fn ping(&self) -> Result<(), Fault>;

    /// Writes what is still waiting, and lets go of the store. Calls after it are `Unavailable`.
    async fn close(&self);
}

/// What the journal answers to an applied change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The `seq` of the change's last event; 0 when it had none.
    pub seq: u64,
    /// One id per new job, in their order: the job's, or that of the earlier job which it duplicates.
    pub jobs: Vec<JobId>,
}

/// A request for jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// From this queue.
    pub queue: &'static str,
    /// At most so many; never waits for more.
    pub limit: usize,
    /// At most so many in flight of any one named lane, those already out included.
    pub per_lane: usize,
    /// Jobs due at this instant.
    pub now: Timestamp,
}

/// Which entities to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Of this kind.
    pub kind: Kind,
    /// Of this owner; none means everyone's.
    pub owner: Option<Owner>,
    /// In one of these states; empty means any.
    pub statuses: Vec<String>,
    /// Whose body has these texts at these fields; a dot leads into an object: `ask.input`.
    pub fields: Vec<(&'static str, String)>,
    /// Beyond this `created_seq`, in the direction of the list; none starts at the end it comes from.
    pub after: Option<u64>,
    /// Newest first, or oldest first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: usize,
}

/// A page of entities. It may be short, even empty, long before the list's end: one call looks at a bounded number of
/// entities, and filters may pass over most of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Those found, in the list's order.
    pub entities: Vec<Entity>,
    /// The list's next `after`; none at its end.
    pub next: Option<u64>,
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The newest event's number; 0 in an empty journal.
    pub seq: u64,
    /// Which history this is: a restored backup starts a new one.
    pub epoch: u64,
    /// The oldest event still held is `floor + 1`.
    pub floor: u64,
}

/// How a queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Due and not handed out.
    pub ready: u64,
    /// Handed out.
    pub leased: u64,
    /// Not due yet, or behind another of their group.
    pub waiting: u64,
    /// Given up.
    pub dead: u64,
}

/// How to open a journal.
#[derive(Clone)]
pub struct Options {
    /// Gets a hint after every commit that made events or jobs.
    pub wake: Arc<dyn Wake>,
    /// How long a lease lasts unless renewed, in milliseconds; 30,000 in the product.
    pub lease_millis: u64,
    /// Whether an older schema, or none, is brought up to date; otherwise it is refused.
    pub migrate: bool,
}

/// What [`migrate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema's version before; 0 when there was none.
    pub from: usize,
    /// The schema's version now: the newest this program knows.
    pub to: usize,
    /// Which history the journal holds now.
    pub epoch: u64,
}

/// Opens the journal at `url`: `sqlite:path/to/file.db` for one process, or `postgres://user:password@host/database` for
/// any number of them. Brings its schema up to date if the options let it.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason and what to do: unknown scheme, a second process on the same file,
/// a newer schema, an older one that is not to be changed, a folder that cannot be written.
pub async fn open(url: &str, options: Options) -> Result<Arc<dyn Journal>, Fault> {
    match url.split_once(':') {
        Some(("sqlite", path)) => sqlite::open(path, options).await,
        Some(("postgres" | "postgresql", _)) => postgres::open(url, options).await,
        _ => Err(unknown(url)),
    }
}

/// Brings the schema of the journal at `url` up to date, or makes it; with `new_epoch` starts a new history, as is right
/// for a restored copy: positions of the original are gone then.
///
/// # Errors
/// As those of [`open`].
pub async fn migrate(url: &str, new_epoch: bool) -> Result<Migrated, Fault> {
    match url.split_once(':') {
        Some(("sqlite", path)) => sqlite::migrate(path, new_epoch).await,
        Some(("postgres" | "postgresql", _)) => postgres::migrate(url, new_epoch).await,
        _ => Err(unknown(url)),
    }
}

/// Opens the journal at `url` to look at it, whether a server is using it or not. Every answer is of the moment of
/// opening; what is written later is not seen, and stays in the log beside the file until this is closed. Calls that
/// write are `Unavailable`.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason: unknown scheme, no such file, an unknown schema version.
pub async fn open_read_only(url: &str) -> Result<Arc<dyn Journal>, Fault> {
    match url.split_once(':') {
        Some(("sqlite", path)) => sqlite::open_read_only(path).await,
        Some(("postgres" | "postgresql", _)) => postgres::open_read_only(url).await,
        _ => Err(unknown(url)),
    }
}

fn unknown(url: &str) -> Fault {
    let shown = without_secrets(url);
    Fault::Unavailable(format!("--journal {shown}: expected sqlite:<file> or postgres://user:password@host/database"))
}

/// Copies the SQLite journal at `from` to `to` while a server may go on writing it; blocks until the copy is on disk.
/// The copy holds what was committed when it began, and starts a new epoch.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason: no journal at `from`, something at `to`, a full disk.
pub fn backup(from: &Path, to: &Path) -> Result<(), Fault> {
    sqlite::backup(from, to)
}

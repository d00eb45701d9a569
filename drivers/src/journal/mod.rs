//! Where entities, events, jobs and keys live; applies each change in one transaction, many changes per fsync.
//!
//! A new driver: one file here, one arm in [`open`], and the conformance suite passes unchanged.

#[cfg(test)]
pub mod conformance;

mod levels;
mod limits;
mod postgres;
mod scratch;
mod settling;
mod sqlite;
mod walks;

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Audience, Change, Claimed, DeadJob, Entity, Event, Job, JobId, Kind, Lease, Owner, Received, Timestamp};

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

    /// Hands out messages: jobs of a queue that [`Journal::claim`] is never asked for. They are hidden from then on until a time,
    /// over restarts too; a hand-out of a group's message holds back those behind it. Counts the attempt on disk.
    ///
    /// # Errors
    /// [`crate::Conflict::Settled`] when the call has a name that was answered before, and a part of that was settled since.
    async fn receive(&self, receive: Receive) -> Result<Vec<Received>, Fault>;

    /// Deletes at most `limit` (1,000 at most) jobs of a queue that nobody uses any more; answers with how many.
    async fn drop_jobs(&self, queue: &str, limit: usize) -> Result<usize, Fault>;

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

    /// Deletes entities of `kind` in one of `statuses`, per status the oldest by creation up to the first that was created
    /// at `before` or later, at most `limit` (1,000 at most); answers with how many. For bookkeeping, which makes no events.
    async fn prune(
        &self,
        kind: Kind,
        statuses: &[&'static str],
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, Fault>;

    /// Deletes at most `limit` (1,000 at most) levels whose names lie, byte by byte, within `first` and before `end`; answers with
    /// how many. They stand at 0 then, as if nobody had moved them.
    async fn drop_levels(&self, first: &str, end: &str, limit: usize) -> Result<usize, Fault>;

    /// One entity.
    async fn entity(&self, kind: Kind, id: &str) -> Result<Option<Entity>, Fault>;

    /// A page of entities, by `created_seq`.
    async fn entities(&self, list: List) -> Result<Page, Fault>;

    /// The events of one entity with versions above `after`, oldest first, at most `limit`.
    async fn history(&self, kind: Kind, id: &str, after: u64, limit: usize) -> Result<Vec<Event>, Fault>;

    /// The events with `seq > after`, those that an audience sees if one is given, oldest first, at most `limit`.
    async fn events(&self, after: u64, audience: Option<&Audience>, limit: usize) -> Result<Vec<Event>, Fault>;

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

    /// How many messages a queue has, by their state.
    async fn message_counts(&self, queue: &str, now: Timestamp) -> Result<MessageCounts, Fault>;

    /// How many messages of a queue are received and hidden, counted up to `limit`.
    async fn hidden(&self, queue: &str, now: Timestamp, limit: u64) -> Result<u64, Fault>;

    /// Where levels stand, in the order of the names, at most 1,000.
    async fn levels(&self, names: &[String]) -> Result<Vec<i64>, Fault>;

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
    /// Lanes that have less room than that.
    pub narrow: Vec<(String, usize)>,
    /// Jobs due at this instant.
    pub now: Timestamp,
}

/// A request for messages. They are jobs without a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    /// From this queue.
    pub queue: String,
    /// At most so many; never waits for more.
    pub limit: usize,
    /// How long they are hidden from others, in microseconds; 0 leaves them visible.
    pub hide_micros: i64,
    /// Names the call, at most 128 bytes: while its messages are hidden, a call of the same name is answered with the same ones and
    /// the same tokens, hidden anew.
    pub call: Option<String>,
    /// Of each group one at most: those behind it count as not received.
    pub one_each: bool,
    /// Messages visible at this instant.
    pub now: Timestamp,
}

/// How many messages of a queue are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// Visible, those behind a hidden one of their group included.
    pub visible: u64,
    /// Received and hidden.
    pub hidden: u64,
    /// Never received and not due yet.
    pub delayed: u64,
    /// Since when the one that is visible for longest is so; none where none is visible.
    pub oldest: Option<Timestamp>,
}

/// Which entities to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Of this kind.
    pub kind: Kind,
    /// Any of these; empty means all of the kind. None may be met by two of them.
    pub among: Vec<Among>,
    /// In one of these states; empty means any.
    pub statuses: Vec<String>,
    /// Whose body has these texts at these fields; a dot leads into an object: `ask.input`.
    pub fields: Vec<(&'static str, String)>,
    /// Whose body has an integer within these bounds at these fields.
    pub ranges: Vec<(&'static str, RangeInclusive<i64>)>,
    /// Beyond this `created_seq`, in the direction of the list; none starts at the end it comes from.
    pub after: Option<u64>,
    /// Newest first, or oldest first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: usize,
}

impl List {
    /// Where a list that goes by a number goes on: the number there.
    #[must_use]
    pub fn rank_after(&self) -> Option<i64> {
        match &self.among[..] {
            [Among::Ranked(ranked)] => ranked.after,
            _ => None,
        }
    }

    /// A field that is no path of plain names. They come from the program; this keeps it so that no other text ever gets
    /// into a statement.
    fn unknown_field(&self) -> Option<&'static str> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
        let mut fields = self.fields.iter().map(|(field, _)| *field).chain(self.ranges.iter().map(|(field, _)| *field));
        fields.find(|field| field.is_empty() || !field.bytes().all(plain))
    }
}

/// Entities that belong together, by an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Among {
    /// Those of an owner.
    Owner(Owner),
    /// Those that concern an account which does not own them.
    Party(Owner),
    /// Those that hang on something.
    Parent(String),
    /// Shop orders of a customer, by its `customerKey`.
    Customer(String),
    /// Shop orders in another order than that of their creation. Alone: the list goes by it.
    Ranked(Ranked),
}

/// Shop orders of an owner in the order of a number that each of them has; those of the same number by their creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Whose they are.
    pub owner: Owner,
    /// By which number.
    pub by: Rank,
    /// From this number to that.
    pub within: RangeInclusive<i64>,
    /// The number of the one at [`List::after`]: [`Page::rank`] of the page before. None starts at the end it comes from.
    pub after: Option<i64>,
}

impl Ranked {
    /// Where a page begins, number and `created_seq`, both beyond what was listed already; and the last number that is wanted.
    fn bounds(&self, list: &List) -> ((i64, i64), i64) {
        let (least, most) = (*self.within.start(), *self.within.end());
        let after = self.after.zip(list.after.map(u64::cast_signed));
        match list.newest_first {
            true => (after.unwrap_or((most, i64::MAX)), least),
            false => (after.unwrap_or((least, 0)), most),
        }
    }
}

/// A number of a shop order that lists can go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// When it was taken, in microseconds.
    CreatedAt,
    /// What it comes to, in minor units.
    Total,
}

impl Among {
    fn name(&self) -> &str {
        match self {
            Self::Owner(account) | Self::Party(account) => account.as_str(),
            Self::Parent(name) | Self::Customer(name) => name,
            Self::Ranked(ranked) => ranked.owner.as_str(),
        }
    }
}

/// A page of entities. It may be short, even empty, long before the list's end: one call looks at a bounded number of
/// entities, and filters may pass over most of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Those found, in the list's order.
    pub entities: Vec<Entity>,
    /// The list's next `after`; none at its end.
    pub next: Option<u64>,
    /// The next [`Ranked::after`], where the list goes by a number.
    pub rank: Option<i64>,
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
    /// When the one of those ready that was due first was due; none where none is ready.
    pub oldest: Option<Timestamp>,
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

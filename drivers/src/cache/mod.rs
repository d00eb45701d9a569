//! What makes an answer cheap, kept by key and version; it never answers with what a write has made old.
//!
//! A value enters the cache only through a load that no invalidation has met, or in the place of an older one. So an
//! invalidation, which follows each commit before that is answered, cannot be undone by a reader who was slow. A new
//! driver: one file here, one arm in [`open`], and the conformance suite passes unchanged.

#[cfg(test)]
pub mod conformance;

mod counts;
mod listing;
mod memory;
mod none;
pub(crate) mod options;
mod redis;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::journal::Head;
use crate::{Fault, without_secrets};

pub use counts::Statistics;
pub use listing::{Held, Keys, Weight, What};

/// What is known under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The version of the entity it was made of; 0 when there is none.
    pub version: u64,
    /// The value; none when the load found nothing.
    pub value: Option<Bytes>,
}

/// A key and the version that its entity has reached: what is older is stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The key.
    pub key: String,
    /// The version that is committed.
    pub version: u64,
}

/// Where a value comes from when it is not cached: the truth, and never a copy that may lag behind.
#[async_trait]
pub trait Load: Send + Sync {
    /// Reads it.
    async fn load(&self) -> Result<Entry, Fault>;
}

/// Who sees what a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It holds nothing.
    Nothing,
    /// This process alone, and it ends with it.
    Process,
    /// Other processes too, and those to come.
    Cluster,
}

/// The cache port. What fails behind it costs a load, and is never an error to who reads.
#[async_trait]
pub trait Cache: Send + Sync + 'static {
    /// Who sees what it holds.
    fn reach(&self) -> Reach;

    /// What is at `key`: from the cache, or from `load`, which many readers at once share. A read that begins after
    /// [`Cache::put`] or [`Cache::invalidate`] returned sees that version or a newer one. What is older than `least` counts
    /// as absent, and a load of that is joined by nobody; `load` itself must give `least` or newer.
    ///
    /// # Errors
    /// Those of `load`.
    async fn read_from(&self, key: &str, least: u64, load: &dyn Load) -> Result<Entry, Fault>;

    /// A write is committed: `value` takes the place of an older one, if there is one, and voids loads under way.
    async fn put(&self, key: &str, version: u64, value: Bytes);

    /// Writes are committed: what is older is not read again, and loads under way fill nothing in.
    async fn invalidate(&self, stale: &[Stale]);

    /// The log is at `head`: from which of its events on [`Cache::follow`] is to be called, because others may have
    /// written what was never told here. Reads are loads until it has been followed up to `head`.
    async fn resume(&self, head: Head) -> u64;

    /// Everything in the log up to the event `to` has happened, `stale` is what it touched since the last call.
    async fn follow(&self, stale: &[Stale], to: u64);

    /// Forgets everything, for every process that it reaches, at a cost that does not grow with what it holds.
    async fn clear(&self);

    /// Forgets what is at `key`, for every process that it reaches; whether something was there. Loads under way fill nothing
    /// in.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] while the technology behind it does not answer.
    async fn remove(&self, key: &str) -> Result<bool, Fault>;

    /// About `limit` of the keys that are held, after those of the page that ended at `from`. To look at: an operator asks
    /// for it, and it costs what one page costs and no more.
    ///
    /// # Errors
    /// As those of [`Cache::remove`].
    async fn keys(&self, from: Option<u64>, limit: usize) -> Result<Keys, Fault>;

    /// How much is held, in all processes that it reaches. Where that is not known it is added up, and not to the end if it
    /// is far.
    ///
    /// # Errors
    /// As those of [`Cache::remove`].
    async fn weigh(&self) -> Result<Weight, Fault>;

    /// Whether the technology behind it answers at present, for the readiness check. Nothing but speed depends on it.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] while reads are loads because it does not.
    async fn ping(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// What this process has counted.
    fn statistics(&self) -> Statistics;
}

impl dyn Cache {
    /// What is at `key`, of whatever version.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn read(&self, key: &str, load: &dyn Load) -> Result<Entry, Fault> {
        self.read_from(key, 0, load).await
    }
}

/// Opens the cache at `url`:
///
/// - `memory[?megabytes=64&ttl_millis=60000]`: in this process;
/// - `redis://[:password@]host[:port][/database][?prefix=tradewind:&ttl_millis=60000&deadline_millis=100]`, or `rediss`
///   for TLS: shared;
/// - `none`: every read is a load.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason and what to do: unknown scheme or option, a Redis that does not answer
/// or is older than 6.
pub async fn open(url: &str) -> Result<Arc<dyn Cache>, Fault> {
    let (place, options) = url.split_once('?').unwrap_or((url, ""));
    match place {
        "memory" => memory::open(options),
        "none" if options.is_empty() => Ok(Arc::new(none::None::default())),
        _ if is_redis(place) => redis::open(place, options).await,
        _ => {
            let shown = without_secrets(place);
            let expected = "expected memory[?…], redis://host:port/database[?…] or none";
            Err(Fault::Unavailable(format!("--cache {shown}: {expected}")))
        }
    }
}

/// Whether the URL names a Redis: `rediss` is Redis behind TLS.
#[must_use]
pub fn is_redis(url: &str) -> bool {
    url.starts_with("redis://") || url.starts_with("rediss://")
}

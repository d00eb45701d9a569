//! The cache in this process, bounded by bytes.
//!
//! A load holds a placeholder in the store. An invalidation takes the placeholder away, and with it the load's right to
//! fill its value in and other readers' way to join it; so it needs no tombstone, which could be evicted.

use std::collections::BinaryHeap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::{Cache as Store, EntryAction, EntryResult};
use tokio::time::Instant;

use super::counts::Counts;
use super::options::Options;
use super::{Cache, Entry, Held, Keys, Load, Reach, Stale, Statistics, Weight, What};
use crate::Fault;
use crate::journal::Head;

/// What an entry costs besides its key and value: the store's links, hashes and pointers.
const OVERHEAD: usize = 160;
/// What an entry is expected to need, to size the tables.
const USUAL_BYTES: u64 = 1_024;

pub(super) struct Memory {
    store: Arc<Store<String, Slot, Weigher>>,
    options: Options,
    counts: Counts,
}

/// The store knows no end of time, so a value brings its own.
#[derive(Clone)]
struct Slot {
    entry: Entry,
    until: Instant,
}

impl Slot {
    fn weight(&self, key: &str) -> u64 {
        (OVERHEAD + key.len() + self.entry.value.as_ref().map_or(0, Bytes::len)) as u64
    }

    fn held(&self, key: String, now: Instant) -> Held {
        let what = if self.entry.value.is_some() { What::Value } else { What::Nothing };
        let (version, bytes) = (Some(self.entry.version), self.weight(&key));
        Held { key, what, version, bytes, left: self.until.saturating_duration_since(now) }
    }
}

#[derive(Clone)]
struct Weigher;

impl Weighter<String, Slot> for Weigher {
    fn weight(&self, key: &String, slot: &Slot) -> u64 {
        slot.weight(key)
    }
}

pub(super) fn open(options: &str) -> Result<Arc<dyn Cache>, Fault> {
    let options = Options::parse(options, &["megabytes", "ttl_millis"])?;
    let usual = usize::try_from(options.bytes / USUAL_BYTES).unwrap_or(usize::MAX);
    let store = Arc::new(Store::with_weighter(usual, options.bytes, Weigher));
    Ok(Arc::new(Memory { store, options, counts: Counts::default() }))
}

impl Memory {
    fn slot(&self, key: &str, entry: &Entry) -> Slot {
        Slot { until: Instant::now() + self.options.ttl(key, entry), entry: entry.clone() }
    }

    fn void(&self, key: &str, version: u64) {
        // Whatever is there instead of a value that is new enough has to go: an older value, or a load's placeholder. If
        // a newer value came between the two steps, it is loaded once more.
        if self.store.peek(key).is_none_or(|slot| slot.entry.version < version) {
            self.store.remove(key);
        }
    }
}

#[async_trait]
impl Cache for Memory {
    fn reach(&self) -> Reach {
        Reach::Process
    }

    async fn read_from(&self, key: &str, least: u64, load: &dyn Load) -> Result<Entry, Fault> {
        let now = Instant::now();
        let good = |slot: &Slot| slot.until > now && slot.entry.version >= least;
        if let Some(slot) = self.store.get(key).filter(good) {
            self.counts.hits.one();
            return Ok(slot.entry);
        }
        // Whoever joined a load of something older finds that here, and loads in its turn.
        let join_or_lead = self.store.entry_async(key, |_, slot| match good(slot) {
            true => EntryAction::Retain(slot.entry.clone()),
            false => EntryAction::<Entry>::ReplaceWithGuard,
        });
        let guard = match join_or_lead.await {
            EntryResult::Retained(entry) => {
                self.counts.joined.one();
                return Ok(entry);
            }
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => guard,
            // The first is never asked for, and only the blocking form gives the second.
            EntryResult::Removed(..) | EntryResult::Timeout => return load.load().await,
        };
        self.counts.misses.one();
        // Dropped here, by an error or with the reader, the guard passes to the next who waits.
        let entry = load.load().await?;
        self.counts.filled(guard.insert(self.slot(key, &entry)).is_ok());
        Ok(entry)
    }

    async fn put(&self, key: &str, version: u64, value: Bytes) {
        self.counts.invalidations.one();
        let slot = self.slot(key, &Entry { version, value: Some(value) });
        let renewed = self.store.entry(key, Some(Duration::ZERO), |_, old| {
            if old.entry.version < version {
                *old = slot;
            }
            EntryAction::Retain(())
        });
        // Nothing is there, or a load is under way. A value put there could be older than one that was evicted.
        if !matches!(renewed, EntryResult::Retained(())) {
            drop(renewed);
            self.void(key, version);
        }
    }

    async fn invalidate(&self, stale: &[Stale]) {
        self.counts.invalidations.many(stale.len());
        for Stale { key, version } in stale {
            self.void(key, *version);
        }
    }

    async fn resume(&self, head: Head) -> u64 {
        // Nothing was here before.
        head.seq
    }

    async fn follow(&self, stale: &[Stale], _: u64) {
        self.invalidate(stale).await;
    }

    async fn clear(&self) {
        self.store.clear();
    }

    async fn remove(&self, key: &str) -> Result<bool, Fault> {
        Ok(self.store.remove(key).is_some())
    }

    async fn keys(&self, from: Option<u64>, limit: usize) -> Result<Keys, Fault> {
        let store = Arc::clone(&self.store);
        let paged = tokio::task::spawn_blocking(move || page(&store, from, limit.max(1))).await;
        paged.map_err(|error| Fault::Broken(format!("listing the cache's keys: {error}")))
    }

    async fn weigh(&self) -> Result<Weight, Fault> {
        Ok(Weight { keys: self.store.len() as u64, bytes: self.store.weight(), whole: true })
    }

    fn statistics(&self) -> Statistics {
        let (entries, bytes) = (Some(self.store.len() as u64), Some(self.store.weight()));
        Statistics { entries, bytes, ..self.counts.statistics() }
    }
}

/// The keys in the order of their hashes, so that a page ends at a number: the first `limit` of those that follow `from`. All
/// are looked at for each page.
fn page(store: &Store<String, Slot, Weigher>, from: Option<u64>, limit: usize) -> Keys {
    let (mut first, mut more) = (BinaryHeap::new(), false);
    for (key, _) in store.iter() {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        if from.is_none_or(|from| hash > from) {
            first.push((hash, key));
            if first.len() > limit {
                first.pop();
                more = true;
            }
        }
    }
    let next = first.peek().filter(|_| more).map(|(last, _)| *last);
    let now = Instant::now();
    let held = |(_, key): (u64, String)| store.peek(&key).map(|slot| slot.held(key, now));
    Keys { keys: first.into_sorted_vec().into_iter().filter_map(held).collect(), next }
}

//! A cache that makes the dangerous orders happen: slow between load and fill, slow or dead between commit and invalidation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use drivers::Fault;
use drivers::cache::{Cache, Entry, Keys, Load, Reach, Stale, Statistics, Weight};
use drivers::journal::Head;
use tokio::sync::Notify;

/// Random numbers that the same seed repeats.
pub(super) struct Chance(AtomicU64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Below `limit`: SplitMix64 (Steele, Lea and Flood 2014).
    pub(super) fn below(&self, limit: u64) -> u64 {
        let state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(super) fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).expect("small")]
    }
}

/// A real cache, roughly treated.
pub(super) struct Rough {
    cache: Arc<dyn Cache>,
    chance: Chance,
    /// One in so many writes kills the process between its commit and its invalidation.
    mortality: u64,
    dead: AtomicBool,
    died: Notify,
}

impl Rough {
    pub(super) fn new(cache: Arc<dyn Cache>, seed: u64, mortality: u64) -> Self {
        let (chance, dead, died) = (Chance::new(seed), AtomicBool::new(false), Notify::new());
        Self { cache, chance, mortality, dead, died }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Ends when the process is killed.
    pub(super) async fn death(&self) {
        self.died.notified().await;
    }

    async fn pause(&self, one_in: u64, millis: u64) {
        if self.chance.below(one_in) == 0 {
            tokio::time::sleep(Duration::from_micros(self.chance.below(millis * 1_000))).await;
        }
    }

    /// What a killed process would have done does not happen, and nobody is answered.
    async fn live_on(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}

/// A load that dawdles before what it has read is filled in.
struct Dawdling<'a> {
    load: &'a dyn Load,
    rough: &'a Rough,
}

#[async_trait]
impl Load for Dawdling<'_> {
    async fn load(&self) -> Result<Entry, Fault> {
        let entry = self.load.load().await;
        self.rough.pause(4, 12).await;
        entry
    }
}

#[async_trait]
impl Cache for Rough {
    fn reach(&self) -> Reach {
        self.cache.reach()
    }

    async fn read_from(&self, key: &str, least: u64, load: &dyn Load) -> Result<Entry, Fault> {
        self.cache.read_from(key, least, &Dawdling { load, rough: self }).await
    }

    async fn put(&self, key: &str, version: u64, value: Bytes) {
        self.live_on().await;
        self.cache.put(key, version, value).await;
    }

    async fn invalidate(&self, stale: &[Stale]) {
        self.pause(3, 6).await;
        if self.chance.below(self.mortality) == 0 && !self.dead.swap(true, Ordering::SeqCst) {
            self.died.notify_one();
        }
        self.live_on().await;
        self.cache.invalidate(stale).await;
    }

    async fn resume(&self, head: Head) -> u64 {
        self.cache.resume(head).await
    }

    async fn follow(&self, stale: &[Stale], to: u64) {
        self.pause(3, 6).await;
        self.live_on().await;
        self.cache.follow(stale, to).await;
    }

    async fn clear(&self) {
        self.cache.clear().await;
    }

    async fn remove(&self, key: &str) -> Result<bool, Fault> {
        self.live_on().await;
        self.cache.remove(key).await
    }

    async fn keys(&self, from: Option<u64>, limit: usize) -> Result<Keys, Fault> {
        self.cache.keys(from, limit).await
    }

    async fn weigh(&self) -> Result<Weight, Fault> {
        self.cache.weigh().await
    }

    fn statistics(&self) -> Statistics {
        self.cache.statistics()
    }
}

//! What a cache counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one process has seen of its cache since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Reads answered from the cache.
    pub hits: u64,
    /// Reads that loaded.
    pub misses: u64,
    /// Reads that waited for another one's load.
    pub joined: u64,
    /// Loaded values that were kept.
    pub fills: u64,
    /// Loaded values that were not kept, because a write was committed meanwhile.
    pub fills_refused: u64,
    /// Writes that were told to the cache, by whoever committed them or by the log.
    pub invalidations: u64,
    /// Calls that the technology behind it did not answer well or in time.
    pub errors: u64,
    /// Values held, where that is known at no cost.
    pub entries: Option<u64>,
    /// Bytes held, where that is known at no cost.
    pub bytes: Option<u64>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) hits: Count,
    pub(super) misses: Count,
    pub(super) joined: Count,
    pub(super) fills: Count,
    pub(super) fills_refused: Count,
    pub(super) invalidations: Count,
    pub(super) errors: Count,
}

#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one(&self) {
        self.many(1);
    }

    pub(super) fn many(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    /// A loaded value was kept, or not.
    pub(super) fn filled(&self, kept: bool) {
        if kept { self.fills.one() } else { self.fills_refused.one() }
    }

    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            hits: self.hits.get(),
            misses: self.misses.get(),
            joined: self.joined.get(),
            fills: self.fills.get(),
            fills_refused: self.fills_refused.get(),
            invalidations: self.invalidations.get(),
            errors: self.errors.get(),
            entries: None,
            bytes: None,
        }
    }
}

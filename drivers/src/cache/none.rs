//! No cache: every read is a load.

use async_trait::async_trait;
use bytes::Bytes;

use super::counts::Counts;
use super::{Cache, Entry, Load, Reach, Stale, Statistics};
use crate::Fault;
use crate::journal::Head;

#[derive(Default)]
pub(super) struct None {
    counts: Counts,
}

#[async_trait]
impl Cache for None {
    fn reach(&self) -> Reach {
        Reach::Nothing
    }

    async fn read(&self, _: &str, load: &dyn Load) -> Result<Entry, Fault> {
        self.counts.misses.one();
        load.load().await
    }

    async fn put(&self, _: &str, _: u64, _: Bytes) {}

    async fn invalidate(&self, _: &[Stale]) {}

    async fn resume(&self, head: Head) -> u64 {
        head.seq
    }

    async fn follow(&self, _: &[Stale], _: u64) {}

    async fn clear(&self) {}

    fn statistics(&self) -> Statistics {
        self.counts.statistics()
    }
}

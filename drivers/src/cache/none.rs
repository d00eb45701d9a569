//! No cache: every read is a load.

use async_trait::async_trait;
use bytes::Bytes;

use super::counts::Counts;
use super::{Cache, Entry, Keys, Load, Reach, Stale, Statistics, Weight};
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

    async fn read_from(&self, _: &str, _: u64, load: &dyn Load) -> Result<Entry, Fault> {
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

    async fn remove(&self, _: &str) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn keys(&self, _: Option<u64>, _: usize) -> Result<Keys, Fault> {
        Ok(Keys::default())
    }

    async fn weigh(&self) -> Result<Weight, Fault> {
        Ok(Weight { whole: true, ..Weight::default() })
    }

    fn statistics(&self) -> Statistics {
        self.counts.statistics()
    }
}

//! The cache's own counts as metrics, read when they are asked for.

use std::fmt;
use std::sync::Arc;

use drivers::cache::{Cache, Statistics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

pub(super) struct CacheMetrics(pub(super) Arc<dyn Cache>);

impl fmt::Debug for CacheMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheMetrics")
    }
}

impl Collector for CacheMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let seen = self.0.statistics();
        let Statistics { hits, misses, joined, fills, fills_refused, invalidations, errors, entries, bytes } = seen;
        for (name, help, count) in [
            ("cache_hits", "Reads answered from the cache", hits),
            ("cache_misses", "Reads that loaded", misses),
            ("cache_joined", "Reads that waited for another one's load", joined),
            ("cache_fills", "Loaded values that were kept", fills),
            ("cache_fills_refused", "Loaded values that a write had made old before they were kept", fills_refused),
            ("cache_invalidations", "Writes that were told to the cache", invalidations),
            ("cache_errors", "Calls that the cache's server did not answer well or in time", errors),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        for (name, help, held) in [("cache_entries", "Values held", entries), ("cache_bytes", "Bytes held", bytes)] {
            let Some(held) = held else { continue };
            let gauge = ConstGauge::new(i64::try_from(held).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

//! Latencies in log-linear buckets, as HDR histograms have them: exact below 64, then within 1/32 of the value.

/// Buckets per power of two.
const LINEAR: usize = 32;
/// Values are microseconds below 2^40 (twelve days).
const POWERS: usize = 40;

/// Counts of values, in microseconds.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    most: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; LINEAR * POWERS], total: 0, most: 0 }
    }
}

impl Histogram {
    /// Counts one value.
    pub(crate) fn record(&mut self, micros: u64) {
        let index = index(micros).min(self.counts.len() - 1);
        self.counts[index] += 1;
        self.total += 1;
        self.most = self.most.max(micros);
    }

    /// Adds another's counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.most = self.most.max(other.most);
    }

    /// How many values there are.
    pub(crate) const fn count(&self) -> u64 {
        self.total
    }

    /// The largest value.
    pub(crate) const fn most(&self) -> u64 {
        self.most
    }

    /// The value that `permille` of a thousand values do not exceed; 0 without values. Rounded up to its bucket's end.
    pub(crate) fn quantile(&self, permille: u64) -> u64 {
        let rank = self.total.saturating_mul(permille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= rank {
                return last_of(index).min(self.most);
            }
        }
        self.most
    }
}

/// Below 2 * LINEAR every value has its own bucket; above, each power of two has LINEAR of them.
fn index(value: u64) -> usize {
    let value = usize::try_from(value).unwrap_or(usize::MAX);
    let power = (value | 1).ilog2().saturating_sub(LINEAR.ilog2());
    power as usize * LINEAR + (value >> power)
}

fn last_of(index: usize) -> u64 {
    let power = (index / LINEAR).saturating_sub(1);
    let first = (index - power * LINEAR) << power;
    (first + (1 << power) - 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..10_000).chain([1 << 20, (1 << 20) - 1, 123_456_789, (1 << 38) + 7]) {
            let at = index(value);
            assert!(last_of(at) >= value && last_of(at) - value <= value / 32, "{value}: {}", last_of(at));
            assert!(at == 0 || last_of(at - 1) < value, "{value}");
        }
    }

    #[test]
    fn quantiles_of_known_values() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(500), 0);
        (1..=1_000).for_each(|value| histogram.record(value));
        for (permille, exact) in [(500, 500), (990, 990), (999, 999), (1_000, 1_000)] {
            let value = histogram.quantile(permille);
            assert!(value >= exact && value <= exact + exact / 32 + 1, "{permille}: {value}");
        }
        let mut twice = histogram.clone();
        twice.merge(&histogram);
        assert_eq!((twice.count(), twice.quantile(500)), (2_000, histogram.quantile(500)));
    }
}

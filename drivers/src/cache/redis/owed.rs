//! What Redis has still to be told before it may be read again.

use std::collections::HashMap;

use crate::cache::Stale;

/// More keys are not remembered one by one: everything is forgotten instead.
const LIMIT: usize = 10_000;

/// Invalidations that were not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owed {
    /// Everything is to be forgotten.
    pub(super) everything: bool,
    keys: HashMap<String, u64>,
    /// Epoch and event up to which the log was followed, these invalidations included.
    pub(super) position: Option<(u64, u64)>,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        !self.everything && self.keys.is_empty() && self.position.is_none()
    }

    /// Takes more in. Of one key the newest version counts.
    pub(super) fn add(&mut self, stale: impl IntoIterator<Item = Stale>, position: Option<(u64, u64)>) {
        for Stale { key, version } in stale {
            let known = self.keys.entry(key).or_default();
            *known = version.max(*known);
        }
        if self.keys.len() > LIMIT {
            self.everything = true;
            self.keys.clear();
        }
        self.position = self.position.max(position);
    }

    /// Puts back what could not be delivered.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.everything |= other.everything;
        self.add(other.stale(), other.position);
    }

    /// Every key.
    pub(super) fn stale(&self) -> Vec<Stale> {
        self.keys.iter().map(|(key, version)| Stale { key: key.clone(), version: *version }).collect()
    }
}

/// One for each key, with its newest version.
pub(super) fn latest(stale: &[Stale]) -> Vec<Stale> {
    if stale.len() < 2 {
        return stale.to_vec();
    }
    let mut owed: HashMap<&str, u64> = HashMap::with_capacity(stale.len());
    for Stale { key, version } in stale {
        let known = owed.entry(key).or_default();
        *known = (*version).max(*known);
    }
    owed.into_iter().map(|(key, version)| Stale { key: key.to_owned(), version }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale(key: &str, version: u64) -> Stale {
        Stale { key: key.to_owned(), version }
    }

    #[test]
    fn the_newest_version_of_a_key_counts() {
        let mut owed = Owed::default();
        assert!(owed.is_empty());
        owed.add([stale("a", 3), stale("a", 2), stale("b", 1)], Some((1, 7)));
        owed.add([stale("b", 4)], None);
        let mut all = owed.stale();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!((all, owed.position), (vec![stale("a", 3), stale("b", 4)], Some((1, 7))));
        assert_eq!(latest(&[stale("a", 2), stale("a", 5), stale("a", 1)]), [stale("a", 5)]);
    }

    #[test]
    fn a_crowd_is_forgotten_as_a_whole() {
        let mut owed = Owed::default();
        owed.add((0..=LIMIT).map(|n| stale(&n.to_string(), 1)), None);
        assert!(owed.everything && owed.stale().is_empty());
        let mut other = Owed::default();
        other.add_all(&owed);
        assert!(other.everything && !other.is_empty());
    }
}

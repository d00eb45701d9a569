//! How many jobs of a lane may be in flight.

use std::collections::HashMap;

/// As the newest claim of a queue says it.
pub(super) struct Rooms {
    per_lane: usize,
    /// Lanes that have less than that.
    narrow: HashMap<Box<str>, usize>,
}

/// Which lanes have another room than before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changed {
    All,
    These(Vec<Box<str>>),
}

impl Default for Rooms {
    fn default() -> Self {
        Self { per_lane: usize::MAX, narrow: HashMap::new() }
    }
}

impl Rooms {
    /// The room of a lane; the common one has no limit.
    pub(super) fn of(&self, lane: Option<&str>) -> usize {
        let Some(name) = lane else { return usize::MAX };
        self.narrow.get(name).map_or(self.per_lane, |room| self.per_lane.min(*room))
    }

    /// Takes what a claim says. A lane that is named twice has the smaller room.
    pub(super) fn set(&mut self, per_lane: usize, narrow: &[(String, usize)]) -> Changed {
        let mut rooms = HashMap::with_capacity(narrow.len());
        for (name, room) in narrow {
            let known = rooms.entry(Box::from(name.as_str())).or_insert(*room);
            *known = (*known).min(*room);
        }
        let before = std::mem::replace(self, Self { per_lane, narrow: rooms });
        if before.per_lane != per_lane {
            return Changed::All;
        }
        let set_or_other = self.narrow.iter().filter(|(name, room)| before.narrow.get(*name) != Some(*room));
        let lifted = before.narrow.keys().filter(|name| !self.narrow.contains_key(*name));
        Changed::These(set_or_other.map(|(name, _)| name).chain(lifted).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_the_lanes_whose_room_is_another() {
        let named = |list: &[(&str, usize)]| list.iter().map(|(n, r)| ((*n).to_owned(), *r)).collect::<Vec<_>>();
        let mut rooms = Rooms::default();
        assert_eq!(rooms.set(8, &named(&[("a", 2), ("b", 9), ("a", 3)])), Changed::All);
        assert_eq!(["a", "b", "c"].map(|name| rooms.of(Some(name))), [2, 8, 8]);
        assert_eq!(rooms.of(None), usize::MAX);
        assert_eq!(rooms.set(8, &named(&[("b", 9), ("a", 2)])), Changed::These(vec![]));
        let Changed::These(mut changed) = rooms.set(8, &named(&[("b", 0), ("c", 1)])) else { panic!("all of them") };
        changed.sort_unstable();
        assert_eq!(changed, ["a", "b", "c"].map(Box::from));
        assert_eq!(["a", "b", "c"].map(|name| rooms.of(Some(name))), [8, 0, 1]);
    }
}

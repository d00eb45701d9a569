//! The levels that a change moves, summed up: what both drivers hold against where the levels stand.

use std::collections::BTreeMap;

use domain::{Change, LevelMove};

use crate::{Conflict, Fault};

/// What becomes of one level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    add: i64,
    most: i64,
}

/// What becomes of each level that the change moves.
pub(super) fn sums(change: &Change) -> BTreeMap<&str, Sum> {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for LevelMove { name, add, most } in &change.levels {
        let sum = sums.entry(name).or_insert(Sum { add: 0, most: LevelMove::HIGHEST });
        sum.add = sum.add.saturating_add(*add);
        sum.most = sum.most.min(most.unwrap_or(LevelMove::HIGHEST));
    }
    sums
}

impl Sum {
    /// Where the level of that name stands afterwards that stands `at` now.
    ///
    /// # Errors
    /// [`Conflict::Level`]: it would leave its bounds.
    pub(super) fn after(self, name: &str, at: i64) -> Result<i64, Fault> {
        let value = at.saturating_add(self.add);
        if (0..=self.most).contains(&value) {
            return Ok(value);
        }
        Err(Fault::Conflict(Conflict::Level { name: name.to_owned(), at }))
    }
}

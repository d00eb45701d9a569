//! What a cache holds, listed key by key.

use std::time::Duration;

use super::Cache;
use crate::Fault;

/// Keys asked for at once while adding up.
const AT_ONCE: usize = 500;
/// So many pages are added up; where there are more, the sum is a part of all.
const PAGES: usize = 40;

/// One key that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The key.
    pub key: String,
    /// What is there.
    pub what: What,
    /// The version that its entity, or the log for a list, is known to have reached; none where nobody knows yet.
    pub version: Option<u64>,
    /// What it takes of memory.
    pub bytes: u64,
    /// For how much longer.
    pub left: Duration,
}

/// What is held under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A value.
    Value,
    /// That there is nothing of that key.
    Nothing,
    /// No value any more, or none yet: the version that one must have, and who may fill it in.
    Tombstone,
}

impl What {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Nothing => "nothing",
            Self::Tombstone => "tombstone",
        }
    }
}

/// Some of the keys that are held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// About as many as were asked for; perhaps fewer, even none, long before the end.
    pub keys: Vec<Held>,
    /// Where to go on; none when all were seen. Of what comes and goes meanwhile some may be missed, and some seen twice.
    pub next: Option<u64>,
}

/// How much is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Keys.
    pub keys: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// Whether that is all, and not the part that was looked at.
    pub whole: bool,
}

/// Adds up what a cache holds, page by page, as far as is worth it.
pub(super) async fn add_up(cache: &dyn Cache) -> Result<Weight, Fault> {
    let (mut weight, mut from) = (Weight::default(), None);
    for _ in 0..PAGES {
        let page = cache.keys(from, AT_ONCE).await?;
        weight.keys += page.keys.len() as u64;
        weight.bytes += page.keys.iter().map(|held| held.bytes).sum::<u64>();
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(Weight { whole: true, ..weight }),
        }
    }
    Ok(weight)
}

//! The cache on the wire.

use serde::Serialize;
use utoipa::ToSchema;

/// What the cache has done and holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheView {
    /// Who sees what it holds: `nothing` is held, this `process` alone, or the `cluster`.
    #[schema(example = "process")]
    pub(crate) reach: &'static str,
    /// Reads answered from the cache. A page of a list is two reads or more: of its owners' marks, and of itself.
    #[schema(example = 9_731)]
    pub(crate) hits: u64,
    /// Reads that loaded from the journal.
    #[schema(example = 214)]
    pub(crate) misses: u64,
    /// Reads that waited for another one's load.
    #[schema(example = 55)]
    pub(crate) joined: u64,
    /// The share of reads that were hits, to the ten-thousandth; null before the first.
    #[schema(example = 0.9731)]
    pub(crate) hit_ratio: Option<f64>,
    /// Loaded values that were kept.
    #[schema(example = 211)]
    pub(crate) fills: u64,
    /// Loaded values that were not kept, because a write was committed meanwhile.
    #[schema(example = 3)]
    pub(crate) fills_refused: u64,
    /// Writes that were told to the cache.
    #[schema(example = 120)]
    pub(crate) invalidations: u64,
    /// Calls that the cache's server did not answer well or in time.
    #[schema(example = 0)]
    pub(crate) errors: u64,
    /// Keys held; null where that is not known.
    #[schema(example = 180)]
    pub(crate) keys: Option<u64>,
    /// Bytes of memory that they take; null where that is not known.
    #[schema(example = 131_072)]
    pub(crate) bytes: Option<u64>,
    /// Whether `keys` and `bytes` are all of them, and not only a part that was looked at.
    #[schema(example = true)]
    pub(crate) complete: bool,
}

/// One key of the cache.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheKeyView {
    /// The key: `<kind>:…:<id>` of a view, `list:<kind>:…` of a page, `mark:<kind>:<owner>` of how far the log is known to have
    /// been without a write of that owner's.
    #[schema(example = "mark:deal:acme")]
    pub(crate) key: String,
    /// `value`; `nothing`, that there is none; or `tombstone`: a write took the value away, or one is being loaded.
    #[schema(example = "value")]
    pub(crate) holds: &'static str,
    /// The version of a view's entity; of pages and marks the number of an event. Null while nobody knows.
    #[schema(example = 4_711)]
    pub(crate) version: Option<u64>,
    /// What it takes of memory.
    #[schema(example = 182)]
    pub(crate) bytes: u64,
    /// For how many more seconds it is good.
    #[schema(example = 42)]
    pub(crate) expires_in_seconds: u64,
}

/// Some keys of the cache.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheKeyList {
    /// In no particular order.
    pub(crate) data: Vec<CacheKeyView>,
    /// Leads to the next page; null on the last.
    pub(crate) next_cursor: Option<String>,
    /// Whether there is a next page.
    pub(crate) has_more: bool,
}

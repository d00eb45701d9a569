//! An immutable fact about one entity.

use crate::{Kind, Owner, Timestamp};

/// One row of the journal's `event` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The global order: gap-free, in commit order, starting at 1.
    pub seq: u64,
    /// What sort of entity it is about.
    pub kind: Kind,
    /// Which entity.
    pub id: String,
    /// The entity's version after the change; consecutive per entity.
    pub version: u64,
    /// Dotted lower-case name that starts with the kind: `swap.confirmed`.
    pub type_: String,
    /// Whose the entity is.
    pub owner: Owner,
    /// The other account that it concerns.
    pub party: Option<Owner>,
    /// The public view after the change plus `changed`, as JSON; at most [`Event::BODY_LIMIT`] bytes.
    pub body: String,
    /// When it was decided.
    pub at: Timestamp,
}

impl Event {
    /// The most bytes a body may have.
    pub const BODY_LIMIT: usize = 16 * 1024;
}

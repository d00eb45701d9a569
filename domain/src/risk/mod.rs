//! Safety before money: what accounts may trade at most, and whether anything is traded at all.
//!
//! `notional` says what an order is worth, `limits` has the record of an account's limits, `judge` holds an order against them,
//! `trading` has the state of the whole installation. Whatever changes of it moves the [`book`] too, in the same change: an
//! order that was judged by what is no longer so names the book's old version, and is judged again.

mod judge;
mod limits;
mod notional;
mod trading;

use crate::{EntityWrite, Expect, Given, Kind, Owner};

pub use judge::{Reserved, Share, judge};
pub use limits::{ALL_OTHERS, Limits, Status, Terms, put, remove};
pub use notional::{KEPT_DAYS, day, is_level, level, notional, old_levels, released, shown};
pub use trading::{State, TRADING, Trading, turn};

/// The id of the one row that changes with every change of limits and of the trading state.
pub const BOOK: &str = "risk";

/// What a decision names that went by limits and state as they stood at this version of the book.
#[must_use]
pub fn given(version: u64) -> Given {
    Given { kind: Kind::RiskBook, id: BOOK.to_owned(), version }
}

/// The book after a change of limits or state, which stood at this version before: 0 when there was none.
#[must_use]
pub fn book(version: u64) -> EntityWrite {
    EntityWrite {
        kind: Kind::RiskBook,
        id: BOOK.to_owned(),
        expect: if version == 0 { Expect::Absent } else { Expect::Version(version) },
        status: "kept",
        owner: Owner::system(),
        party: None,
        parent: None,
        body: "{}".to_owned(),
        event: None,
    }
}

#[cfg(test)]
mod tests;

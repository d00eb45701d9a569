//! How many orders a shop has in each state: levels that move with the orders, in the same change, so that a list knows how
//! long it is without being counted.

use super::{Order, Status};
use crate::{LevelMove, Owner};

/// The level that says how many orders of a shop are in a state; deleted ones are in none.
#[must_use]
pub fn count_of(shop: &Owner, status: Status) -> String {
    format!("shop.orders:{shop}:{}", status.as_str())
}

/// What a change of an order means to them.
pub(super) fn moves(before: Option<&Order>, after: &Order) -> Vec<LevelMove> {
    let state = |order: &Order| order.deleted_at.is_none().then_some(order.status);
    let (before, now) = (before.and_then(state), state(after));
    if before == now {
        return Vec::new();
    }
    let one = |status: Status, add| LevelMove { name: count_of(&after.shop, status), add, most: None };
    before.map(|status| one(status, -1)).into_iter().chain(now.map(|status| one(status, 1))).collect()
}

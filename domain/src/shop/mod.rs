//! Shop orders: what a shop's customers order, and what the shop has in stock.
//!
//! `customer` and `content` have what an order says, checked together; `order` the order, `table` its lifecycle, `decide` the
//! decisions, `view` what the shop sees; `stock` is what there is of a product, `command` orders over a queue.

mod content;
mod counts;
mod customer;
mod decide;
mod order;
mod table;
mod view;

pub mod command;
pub mod stock;

pub use content::{Content, Draft, HIGHEST_PRICE, Item, MOST_ITEMS, MOST_PIECES, VIEW_LIMIT, Wanted};
pub use counts::count_of;
pub use customer::{Customer, customer_key};
pub use decide::{Amendment, Choice, Place, amend, delete, move_to, place};
pub use order::{DELETED, Held, Order, Status, TAKEN_AT};
pub use table::{Happening, next};
pub use view::is_deleted;

/// What a name of something in a shop may be: 1 to 255 characters of any script, and not only blanks.
fn wrong_name(name: &str) -> Option<&'static str> {
    match name.chars().count() {
        _ if name.trim().is_empty() => Some("a name has at least one character that is no blank"),
        characters if characters > 255 => Some("a name has at most 255 characters"),
        _ if name.chars().any(char::is_control) => Some("a name has no control characters"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

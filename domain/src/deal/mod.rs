//! Deals: what a seller offers to the buyers whom it authorised.
//!
//! `terms` has what a seller states, `state` the deal, `table` the lifecycle, `decide` the
//! decisions, `view` what the world sees, `recorded` what another system's clients see.

mod decide;
mod state;
mod table;
mod terms;
mod view;

pub mod recorded;

pub use decide::{Choice, Post, Sale, amend, post, release, relist, reserve, sell, update, withdraw};
pub use state::{Deal, Reservation, Status};
pub use table::{Happening, next};
pub use terms::{Draft, Item, ListedDiscount, MOST_ITEMS, Price, Pricing, Terms, VIEW_LIMIT};

#[cfg(test)]
mod tests;

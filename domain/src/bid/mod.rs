//! Bids: what a buyer would pay for a deal, and the seller's answers.
//!
//! `state` has the types, `table` the lifecycle, `decide` the decisions, `jobs` the work that is left, `view` what the two
//! see whom it concerns.

mod decide;
mod jobs;
mod state;
mod table;
mod view;

pub use decide::{Accepted, Choice, Counter, Offer, accept, close, counter, decline, expire, offer, release, retract};
pub use jobs::{Close, QUEUE_CLOSE, QUEUE_EXPIRE, close_all};
pub use state::{Bid, MOST_BIDS, Side, Status, id};
pub use table::{Happening, next};

#[cfg(test)]
mod tests;

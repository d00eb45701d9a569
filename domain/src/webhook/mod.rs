//! Webhooks: who wants to be told what, what is sent, how it is signed, and when it is sent again.

pub mod delivery;
pub mod endpoint;
pub mod health;
mod pattern;
pub mod payload;
pub mod replay;
mod schedule;
pub mod sign;

pub use pattern::{News, Pattern};
pub use schedule::Schedule;

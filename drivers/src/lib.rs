//! The ports: a folder each, with its trait, its `open(url)`, one file per technology and one conformance suite.
//!
//! A driver never calls the engine. Drivers are private; the URL picks one in a single `match` in `open`.

mod address;
mod fault;
mod nats;
mod network;
mod postgres;
mod stream;

pub mod cache;
pub mod export;
pub mod failpoint;
pub mod journal;
pub mod limit;
pub mod venue;
pub mod wake;
pub mod webhook;

pub use address::without_secrets;
pub use fault::{Conflict, Fault, KeyHeld};
pub use network::Network;

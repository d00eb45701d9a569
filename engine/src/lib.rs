//! The moving parts: one loop per file, each with a `step()`.
//!
//! Reading order: `intake` takes commands in, `work` steps orders through their life, `confirm` waits for the venues,
//! `hub` and `follow` bring committed events to sockets, `relay` brings them outside. `engine` starts and stops them.

mod backoff;
mod confirm;
mod engine;
mod expire;
mod leases;
mod loops;
mod relay;
mod sweep;
mod work;

pub mod clock;
pub mod follow;
pub mod hub;
pub mod intake;
pub mod observe;
pub mod router;

pub use engine::{Engine, Parts, Settings};

#[cfg(test)]
mod tests;

//! The moving parts: one loop per file, each with a `step()`.
//!
//! Reading order: `intake` takes commands in, `work` steps orders through their life, `confirm` waits for the venues,
//! `hub` and `follow` bring committed events to sockets, `relay` brings them outside, `cached` reads. `engine` starts and
//! stops those of the process's `roles`.

mod backoff;
mod confirm;
mod engine;
mod expire;
mod leases;
mod loops;
mod relay;
mod retention;
mod roles;
mod sweep;
mod telling;
mod work;

pub mod cached;
pub mod clock;
pub mod follow;
pub mod hub;
pub mod intake;
pub mod observe;
pub mod ready;
pub mod router;

pub use engine::{Engine, Parts, Settings};
pub use roles::{Concurrency, Roles};

#[cfg(test)]
mod tests;

//! The moving parts: one loop per file, each with a `step()`.
//!
//! Reading order: `intake` takes commands in, `risk` judges orders, `work` steps them through their life, `confirm` waits for
//! the venues, `watch` wakes orders that wait for a price, `slices` places those of plans, `hub` and `follow` bring committed
//! events to sockets, `relay` and `webhooks` bring them outside, `cached` reads. `engine` starts and stops those of the
//! process's `roles`.

mod audiences;
mod backoff;
mod chores;
mod close;
mod confirm;
mod engine;
mod expire;
mod firm;
mod leases;
mod loops;
mod orders;
mod relay;
mod retention;
mod roles;
mod slices;
mod sweep;
mod telling;
mod watch;
mod work;

pub mod access;
pub mod cached;
pub mod clock;
pub mod follow;
pub mod hub;
pub mod intake;
pub mod observe;
pub mod operator;
pub mod queues;
pub mod ready;
pub mod risk;
pub mod router;
pub mod seal;
pub mod webhooks;

pub use engine::{Engine, Parts, Settings};
pub use roles::{Concurrency, Roles};

#[cfg(test)]
mod tests;

//! The words and rules of Tradewind: entities, events, jobs, changes, and one folder per line of business.
//!
//! Everything here is pure: `now` and ids are arguments, nothing awaits, nothing draws. A decision is a function
//! `(&State, Command, now) -> Result<Change, Refusal>`; the journal applies the change it returns.

mod change;
mod entity;
mod event;
mod job;
mod refusal;
mod time;

pub mod amount;
pub mod swap;
pub mod token;

pub use change::{Change, EntityWrite, EventDraft, Expect, JobStep, Key, Then};
pub use entity::{Entity, Kind, Owner};
pub use event::Event;
pub use job::{Claimed, DeadJob, Dedup, Job, JobId, Lease, NewJob};
pub use refusal::Refusal;
pub use time::Timestamp;

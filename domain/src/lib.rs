//! The words and rules of Tradewind: entities, events, jobs, changes, and one folder per line of business.
//!
//! Everything here is pure: `now` and ids are arguments, nothing awaits, nothing draws. A decision is a function
//! `(&State, Command, now) -> Result<Change, Refusal>`; the journal applies the change it returns.

mod audience;
mod change;
mod entity;
mod event;
mod job;
mod refusal;
mod time;

pub mod amount;
pub mod authorisation;
pub mod bid;
pub mod deal;
pub mod event_types;
pub mod invoice;
pub mod key;
pub mod money;
pub mod plan;
pub mod queue;
pub mod risk;
pub mod shop;
pub mod swap;
pub mod switch;
pub mod token;
pub mod view;
pub mod webhook;

pub use audience::Audience;
pub use change::{Change, EntityWrite, EventDraft, Expect, Given, JobStep, Key, LevelMove, MessageStep, Settle, Then};
pub use entity::{Entity, Kind, Owner};
pub use event::Event;
pub use job::{Claimed, DeadJob, Dedup, Job, JobId, Lease, NewJob, Received};
pub use refusal::Refusal;
pub use time::Timestamp;

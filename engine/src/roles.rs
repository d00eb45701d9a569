//! What a process does: its roles, and how many jobs of each queue it works on at once.

use std::collections::BTreeMap;

use domain::bid;
use domain::plan::QUEUE_SLICE;
use domain::queue::QUEUE_MOVE;
use domain::swap::{QUEUE, QUEUE_EXPIRE};
use domain::webhook::delivery::QUEUE_DELIVER;
use domain::webhook::replay::QUEUE_REPLAY;

/// Which parts of the product a process is. A journal that one process alone can open needs them all in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Takes requests, and brings events to sockets.
    pub api: bool,
    /// Works off the queues, waits for the venues' word, sends webhooks, deletes what is no longer needed.
    pub work: bool,
    /// Brings events to exports, and makes the deliveries of webhooks.
    pub relay: bool,
}

impl Roles {
    /// Everything in one process.
    pub const ALL: Self = Self { api: true, work: true, relay: true };
}

/// How many jobs this process works on at once, by queue. A queue that is not in the table rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concurrency(BTreeMap<&'static str, usize>);

impl Default for Concurrency {
    /// Every queue: 256 swaps, 10 expiries, 10 slices of plans, 1,024 deliveries, 4 replays, 4 moves of
    /// messages.
    fn default() -> Self {
        Self::from([
            (QUEUE, 256),
            (QUEUE_EXPIRE, 10),
            (QUEUE_SLICE, 10),
            (bid::QUEUE_EXPIRE, 10),
            (bid::QUEUE_CLOSE, 10),
            (QUEUE_DELIVER, 1_024),
            (QUEUE_REPLAY, 4),
            (QUEUE_MOVE, 4),
        ])
    }
}

impl<const N: usize> From<[(&'static str, usize); N]> for Concurrency {
    fn from(table: [(&'static str, usize); N]) -> Self {
        Self(table.into())
    }
}

impl Concurrency {
    /// How many jobs of that queue; 0 when it rests.
    #[must_use]
    pub fn of(&self, queue: &str) -> usize {
        self.0.get(queue).copied().unwrap_or(0)
    }

    /// Changes one queue's. False when there is no such queue.
    pub fn set(&mut self, queue: &str, at_once: usize) -> bool {
        self.0.get_mut(queue).is_some_and(|now| {
            *now = at_once;
            true
        })
    }

    /// The names of the queues.
    pub fn queues(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

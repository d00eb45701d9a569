//! Queues and the jobs that were given up, on the wire.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::QueueKind;

/// How a queue stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueView {
    /// Its name.
    #[schema(example = "swap.execute")]
    pub(crate) name: String,
    /// Whether it is one of the program's own (`jobs`), or one of messages (`messages`).
    #[schema(value_type = QueueKind)]
    pub(crate) kind: &'static str,
    /// Whose it is; null where it is the program's own.
    pub(crate) account: Option<String>,
    /// Whether it hands out nothing.
    #[schema(example = false)]
    pub(crate) paused: bool,
    /// Since when; of the program's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-05-04T09:30:00Z")]
    pub(crate) paused_at: Option<String>,
    /// The account that paused it; of the program's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ops")]
    pub(crate) paused_by: Option<String>,
    /// How many it holds: those ready, in flight and delayed.
    #[schema(example = 42)]
    pub(crate) depth: u64,
    /// Due, and in nobody's hands.
    #[schema(example = 30)]
    pub(crate) ready: u64,
    /// In somebody's hands: under a lease, or received and hidden.
    #[schema(example = 10)]
    pub(crate) in_flight: u64,
    /// Not due yet; of the program's own queues also those behind another of their group.
    #[schema(example = 2)]
    pub(crate) delayed: u64,
    /// Given up: dead jobs, or the messages of its dead-letter queue, whichever queue they came from; null where it has none.
    #[schema(example = 1)]
    pub(crate) dead: Option<u64>,
    /// Where its dead letters go; of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "shop-orders-dead.fifo")]
    pub(crate) dead_letter_queue: Option<String>,
    /// For how long the oldest of those ready has been, in milliseconds; null where none is.
    #[schema(example = 180)]
    pub(crate) oldest_age_millis: Option<u64>,
    /// How many were finished, or received and deleted, in the last minute by the process that answers; other processes'
    /// work is not counted.
    #[schema(example = 720)]
    pub(crate) finished_last_minute: u64,
    /// The same per second, over the last minute or as long as the process runs, with two decimals.
    #[schema(value_type = f64, example = 12.0)]
    pub(crate) rate_per_second: Box<RawValue>,
}

/// One page of queues.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct QueueList {
    /// The program's own first.
    data: Vec<QueueView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// A job that was given up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadJobView {
    /// Its number.
    #[schema(example = "4711")]
    pub(crate) id: String,
    /// Its queue.
    #[schema(example = "swap.execute")]
    pub(crate) queue: String,
    /// Its group, whose jobs come one after the other; null where it has none.
    #[schema(example = "deal:0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01")]
    pub(crate) group: Option<String>,
    /// Its lane, which shares the queue fairly with others; null where it has none.
    #[schema(example = "0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01")]
    pub(crate) lane: Option<String>,
    /// How many times it was handed out.
    #[schema(example = 3)]
    pub(crate) attempts: u64,
    /// Why it was given up.
    #[schema(example = "NO_ROUTE: no venue has a quote")]
    pub(crate) error: String,
    /// When.
    #[schema(format = DateTime, example = "2026-05-04T09:31:12.250Z")]
    pub(crate) died_at: String,
    /// Whether its group waits for an operator.
    #[schema(example = false)]
    pub(crate) parked: bool,
    /// What was to be done, as the queue's workers read it: often the id of what it is about.
    #[schema(example = "0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01")]
    pub(crate) body: String,
}

/// One page of jobs that were given up.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct DeadJobList {
    /// By queue, then in the order in which they were made.
    data: Vec<DeadJobView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// Errors that differ in numbers and ids alone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadGroupView {
    /// The queue of their jobs.
    #[schema(example = "swap.execute")]
    pub(crate) queue: String,
    /// The group's name: the error, with a star in the place of each number and id, cut to 1,024 bytes; `(no error)` where
    /// there is none. `(other errors)` are those left when there are more groups than can be told apart: no filter takes it.
    #[schema(example = "NO_ROUTE: no venue has a quote")]
    pub(crate) group: String,
    /// How many jobs.
    #[schema(example = 12)]
    pub(crate) count: u64,
    /// When the newest died.
    #[schema(format = DateTime, example = "2026-05-04T09:31:12.250Z")]
    pub(crate) newest_at: String,
    /// The number of the newest.
    #[schema(example = "4711")]
    pub(crate) example: String,
}

/// The groups of errors.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadErrors {
    /// The largest first.
    pub(crate) data: Vec<DeadGroupView>,
    /// How many jobs were looked at.
    #[schema(example = 12)]
    pub(crate) looked_at: u64,
    /// Leads on to those that were not looked at; null when there are none.
    pub(crate) next_cursor: Option<String>,
    /// Whether there are jobs that were not looked at.
    pub(crate) has_more: bool,
}

/// Which dead jobs are meant: those that match all of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct DeadMany {
    /// Those of this queue; `*` for all queues.
    #[schema(example = "swap.execute")]
    queue: String,
    /// Those whose error has this text in it, in capitals or not.
    #[schema(min_length = 1, max_length = 1_024, example = "no_route")]
    error: Option<String>,
    /// Those of this group of errors.
    #[schema(min_length = 1, max_length = 1_024, example = "NO_ROUTE: no venue has a quote")]
    group: Option<String>,
    /// At most so many; 1,000 by default.
    #[schema(minimum = 1, maximum = 1_000, example = 1_000)]
    limit: Option<u64>,
    /// Where the previous answer ended: its `nextCursor`, together with the same filters.
    cursor: Option<String>,
}

/// What was done with dead jobs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadJudged {
    /// How many were retried or discarded.
    #[schema(example = 12)]
    pub(crate) done: u64,
    /// Leads on to those that are left; null when there are none.
    pub(crate) next_cursor: Option<String>,
    /// Whether some are left.
    pub(crate) has_more: bool,
}

//! Settings of `tradewind queue`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::Place;

/// See how queues stand, pause them, and see to the jobs that were given up: on a running server, or straight in its journal
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  tradewind queue list
  tradewind queue pause swap.execute          # what is in hand comes to its end, the rest waits
  tradewind queue resume swap.execute
  tradewind queue dead --errors               # why jobs were given up, and how many each
  tradewind queue retry --group 'NO_ROUTE: no venue has a quote'
  tradewind queue retry 4711
  tradewind queue discard --queue webhook.deliver --error refused
  tradewind queue purge shop-orders.fifo --account acme

A server with keys asks for an admin's. With --journal no key is needed, only the journal: a SQLite one whose
server is stopped, or a PostgreSQL, where running processes follow within a second.

Exit codes: 0 done, 2 no server, no journal or a refused request."
)]
pub(crate) struct Queue {
    #[command(subcommand)]
    pub(crate) action: QueueAction,
}

/// What to do with queues.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueAction {
    /// List the program's own queues, then the queues of messages of every account
    List(QueueList),
    /// Show how one queue stands
    Show(OneQueue),
    /// Hand out nothing of a queue until it is resumed, also over restarts
    Pause(OneQueue),
    /// Let a queue run again
    Resume(OneQueue),
    /// Delete every message of a queue of --account; the program's own cannot be purged
    Purge(OneQueue),
    /// List the jobs that were given up, or with --errors why and how many each
    Dead(Dead),
    /// Put jobs that were given up back into their queues: one by its number, or all that match
    Retry(Judge),
    /// Delete jobs that were given up, for ever: one by its number, or all that match
    Discard(Judge),
}

/// List the program's own queues, then the queues of messages of every account
#[derive(Debug, Args)]
pub(crate) struct QueueList {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// One queue, by its name
#[derive(Debug, Args)]
pub(crate) struct OneQueue {
    /// Its name, such as swap.execute; a queue of messages is one of --account
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which of the jobs that were given up.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Those of this queue
    #[arg(long, value_name = "NAME")]
    pub(crate) queue: Option<String>,

    /// Those whose error has this text in it, in capitals or not
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) error: Option<String>,

    /// Those of this group of errors, as `tradewind queue dead --errors` names it
    #[arg(long, value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) group: Option<String>,
}

/// List the jobs that were given up, by queue and in the order in which they were made
#[derive(Debug, Args)]
pub(crate) struct Dead {
    /// Show why they were given up and how many each: errors that differ in numbers and ids alone are one group
    #[arg(long, conflicts_with = "group")]
    pub(crate) errors: bool,

    /// List at most so many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// What is to become of jobs that were given up
#[derive(Debug, Args)]
#[group(id = "judged", required = true, multiple = true, args = ["id", "queue", "error", "group", "all"])]
pub(crate) struct Judge {
    /// One, by its number
    #[arg(conflicts_with_all = ["queue", "error", "group", "all"])]
    pub(crate) id: Option<u64>,

    /// All of every queue
    #[arg(long, conflicts_with_all = ["queue", "error", "group"])]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) place: Place,
}

//! What one transaction of the writer is made of: commands of callers, and of the background, which waits while callers crowd.

use std::time::{Duration, Instant};

use rusqlite::Error;

use super::command::{Command, Outcome};

/// The most commands of callers, and the most of the background, that share one transaction.
pub(super) const BATCH_LIMIT: usize = 1_024;
/// How long background work waits while callers crowd: many of its changes then share pages and the flush.
const PATIENCE: Duration = Duration::from_millis(5);

/// The commands that share a transaction, performed as they come.
#[derive(Default)]
pub(super) struct Round {
    pub(super) commands: Vec<Command>,
    /// What the commands came to, one each; incomplete once the store has refused one.
    pub(super) outcomes: Vec<Outcome>,
    /// How many of them callers wait for.
    pub(super) callers: usize,
    /// Whether the transaction is open.
    pub(super) begun: bool,
    /// What the store refused a command with: nothing of the round may be committed.
    pub(super) refused: Option<Error>,
    /// Background work that has not been performed yet, and since when the first of it waits.
    pub(super) patient: Vec<Command>,
    pub(super) patient_since: Option<Instant>,
}

impl Round {
    /// Whether nothing is to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.patient.is_empty()
    }

    /// Whether background work has waited long enough, or is too much.
    pub(super) fn patience_is_over(&self) -> bool {
        self.patient.len() >= BATCH_LIMIT || self.patient_since.is_some_and(|since| since.elapsed() > PATIENCE)
    }
}

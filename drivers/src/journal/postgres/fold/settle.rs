//! What a change is given, the levels that it moves and the messages that it settles.

use std::collections::BTreeMap;

use domain::{Change, MessageStep, Settle, Timestamp};

use super::{Fold, StandingMessage};
use crate::journal::levels::{Sum, sums};
use crate::journal::settling::Settling;
use crate::{Conflict, Fault};

impl Fold {
    pub(super) fn check_given(&self, change: &Change) -> Result<(), Fault> {
        for given in &change.given {
            let standing = self.standings.entities.get(&(given.kind, given.id.clone()));
            if standing.map_or(0, |standing| standing.version) != given.version {
                return Err(Fault::Conflict(Conflict::Version { kind: given.kind, id: given.id.clone() }));
            }
        }
        Ok(())
    }

    /// Where the change leaves the levels that it moves.
    pub(super) fn levels_after<'c>(&self, change: &'c Change) -> Result<BTreeMap<&'c str, i64>, Fault> {
        let after = |(name, sum): (&'c str, Sum)| {
            let at = self.standings.levels.get(name).map_or(0, |level| level.value);
            Ok((name, sum.after(name, at)?))
        };
        sums(change).into_iter().map(after).collect()
    }

    pub(super) fn check_messages(&self, change: &Change) -> Result<(), Fault> {
        let mut settling = Settling::default();
        for step in &change.messages {
            let found = self.standings.messages.get(&step.job).filter(|found| found.queue == step.queue);
            let StandingMessage { token, run_at, .. } = found.ok_or(Fault::Conflict(Conflict::Gone(step.job)))?;
            settling.judge(step, *token, *run_at, change.at.0).map_err(Fault::Conflict)?;
        }
        Ok(())
    }

    /// What becomes of a message whose step was seen to count.
    pub(super) fn settle(&mut self, step: &MessageStep, at: Timestamp) {
        match step.then {
            Settle::Delete => {
                let Some(message) = self.standings.messages.remove(&step.job) else { return };
                self.writes.ended.push(step.job.cast_signed());
                if let Some(group) = message.group {
                    self.writes.group(&message.queue, &group);
                    self.queues.insert(message.queue);
                }
            }
            Settle::ShowAt(run_at) => {
                let Some(message) = self.standings.messages.get_mut(&step.job) else { return };
                (message.run_at, message.written) = (run_at.0, true);
                if run_at <= at {
                    self.queues.insert(message.queue.clone());
                }
            }
        }
    }
}

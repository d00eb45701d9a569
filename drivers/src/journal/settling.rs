//! Whether what a change says of its messages counts. Pure, and the same for every driver.

use std::collections::HashMap;

use domain::{JobId, MessageStep, Settle};

use crate::Conflict;

/// The steps of one change, each of which finds its message as those before it leave it.
#[derive(Default)]
pub(super) struct Settling {
    /// Until when those that were spoken of are hidden now; none where they are deleted.
    left: HashMap<JobId, Option<i64>>,
}

impl Settling {
    /// Judges the next step, at `at`; its message was handed out last with `token`, and is hidden until `run_at`.
    pub(super) fn judge(&mut self, step: &MessageStep, token: u64, run_at: i64, at: i64) -> Result<(), Conflict> {
        let left = self.left.get(&step.job).copied().unwrap_or(Some(run_at));
        let Some(hidden) = left else { return Err(Conflict::Gone(step.job)) };
        if step.token.is_some_and(|wanted| wanted != token) {
            // Somebody else has it, so the time of this hand-out ran out: whoever may not be late with a deletion hears that.
            let late = !step.late && step.then == Settle::Delete;
            return Err(if late { Conflict::StaleLease(step.job) } else { Conflict::Gone(step.job) });
        }
        if step.token.is_some() && !step.late && hidden <= at {
            return Err(Conflict::StaleLease(step.job));
        }
        let then = match step.then {
            Settle::Delete => None,
            Settle::ShowAt(until) => Some(until.0),
        };
        self.left.insert(step.job, then);
        Ok(())
    }
}

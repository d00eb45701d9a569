//! Orders whose venues rest wait for them; none fails for it, and no attempt is counted.

use std::time::Duration;

use domain::swap::{Status, Swap};
use domain::{Change, JobStep, Lease, Then, Timestamp};
use drivers::Fault;

use super::{Step, Worker};

/// An order is not put back for less: it costs a change of the journal.
const LEAST: Duration = Duration::from_millis(250);
/// While a quote may still be good, or its bytes are out, an order is looked at again after this, whatever the venue says.
const BUILDING_MOST: Duration = Duration::from_millis(500);
/// When no venue says for how long.
const UNSAID: Duration = Duration::from_secs(1);

impl Worker {
    /// Whether the venue that was chosen rests: others may be at hand.
    pub(super) fn is_kept_waiting(&self, swap: &Swap) -> bool {
        swap.route.as_ref().is_some_and(|route| self.router.is_resting(&route.quote.venue))
    }

    /// Back to its queue until the first venue is asked again, or until its own time is over.
    pub(super) async fn wait_for_venues(&self, swap: &Swap, lease: Lease, now: Timestamp) -> Result<Step, Fault> {
        let pause = self.router.rests_for().unwrap_or(UNSAID).max(LEAST);
        let pause = if swap.status == Status::Routing { pause } else { pause.min(BUILDING_MOST) };
        // Spread over a fifth of a second, so that those who wait for one venue do not come back as one.
        let spread = i64::try_from(lease.job % 200).unwrap_or(0);
        let again = now.plus_millis(i64::try_from(pause.as_millis()).unwrap_or(0) + spread);
        let run_at = swap.expires_at.map_or(again, |expires_at| again.min(expires_at).max(now));
        let step = Some(JobStep { lease, then: Then::Wait { run_at } });
        self.journal.apply(Change { at: now, step, ..Change::default() }).await?;
        Ok(Step::Gone)
    }
}

//! The leases this process holds, prolonged in one call for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Change, JobStep, Lease, Then};
use drivers::journal::Journal;
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::{clock, observe};

/// Leases given back at once: the journal writes them together.
const AT_ONCE: usize = 256;

/// Leases by job.
#[derive(Default)]
pub(crate) struct Leases {
    held: Mutex<HashMap<u64, Lease>>,
}

/// Lets go of a lease when the task it lives in panics: nobody works under it any more, so it has to lapse.
#[must_use]
pub(crate) struct Guard<'a> {
    leases: &'a Leases,
    lease: Lease,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            observe::task_panicked(self.lease.job);
            self.leases.let_go(self.lease);
        }
    }
}

impl Leases {
    /// Has a lease renewed until it is let go of.
    pub(crate) fn hold(&self, lease: Lease) -> Guard<'_> {
        self.lock().insert(lease.job, lease);
        self.guard(lease)
    }

    /// A guard for a task that took over a lease.
    pub(crate) fn guard(&self, lease: Lease) -> Guard<'_> {
        Guard { leases: self, lease }
    }

    /// Forgets a lease, unless a newer one of the same job took its place; false if it was not held.
    pub(crate) fn let_go(&self, lease: Lease) -> bool {
        let mut held = self.lock();
        held.get(&lease.job) == Some(&lease) && held.remove(&lease.job).is_some()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Renews `every` so often until `stop`.
    pub(crate) async fn run(self: Arc<Self>, journal: Arc<dyn Journal>, every: Duration, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            self.step(journal.as_ref()).await;
        }
    }

    async fn step(&self, journal: &dyn Journal) {
        let held = self.all();
        if held.is_empty() {
            return;
        }
        match journal.renew(&held).await {
            Ok(lost) => {
                // Those whose work came to its end meanwhile are not held any more.
                for lease in lost {
                    if self.let_go(lease) {
                        observe::lease_lost(lease.job);
                    }
                }
            }
            Err(fault) => observe::fault("renew leases", &fault),
        }
    }

    /// Gives every job back without counting the attempt: what remains when the time to drain is over.
    pub(crate) async fn give_back(&self, journal: &dyn Journal) {
        let give_back = async |lease| {
            let now = clock::now();
            let step = Some(JobStep { lease, then: Then::Wait { run_at: now } });
            // A stale lease means that its worker came to an end meanwhile; nothing is to be given back.
            let _ = journal.apply(Change { at: now, step, ..Change::default() }).await;
            self.let_go(lease);
        };
        stream::iter(self.all()).for_each_concurrent(AT_ONCE, give_back).await;
    }

    fn all(&self) -> Vec<Lease> {
        self.lock().values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

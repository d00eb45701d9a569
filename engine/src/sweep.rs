//! Deletes expired keys, a few at a time, so that a write never waits long behind it.

use std::sync::Arc;
use std::time::Duration;

use drivers::journal::Journal;
use tokio_util::sync::CancellationToken;

use crate::{clock, observe};

const EVERY: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 1_000;
/// Such a rest between: the one who writes has others to write for.
const REST: Duration = Duration::from_millis(20);

/// Sweeps until `stop`.
pub(crate) async fn run(journal: Arc<dyn Journal>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        while !stop.is_cancelled() && step(journal.as_ref()).await == AT_ONCE {
            tokio::time::sleep(REST).await;
        }
    }
}

async fn step(journal: &dyn Journal) -> usize {
    journal.sweep(clock::now(), AT_ONCE).await.unwrap_or_else(|fault| {
        observe::fault("sweep keys", &fault);
        0
    })
}

//! Deletes expired keys and the sums of days long past, a few at a time, so that a write never waits long behind it.

use std::sync::Arc;
use std::time::Duration;

use domain::risk::old_levels;
use drivers::journal::Journal;
use tokio_util::sync::CancellationToken;

use crate::{clock, observe};

const EVERY: Duration = Duration::from_secs(60);
/// Sums of days are looked for in each so many rounds: hourly.
const DAYS_EVERY: u32 = 60;
const AT_ONCE: usize = 1_000;
/// Such a rest between: the one who writes has others to write for.
const REST: Duration = Duration::from_millis(20);

/// Sweeps until `stop`.
pub(crate) async fn run(journal: Arc<dyn Journal>, stop: CancellationToken) {
    let mut rounds: u32 = 0;
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        while !stop.is_cancelled() && step(journal.as_ref()).await == AT_ONCE {
            tokio::time::sleep(REST).await;
        }
        while rounds.is_multiple_of(DAYS_EVERY) && !stop.is_cancelled() && days(journal.as_ref()).await == AT_ONCE {
            tokio::time::sleep(REST).await;
        }
        rounds += 1;
    }
}

/// What the orders of days long past were worth: nobody is held to it any more.
async fn days(journal: &dyn Journal) -> usize {
    let (first, end) = old_levels(clock::now());
    journal.drop_levels(&first, &end, AT_ONCE).await.unwrap_or_else(|fault| {
        observe::fault("sweep the sums of past days", &fault);
        0
    })
}

async fn step(journal: &dyn Journal) -> usize {
    journal.sweep(clock::now(), AT_ONCE).await.unwrap_or_else(|fault| {
        observe::fault("sweep keys", &fault);
        0
    })
}

//! Deletes deliveries and replays that are old, a few at a time. What is still on its way stays.

use std::sync::Arc;
use std::time::Duration;

use domain::Kind;
use domain::webhook::{delivery, replay};
use drivers::Fault;
use drivers::journal::Journal;
use tokio_util::sync::CancellationToken;

use crate::{clock, observe};

/// How often it looks, unless what is kept is shorter.
const EVERY: Duration = Duration::from_secs(60);
/// So few at once, and such a rest between, that no write waits noticeably.
const AT_ONCE: usize = 250;
const REST: Duration = Duration::from_millis(20);

/// The loop that keeps the log of deliveries from growing for ever.
pub(crate) struct Prune {
    pub(crate) journal: Arc<dyn Journal>,
    /// How old a delivery gets.
    pub(crate) keep: Duration,
}

impl Prune {
    /// Prunes until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let every = EVERY.min(self.keep / 4).max(REST);
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            loop {
                match self.step().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(fault) => {
                        observe::fault("delete old deliveries", &fault);
                        break;
                    }
                }
                if stop.run_until_cancelled(tokio::time::sleep(REST)).await.is_none() {
                    return;
                }
            }
        }
    }

    /// True if there may be more.
    async fn step(&self) -> Result<bool, Fault> {
        let keep = i64::try_from(self.keep.as_micros()).unwrap_or(i64::MAX);
        let before = clock::now().plus_micros(keep.saturating_neg());
        let ended = [delivery::Status::Delivered.as_str(), delivery::Status::Failed.as_str()];
        let deliveries = self.journal.prune(Kind::Delivery, &ended, before, AT_ONCE).await?;
        let ended = [replay::Status::Done.as_str(), replay::Status::Stopped.as_str()];
        let replays = self.journal.prune(Kind::Replay, &ended, before, AT_ONCE).await?;
        Ok(deliveries == AT_ONCE || replays == AT_ONCE)
    }
}

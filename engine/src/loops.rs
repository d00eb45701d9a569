//! The loops of an engine, watched: one that ends before it is told to breaks the engine.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::observe;

/// The running loops.
///
/// A loop that panicked is not begun again: what it held in memory can no longer be trusted, while everything committed
/// is safe. The process is to stop, and its next start recovers as after a crash.
#[derive(Clone, Default)]
pub(crate) struct Loops {
    tasks: TaskTracker,
    broken: CancellationToken,
}

impl Loops {
    /// Runs a loop that is to end after `stop`, and not before.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        stop: &CancellationToken,
        run: impl Future<Output = ()> + Send + 'static,
    ) {
        let (stop, broken) = (stop.clone(), self.broken.clone());
        self.tasks.spawn(async move {
            let panicked = AssertUnwindSafe(run).catch_unwind().await.is_err();
            if panicked || !stop.is_cancelled() {
                observe::loop_broke(name);
                broken.cancel();
            }
        });
    }

    /// Waits until a loop broke.
    pub(crate) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Waits until all have ended, at most for `time`.
    pub(crate) async fn end(&self, time: Duration) {
        self.tasks.close();
        let _ = tokio::time::timeout(time, self.tasks.wait()).await;
    }
}

//! Where the API is just now: one process, or several of which any may be away.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Where one process is just now, if anywhere.
pub(crate) type Address = watch::Receiver<Option<String>>;

const PAUSE: Duration = Duration::from_millis(5);

/// The processes that take requests.
#[derive(Clone)]
pub(crate) struct Fronts(Vec<Address>);

impl Fronts {
    pub(crate) const fn new(addresses: Vec<Address>) -> Self {
        Self(addresses)
    }

    /// How many there are, away or not.
    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// One that is somewhere: the `turn`-th of them, or the next one after it. Waits until there is one.
    pub(crate) async fn url(&self, turn: usize, patience: Duration) -> String {
        let begun = Instant::now();
        loop {
            let found = (0..self.count()).find_map(|step| self.0[(turn + step) % self.count()].borrow().clone());
            if let Some(url) = found {
                return url;
            }
            assert!(begun.elapsed() < patience, "no server says where it listens; see the logs");
            sleep(PAUSE).await;
        }
    }
}

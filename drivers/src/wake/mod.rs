//! Loss-tolerant hints after a commit: "queue X has work", "head is n". A lost hint costs one poll.

#[cfg(test)]
pub mod conformance;

mod local;

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::Fault;

/// What a commit has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The newest event's number; 0 when there is no new one.
    pub head: u64,
    /// Queues that got runnable jobs.
    pub queues: Vec<String>,
}

/// The wake port. Never blocks, never fails; hints may be lost, doubled or late.
pub trait Wake: Send + Sync + 'static {
    /// Tells everyone who listens.
    fn send(&self, hint: &Hint);

    /// Follows the head: the receiver holds the newest number heard of.
    fn head(&self) -> watch::Receiver<u64>;

    /// Wakes once for every burst of hints about `queue`. Register before looking.
    fn queue(&self, queue: &str) -> Arc<Notify>;
}

/// Opens the wake port at `url`: `local`.
///
/// # Errors
/// [`Fault::Unavailable`] when the URL names no driver.
pub fn open(url: &str) -> Result<Arc<dyn Wake>, Fault> {
    match url {
        "local" => Ok(Arc::new(local::Local::default())),
        _ => Err(Fault::Unavailable(format!("--wake {url}: expected local"))),
    }
}

//! Where committed events go outside: at least once, in order, each with its `seq`.

#[cfg(test)]
pub mod conformance;

mod file;

use std::sync::Arc;

use async_trait::async_trait;
use domain::Event;

use crate::Fault;

/// The export port.
#[async_trait]
pub trait Export: Send + Sync + 'static {
    /// The `seq` of the newest event that is durably out there; 0 when none is.
    async fn position(&self) -> Result<u64, Fault>;

    /// Sends events, in order, and answers when they are durable. Events at or below `position` are passed over.
    async fn send(&self, events: &[Event]) -> Result<(), Fault>;
}

/// Opens the export at `url` for the events of the journal with this `epoch`: `file:path/to/events.jsonl` (one JSON object
/// per line). An export holds events of one epoch: in another, the same `seq` is another event.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason: unknown scheme, a file that cannot be written or is not ours, events of
/// another epoch out there.
pub async fn open(url: &str, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
    match url.split_once(':') {
        Some(("file", path)) => file::open(path, epoch).await,
        _ => Err(Fault::Unavailable(format!("--export {url}: expected file:<path>"))),
    }
}

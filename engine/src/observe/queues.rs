//! Queues of messages as the operator sees them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// What is counted of messages, of all queues together.
pub(crate) struct QueueMetrics {
    messages: Family<StateLabel, Counter>,
}

impl QueueMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let messages = Family::<StateLabel, Counter>::default();
        registry.register("queue_messages", "Messages of queues, by what became of them", messages.clone());
        Self { messages }
    }

    /// Messages were taken, duplicates included.
    pub(crate) fn sent(&self, messages: usize) {
        self.count("sent", messages);
    }

    /// Messages were handed out.
    pub(crate) fn received(&self, messages: usize) {
        self.count("received", messages);
    }

    /// Messages were deleted by their receivers.
    pub(crate) fn deleted(&self, messages: usize) {
        self.count("deleted", messages);
    }

    /// Messages were received too often.
    pub(crate) fn died(&self, messages: usize) {
        self.count("dead", messages);
    }

    /// Messages grew too old.
    pub(crate) fn expired(&self, messages: usize) {
        self.count("expired", messages);
    }

    /// Dead letters were moved.
    pub(crate) fn moved(&self, messages: usize) {
        self.count("moved", messages);
    }

    fn count(&self, state: &'static str, messages: usize) {
        if messages > 0 {
            self.messages.get_or_create(&StateLabel { state }).inc_by(messages as u64);
        }
    }
}

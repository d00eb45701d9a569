//! Queues as this process last saw them: at most a second old, so that a message costs no look at its queue. Whoever changes
//! something by what stands here gives the version with the change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::Kind;
use domain::queue::Queue;
use drivers::Fault;
use drivers::journal::Journal;

/// How long it counts.
const LASTS: Duration = Duration::from_secs(1);
/// So many are remembered at most.
const LIMIT: usize = 10_000;

#[derive(Default)]
pub(super) struct Known {
    queues: Mutex<HashMap<String, (Arc<Queue>, Instant)>>,
}

impl Known {
    /// The queue of that id, if it was seen within a second.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Queue>> {
        self.queues().get(id).filter(|(_, seen)| seen.elapsed() < LASTS).map(|(queue, _)| Arc::clone(queue))
    }

    /// Remembers a queue, unless a newer one is remembered.
    pub(super) fn keep(&self, queue: Queue) -> Arc<Queue> {
        let mut queues = self.queues();
        if queues.len() >= LIMIT {
            queues.retain(|_, (_, seen)| seen.elapsed() < LASTS);
        }
        if queues.len() >= LIMIT {
            queues.clear();
        }
        let newer = queues.get(&queue.id).filter(|(known, _)| known.version > queue.version);
        if let Some((newer, _)) = newer {
            return Arc::clone(newer);
        }
        let queue = Arc::new(queue);
        queues.insert(queue.id.clone(), (Arc::clone(&queue), Instant::now()));
        queue
    }

    pub(super) fn forget(&self, id: &str) {
        self.queues().remove(id);
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, (Arc<Queue>, Instant)>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue of that id as the journal has it, deleted or not.
pub(super) async fn read(journal: &dyn Journal, id: &str) -> Result<Option<Queue>, Fault> {
    let entity = journal.entity(Kind::Queue, id).await?;
    let queue = entity.as_ref().map(Queue::from_entity).transpose();
    queue.map_err(|error| Fault::Broken(format!("queue {id}: {error}")))
}

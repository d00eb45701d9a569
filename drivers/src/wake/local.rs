//! Hints within one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::{Hint, Wake};

pub(super) struct Local {
    head: watch::Sender<u64>,
    queues: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Default for Local {
    fn default() -> Self {
        Self { head: watch::Sender::new(0), queues: Mutex::default() }
    }
}

impl Wake for Local {
    fn send(&self, hint: &Hint) {
        self.raise(hint.head);
        for queue in &hint.queues {
            self.queue(queue).notify_one();
        }
    }

    fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    fn queue(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.queues();
        if let Some(notify) = queues.get(queue) {
            return Arc::clone(notify);
        }
        Arc::clone(queues.entry(queue.to_owned()).or_default())
    }
}

impl Local {
    /// A hint from outside: queues that nobody here knows are not remembered, whoever names them.
    pub(super) fn hear(&self, hint: &Hint) {
        self.raise(hint.head);
        let queues = self.queues();
        hint.queues.iter().filter_map(|queue| queues.get(queue)).for_each(|queue| queue.notify_one());
    }

    /// Wakes everyone: hints were lost, or are too many to name.
    pub(super) fn wake_all(&self) {
        self.head.send_modify(|_| {});
        self.queues().values().for_each(|queue| queue.notify_one());
    }

    fn raise(&self, heard: u64) {
        self.head.send_if_modified(|head| {
            let news = heard > *head;
            *head = heard.max(*head);
            news
        });
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

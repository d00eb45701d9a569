//! Hints within one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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
        self.head.send_if_modified(|head| {
            let news = hint.head > *head;
            *head = hint.head.max(*head);
            news
        });
        for queue in &hint.queues {
            self.queue(queue).notify_one();
        }
    }

    fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    fn queue(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = queues.get(queue) {
            return Arc::clone(notify);
        }
        Arc::clone(queues.entry(queue.to_owned()).or_default())
    }
}

//! The lines in which receivers wait, one per queue: who has its turn looks for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// From so many lines on those that nobody waits in are forgotten.
const MANY: usize = 1_000;

#[derive(Default)]
pub(super) struct Turns {
    lines: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    /// The line of a queue. It is there as long as somebody holds it.
    pub(super) fn of(&self, queue: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(queue).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= MANY {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::default();
        lines.insert(queue.to_owned(), Arc::downgrade(&line));
        line
    }
}

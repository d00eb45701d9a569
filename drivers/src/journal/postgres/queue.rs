//! The changes that wait for a committer: any committer that has its turn takes all of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Change;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::Fault;
use crate::journal::Receipt;

/// The most changes that wait.
const LIMIT: usize = 8_192;
/// How long a change waits for room.
const PATIENCE: Duration = Duration::from_secs(2);

/// A change and who waits for it.
pub(super) struct Waiting {
    pub(super) change: Change,
    /// Whether it asks for a durable write even if the change makes none.
    pub(super) beat: bool,
    pub(super) reply: oneshot::Sender<Result<Receipt, Fault>>,
}

/// The queue.
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    room: Semaphore,
    news: Notify,
}

impl Default for Queue {
    fn default() -> Self {
        Self { waiting: Mutex::default(), room: Semaphore::new(LIMIT), news: Notify::new() }
    }
}

impl Queue {
    /// Puts a change in; the queue may be full, or closed.
    pub(super) async fn push(&self, waiting: Waiting) -> Result<(), Fault> {
        let room = tokio::time::timeout(PATIENCE, self.room.acquire()).await.map_err(|_| Fault::Busy)?;
        let room = room.map_err(|_| super::closed())?;
        let mut queue = self.lock();
        // Closed under the same lock: what is in the queue by then is still taken out.
        if self.room.is_closed() {
            return Err(super::closed());
        }
        room.forget();
        queue.push_back(waiting);
        drop(queue);
        self.news.notify_one();
        Ok(())
    }

    /// Waits until something waits; false once it is closed and empty.
    pub(super) async fn wait(&self) -> bool {
        loop {
            let news = self.news.notified();
            let (empty, closed) = (self.lock().is_empty(), self.room.is_closed());
            if !empty || closed {
                return !empty;
            }
            news.await;
        }
    }

    /// Takes what waits, oldest first, at most `limit`.
    pub(super) fn take(&self, limit: usize) -> Vec<Waiting> {
        let mut queue = self.lock();
        let count = queue.len().min(limit);
        let taken: Vec<_> = queue.drain(..count).collect();
        let more = !queue.is_empty();
        drop(queue);
        if !self.room.is_closed() {
            self.room.add_permits(taken.len());
        }
        if more {
            self.news.notify_one();
        }
        taken
    }

    /// Takes nothing more in.
    pub(super) fn close(&self) {
        let queue = self.lock();
        self.room.close();
        drop(queue);
        self.news.notify_waiters();
        // For the one that is about to wait.
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

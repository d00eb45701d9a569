//! Brings committed events to the sockets of this node: read once from the journal, handed to whoever watches them.
//!
//! Nobody's guarantee rests on this: a watcher that falls behind is cut off with a position to resume from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::{Event, Kind, Owner};
use drivers::Fault;
use drivers::journal::{Head, Journal};
use drivers::wake::Wake;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::observe;

/// Events that wait for one watcher before it counts as too slow.
const BUFFER: usize = 1_024;
/// Events read at once.
const PAGE: usize = 1_000;
/// A lost hint costs this much.
const POLL: Duration = Duration::from_millis(20);

/// An event on its way to sockets, with room for its wire form: made once, shared by all who send it.
#[derive(Debug)]
pub struct Published {
    /// The event.
    pub event: Event,
    /// The envelope's bytes, filled in by the first who needs them.
    pub envelope: OnceLock<Bytes>,
}

/// Which events someone wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Of this owner; none means everyone's.
    pub owner: Option<Owner>,
    /// Of these kinds; empty means any.
    pub kinds: Vec<Kind>,
    /// About these entities; empty means any.
    pub ids: Vec<String>,
}

impl Watch {
    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == event.owner)
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.ids.is_empty() || self.ids.contains(&event.id))
    }
}

/// The node's distributor.
pub struct Hub {
    pub(crate) journal: Arc<dyn Journal>,
    wake: Arc<dyn Wake>,
    index: Mutex<Index>,
    first_watcher: Notify,
}

#[derive(Default)]
struct Index {
    /// Every event up to here was handed out.
    position: u64,
    next: u64,
    watchers: HashMap<u64, Watcher>,
    by_id: HashMap<String, Vec<u64>>,
    by_owner: HashMap<Owner, Vec<u64>>,
    of_all: Vec<u64>,
}

struct Watcher {
    watch: Watch,
    sender: mpsc::Sender<Arc<Published>>,
}

/// A place among the watchers; leaving it takes the place away.
pub(crate) struct Seat {
    hub: Arc<Hub>,
    key: u64,
    pub(crate) events: mpsc::Receiver<Arc<Published>>,
    /// Everything after this position comes through `events`.
    pub(crate) from: u64,
    /// The end of the log when the seat was asked for, or later: `from` lies before it while the hub is behind.
    pub(crate) now: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.lock().leave(self.key);
    }
}

impl Hub {
    /// A hub over `journal`; [`Hub::run`] moves it.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, wake: Arc<dyn Wake>) -> Self {
        Self { journal, wake, index: Mutex::default(), first_watcher: Notify::new() }
    }

    /// The newest position heard of: a hint, for heartbeats.
    #[must_use]
    pub fn head(&self) -> u64 {
        let heard = *self.wake.head().borrow();
        heard.max(self.lock().position)
    }

    /// The newest event and the journal's epoch, from the journal.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn journal_head(&self) -> Result<Head, Fault> {
        self.journal.head().await
    }

    /// How many watchers there are.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.lock().watchers.len()
    }

    pub(crate) async fn join(self: &Arc<Self>, watch: Watch) -> Result<Seat, Fault> {
        let head = self.journal.head().await?.seq;
        let (sender, events) = mpsc::channel(BUFFER);
        let mut index = self.lock();
        if index.watchers.is_empty() {
            // Nobody watched: whatever lies before the head is history.
            index.position = index.position.max(head);
        }
        let from = index.position;
        let key = index.enter(Watcher { watch, sender });
        drop(index);
        self.first_watcher.notify_one();
        Ok(Seat { hub: Arc::clone(self), key, events, from, now: head.max(from) })
    }

    /// Hands events out until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut heads = self.wake.head();
        while !stop.is_cancelled() {
            if self.watchers() == 0 {
                tokio::select! { () = self.first_watcher.notified() => {}, () = stop.cancelled() => {} }
                continue;
            }
            heads.mark_unchanged();
            match self.step().await {
                Ok(PAGE) => {}
                Ok(_) => {
                    tokio::select! { _ = heads.changed() => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Err(fault) => {
                    observe::fault("read events", &fault);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    async fn step(&self) -> Result<usize, Fault> {
        let position = self.lock().position;
        let events = self.journal.events(position, None, PAGE).await?;
        let count = events.len();
        let mut index = self.lock();
        for event in events {
            index.hand_out(event);
        }
        Ok(count)
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn enter(&mut self, watcher: Watcher) -> u64 {
        let key = self.next;
        self.next += 1;
        for id in &watcher.watch.ids {
            self.by_id.entry(id.clone()).or_default().push(key);
        }
        if watcher.watch.ids.is_empty() {
            match &watcher.watch.owner {
                Some(owner) => self.by_owner.entry(owner.clone()).or_default().push(key),
                None => self.of_all.push(key),
            }
        }
        self.watchers.insert(key, watcher);
        key
    }

    fn leave(&mut self, key: u64) {
        let Some(watcher) = self.watchers.remove(&key) else { return };
        for id in &watcher.watch.ids {
            strike(&mut self.by_id, id, key);
        }
        match &watcher.watch.owner {
            _ if !watcher.watch.ids.is_empty() => {}
            Some(owner) => strike(&mut self.by_owner, owner, key),
            None => self.of_all.retain(|k| *k != key),
        }
    }

    fn hand_out(&mut self, event: Event) {
        // A page that was read before the last watcher left may be older than what the next one starts from.
        if event.seq <= self.position {
            return;
        }
        self.position = event.seq;
        let of_id = self.by_id.get(&event.id).into_iter().flatten();
        let of_owner = self.by_owner.get(&event.owner).into_iter().flatten();
        let keys: Vec<u64> = of_id.chain(of_owner).chain(&self.of_all).copied().collect();
        if keys.is_empty() {
            return;
        }
        let published = Arc::new(Published { event, envelope: OnceLock::new() });
        for key in keys {
            let Some(watcher) = self.watchers.get(&key) else { continue };
            if watcher.watch.wants(&published.event) && watcher.sender.try_send(Arc::clone(&published)).is_err() {
                // Too slow, or gone. The end of its channel tells it, after what it has still to read.
                observe::watcher_cut_off();
                self.leave(key);
            }
        }
    }
}

fn strike<K: std::hash::Hash + Eq>(lists: &mut HashMap<K, Vec<u64>>, at: &K, key: u64) {
    if let Some(list) = lists.get_mut(at) {
        list.retain(|k| *k != key);
        if list.is_empty() {
            lists.remove(at);
        }
    }
}

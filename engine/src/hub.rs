//! Brings committed events to the sockets of this node: read once from the journal, handed to whoever watches them.
//!
//! No watcher's guarantee rests on this: one that falls behind is cut off with a position to resume from. Where others
//! write too, the cache hears of each event here, before any watcher does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::{Event, Kind, Owner};
use drivers::Fault;
use drivers::cache::{Cache, Stale};
use drivers::journal::{Head, Journal};
use drivers::wake::Wake;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::cached::{is_cached, key};
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
    /// Hears of every event.
    cache: Option<Arc<dyn Cache>>,
    /// Whether the cache has heard of all that the journal last said.
    current: AtomicBool,
}

#[derive(Default)]
struct Index {
    /// Events are read whether anyone watches or not.
    following: bool,
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
        let (index, first_watcher, current) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
        Self { journal, wake, index, first_watcher, cache: None, current }
    }

    /// The same, and it tells `cache` of every event.
    #[must_use]
    pub(crate) fn keeping(self, cache: Arc<dyn Cache>) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// Whether the cache it tells has heard of everything, but for the last few milliseconds.
    pub(crate) fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
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
        if index.watchers.is_empty() && !index.following {
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
            if self.watchers() == 0 && self.cache.is_none() {
                tokio::select! { () = self.first_watcher.notified() => {}, () = stop.cancelled() => {} }
                continue;
            }
            heads.mark_unchanged();
            match self.step().await {
                // Pages behind: what is read through the cache would be old.
                Ok(PAGE) => self.current.store(false, Ordering::Release),
                Ok(_) => {
                    self.current.store(true, Ordering::Release);
                    tokio::select! { _ = heads.changed() => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Err(fault) => {
                    self.current.store(false, Ordering::Release);
                    observe::fault("read events", &fault);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    async fn step(&self) -> Result<usize, Fault> {
        let (position, following) = {
            let index = self.lock();
            (index.position, index.following)
        };
        if let Some(cache) = self.cache.as_ref().filter(|_| !following) {
            return self.begin_to_follow(cache.as_ref(), position).await;
        }
        let events = self.journal.events(position, None, PAGE).await?;
        let count = events.len();
        if let Some(cache) = &self.cache {
            tell(cache.as_ref(), &events).await;
        }
        let mut index = self.lock();
        for event in events {
            index.hand_out(event);
        }
        Ok(count)
    }

    /// Tells the cache of what lies between where it was left and where the watchers are.
    async fn begin_to_follow(&self, cache: &dyn Cache, watched: u64) -> Result<usize, Fault> {
        let mut at = cache.resume(self.journal.head().await?).await;
        while at < watched {
            let events = self.journal.events(at, None, PAGE).await?;
            at = events.last().map_or(watched, |last| last.seq);
            tell(cache, &events).await;
        }
        let mut index = self.lock();
        // The first watcher may have come meanwhile, and with it the position gone on.
        if index.position <= at {
            (index.position, index.following) = (at, true);
        }
        // As if there were more: the next step looks at once.
        Ok(PAGE)
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
        if event.seq > self.position + 1 {
            // Forgotten meanwhile: each watcher finds out where it stood and what is still held.
            observe::hub_overtaken(self.position, event.seq);
            let all: Vec<u64> = self.watchers.keys().copied().collect();
            all.into_iter().for_each(|key| self.leave(key));
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

/// Tells the cache what a page of events, which is not empty as a rule, has made old.
async fn tell(cache: &dyn Cache, events: &[Event]) {
    let Some(last) = events.last() else { return };
    let cached = events.iter().filter(|event| is_cached(event.kind));
    let stale: Vec<Stale> =
        cached.map(|event| Stale { key: key(event.kind, &event.id), version: event.version }).collect();
    cache.follow(&stale, last.seq).await;
}

fn strike<K: std::hash::Hash + Eq>(lists: &mut HashMap<K, Vec<u64>>, at: &K, key: u64) {
    if let Some(list) = lists.get_mut(at) {
        list.retain(|k| *k != key);
        if list.is_empty() {
            lists.remove(at);
        }
    }
}

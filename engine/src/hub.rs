//! Brings committed events to the sockets of this node: read once from the journal, handed to whoever watches them.
//!
//! No watcher's guarantee rests on this: one that falls behind is cut off with a position to resume from. Where others
//! write too, the cache and what is known of rights hear of each event here, before any watcher does.

mod index;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{Event, Kind, Owner};
use drivers::Fault;
use drivers::cache::{Cache, Stale};
use drivers::journal::{Head, Journal};
use drivers::wake::Wake;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::cached::{self, is_cached, key};
use crate::watch::Book;
use crate::{clock, observe};

use self::index::{Index, Watcher};

/// Events that wait for one watcher before it counts as too slow.
const BUFFER: usize = 1_024;
/// Events read at once.
const PAGE: usize = 1_000;
/// A lost hint costs this much.
const POLL: Duration = Duration::from_millis(20);
/// A hub that has not heard from the journal for so long is behind.
pub(crate) const LATE: Duration = Duration::from_millis(250);

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
    /// What this account sees: its own, what concerns it, the deals of sellers that authorised it; none means everyone's.
    pub account: Option<Owner>,
    /// Of these kinds; empty means any.
    pub kinds: Vec<Kind>,
    /// About these entities; empty means any.
    pub ids: Vec<String>,
}

impl Watch {
    /// Whether it is about such an event; who may see it is another question.
    pub(crate) fn is_about(&self, event: &Event) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.ids.is_empty() || self.ids.contains(&event.id))
    }
}

/// The node's distributor.
pub struct Hub {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) access: Arc<Access>,
    wake: Arc<dyn Wake>,
    index: Mutex<Index>,
    first_watcher: Notify,
    /// Whether every event is read, watched or not: others write too, or the cache is shared.
    follows: bool,
    /// Hears of every event.
    cache: Option<Arc<dyn Cache>>,
    /// Hears of every event of an order.
    book: Option<Arc<Book>>,
    /// Whether all that the journal last said was told, and when it was asked.
    current: AtomicBool,
    asked: Mutex<Option<Instant>>,
}

/// A place among the watchers; leaving it takes the place away.
pub(crate) struct Seat {
    _place: Place,
    pub(crate) events: mpsc::Receiver<Arc<Published>>,
    /// Everything after this position comes through `events`.
    pub(crate) from: u64,
    /// The end of the log when the seat was asked for, or later: `from` lies before it while the hub is behind.
    pub(crate) now: u64,
}

/// What the hub keeps for one who watches, or is about to.
struct Place {
    hub: Arc<Hub>,
    account: Option<Owner>,
    key: Option<u64>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut index = self.hub.lock();
        index.seats -= 1;
        if let Some(key) = self.key {
            index.leave(key);
        }
        if let Some(account) = &self.account {
            index.audiences.release(account);
        }
    }
}

impl Hub {
    /// A hub over `journal`; [`Hub::run`] moves it.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, wake: Arc<dyn Wake>, access: Arc<Access>) -> Self {
        let (index, first_watcher, current) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
        let (follows, asked) = (journal.shared(), Mutex::new(None));
        Self { journal, access, wake, index, first_watcher, follows, cache: None, book: None, current, asked }
    }

    /// The same, and it tells `cache` of every event.
    #[must_use]
    pub(crate) fn keeping(self, cache: Arc<dyn Cache>) -> Self {
        Self { follows: true, cache: Some(cache), ..self }
    }

    /// The same, and it tells the book of waiting orders of every event.
    #[must_use]
    pub(crate) fn telling(self, book: Arc<Book>) -> Self {
        Self { follows: true, book: Some(book), ..self }
    }

    /// Whether it has told of everything, but for the last few milliseconds.
    pub(crate) fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire) && !self.is_late()
    }

    /// Whether what was committed longer ago than [`LATE`] may not have been told of. Under load it is pages behind again and
    /// again, and yet not late.
    pub(crate) fn is_late(&self) -> bool {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.is_none_or(|asked| asked.elapsed() >= LATE)
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
        self.lock().watchers()
    }

    pub(crate) async fn join(self: &Arc<Self>, watch: Watch) -> Result<Seat, Fault> {
        let head = self.journal.head().await?.seq;
        let mut place = self.place(watch.account.clone(), head);
        // What happens to the account's authorisations from here on is heard; what happened before is read.
        self.first_watcher.notify_one();
        let (events, from) = loop {
            if let Some(entered) = self.enter(&mut place, &watch) {
                break entered;
            }
            if let Some(account) = &watch.account {
                let audience = self.access.audience_anew(account).await?;
                self.lock().audiences.take_in(&audience);
            }
        };
        Ok(Seat { _place: place, events, from, now: head.max(from) })
    }

    /// Puts a watcher at its place; answers with where its events come and after which position. None if it is not known
    /// what its account may see.
    fn enter(&self, place: &mut Place, watch: &Watch) -> Option<(mpsc::Receiver<Arc<Published>>, u64)> {
        let mut index = self.lock();
        if watch.account.as_ref().is_some_and(|account| !index.audiences.knows(account)) {
            return None;
        }
        let (sender, events) = mpsc::channel(BUFFER);
        place.key = Some(index.enter(Watcher { watch: watch.clone(), sender }));
        Some((events, index.position))
    }

    /// From here on every event is read.
    fn place(self: &Arc<Self>, account: Option<Owner>, head: u64) -> Place {
        let mut index = self.lock();
        if index.seats == 0 && !index.following {
            // Nobody watched: whatever lies before the head is history.
            index.position = index.position.max(head);
        }
        index.seats += 1;
        if let Some(account) = &account {
            index.audiences.hold(account);
        }
        Place { hub: Arc::clone(self), account, key: None }
    }

    /// Hands events out until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut heads = self.wake.head();
        while !stop.is_cancelled() {
            if !self.follows && self.lock().seats == 0 {
                tokio::select! { () = self.first_watcher.notified() => {}, () = stop.cancelled() => {} }
                continue;
            }
            heads.mark_unchanged();
            let asked = Instant::now();
            match self.step().await {
                // Pages behind: what is remembered would be old.
                Ok(PAGE) => self.current.store(false, Ordering::Release),
                Ok(_) => {
                    *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
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
        if self.follows && !following {
            return self.begin_to_follow(position).await;
        }
        let events = self.journal.events(position, None, PAGE).await?;
        let count = events.len();
        if events.first().is_some_and(|event| event.seq > position + 1) {
            // Forgotten meanwhile, and never told.
            self.access.forget();
            self.book.iter().for_each(|book| book.miss());
        }
        self.tell(&events).await;
        let mut index = self.lock();
        for event in events {
            index.hand_out(event);
        }
        Ok(count)
    }

    /// Begins with what lies between where the cache was left and where the watchers are. What is known of rights begins
    /// anew from there.
    async fn begin_to_follow(&self, watched: u64) -> Result<usize, Fault> {
        let head = self.journal.head().await?;
        let mut at = match &self.cache {
            Some(cache) => cache.resume(head).await,
            None => head.seq,
        };
        while at < watched {
            let events = self.journal.events(at, None, PAGE).await?;
            at = events.last().map_or(watched, |last| last.seq);
            self.tell(&events).await;
        }
        let mut index = self.lock();
        // The first watcher may have come meanwhile, and with it the position gone on.
        if index.position <= at {
            (index.position, index.following) = (at, true);
        }
        drop(index);
        self.access.forget();
        self.book.iter().for_each(|book| book.miss());
        // As if there were more: the next step looks at once.
        Ok(PAGE)
    }

    /// Tells of a page of events before any watcher sees them.
    async fn tell(&self, events: &[Event]) {
        let now = clock::now();
        for event in events {
            self.access.told(event.kind, &event.id, event.party.as_ref());
            self.book.iter().for_each(|book| book.hear(event, now));
        }
        if let Some(cache) = &self.cache {
            tell(cache.as_ref(), events).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the cache what a page of events, which is not empty as a rule, has made old.
async fn tell(cache: &dyn Cache, events: &[Event]) {
    let Some(last) = events.last() else { return };
    let views = events.iter().filter(|event| is_cached(event.kind));
    let views = views.map(|event| Stale { key: key(event.kind, &event.id), version: event.version });
    let stale: Vec<Stale> = views.chain(events.iter().flat_map(cached::stale_by)).collect();
    cache.follow(&stale, last.seq).await;
}

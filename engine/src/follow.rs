//! One subscription: history first, then live, in order, each event once.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use domain::{Audience, Event, Kind, Owner};
use drivers::Fault;

use crate::hub::{Hub, Published, Seat, Watch};

/// Events read from history at once.
const PAGE: usize = 500;

/// What a follower sees next.
#[derive(Clone, Debug)]
pub enum Item {
    /// The next event.
    Event(Arc<Published>),
    /// The reader was too slow and was cut off; everything up to `resume` was delivered. Nothing follows.
    Lagged {
        /// Open a new follower after this position, if it is still held.
        resume: u64,
    },
}

/// A subscription.
pub struct Follower {
    hub: Arc<Hub>,
    watch: Watch,
    /// What the account saw when history was read last.
    audience: Option<Audience>,
    seat: Option<Seat>,
    history: VecDeque<Event>,
    /// History is read up to here.
    read: u64,
    /// Everything up to here was delivered or is not for this reader.
    position: u64,
}

impl Follower {
    /// Resumes after the position `after`, or starts at the present end of the log.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn open(hub: &Arc<Hub>, watch: Watch, after: Option<u64>) -> Result<Self, Fault> {
        let mut follower = Self {
            hub: Arc::clone(hub),
            watch,
            audience: None,
            seat: None,
            history: VecDeque::new(),
            read: after.unwrap_or(0),
            position: after.unwrap_or(0),
        };
        if after.is_none() {
            let seat = hub.join(follower.watch.clone()).await?;
            // Not `seat.from`: what the hub has still to hand out is older than the request.
            (follower.read, follower.position) = (seat.now, seat.now);
            follower.seat = Some(seat);
        }
        Ok(follower)
    }

    /// One entity's whole history from its first version, then live, as far as the account sees it: see [`Watch`]. Where all
    /// of it was forgotten, the present state stands in its place.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn entity(hub: &Arc<Hub>, account: Option<Owner>, kind: Kind, id: &str) -> Result<Self, Fault> {
        let watch = Watch { account, kinds: vec![kind], ids: vec![id.to_owned()] };
        let seat = hub.join(watch.clone()).await?;
        let mut history = VecDeque::new();
        loop {
            let after = history.back().map_or(0, |e: &Event| e.version);
            let page = hub.journal.history(kind, id, after, PAGE).await?;
            let more = page.len() == PAGE;
            history.extend(page);
            if !more {
                break;
            }
        }
        if history.is_empty() {
            history.extend(present(hub, kind, id, seat.from).await?);
        }
        // Judged by what holds after the reading, so that no leave given before one of these events is overlooked.
        if let Some(account) = &watch.account {
            let audience = hub.access.audience_anew(account).await?;
            history.retain(|event| audience.sees_event(event));
        }
        // What the seat brings again is passed over by its position.
        let read = history.back().map_or(seat.from, |e| e.seq.max(seat.from));
        Ok(Self { hub: Arc::clone(hub), watch, audience: None, seat: Some(seat), history, read, position: 0 })
    }

    /// The last delivered position; resuming after it misses and repeats nothing.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The next item. Waits for ever while nothing happens; giving up and calling again loses nothing.
    ///
    /// # Errors
    /// Those of the journal; calling again goes on where it stopped.
    pub async fn next(&mut self) -> Result<Item, Fault> {
        loop {
            if let Some(event) = self.history.pop_front() {
                self.position = event.seq;
                return Ok(Item::Event(Arc::new(Published { event, envelope: OnceLock::new() })));
            }
            let behind = self.seat.as_ref().is_none_or(|seat| self.read < seat.from);
            if behind {
                if !self.catch_up().await? {
                    return Ok(Item::Lagged { resume: self.position });
                }
                continue;
            }
            self.position = self.position.max(self.read);
            let Some(seat) = self.seat.as_mut() else { continue };
            match seat.events.recv().await {
                // History had it already.
                Some(published) if published.event.seq <= self.position => {}
                Some(published) => {
                    self.position = published.event.seq;
                    return Ok(Item::Event(published));
                }
                None => return Ok(Item::Lagged { resume: self.position }),
            }
        }
    }

    /// Reads a page of history. Takes its seat only near the end of the log: a long way back must not fill its buffer.
    /// False if what comes next was forgotten.
    async fn catch_up(&mut self) -> Result<bool, Fault> {
        let page = self.page().await?;
        // In this order: the floor says what the page may have missed.
        if self.hub.journal.head().await?.floor > self.read {
            return Ok(false);
        }
        let end = page.len < PAGE;
        let last = page.last;
        match self.seat.as_ref().map(|seat| seat.from) {
            None if end => {
                let seat = self.hub.join(self.watch.clone()).await?;
                self.seat = Some(seat);
                self.read = last.unwrap_or(self.read);
            }
            // The page reached the end of the log, and so the seat's beginning.
            Some(from) if end => self.read = last.unwrap_or(from).max(from),
            _ => self.read = last.unwrap_or(self.read),
        }
        let watch = &self.watch;
        self.history.extend(page.seen.into_iter().filter(|event| watch.is_about(event)));
        Ok(true)
    }

    /// The next events of history that the account sees by what holds after they were read: so that no leave given before
    /// one of them is overlooked, and none is used that was taken back.
    async fn page(&mut self) -> Result<Page, Fault> {
        let Some(account) = &self.watch.account else {
            return Ok(Page::of(self.hub.journal.events(self.read, None, PAGE).await?));
        };
        let mut audience = match self.audience.take() {
            Some(audience) => audience,
            None => self.hub.access.audience(account).await?,
        };
        // Each turn but the last needs another seller who gave leave meanwhile.
        loop {
            let mut page = Page::of(self.hub.journal.events(self.read, Some(&audience), PAGE).await?);
            let now = self.hub.access.audience_anew(account).await?;
            let is_whole = now.sellers.iter().all(|seller| audience.sellers.binary_search(seller).is_ok());
            audience = now;
            if is_whole {
                page.seen.retain(|event| audience.sees_event(event));
                self.audience = Some(audience);
                return Ok(page);
            }
        }
    }
}

/// A page of history.
struct Page {
    seen: Vec<Event>,
    /// How many events were read, and where the last of them stands: seen or not.
    len: usize,
    last: Option<u64>,
}

impl Page {
    fn of(events: Vec<Event>) -> Self {
        Self { len: events.len(), last: events.last().map(|event| event.seq), seen: events }
    }
}

/// The entity's present state as its last event would tell of it; that event itself if it is held after all.
async fn present(hub: &Hub, kind: Kind, id: &str, at: u64) -> Result<Option<Event>, Fault> {
    let Some(entity) = hub.journal.entity(kind, id).await?.filter(|_| !kind.is_bookkeeping()) else { return Ok(None) };
    if let Some(event) = hub.journal.history(kind, id, entity.version - 1, 1).await?.pop() {
        return Ok(Some(event));
    }
    let view = domain::view::of_entity(&entity).map_err(|error| Fault::Broken(format!("{kind} {id}: {error}")))?;
    Ok(view.map(|body| Event {
        seq: at,
        kind,
        id: id.to_owned(),
        version: entity.version,
        type_: format!("{kind}.{}", entity.status),
        owner: entity.owner,
        party: entity.party,
        body,
        at: entity.updated_at,
    }))
}

//! The newest events that deliveries are made of, in memory: the relay leaves them here, and the deliverer of the same
//! process needs not read them again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Event;
use drivers::Fault;
use drivers::journal::Journal;

/// So many events are kept at most,
const MOST: usize = 8_192;
/// with bodies of so many bytes together.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Events read at once: who needs one mostly needs its neighbours.
const PAGE: usize = 200;
/// Pages that are read at the same time, at most.
const READERS: usize = 16;

/// Events by number.
pub(crate) struct Events {
    journal: Arc<dyn Journal>,
    held: Mutex<Held>,
    /// One reads a page, the others find what it read.
    reading: [tokio::sync::Mutex<()>; READERS],
}

#[derive(Default)]
struct Held {
    events: HashMap<u64, Arc<Event>>,
    /// Their numbers, the one that was kept first in front. Under a backlog the lowest were read last and are needed next, so
    /// it is not the numbers that say what to forget.
    order: VecDeque<u64>,
    bytes: usize,
}

impl Held {
    fn keep(&mut self, event: Event) {
        if self.events.contains_key(&event.seq) {
            return;
        }
        self.bytes += event.body.len();
        self.order.push_back(event.seq);
        self.events.insert(event.seq, Arc::new(event));
        while self.events.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.events.remove(&oldest).map_or(0, |oldest| oldest.body.len());
        }
    }
}

impl Events {
    pub(crate) fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal, held: Mutex::default(), reading: Default::default() }
    }

    /// Keeps an event for those who will ask for it.
    pub(crate) fn keep(&self, event: Event) {
        self.lock().keep(event);
    }

    /// The event of that number; none when it was forgotten.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn get(&self, seq: u64) -> Result<Option<Arc<Event>>, Fault> {
        if let Some(event) = self.held(seq) {
            return Ok(Some(event));
        }
        let page = seq / PAGE as u64;
        let _reading = self.reading[usize::try_from(page).unwrap_or(0) % READERS].lock().await;
        if let Some(event) = self.held(seq) {
            return Ok(Some(event));
        }
        let mut found = None;
        // From the page's first number on, whichever of it was asked for: so the page is read once.
        let before = (page * PAGE as u64).saturating_sub(1);
        for event in self.journal.events(before, None, PAGE).await? {
            if event.seq == seq {
                found = Some(Arc::new(event.clone()));
            }
            self.keep(event);
        }
        Ok(found)
    }

    fn held(&self, seq: u64) -> Option<Arc<Event>> {
        self.lock().events.get(&seq).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Kind, Owner, Timestamp};

    use super::*;

    fn event(seq: u64, bytes: usize) -> Event {
        Event {
            seq,
            kind: Kind::Swap,
            id: String::new(),
            version: 1,
            type_: String::new(),
            owner: Owner::default(),
            party: None,
            body: "x".repeat(bytes),
            at: Timestamp(0),
        }
    }

    #[test]
    fn what_was_just_read_is_kept_under_a_backlog_too() {
        let mut held = Held::default();
        let most = MOST as u64;
        for seq in 20_000..20_000 + most {
            held.keep(event(seq, 1));
        }
        for seq in (1..=200).chain(1..=200) {
            held.keep(event(seq, 1));
        }
        assert!((1..=200).all(|seq| held.events.contains_key(&seq)));
        assert!(!held.events.contains_key(&20_199) && held.events.contains_key(&20_200));
        assert_eq!((held.events.len(), held.order.len(), held.bytes), (MOST, MOST, MOST));
        held.keep(event(9_999, MOST_BYTES));
        assert_eq!((held.events.len(), held.order.len(), held.bytes), (1, 1, MOST_BYTES));
    }
}

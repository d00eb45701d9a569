//! Which of the program's own queues are paused: a row of the journal each, kept in memory for the loops to ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::switch::{PARENT, Switch};
use domain::{Change, Kind, Owner};
use drivers::journal::{Among, Journal, List};
use drivers::{Conflict, Fault};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{clock, observe};

/// What other processes switched is known here after this.
const EVERY: Duration = Duration::from_millis(500);
/// How long a loop waits for a journal that does not say how its queue stands.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// More switches than the program has queues.
const MOST: usize = 1_000;

/// The switches as far as this process knows them.
pub struct Paused {
    journal: Arc<dyn Journal>,
    held: Mutex<Held>,
    /// Nothing is paused, and that is known: what every claim asks first.
    all_run: AtomicBool,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Held {
    /// Whether the journal was asked at all.
    known: bool,
    /// Grows when something is switched here, so that what was read before is not kept.
    generation: u64,
    switches: HashMap<String, Switch>,
}

impl Paused {
    pub(crate) fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal, held: Mutex::default(), all_run: AtomicBool::new(false), changed: watch::Sender::new(0) }
    }

    /// Waits as long as the queue is paused; false when `stop` came meanwhile. What was switched in another process is known
    /// here within a second.
    pub(crate) async fn pass(&self, queue: &str, stop: &CancellationToken) -> bool {
        if self.all_run.load(Ordering::Acquire) {
            return true;
        }
        let mut changes = self.changed.subscribe();
        while self.rests(queue).await {
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return false,
            }
        }
        true
    }

    /// Whether the queue is paused, as far as is known without asking.
    pub(crate) fn is_paused(&self, queue: &str) -> bool {
        !self.all_run.load(Ordering::Acquire) && self.lock().switches.get(queue).is_some_and(|switch| switch.paused)
    }

    /// Whether the queue is paused; before anything is known nothing runs.
    async fn rests(&self, queue: &str) -> bool {
        if !self.lock().known
            && let Err(fault) = self.refresh().await
        {
            observe::fault("ask which queues are paused", &fault);
            tokio::time::sleep(ASK_AGAIN).await;
            return true;
        }
        self.is_paused(queue)
    }

    /// Looks until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            if let Err(fault) = self.refresh().await {
                observe::fault("ask which queues are paused", &fault);
            }
        }
    }

    async fn refresh(&self) -> Result<(), Fault> {
        let generation = self.lock().generation;
        let list = List {
            kind: Kind::Queue,
            among: vec![Among::Parent(PARENT.to_owned())],
            statuses: Vec::new(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after: None,
            newest_first: false,
            limit: MOST,
        };
        let page = self.journal.entities(list).await?;
        let mut switches = HashMap::new();
        for entity in &page.entities {
            switches.insert(entity.id.clone(), read(entity)?);
        }
        let mut held = self.lock();
        if held.generation == generation {
            (held.known, held.switches) = (true, switches);
            self.tell(&held);
        }
        Ok(())
    }

    /// How a queue stands in the journal.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn switch(&self, queue: &str) -> Result<Switch, Fault> {
        let entity = self.journal.entity(Kind::Queue, queue).await?;
        entity.as_ref().map_or_else(|| Ok(Switch::untouched(queue)), read)
    }

    /// Pauses a queue or lets it run again. This process claims no more of its jobs from the answer on, the others within a
    /// second; what is claimed already, or is just being claimed, comes to its end.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn turn(&self, queue: &str, paused: bool, by: &Owner) -> Result<Switch, Fault> {
        loop {
            let switch = self.switch(queue).await?;
            let now = clock::now();
            let Some(turned) = switch.turned(paused, by, now) else {
                self.note(&switch);
                return Ok(switch);
            };
            let change = Change { at: now, entities: vec![turned.write()], ..Change::default() };
            match self.journal.apply(change).await {
                Ok(_) => {
                    self.note(&turned);
                    return Ok(turned);
                }
                // Another was faster: look again.
                Err(Fault::Conflict(Conflict::Version { .. } | Conflict::Exists { .. })) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    fn note(&self, switch: &Switch) {
        let mut held = self.lock();
        held.generation += 1;
        if held.switches.get(&switch.queue).is_none_or(|known| known.version <= switch.version) {
            held.switches.insert(switch.queue.clone(), switch.clone());
        }
        self.tell(&held);
    }

    fn tell(&self, held: &Held) {
        let all_run = held.known && !held.switches.values().any(|switch| switch.paused);
        self.all_run.store(all_run, Ordering::Release);
        self.changed.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(entity: &domain::Entity) -> Result<Switch, Fault> {
    Switch::from_entity(entity).map_err(|error| Fault::Broken(format!("queue {}: {error}", entity.id)))
}

//! Tells an account's queue `shop-events.fifo`, where there is one, of what happens to its orders: in the change that makes it
//! happen, so that neither is without the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::queue::{Outgoing, Queue, id_of};
use domain::shop::command::{self, EVENTS, Source};
use domain::{Change, Given, Kind, Owner, Refusal};
use drivers::Fault;
use drivers::journal::Journal;

use crate::observe;

/// So many accounts' queues are remembered at most.
const LIMIT: usize = 10_000;

/// What is known of a queue: that it is there, or that it was not at a version.
#[derive(Clone)]
enum Known {
    There(Arc<Queue>),
    /// 0 where there was none ever.
    Gone(u64),
}

/// Remembers the accounts' queues for as long as it likes: a change that goes by what is remembered is given the version, and
/// meets a conflict when that is an old one.
pub(crate) struct Announcer {
    journal: Arc<dyn Journal>,
    known: Mutex<HashMap<String, Known>>,
}

impl Announcer {
    pub(crate) fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal, known: Mutex::default() }
    }

    /// Adds to a change what tells of the shop orders that it writes.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn tell(&self, change: &mut Change, source: Option<&Source>) -> Result<(), Fault> {
        let at = change.at;
        let written = change.entities.iter().filter(|write| write.kind == Kind::ShopOrder);
        let told = written.filter_map(|write| {
            let event = write.event.as_ref()?;
            let outgoing = command::changed(&write.id, write.expect.next_version(), event, source, at);
            Some((write.owner.clone(), outgoing))
        });
        for (account, outgoing) in told.collect::<Vec<_>>() {
            self.send(change, &account, outgoing).await?;
        }
        Ok(())
    }

    /// Adds to a change what tells of a command that it refuses.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn tell_refused(
        &self,
        change: &mut Change,
        account: &Owner,
        source: &Source,
        refusal: &Refusal,
    ) -> Result<(), Fault> {
        let outgoing = command::refused(source, refusal, change.at);
        self.send(change, account, outgoing).await
    }

    async fn send(&self, change: &mut Change, account: &Owner, outgoing: Outgoing) -> Result<(), Fault> {
        let id = id_of(account, EVENTS);
        match self.queue(&id).await? {
            Known::Gone(version) => change.given.push(Given { kind: Kind::Queue, id, version }),
            Known::There(queue) => {
                // What its owner's limits do not let in is not told; the order does not depend on it.
                match queue.job(&outgoing, change.at) {
                    Ok(job) => change.jobs.push(job),
                    Err(refusal) => observe::order_not_told(account, &refusal.to_string()),
                }
                change.given.push(queue.given());
            }
        }
        Ok(())
    }

    /// Forgets what it knows of a queue.
    pub(crate) fn look_again(&self, id: &str) {
        self.known().remove(id);
    }

    async fn queue(&self, id: &str) -> Result<Known, Fault> {
        let found = self.known().get(id).cloned();
        if let Some(known) = found {
            return Ok(known);
        }
        let known = match self.journal.entity(Kind::Queue, id).await? {
            None => Known::Gone(0),
            Some(entity) => {
                let queue = Queue::from_entity(&entity);
                let queue = queue.map_err(|error| Fault::Broken(format!("queue {id}: {error}")))?;
                if queue.is_active() { Known::There(Arc::new(queue)) } else { Known::Gone(queue.version) }
            }
        };
        let mut all = self.known();
        if all.len() >= LIMIT {
            all.clear();
        }
        all.insert(id.to_owned(), known.clone());
        Ok(known)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Who may do and see what: keys and authorisations, kept in memory and forgotten the moment they change.
//!
//! Two tell of changes: `telling` of this process's own commits before they are answered, and the hub of what others
//! committed. A value that was being read meanwhile is not kept.

mod keys;
mod used;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use domain::{Audience, Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, Journal, List};
use tokio::sync::{mpsc, watch};

use crate::hub::Hub;

pub use keys::{Principal, Recalled, any_key};

/// The most sellers that one account is authorised by.
pub const MOST_SELLERS: usize = 1_000;
/// More accounts in memory are forgotten.
const MOST_KNOWN: usize = 100_000;

/// What is known of who may do what.
pub struct Access {
    journal: Arc<dyn Journal>,
    known: Mutex<Known>,
    keys: keys::Keys,
    changes: watch::Sender<u64>,
    /// Where others write too, what they changed is heard of here.
    hub: OnceLock<Weak<Hub>>,
    uses: mpsc::Sender<used::Use>,
    waiting: used::Waiting,
}

#[derive(Default)]
struct Known {
    /// Grows with every change.
    generation: u64,
    sellers: HashMap<Owner, Arc<[Owner]>>,
}

impl Access {
    /// Over `journal`, with nothing known yet.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        let (uses, waiting) = used::queue();
        let (known, keys, hub) = (Mutex::default(), keys::Keys::default(), OnceLock::new());
        Self { journal, known, keys, changes: watch::Sender::new(0), hub, uses, waiting }
    }

    /// From now on memory counts only while `hub` has heard of everything: others write to the journal too.
    pub(crate) fn listen_to(&self, hub: &Arc<Hub>) {
        // There is one hub.
        let _ = self.hub.set(Arc::downgrade(hub));
    }

    /// Changes with every key and authorisation that changes: open streams look again whether they may go on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What an account may see now. Where others write too the journal is asked: a seller's word counts on every node from
    /// the moment it is answered.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn audience(&self, account: &Owner) -> Result<Audience, Fault> {
        if self.hub.get().is_none()
            && let Some(sellers) = self.lock().sellers.get(account)
        {
            return Ok(Audience { account: account.clone(), sellers: Arc::clone(sellers) });
        }
        self.audience_anew(account).await
    }

    /// The same as the journal has it at this moment.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn audience_anew(&self, account: &Owner) -> Result<Audience, Fault> {
        let generation = self.lock().generation;
        let mut list = List {
            kind: Kind::Authorisation,
            among: vec![Among::Party(account.clone())],
            statuses: vec!["active".to_owned()],
            fields: Vec::new(),
            ranges: Vec::new(),
            after: None,
            newest_first: false,
            limit: MOST_SELLERS,
        };
        let mut sellers: Vec<Owner> = Vec::new();
        while sellers.len() < MOST_SELLERS {
            // Among many that were taken back a page is short long before the end.
            let page = self.journal.entities(list.clone()).await?;
            sellers.extend(page.entities.into_iter().map(|entity| entity.owner));
            let Some(next) = page.next else { break };
            list.after = Some(next);
        }
        sellers.sort_unstable();
        let sellers: Arc<[Owner]> = sellers.into();
        let mut known = self.lock();
        if known.generation == generation {
            if known.sellers.len() >= MOST_KNOWN {
                known.sellers.clear();
            }
            known.sellers.insert(account.clone(), Arc::clone(&sellers));
        }
        Ok(Audience { account: account.clone(), sellers })
    }

    /// Something of `kind` changed that concerns `party`.
    pub(crate) fn told(&self, kind: Kind, id: &str, party: Option<&Owner>) {
        match kind {
            Kind::Key => self.keys.told(id),
            Kind::Authorisation => {}
            _ => return,
        }
        let generation = {
            let mut known = self.lock();
            known.generation += 1;
            if let Some(party) = party {
                known.sellers.remove(party);
            }
            known.generation
        };
        self.changes.send_replace(generation);
    }

    /// Forgets everything: there may have been changes that nobody told of.
    pub(crate) fn forget(&self) {
        self.keys.forget();
        let generation = {
            let mut known = self.lock();
            known.generation += 1;
            known.sellers.clear();
            known.generation
        };
        self.changes.send_replace(generation);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

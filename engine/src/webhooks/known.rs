//! Endpoints with their secrets open, kept in memory for a moment: many deliveries go to the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::webhook::delivery::About;
use domain::webhook::endpoint::Endpoint;
use domain::webhook::sign::Secret;
use domain::{Audience, Kind, Timestamp};
use drivers::Fault;
use drivers::journal::Journal;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::access::Access;
use crate::observe;
use crate::seal::Seal;

/// How old what is known may be. What this process changes itself is looked up at once.
const FRESH: Duration = Duration::from_millis(250);
/// More are forgotten together.
const MOST: usize = 10_000;

/// What is known of endpoints.
pub(crate) struct Known {
    journal: Arc<dyn Journal>,
    access: Arc<Access>,
    seal: Arc<Seal>,
    /// Whether this process makes every change there is, so that `access` has heard of it; else it is asked to look again.
    alone: bool,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Grows whenever something is to be looked up again: what was being read meanwhile is not kept.
    generation: u64,
    ready: HashMap<String, (Instant, Arc<Ready>)>,
}

/// An endpoint that can be sent to.
pub(crate) struct Ready {
    pub(crate) endpoint: Endpoint,
    /// Its secrets and until when each signs, newest first.
    secrets: Vec<(Secret, Option<Timestamp>)>,
    audience: OnceCell<Audience>,
}

impl Ready {
    /// The secrets that sign at `now`, the newest first.
    pub(crate) fn signing(&self, now: Timestamp) -> Vec<Secret> {
        let signing = self.secrets.iter().filter(|(_, until)| until.is_none_or(|until| until > now));
        signing.map(|(secret, _)| secret.clone()).collect()
    }
}

impl Known {
    pub(crate) fn new(journal: Arc<dyn Journal>, access: Arc<Access>, seal: Arc<Seal>) -> Self {
        let alone = !journal.shared();
        Self { journal, access, seal, alone, held: Mutex::default() }
    }

    /// The endpoint of that id, as it was a moment ago.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn get(&self, id: &str) -> Result<Option<Arc<Ready>>, Fault> {
        let known =
            self.lock().ready.get(id).filter(|(since, _)| since.elapsed() < FRESH).map(|(_, ready)| Arc::clone(ready));
        match known {
            Some(ready) => Ok(Some(ready)),
            None => self.get_anew(id).await,
        }
    }

    /// The endpoint of that id, as it is now.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn get_anew(&self, id: &str) -> Result<Option<Arc<Ready>>, Fault> {
        let (generation, since) = (self.lock().generation, Instant::now());
        let Some(entity) = self.journal.entity(Kind::Endpoint, id).await? else { return Ok(None) };
        let endpoint =
            Endpoint::from_entity(&entity).map_err(|error| Fault::Broken(format!("webhook.endpoint {id}: {error}")))?;
        let ready = Arc::new(self.open(endpoint));
        let mut held = self.lock();
        let newest = held.ready.get(id).is_none_or(|(kept, _)| *kept <= since);
        if held.generation == generation && newest {
            if held.ready.len() >= MOST {
                held.ready.clear();
            }
            held.ready.insert(id.to_owned(), (since, Arc::clone(&ready)));
        }
        Ok(Some(ready))
    }

    /// Looks it up again the next time.
    pub(crate) fn forget(&self, id: &str) {
        let mut held = self.lock();
        held.generation += 1;
        held.ready.remove(id);
    }

    /// Whether the endpoint's account may see what a delivery tells of.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn may_see(&self, ready: &Ready, about: &About) -> Result<bool, Fault> {
        let account = &ready.endpoint.account;
        if about.owner == *account || about.party.as_ref() == Some(account) {
            return Ok(true);
        }
        let Some(kind) = Kind::parse(&about.kind) else { return Ok(false) };
        let sees = |audience: &Audience| audience.sees(kind, &about.owner, about.party.as_ref());
        if self.alone {
            // A yes holds: memory hears of every leave that is taken back before that is answered. A no may be older than
            // the leave that was just given.
            return Ok(sees(&self.access.audience(account).await?) || sees(&self.access.audience_anew(account).await?));
        }
        Ok(sees(ready.audience.get_or_try_init(|| self.access.audience_anew(account)).await?))
    }

    fn open(&self, endpoint: Endpoint) -> Ready {
        let open = |sealed: &str| self.seal.open(sealed, &endpoint.id).and_then(|plain| Secret::new(&plain));
        let opened = endpoint.secrets.iter().filter_map(|kept| Some((open(&kept.sealed)?, kept.until)));
        let secrets: Vec<_> = opened.collect();
        if secrets.len() < endpoint.secrets.len() {
            observe::broken("a webhook's secret does not open", &endpoint.id, "is --secret the one it was made with?");
        }
        Ready { endpoint, secrets, audience: OnceCell::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

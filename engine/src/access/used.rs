//! When keys were last used: written off the path of requests, at most once a minute per key.

use std::sync::{Mutex, PoisonError};

use domain::{Change, Entity, EntityWrite, Expect, Kind, Owner, Timestamp};
use drivers::Fault;
use drivers::journal::Journal;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Access;
use super::keys::NOTED_EVERY;
use crate::observe;

/// Uses that wait to be written; more are not written.
const WAITING: usize = 1_024;

/// That a key was used.
pub(super) struct Use {
    pub(super) key: String,
    pub(super) account: Owner,
    pub(super) at: Timestamp,
}

/// What the journal keeps of it.
#[derive(Serialize, Deserialize)]
struct Noted {
    at: Timestamp,
}

fn at(noted: &Entity) -> Option<Timestamp> {
    serde_json::from_str::<Noted>(&noted.body).ok().map(|noted| noted.at)
}

/// The uses that wait, until the loop takes them.
pub(super) type Waiting = Mutex<Option<mpsc::Receiver<Use>>>;

pub(super) fn queue() -> (mpsc::Sender<Use>, Waiting) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (sender, Mutex::new(Some(receiver)))
}

impl Access {
    /// Writes uses down until `stop`.
    pub(crate) async fn write_uses(self: std::sync::Arc<Self>, stop: CancellationToken) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return };
        loop {
            let used = tokio::select! {
                used = waiting.recv() => used,
                () = stop.cancelled() => None,
            };
            let Some(used) = used else { return };
            // A use that is not written is no loss: the next is.
            if let Err(fault) = write(self.journal.as_ref(), &used).await
                && !matches!(fault, Fault::Conflict(_))
            {
                observe::fault("note a key's use", &fault);
            }
        }
    }

    /// When a key was last used, to the minute.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn last_used(&self, key: &str) -> Result<Option<Timestamp>, Fault> {
        let noted = self.journal.entity(Kind::KeyUse, key).await?;
        Ok(noted.and_then(|noted| at(&noted)))
    }
}

async fn write(journal: &dyn Journal, used: &Use) -> Result<(), Fault> {
    let noted = journal.entity(Kind::KeyUse, &used.key).await?;
    let before = noted.as_ref().and_then(at);
    // Another process, or this one before it forgot, has just written it.
    if before.is_some_and(|before| used.at.0.saturating_sub(before.0) < NOTED_EVERY) {
        return Ok(());
    }
    let write = EntityWrite {
        kind: Kind::KeyUse,
        id: used.key.clone(),
        expect: noted.map_or(Expect::Absent, |noted| Expect::Version(noted.version)),
        status: "used",
        owner: used.account.clone(),
        party: None,
        parent: None,
        body: serde_json::to_string(&Noted { at: used.at }).unwrap_or_default(),
        event: None,
    };
    journal.apply(Change { at: used.at, entities: vec![write], ..Change::default() }).await.map(drop)
}

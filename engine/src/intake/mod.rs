//! Takes commands in: decides, applies, answers; a command that met another is decided again until its deadline.

mod announce;
mod authorisations;
mod bids;
mod commands;
mod deals;
mod keys;
mod plans;
mod recorded;
mod risk;
mod shop;
mod swaps;
mod webhooks;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use domain::shop::command::Source;
use domain::swap::KEEP_REQUEST_KEYS_MICROS;
use domain::{Change, Key, Kind, MessageStep, Refusal, Timestamp};
use drivers::journal::Journal;
use drivers::{Conflict, Fault, KeyHeld};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::clock;
use crate::observe::Metrics;
use crate::risk::Risk;

pub(crate) use announce::Announcer;
pub use commands::{Command, CommandError, Queued};
pub use deals::Target;
pub use keys::{Issued, Requester, entropy};

/// A caller's idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Principal and route: `swaps.create:<account>`.
    pub scope: String,
    /// As the caller sent it, at most 255 bytes.
    pub key: String,
    /// SHA-256 of the canonical request.
    pub fingerprint: [u8; 32],
}

impl RequestKey {
    /// The key as the journal keeps it, for an entity at a version.
    fn leads_to(&self, kind: Kind, id: &str, version: u64, now: Timestamp) -> Key {
        Key {
            scope: self.scope.clone(),
            key: self.key.clone(),
            fingerprint: Some(self.fingerprint),
            kind,
            id: id.to_owned(),
            version,
            expires_at: Some(now.plus_micros(KEEP_REQUEST_KEYS_MICROS)),
        }
    }
}

/// A message that holds a command: it is deleted by the change that the command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// What is told of it.
    pub(crate) source: Source,
    /// What deletes it.
    pub(crate) deletion: MessageStep,
}

/// How a command came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    request: Option<RequestKey>,
    message: Option<Held>,
}

impl From<Option<RequestKey>> for Origin {
    fn from(request: Option<RequestKey>) -> Self {
        Self { request, message: None }
    }
}

impl From<Held> for Origin {
    fn from(message: Held) -> Self {
        Self { request: None, message: Some(message) }
    }
}

/// A command that was taken: on disk, with its events and jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The entity's id.
    pub id: String,
    /// Its version after the command.
    pub version: u64,
    /// Its public view then, as JSON. A replay whose event is no longer held (`--keep-events`), or is an endpoint's and does not
    /// show all, has version and view of now.
    pub view: String,
    /// An earlier request with the same key did it.
    pub replayed: bool,
}

/// What is to be done, and what the caller is answered when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What the journal is to apply; a change without anything is applied too, and keeps the request's key.
    pub change: Change,
    /// The entity that the caller asked about.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its version after the change.
    pub version: u64,
    /// Its public view then, as JSON.
    pub view: String,
}

/// Why a command was not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IntakeError {
    /// The rules say no.
    #[error(transparent)]
    Refused(Refusal),
    /// Not there, or not the caller's.
    #[error("not found")]
    NotFound,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A name that must be unique is taken.
    #[error("{code}")]
    Duplicate {
        /// `DUPLICATE_CLIENT_ORDER_ID`.
        code: &'static str,
        /// The field as a JSON pointer.
        pointer: &'static str,
        /// Whose it is: the entity's id.
        id: String,
    },
    /// The journal failed.
    #[error(transparent)]
    Fault(Fault),
    /// The deadline passed; whether it was taken is unknown: ask again with the same key.
    #[error("the deadline passed")]
    Timeout,
}

impl From<Refusal> for IntakeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for IntakeError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// How long a command may take, conflicts included.
const DEADLINE: Duration = Duration::from_secs(10);
/// Commands on one entity wait for each other here rather than collide in the journal.
const STRIPES: usize = 64;

/// The way in for commands.
pub struct Intake {
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
    stripes: [Mutex<()>; STRIPES],
    announcer: Announcer,
    risk: Arc<Risk>,
}

/// A new entity id: UUID v7 text, so that ids follow time.
#[must_use]
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl Intake {
    /// An intake into `journal`, on which no engine works in this process; it knows the built-in tokens.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, metrics: Arc<Metrics>) -> Self {
        let risk = Arc::new(Risk::new(Arc::clone(&journal), Arc::default(), Arc::clone(&metrics)));
        Self::with(journal, metrics, risk)
    }

    pub(crate) fn with(journal: Arc<dyn Journal>, metrics: Arc<Metrics>, risk: Arc<Risk>) -> Self {
        let announcer = Announcer::new(Arc::clone(&journal));
        Self { journal, metrics, stripes: [const { Mutex::const_new(()) }; STRIPES], announcer, risk }
    }

    /// Decides and applies until it holds: a decision that met another one is taken again on what is there now. With a request
    /// key a second call answers as the first did. Commands with the same `turn`, an entity's id, go one after the other.
    ///
    /// # Errors
    /// See [`IntakeError`]; a refusal keeps no key.
    pub async fn decide<D>(
        &self,
        turn: &str,
        origin: impl Into<Origin>,
        decide: impl Fn(Timestamp) -> D,
    ) -> Result<Taken, IntakeError>
    where
        D: Future<Output = Result<Decision, IntakeError>>,
    {
        let Origin { request, message } = origin.into();
        let work = async {
            let _turn = self.turn(turn).await;
            loop {
                let now = clock::now();
                let Decision { mut change, kind, id, version, view } = match decide(now).await {
                    Ok(decision) => decision,
                    // What is refused now may have been taken before.
                    Err(error) => return self.replay_or(request.clone(), error).await,
                };
                // First, so that a replay is seen as one before anything else is seen as taken.
                change.keys.extend(request.as_ref().map(|request| request.leads_to(kind, &id, version, now)));
                change.keys.rotate_right(usize::from(request.is_some()));
                change.messages.extend(message.iter().map(|held| held.deletion.clone()));
                self.announcer.tell(&mut change, message.as_ref().map(|held| &held.source)).await?;
                match self.journal.apply(change).await {
                    Ok(_) => return Ok(Taken { id, version, view, replayed: false }),
                    // The queue that is told is another one by now.
                    Err(Fault::Conflict(Conflict::Version { kind: Kind::Queue, id })) => self.announcer.look_again(&id),
                    // Another was faster: look again.
                    Err(Fault::Conflict(Conflict::Version { .. } | Conflict::Exists { .. })) => {}
                    // A count goes by what was there: that moved meanwhile.
                    Err(Fault::Conflict(Conflict::Level { .. })) if kind == Kind::Stock => {}
                    Err(Fault::Conflict(Conflict::Key(held))) => return self.key_held(held, request.as_ref()).await,
                    Err(Fault::Conflict(conflict)) if let Some(refusal) = shop::level_refused(&conflict) => {
                        return self.replay_or(request.clone(), refusal.into()).await;
                    }
                    Err(fault) => return Err(fault.into()),
                }
            }
        };
        within_deadline(work).await
    }

    /// What may be traded, as orders are judged by it.
    #[must_use]
    pub fn risk(&self) -> &Risk {
        &self.risk
    }

    /// What tells of orders.
    pub(crate) const fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    async fn turn(&self, id: &str) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0);
        self.stripes[stripe].lock().await
    }

    async fn replay_or(&self, request: Option<RequestKey>, error: IntakeError) -> Result<Taken, IntakeError> {
        let Some(request) = request else { return Err(error) };
        match self.journal.key(&request.scope, &request.key, clock::now()).await? {
            Some(held) => self.key_held(held, Some(&request)).await,
            None => Err(error),
        }
    }

    async fn key_held(&self, held: KeyHeld, request: Option<&RequestKey>) -> Result<Taken, IntakeError> {
        let Some(request) = request.filter(|r| r.scope == held.scope) else {
            let (code, pointer) = match held.kind {
                Kind::ShopOrder => ("DUPLICATE_EXTERNAL_REFERENCE", "/externalReference"),
                _ => ("DUPLICATE_CLIENT_ORDER_ID", "/clientOrderId"),
            };
            return Err(IntakeError::Duplicate { code, pointer, id: held.id });
        };
        if held.fingerprint != Some(request.fingerprint) {
            return Err(IntakeError::KeyReused);
        }
        let history = match held.kind {
            // Its events do not show its whole URL, as its account sees it.
            Kind::Endpoint => Vec::new(),
            _ => self.journal.history(held.kind, &held.id, held.version - 1, 1).await?,
        };
        let event = history.into_iter().next().filter(|e| e.version == held.version);
        let (version, view) = match event {
            Some(event) => (held.version, domain::view::of_event(&event.body)),
            None => self.as_it_is_now(&held).await?,
        };
        self.metrics.replayed();
        Ok(Taken { id: held.id, version, view, replayed: true })
    }

    /// What a key led to where its event was forgotten or does not show all: the entity itself, as it is now.
    async fn as_it_is_now(&self, held: &KeyHeld) -> Result<(u64, String), Fault> {
        let broken = |why: &str| Fault::Broken(format!("the key of {} {}: {why}", held.kind, held.id));
        let entity = self.journal.entity(held.kind, &held.id).await?.ok_or_else(|| broken("it does not exist"))?;
        let view = domain::view::of_entity(&entity).map_err(|error| broken(&error.to_string()))?;
        Ok((entity.version, view.ok_or_else(|| broken("it has no public view"))?))
    }
}

/// Boxed, so that the futures of handlers, which are moved about, stay small.
fn within_deadline<T>(
    work: impl Future<Output = Result<T, IntakeError>>,
) -> impl Future<Output = Result<T, IntakeError>> {
    let timed = tokio::time::timeout(DEADLINE, Box::pin(work));
    async move { timed.await.unwrap_or(Err(IntakeError::Timeout)) }
}

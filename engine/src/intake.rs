//! Takes commands in: decides, applies, answers; a command that met another is decided again until its deadline.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use domain::swap::{KEEP_REQUEST_KEYS_MICROS, Place, Status, Swap, accept, cancel};
use domain::{Change, Key, Kind, Owner, Refusal, Timestamp};
use drivers::journal::Journal;
use drivers::{Conflict, Fault, KeyHeld};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::clock;
use crate::observe::Metrics;

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

/// A command that was taken: on disk, with its events and jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The entity's id.
    pub id: String,
    /// Its version after the command.
    pub version: u64,
    /// Its public view then, as JSON. A replay whose event is no longer held (`--keep-events`) has version and view of now.
    pub view: String,
    /// An earlier request with the same key did it.
    pub replayed: bool,
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
}

/// A new entity id: UUID v7 text, so that ids follow time.
#[must_use]
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl Intake {
    /// An intake into `journal`.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, metrics: Arc<Metrics>) -> Self {
        Self { journal, metrics, stripes: [const { Mutex::const_new(()) }; STRIPES] }
    }

    /// Takes a swap order in. With a request key a second call answers the first one's order.
    ///
    /// # Errors
    /// See [`IntakeError`]; a refusal keeps no key.
    pub async fn place(&self, place: Place, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        within_deadline(self.place_now(place, request)).await
    }

    async fn place_now(&self, place: Place, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let mut choice = match accept(place, clock::now()) {
            Ok(choice) => choice,
            // What is refused now may have been taken before: its expiry was still ahead then.
            Err(refusal) => return self.replay_or(request, IntakeError::Refused(refusal)).await,
        };
        // First, so that a replay is seen as one before the client's own order id is seen as taken.
        choice.change.keys.extend(request.as_ref().map(|r| key(r, &choice.swap, choice.swap.updated_at)));
        choice.change.keys.rotate_right(usize::from(request.is_some()));
        let event = choice.change.entities.first().and_then(|e| e.event.as_ref());
        let view = event.map(|e| Swap::view_of_event(&e.body)).unwrap_or_default();
        match self.journal.apply(choice.change).await {
            Ok(_) => {
                self.metrics.swap_taken();
                Ok(Taken { id: choice.swap.id, version: choice.swap.version, view, replayed: false })
            }
            Err(Fault::Conflict(Conflict::Key(held))) => self.key_held(held, request.as_ref()).await,
            Err(fault) => Err(fault.into()),
        }
    }

    /// Withdraws an order that is pending or routing. Cancelling a cancelled order answers it again, and takes the key
    /// that came with it.
    ///
    /// # Errors
    /// `NotFound`; `Refused` with `NOT_CANCELLABLE`; see [`IntakeError`].
    pub async fn cancel(&self, account: &Owner, id: &str, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        within_deadline(self.cancel_now(account, id, request)).await
    }

    async fn cancel_now(&self, account: &Owner, id: &str, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let _turn = self.turn(id).await;
        loop {
            let entity = self.journal.entity(Kind::Swap, id).await?.filter(|e| e.owner == *account);
            let entity = entity.ok_or(IntakeError::NotFound)?;
            let swap = Swap::from_entity(&entity).map_err(|e| Fault::Broken(format!("swap {id}: {e}")))?;
            if swap.status == Status::Cancelled {
                return self.cancelled_before(&swap, request).await;
            }
            let mut choice = match cancel(&swap, clock::now()) {
                Ok(choice) => choice,
                Err(refusal) => return self.replay_or(request, IntakeError::Refused(refusal)).await,
            };
            choice.change.keys.extend(request.as_ref().map(|r| key(r, &choice.swap, choice.swap.updated_at)));
            match self.journal.apply(choice.change).await {
                Ok(_) => {
                    self.metrics.swap_ended(Status::Cancelled);
                    let view = choice.swap.view_json();
                    return Ok(Taken { id: choice.swap.id, version: choice.swap.version, view, replayed: false });
                }
                // A worker was faster: look again.
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(Fault::Conflict(Conflict::Key(held))) => return self.key_held(held, request.as_ref()).await,
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Changes nothing, but takes the key, so that it cannot serve another request.
    async fn cancelled_before(&self, swap: &Swap, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let taken = Taken { id: swap.id.clone(), version: swap.version, view: swap.view_json(), replayed: true };
        let Some(request) = request else { return Ok(taken) };
        let now = clock::now();
        if let Some(held) = self.journal.key(&request.scope, &request.key, now).await? {
            return self.key_held(held, Some(&request)).await;
        }
        let change = Change { at: now, keys: vec![key(&request, swap, now)], ..Change::default() };
        match self.journal.apply(change).await {
            Ok(_) => Ok(taken),
            Err(Fault::Conflict(Conflict::Key(held))) => self.key_held(held, Some(&request)).await,
            Err(fault) => Err(fault.into()),
        }
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
            let (code, pointer) = ("DUPLICATE_CLIENT_ORDER_ID", "/clientOrderId");
            return Err(IntakeError::Duplicate { code, pointer, id: held.id });
        };
        if held.fingerprint != Some(request.fingerprint) {
            return Err(IntakeError::KeyReused);
        }
        let history = self.journal.history(held.kind, &held.id, held.version - 1, 1).await?;
        let event = history.into_iter().next().filter(|e| e.version == held.version);
        let (version, view) = match event {
            Some(event) => (held.version, Swap::view_of_event(&event.body)),
            None => self.as_it_is_now(&held).await?,
        };
        self.metrics.replayed();
        Ok(Taken { id: held.id, version, view, replayed: true })
    }

    /// What a key led to where its event was forgotten: the order itself, as it is now.
    async fn as_it_is_now(&self, held: &KeyHeld) -> Result<(u64, String), Fault> {
        let broken = |why: &str| Fault::Broken(format!("the key of {} {}: {why}", held.kind, held.id));
        let entity = self.journal.entity(held.kind, &held.id).await?.ok_or_else(|| broken("it does not exist"))?;
        let swap = Swap::from_entity(&entity).map_err(|error| broken(&error.to_string()))?;
        Ok((swap.version, swap.view_json()))
    }
}

/// Boxed, so that the futures of handlers, which are moved about, stay small.
fn within_deadline<T>(
    work: impl Future<Output = Result<T, IntakeError>>,
) -> impl Future<Output = Result<T, IntakeError>> {
    let timed = tokio::time::timeout(DEADLINE, Box::pin(work));
    async move { timed.await.unwrap_or(Err(IntakeError::Timeout)) }
}

fn key(request: &RequestKey, swap: &Swap, now: Timestamp) -> Key {
    Key {
        scope: request.scope.clone(),
        key: request.key.clone(),
        fingerprint: Some(request.fingerprint),
        kind: Kind::Swap,
        id: swap.id.clone(),
        version: swap.version,
        expires_at: Some(now.plus_micros(KEEP_REQUEST_KEYS_MICROS)),
    }
}

//! What may be traded now: the trading state and the limits of accounts, kept in memory for every order to be judged by.
//!
//! All of it hangs on one row, the book, which changes with any of it. Memory counts for one version of the book; an order that
//! was judged by it names that version, so that a change at the same moment makes it a conflict, and it is judged anew. As long
//! as nothing was ever set in a journal of this process alone there is nothing to name, and an order costs what it did.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::risk::{self, ALL_OTHERS, BOOK, Limits, Reserved, State, Status, TRADING, Terms, Trading};
use domain::swap::{Ask, Choice, Place, accept_within};
use domain::token::Registry;
use domain::{Entity, Kind, Owner, Refusal, Timestamp};
use drivers::journal::Journal;
use drivers::{Conflict, Fault};
use tokio_util::sync::CancellationToken;

use crate::intake::IntakeError;
use crate::observe::{self, Metrics};

/// What other processes set is known here after this.
const EVERY: Duration = Duration::from_millis(500);
/// How long a loop waits for a journal that does not say how things stand.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// More accounts in memory are forgotten.
const MOST_KNOWN: usize = 100_000;
/// An order that must not trade now is looked at again after this,
const LATER_MILLIS: i64 = 1_000;
/// with so much between any two of them, so that however many wait, others get their turn,
const APART_MICROS: i64 = 5_000;
/// and no later than this.
const LATEST_MILLIS: i64 = 30_000;

/// Limits and trading state as far as this process knows them.
pub struct Risk {
    journal: Arc<dyn Journal>,
    tokens: Arc<Registry>,
    metrics: Arc<Metrics>,
    held: Mutex<Option<Held>>,
    /// When the order that was put off last is to be looked at again.
    put_off: AtomicI64,
}

/// What is known, of one version of the book.
struct Held {
    version: u64,
    state: State,
    limits: HashMap<Owner, Option<Arc<Terms>>>,
}

/// What a conflict says that a change with an order met.
pub(crate) enum Met {
    /// Limits or state changed meanwhile: judge again.
    Change,
    /// The day has no room for the order.
    Limit(Refusal),
    /// Nothing of here.
    Else,
}

impl Risk {
    pub(crate) fn new(journal: Arc<dyn Journal>, tokens: Arc<Registry>, metrics: Arc<Metrics>) -> Self {
        Self { journal, tokens, metrics, held: Mutex::default(), put_off: AtomicI64::new(0) }
    }

    /// Judges an order by the trading state and its account's limits, and takes it in: the change takes its share of the day's
    /// limit. Whoever applies it asks [`Risk::met`] about its conflicts.
    ///
    /// # Errors
    /// Those of [`State::judge`], [`risk::judge`] and [`domain::swap::accept`]; the journal's.
    pub(crate) async fn accept(&self, place: &Place, now: Timestamp) -> Result<Choice, IntakeError> {
        loop {
            let (version, state) = self.standing().await?;
            match self.judge(place, (version, state), now).await {
                // What is refused by what is known may be so no longer.
                Err(IntakeError::Refused(refusal)) => {
                    self.refresh().await?;
                    if self.standing().await?.0 == version {
                        return Err(refusal.into());
                    }
                }
                judged => return judged,
            }
        }
    }

    async fn judge(
        &self,
        place: &Place,
        (version, state): (u64, State),
        now: Timestamp,
    ) -> Result<Choice, IntakeError> {
        // Nobody else sets anything here, and what this process sets it knows before it answers.
        if version == 0 && !self.journal.shared() {
            return Ok(accept_within(place.clone(), Reserved::default(), now)?);
        }
        state.judge(&place.ask, &self.tokens)?;
        let limits = if version == 0 { None } else { self.limits(&place.account).await? };
        let reserved = match limits {
            Some(limits) => risk::judge(&limits, place, &self.tokens)?,
            None => Reserved::default(),
        };
        let mut choice = accept_within(place.clone(), reserved, now)?;
        choice.change.given.push(risk::given(version));
        Ok(choice)
    }

    /// What a conflict of such a change means.
    ///
    /// # Errors
    /// The journal's.
    pub(crate) async fn met(&self, conflict: &Conflict) -> Result<Met, Fault> {
        match conflict {
            Conflict::Version { kind: Kind::RiskBook, .. } => {
                self.refresh().await?;
                Ok(Met::Change)
            }
            Conflict::Level { name, at } if risk::is_level(name) => {
                let sum = risk::shown(at.unsigned_abs().into());
                let why = format!(
                    "the account's orders of the day are worth {sum} US dollars already; its limit is below that with this one"
                );
                Ok(Met::Limit(Refusal::at("/amount", "DAILY_LIMIT", why)))
            }
            _ => Ok(Met::Else),
        }
    }

    /// Whether a swap may be worked on now, as far as is known without asking; nothing may before anything is known.
    pub(crate) fn lets(&self, ask: &Ask) -> bool {
        self.lock()
            .as_ref()
            .is_some_and(|held| held.state == State::Active || held.state.judge(ask, &self.tokens).is_ok())
    }

    /// When an order that may not be worked on now is to be looked at again.
    pub(crate) fn later(&self, now: Timestamp) -> Timestamp {
        let (first, last) = (now.plus_millis(LATER_MILLIS).0, now.plus_millis(LATEST_MILLIS).0);
        let next = |before: i64| before.saturating_add(APART_MICROS).clamp(first, last);
        let before = self.put_off.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| Some(next(before)));
        Timestamp(next(before.unwrap_or_else(|before| before)))
    }

    /// Waits until it is known how things stand; false when `stop` came meanwhile.
    pub(crate) async fn pass(&self, stop: &CancellationToken) -> bool {
        while self.lock().is_none() {
            if let Err(fault) = self.refresh().await {
                observe::fault("ask what may be traded", &fault);
                if stop.run_until_cancelled(tokio::time::sleep(ASK_AGAIN)).await.is_none() {
                    return false;
                }
            }
        }
        true
    }

    /// Looks until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            if let Err(fault) = self.refresh().await {
                observe::fault("ask what may be traded", &fault);
            }
            if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Looks whether the book changed, and if so forgets what was known.
    pub(crate) async fn refresh(&self) -> Result<(), Fault> {
        let version = self.book().await?;
        if self.lock().as_ref().is_some_and(|held| held.version == version) {
            return Ok(());
        }
        // It may be newer than the book was a moment ago; then the book is found to have changed once more.
        let Trading { state, reason, .. } = if version == 0 { Trading::untouched() } else { self.trading().await? };
        let mut held = self.lock();
        if held.as_ref().is_some_and(|held| held.version >= version) {
            return Ok(());
        }
        let before = held.as_ref().map_or(State::Active, |held| held.state);
        *held = Some(Held { version, state, limits: HashMap::new() });
        drop(held);
        self.metrics.trading_state(state);
        if before != state {
            self.put_off.store(0, Ordering::Relaxed);
            observe::trading_changed(before, state, reason.as_deref());
        }
        Ok(())
    }

    /// The version of the book in the journal.
    pub(crate) async fn book(&self) -> Result<u64, Fault> {
        Ok(self.journal.entity(Kind::RiskBook, BOOK).await?.map_or(0, |book| book.version))
    }

    /// The trading state in the journal.
    ///
    /// # Errors
    /// The journal's.
    pub async fn trading(&self) -> Result<Trading, Fault> {
        let entity = self.journal.entity(Kind::Trading, TRADING).await?;
        entity.as_ref().map_or_else(|| Ok(Trading::untouched()), |row| read(row, Trading::from_entity))
    }

    /// The limits of that id in the journal, also those that were removed.
    ///
    /// # Errors
    /// The journal's.
    pub async fn recorded(&self, id: &str) -> Result<Option<Limits>, Fault> {
        let entity = self.journal.entity(Kind::Limits, id).await?;
        entity.as_ref().map(|row| read(row, Limits::from_entity)).transpose()
    }

    /// The version of the book that memory counts for; 0 as long as nothing is known.
    #[cfg(test)]
    pub(crate) fn knows(&self) -> u64 {
        self.lock().as_ref().map_or(0, |held| held.version)
    }

    async fn standing(&self) -> Result<(u64, State), Fault> {
        loop {
            if let Some(held) = self.lock().as_ref() {
                return Ok((held.version, held.state));
            }
            self.refresh().await?;
        }
    }

    /// The limits that hold for an account: its own, or those of all that have none.
    async fn limits(&self, account: &Owner) -> Result<Option<Arc<Terms>>, Fault> {
        let version = {
            let held = self.lock();
            if let Some(known) = held.as_ref().and_then(|held| held.limits.get(account)) {
                return Ok(known.clone());
            }
            held.as_ref().map(|held| held.version)
        };
        let active = |limits: &Limits| limits.status == Status::Active;
        let found = match self.recorded(account.as_str()).await?.filter(active) {
            Some(own) => Some(own),
            None => self.recorded(ALL_OTHERS).await?.filter(active),
        };
        let terms = found.map(|limits| Arc::new(limits.terms));
        if let Some(held) = self.lock().as_mut().filter(|held| Some(held.version) == version) {
            if held.limits.len() >= MOST_KNOWN {
                held.limits.clear();
            }
            held.limits.insert(account.clone(), terms.clone());
        }
        Ok(terms)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T>(row: &Entity, read: fn(&Entity) -> Result<T, serde_json::Error>) -> Result<T, Fault> {
    read(row).map_err(|error| Fault::Broken(format!("{} {}: {error}", row.kind, row.id)))
}

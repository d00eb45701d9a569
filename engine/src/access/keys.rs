//! Keys in memory: who presents one, whether it is still good, and whether the installation has any.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::key::{Key, Presented, Role, Scope};
use domain::{Kind, Owner, Timestamp};
use drivers::Fault;
use drivers::journal::{Journal, List};

use super::Access;
use super::used::Use;
use crate::hub::LATE;

/// More keys in memory are forgotten.
const MOST_KEYS: usize = 100_000;
/// More ids of which nothing good is known are forgotten: whoever makes them up must not fill the memory.
const MOST_BAD: usize = 10_000;
/// A key's use is noted at most this often, in microseconds.
pub(super) const NOTED_EVERY: i64 = 60_000_000;

/// Who acts, and what it may do: a key reduced to what requests are judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// On whose account.
    pub account: Owner,
    /// What that account is.
    pub role: Role,
    /// What it may do.
    pub scopes: Box<[Scope]>,
    /// The key's id; none for whoever was let in without one.
    pub key: Option<String>,
    /// When the key is good no more.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// Whether it may do that.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.is_admin()
    }

    /// Whether it may do everything, on every account.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.scopes.contains(&Scope::Admin)
    }

    fn of(key: &Key) -> Self {
        Self {
            account: key.account.clone(),
            role: key.role,
            scopes: key.scopes.clone().into(),
            key: Some(key.id.clone()),
            expires_at: key.expires_at,
        }
    }

    fn ends_before(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// What memory says of a presented key.
pub enum Recalled {
    /// It is good, or it is not.
    Known(Option<Arc<Principal>>),
    /// The journal must be asked. Memory may have known it as good a moment ago.
    Unknown {
        /// It was good when memory was last sure.
        was_good: bool,
    },
}

#[derive(Default)]
pub(super) struct Keys {
    memory: Mutex<Memory>,
    /// Whether there is any key: see [`Openness`].
    openness: AtomicU64,
    /// When the journal was last asked that.
    asked: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Memory {
    /// Grows with every change of a key.
    generation: u64,
    /// Keys that are active, by id.
    good: HashMap<String, Held>,
    /// Ids of keys that do not exist or were withdrawn.
    bad: HashSet<String>,
}

struct Held {
    key: Key,
    principal: Arc<Principal>,
    /// When its use was noted last.
    noted: Option<Timestamp>,
    /// When the journal was asked for it.
    asked: Instant,
}

impl Held {
    /// Whether its use was noted of late. If not, it is by now.
    fn is_noted(&mut self, now: Timestamp) -> bool {
        let noted = self.noted.is_some_and(|noted| now.0.saturating_sub(noted.0) < NOTED_EVERY);
        if !noted {
            self.noted = Some(now);
        }
        noted
    }
}

/// Low bits of `openness`; the others count changes, so that what was read before a change is not kept after it.
#[derive(Clone, Copy)]
enum Openness {
    Unknown = 0,
    Open = 1,
    Closed = 2,
}

impl Keys {
    /// Something happened to the key of that id.
    pub(super) fn told(&self, id: &str) {
        let mut memory = self.lock();
        memory.generation += 1;
        memory.good.remove(id);
        memory.bad.remove(id);
        drop(memory);
        self.open_or_not();
    }

    /// Something may have happened to any key.
    pub(super) fn forget(&self) {
        let mut memory = self.lock();
        memory.generation += 1;
        memory.good.clear();
        memory.bad.clear();
        drop(memory);
        self.open_or_not();
    }

    /// Whether there is a key has to be looked up again.
    fn open_or_not(&self) {
        // Keys are never deleted: what is closed stays so.
        let _ = self.openness.fetch_update(Ordering::AcqRel, Ordering::Acquire, |seen| {
            (seen & 3 != Openness::Closed as u64).then_some(((seen >> 2) + 1) << 2 | Openness::Unknown as u64)
        });
    }

    fn was_asked_long_ago(&self) -> bool {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.is_none_or(|asked| asked.elapsed() >= LATE)
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn keep(&mut self, (generation, asked): (u64, Instant), id: &str, key: Option<(&Key, &Arc<Principal>)>) {
        if self.generation != generation {
            return;
        }
        let Some((key, principal)) = key else {
            if self.bad.len() >= MOST_BAD {
                self.bad.clear();
            }
            self.bad.insert(id.to_owned());
            return;
        };
        if self.good.len() >= MOST_KEYS {
            self.good.clear();
        }
        let held = Held { key: key.clone(), principal: Arc::clone(principal), noted: None, asked };
        self.good.entry(id.to_owned()).and_modify(|known| known.asked = asked).or_insert(held);
    }
}

impl Access {
    /// Whether there is no key yet, so that everyone may do everything. A server that is closed once stays closed.
    ///
    /// # Errors
    /// Those of the journal, which is asked once and after changes.
    pub async fn is_open(&self) -> Result<bool, Fault> {
        let seen = self.keys.openness.load(Ordering::Acquire);
        match seen & 3 {
            closed if closed == Openness::Closed as u64 => return Ok(false),
            open if open == Openness::Open as u64 && !(self.is_behind() && self.keys.was_asked_long_ago()) => {
                return Ok(true);
            }
            _ => {}
        }
        let asked = Instant::now();
        let open = !any_key(self.journal.as_ref()).await?;
        let known = if open { Openness::Open } else { Openness::Closed };
        let next = (seen >> 2) << 2 | known as u64;
        // Where it changed meanwhile, the next caller asks again.
        if self.keys.openness.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            *self.keys.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
        }
        Ok(open)
    }

    /// Who presents this text, if it is a key that is good at `now`.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn principal(&self, presented: &str, now: Timestamp) -> Result<Option<Arc<Principal>>, Fault> {
        let Some(presented) = Presented::parse(presented) else { return Ok(None) };
        match self.recall(&presented, now) {
            Recalled::Known(answer) => Ok(answer),
            Recalled::Unknown { .. } => self.look_up(&presented, now).await,
        }
    }

    /// The same from memory alone.
    #[must_use]
    pub fn recall(&self, presented: &Presented, now: Timestamp) -> Recalled {
        let behind = self.is_behind();
        let mut memory = self.keys.lock();
        let Some(held) = memory.good.get_mut(&presented.id) else {
            return match !behind && memory.bad.contains(&presented.id) {
                true => Recalled::Known(None),
                false => Recalled::Unknown { was_good: false },
            };
        };
        let good = held.key.fits(presented) && held.key.is_good(now);
        if behind && held.asked.elapsed() >= LATE {
            return Recalled::Unknown { was_good: good };
        }
        if !good {
            return Recalled::Known(None);
        }
        let principal = Arc::clone(&held.principal);
        if !held.is_noted(now) {
            self.note(&principal, now);
        }
        Recalled::Known(Some(principal))
    }

    /// The same from the journal.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn look_up(&self, presented: &Presented, now: Timestamp) -> Result<Option<Arc<Principal>>, Fault> {
        let found = self.load(&presented.id).await?;
        let good = found.filter(|(key, _)| key.fits(presented) && key.is_good(now));
        Ok(good.map(|(_, principal)| {
            self.note(&principal, now);
            principal
        }))
    }

    /// The holder of the key of that id, if it is good at `now`.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn holder(&self, id: &str, now: Timestamp) -> Result<Option<Arc<Principal>>, Fault> {
        let behind = self.is_behind();
        if let Some(held) = self.keys.lock().good.get(id)
            && !(behind && held.asked.elapsed() >= LATE)
        {
            return Ok(held.key.is_good(now).then(|| Arc::clone(&held.principal)));
        }
        Ok(self.load(id).await?.filter(|(key, _)| key.is_good(now)).map(|(_, principal)| principal))
    }

    /// Notes that a key was used by someone who did not show its text.
    pub fn came_in(&self, principal: &Principal, now: Timestamp) {
        let mut memory = self.keys.lock();
        let held = principal.key.as_ref().and_then(|id| memory.good.get_mut(id));
        if held.is_none_or(|held| held.is_noted(now)) {
            return;
        }
        drop(memory);
        self.note(principal, now);
    }

    /// Whether someone who was let in may stay: its key is still good, or, if it came without one, there still is none.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn may_stay(&self, principal: Option<&Principal>, now: Timestamp) -> Result<bool, Fault> {
        match principal {
            None => self.is_open().await,
            Some(principal) if principal.ends_before(now) => Ok(false),
            Some(Principal { key: None, .. }) => Ok(true),
            Some(Principal { key: Some(id), .. }) => Ok(self.holder(id, now).await?.is_some()),
        }
    }

    /// Reads a key that is active, and remembers it, or that there is none.
    async fn load(&self, id: &str) -> Result<Option<(Key, Arc<Principal>)>, Fault> {
        let asked = (self.keys.lock().generation, Instant::now());
        let entity = self.journal.entity(Kind::Key, id).await?;
        let key = entity.map(|entity| Key::from_entity(&entity)).transpose();
        let key = key.map_err(|error| Fault::Broken(format!("key {id}: {error}")))?;
        let found = key.filter(|key| key.status == domain::key::Status::Active);
        let found = found.map(|key| (Arc::new(Principal::of(&key)), key));
        self.keys.lock().keep(asked, id, found.as_ref().map(|(principal, key)| (key, principal)));
        Ok(found.map(|(principal, key)| (key, principal)))
    }

    /// Has the key's use written down, some time; when too many wait, not this one.
    fn note(&self, principal: &Principal, now: Timestamp) {
        let Some(key) = principal.key.clone() else { return };
        let _ = self.uses.try_send(Use { key, account: principal.account.clone(), at: now });
    }

    /// Whether others may have changed what this process should have heard of by now.
    pub(super) fn is_behind(&self) -> bool {
        self.hub.get().and_then(std::sync::Weak::upgrade).is_some_and(|hub| hub.is_late())
    }
}

/// Whether the journal holds any key, good or not: then the server is closed.
///
/// # Errors
/// Those of the journal.
pub async fn any_key(journal: &dyn Journal) -> Result<bool, Fault> {
    let list = List {
        kind: Kind::Key,
        among: Vec::new(),
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: 1,
    };
    Ok(!journal.entities(list).await?.entities.is_empty())
}

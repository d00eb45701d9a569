//! Reads of one entity's public view, through the cache; lists are in `lists`.

mod lists;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use domain::{Audience, Entity, Kind, Owner};
use drivers::Fault;
use drivers::cache::{Cache, Entry, Load, Reach, Weight};
use drivers::journal::Journal;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::hub::Hub;

pub use lists::Whose;
pub(crate) use lists::{forget, stale, stale_by, touched};

/// The public view of an entity, as it is answered.
///
/// Kept whole, ready to be sent: a cached entity would have to be parsed and written out again at every read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The entity's version.
    pub version: u64,
    /// The length of the owner's name, the name, the same of the other account that it concerns (0 where there is none), the
    /// view as JSON.
    packed: Bytes,
}

impl View {
    fn pack(entity: &Entity) -> Result<Bytes, Fault> {
        let body = domain::view::of_entity(entity);
        let body = body.map_err(|e| Fault::Broken(format!("{} {}: {e}", entity.kind, entity.id)))?;
        let body = body.ok_or_else(|| Fault::Broken(format!("{} has no public view", entity.kind)))?;
        let names = [entity.owner.as_str(), entity.party.as_ref().map_or("", Owner::as_str)];
        let mut packed = BytesMut::with_capacity(2 + names[0].len() + names[1].len() + body.len());
        for name in names {
            // Names have at most 64 bytes.
            packed.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
            packed.put_slice(name.as_bytes());
        }
        packed.put_slice(body.as_bytes());
        Ok(packed.freeze())
    }

    fn unpack(version: u64, packed: Bytes) -> Option<Self> {
        let owner_ends = 1 + usize::from(*packed.first()?);
        let party_ends = owner_ends + 1 + usize::from(*packed.get(owner_ends)?);
        (packed.len() >= party_ends).then_some(Self { version, packed })
    }

    fn owner_ends(&self) -> usize {
        1 + usize::from(self.packed[0])
    }

    fn party_ends(&self) -> usize {
        self.owner_ends() + 1 + usize::from(self.packed[self.owner_ends()])
    }

    /// Whether it is this owner's.
    #[must_use]
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.packed[1..self.owner_ends()] == *owner.as_str().as_bytes()
    }

    /// Whether an audience may see it, an entity of `kind`.
    #[must_use]
    pub fn is_seen_by(&self, audience: &Audience, kind: Kind) -> bool {
        if self.is_of(&audience.account) {
            return true;
        }
        let name = |from: usize, to: usize| std::str::from_utf8(&self.packed[from..to]).ok().and_then(Owner::parse);
        let (owner_ends, party_ends) = (self.owner_ends(), self.party_ends());
        let party = name(owner_ends + 1, party_ends);
        name(1, owner_ends).is_some_and(|owner| audience.sees(kind, &owner, party.as_ref()))
    }

    /// The view as JSON.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.packed.slice(self.party_ends()..)
    }
}

/// The key under which an entity's view is cached. It names the form of what is packed: in a shared cache, programs of another
/// form beside this one keep values of their own.
pub(crate) fn key(kind: Kind, id: &str) -> String {
    [kind.as_str(), ":2:", id].concat()
}

/// Whether views of this kind are cached: those of bookkeeping are read by nobody.
pub(crate) const fn is_cached(kind: Kind) -> bool {
    matches!(kind, Kind::Swap | Kind::Deal | Kind::Bid | Kind::ShopOrder)
}

/// What a shared cache holds is added up again after so long.
const WEIGHED: Duration = Duration::from_secs(10);

/// Reads through the cache.
pub struct Cached {
    journal: Arc<dyn Journal>,
    cache: Arc<dyn Cache>,
    /// Where others write too, the hub's following is what makes an old value go.
    hub: Option<Arc<Hub>>,
    /// When a shared cache was weighed last, and what came of it.
    weighed: Mutex<Option<(Instant, Weight)>>,
}

impl Cached {
    pub(crate) fn new(journal: Arc<dyn Journal>, cache: Arc<dyn Cache>, hub: Option<Arc<Hub>>) -> Self {
        Self { journal, cache, hub, weighed: Mutex::default() }
    }

    /// The present view of an entity; whose it is, is for the caller to judge. A read that begins after a change was
    /// answered sees it: on the same node always, on another at once where the cache is shared, else when that node has
    /// heard of it, within some tens of milliseconds.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn view(&self, kind: Kind, id: &str) -> Result<Option<View>, Fault> {
        let load = LoadView { journal: self.journal.as_ref(), kind, id };
        let Entry { version, value } = match self.is_trusted() {
            true => self.cache.read(&key(kind, id), &load).await?,
            false => load.load().await?,
        };
        Ok(value.and_then(|packed| View::unpack(version, packed)))
    }

    /// The cache itself: what an operator looks at, and clears. Reads go through the other methods.
    #[must_use]
    pub fn cache(&self) -> &dyn Cache {
        self.cache.as_ref()
    }

    /// How much the cache holds, for who may ask often: adding up a shared one is dear, so that is done once in ten seconds,
    /// and whoever asks meanwhile is told the same.
    ///
    /// # Errors
    /// Those of [`Cache::weigh`].
    pub async fn weight(&self) -> Result<Weight, Fault> {
        if self.cache.reach() != Reach::Cluster {
            return self.cache.weigh().await;
        }
        let mut weighed = self.weighed.lock().await;
        if let Some((at, weight)) = &*weighed
            && at.elapsed() < WEIGHED
        {
            return Ok(*weight);
        }
        let weight = self.cache.weigh().await?;
        *weighed = Some((Instant::now(), weight));
        Ok(weight)
    }

    /// Whether the cache keeps something, and has heard of all that others wrote.
    fn is_trusted(&self) -> bool {
        self.cache.reach() != Reach::Nothing && self.hub.as_ref().is_none_or(|hub| hub.is_current())
    }
}

struct LoadView<'a> {
    journal: &'a dyn Journal,
    kind: Kind,
    id: &'a str,
}

#[async_trait]
impl Load for LoadView<'_> {
    async fn load(&self) -> Result<Entry, Fault> {
        match self.journal.entity(self.kind, self.id).await? {
            Some(entity) => Ok(Entry { version: entity.version, value: Some(View::pack(&entity)?) }),
            None => Ok(Entry::default()),
        }
    }
}

//! Reads of one entity's public view, through the cache.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use domain::swap::Swap;
use domain::{Entity, Kind, Owner};
use drivers::Fault;
use drivers::cache::{Cache, Entry, Load, Reach};
use drivers::journal::Journal;

use crate::hub::Hub;

/// The public view of an entity, as it is answered.
///
/// Kept whole, ready to be sent: a cached entity would have to be parsed and written out again at every read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The entity's version.
    pub version: u64,
    /// The length of the owner's name, the name, the view as JSON.
    packed: Bytes,
}

impl View {
    fn pack(entity: &Entity) -> Result<Bytes, Fault> {
        let body = match entity.kind {
            Kind::Swap => Swap::from_entity(entity).map(|swap| swap.view_json()),
            Kind::Relay => return Err(Fault::Broken(format!("{} has no public view", entity.kind))),
        };
        let body = body.map_err(|e| Fault::Broken(format!("{} {}: {e}", entity.kind, entity.id)))?;
        let owner = entity.owner.as_str();
        let mut packed = BytesMut::with_capacity(1 + owner.len() + body.len());
        // Names have at most 64 bytes.
        packed.put_u8(u8::try_from(owner.len()).unwrap_or(u8::MAX));
        packed.put_slice(owner.as_bytes());
        packed.put_slice(body.as_bytes());
        Ok(packed.freeze())
    }

    fn unpack(version: u64, packed: Bytes) -> Option<Self> {
        let owner = usize::from(*packed.first()?);
        (packed.len() > owner).then_some(Self { version, packed })
    }

    fn owner_ends(&self) -> usize {
        1 + usize::from(self.packed[0])
    }

    /// Whether it is this owner's.
    #[must_use]
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.packed[1..self.owner_ends()] == *owner.as_str().as_bytes()
    }

    /// The view as JSON.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.packed.slice(self.owner_ends()..)
    }
}

/// The key under which an entity's view is cached.
pub(crate) fn key(kind: Kind, id: &str) -> String {
    [kind.as_str(), ":", id].concat()
}

/// Whether views of this kind are cached: those of bookkeeping are read by nobody.
pub(crate) const fn is_cached(kind: Kind) -> bool {
    matches!(kind, Kind::Swap)
}

/// Reads through the cache.
pub struct Cached {
    journal: Arc<dyn Journal>,
    cache: Arc<dyn Cache>,
    /// Where others write too, the hub's following is what makes an old value go.
    hub: Option<Arc<Hub>>,
}

impl Cached {
    pub(crate) fn new(journal: Arc<dyn Journal>, cache: Arc<dyn Cache>, hub: Option<Arc<Hub>>) -> Self {
        Self { journal, cache, hub }
    }

    /// The present view of an entity; whose it is, is for the caller to judge. A read that begins after a change was
    /// answered sees it: on the same node always, on another at once where the cache is shared, else when that node has
    /// heard of it, within some tens of milliseconds.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn view(&self, kind: Kind, id: &str) -> Result<Option<View>, Fault> {
        let load = LoadView { journal: self.journal.as_ref(), kind, id };
        let behind = self.hub.as_ref().is_some_and(|hub| !hub.is_current());
        let Entry { version, value } = match behind || self.cache.reach() == Reach::Nothing {
            true => load.load().await?,
            false => self.cache.read(&key(kind, id), &load).await?,
        };
        Ok(value.and_then(|packed| View::unpack(version, packed)))
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

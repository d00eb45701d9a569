//! Lists through the cache: pages that know the log at least as far as the marks of those whose entities they list.
//!
//! A mark is an entry for a kind and an owner; its version says how far the log was when it was loaded. A write voids the
//! marks of its owner after its commit and before its answer, so that whoever reads later loads one that lies behind the
//! write. A page is kept with the newest of its owners' marks, which were read before it was loaded, and is taken only by
//! those whose marks are no newer. So an old page is never answered, whoever filled it in and however late; no page has to
//! be found when something is written; and a page that nothing happened to stays.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Change, Event, Kind, Owner};
use drivers::Fault;
use drivers::cache::{Cache, Entry, Load, Stale};
use drivers::journal::Journal;
use futures_util::future::try_join_all;
use ring::digest::{Context, SHA256};

use super::Cached;

/// Lists of more owners go by the one mark of all of the kind's owners.
const MOST_OWNERS: usize = 64;
/// Larger pages are not kept.
const LARGEST: usize = 256 << 10;

/// Whose entities a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Those of these owners, in any order.
    Of(&'a [Owner]),
    /// Everyone's.
    Everyones,
}

/// Whether lists of this kind are cached. Each of their writes must make an event.
pub(crate) const fn is_listed(kind: Kind) -> bool {
    matches!(kind, Kind::Deal | Kind::ShopOrder)
}

/// The marks that a write of an owner's makes old.
fn marks(kind: Kind, owner: &Owner) -> [String; 2] {
    [mark(kind, owner.as_str()), everyones(kind)]
}

fn mark(kind: Kind, owner: &str) -> String {
    ["mark:", kind.as_str(), ":", owner].concat()
}

/// No owner has this name.
fn everyones(kind: Kind) -> String {
    mark(kind, "*")
}

/// The marks that a change makes old, once it is known how it went.
pub(crate) fn touched(change: &Change) -> Vec<String> {
    let listed = change.entities.iter().filter(|write| is_listed(write.kind));
    listed.flat_map(|write| marks(write.kind, &write.owner)).collect()
}

/// The same marks, made old by a change whose last event has the number `seq`.
pub(crate) fn stale(touched: Vec<String>, seq: u64) -> impl Iterator<Item = Stale> {
    touched.into_iter().map(move |key| Stale { key, version: seq })
}

/// Takes marks away after a change of which it is not known where in the log it stands, if it does.
pub(crate) async fn forget(cache: &dyn Cache, touched: &[String]) {
    for key in touched {
        if cache.remove(key).await.is_err() {
            // Nothing is read from there any more before this is done.
            return cache.clear().await;
        }
    }
}

/// What an event makes old.
pub(crate) fn stale_by(event: &Event) -> impl Iterator<Item = Stale> {
    let marks = is_listed(event.kind).then(|| marks(event.kind, &event.owner));
    marks.into_iter().flatten().map(|key| Stale { key, version: event.seq })
}

impl Cached {
    /// A page of a list: from the cache, or made by `load`, whose errors are its own. `query` says which page of which list
    /// for whom: whatever else the page depends on. Who may see it is for the caller to judge at each read, by naming only
    /// those owners whose entities may be seen.
    ///
    /// A read that begins after a change of one of the owners' entities was answered sees it, as with [`Cached::view`].
    ///
    /// # Errors
    /// Those of the journal and of `load`.
    pub async fn list<F, L>(&self, kind: Kind, whose: Whose<'_>, query: &str, load: F) -> Result<Bytes, Fault>
    where
        F: Fn() -> L + Send + Sync,
        L: Future<Output = Result<Bytes, Fault>> + Send,
    {
        let nobodys = matches!(whose, Whose::Of([]));
        if nobodys || !is_listed(kind) || !self.is_trusted() {
            return load().await;
        }
        let version = self.newest_mark(kind, whose).await?;
        let page = LoadPage { load, version, large: Mutex::default() };
        let entry = self.cache.read_from(&key(kind, whose, query), version, &page).await?;
        match entry.value {
            Some(body) => Ok(body),
            // Too large to be kept: loaded by this call, or by another one and not handed on.
            None => match page.large() {
                Some(body) => Ok(body),
                None => (page.load)().await,
            },
        }
    }

    /// How far a page must know the log: whatever was answered before this was called lies at or before that.
    async fn newest_mark(&self, kind: Kind, whose: Whose<'_>) -> Result<u64, Fault> {
        let load = LoadMark(self.journal.as_ref());
        let read = async |key: String| Ok::<_, Fault>(self.cache.read(&key, &load).await?.version);
        match whose {
            Whose::Of([owner]) => read(mark(kind, owner.as_str())).await,
            Whose::Of(owners) if owners.len() <= MOST_OWNERS => {
                let all = try_join_all(owners.iter().map(|owner| read(mark(kind, owner.as_str())))).await?;
                Ok(all.into_iter().max().unwrap_or(0))
            }
            Whose::Of(_) | Whose::Everyones => read(everyones(kind)).await,
        }
    }
}

/// The key of a page: of all that decides what stands in it, but for what happens to the entities. It names the form of
/// what is kept, as that of a view does.
fn key(kind: Kind, whose: Whose<'_>, query: &str) -> String {
    let mut hasher = Context::new(&SHA256);
    let mut add = |part: &str| {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    };
    add(query);
    match whose {
        Whose::Of([owner]) => add(owner.as_str()),
        Whose::Of(owners) => {
            let mut names: Vec<&str> = owners.iter().map(Owner::as_str).collect();
            names.sort_unstable();
            names.into_iter().for_each(add);
        }
        Whose::Everyones => add("*"),
    }
    let digest = hasher.finish();
    let name = digest.as_ref()[..16].iter().fold(0_u128, |name, byte| name << 8 | u128::from(*byte));
    format!("list:{}:1:{name:032x}", kind.as_str())
}

/// A mark says how far the log is. It is read after the place for it is taken: a write that is told in between takes the
/// place away.
struct LoadMark<'a>(&'a dyn Journal);

#[async_trait]
impl Load for LoadMark<'_> {
    async fn load(&self) -> Result<Entry, Fault> {
        let version = self.0.head().await?.seq;
        Ok(Entry { version, value: Some(Bytes::new()) })
    }
}

struct LoadPage<F> {
    load: F,
    version: u64,
    large: Mutex<Option<Bytes>>,
}

impl<F> LoadPage<F> {
    fn large(&self) -> Option<Bytes> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl<F, L> Load for LoadPage<F>
where
    F: Fn() -> L + Send + Sync,
    L: Future<Output = Result<Bytes, Fault>> + Send,
{
    async fn load(&self) -> Result<Entry, Fault> {
        let body = (self.load)().await?;
        if body.len() <= LARGEST {
            return Ok(Entry { version: self.version, value: Some(body) });
        }
        *self.large.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        Ok(Entry { version: self.version, value: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(names: &[&str]) -> Vec<Owner> {
        names.iter().filter_map(|name| Owner::parse(name)).collect()
    }

    #[test]
    fn a_key_is_of_all_that_decides_what_a_page_shows() {
        let (ab, ba, a_b) = (owners(&["a", "b"]), owners(&["b", "a"]), owners(&["ab"]));
        let one = key(Kind::Deal, Whose::Of(&ab), "q");
        assert_eq!(one, key(Kind::Deal, Whose::Of(&ba), "q"), "in any order");
        let others = [
            key(Kind::ShopOrder, Whose::Of(&ab), "q"),
            key(Kind::Deal, Whose::Of(&a_b), "q"),
            key(Kind::Deal, Whose::Of(&ab[..1]), "q"),
            key(Kind::Deal, Whose::Everyones, "q"),
            key(Kind::Deal, Whose::Of(&ab), "qa"),
            key(Kind::Deal, Whose::Of(&ab), ""),
        ];
        for other in &others {
            assert_ne!(one, *other);
        }
        assert_eq!(one.len(), "list:deal:1:".len() + 32);
    }
}

//! What the cases load from: versions by key, counted loads, and loads that wait to be let on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::Fault;
use crate::cache::{Cache, Entry, Load, Stale};
use crate::journal::Head;

/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const KEY: &str = "swap:a";

/// The log as it stands before any case.
pub(super) const BEGINNING: Head = Head { seq: 0, epoch: 7, floor: 0 };

pub(super) async fn begin(cache: Arc<dyn Cache>) -> Arc<dyn Cache> {
    assert_eq!(cache.resume(BEGINNING).await, 0);
    until("the cache is in use", async || {
        let before = cache.statistics();
        let _ = cache.read("swap:first", &Truth::at("swap:first", 1)).await.expect("a read");
        cache.statistics().fills > before.fills || cache.statistics().hits > before.hits
    })
    .await;
    cache
}

/// The journal's part.
#[derive(Default)]
pub(super) struct Truth {
    versions: Mutex<HashMap<String, u64>>,
    loads: AtomicU64,
}

impl Truth {
    pub(super) fn at(key: &str, version: u64) -> One<'static> {
        let truth = Self::default();
        truth.write(key, version);
        One { truth: Held::Own(Box::new(truth)), key: key.to_owned() }
    }

    pub(super) fn write(&self, key: &str, version: u64) {
        self.versions.lock().expect("not poisoned").insert(key.to_owned(), version);
    }

    /// The next version of a key.
    pub(super) fn next(&self, key: &str) -> u64 {
        let mut versions = self.versions.lock().expect("not poisoned");
        let version = versions.entry(key.to_owned()).or_default();
        *version += 1;
        *version
    }

    pub(super) fn version(&self, key: &str) -> u64 {
        self.versions.lock().expect("not poisoned").get(key).copied().unwrap_or(0)
    }

    pub(super) fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    pub(super) fn of<'a>(&'a self, key: &str) -> One<'a> {
        One { truth: Held::Borrowed(self), key: key.to_owned() }
    }

    /// Reads through the cache what is not older than that.
    pub(super) async fn read_from(&self, cache: &dyn Cache, key: &str, least: u64) -> Entry {
        cache.read_from(key, least, &self.of(key)).await.expect("a read")
    }

    /// Reads through the cache.
    pub(super) async fn read(&self, cache: &dyn Cache, key: &str) -> Entry {
        cache.read(key, &self.of(key)).await.expect("a read")
    }
}

enum Held<'a> {
    Own(Box<Truth>),
    Borrowed(&'a Truth),
}

/// One key's load.
pub(super) struct One<'a> {
    truth: Held<'a>,
    key: String,
}

#[async_trait]
impl Load for One<'_> {
    async fn load(&self) -> Result<Entry, Fault> {
        let truth = match &self.truth {
            Held::Own(truth) => truth,
            Held::Borrowed(truth) => *truth,
        };
        truth.loads.fetch_add(1, Ordering::SeqCst);
        let version = truth.version(&self.key);
        // Room for a write between what was read and what is said.
        tokio::task::yield_now().await;
        Ok(entry(version))
    }
}

/// A load that has read what it found, and waits before it says so.
pub(super) struct Slow {
    found: Entry,
    pub(super) began: Semaphore,
    pub(super) go_on: Semaphore,
}

impl Slow {
    pub(super) fn new(version: u64) -> Arc<Self> {
        Arc::new(Self { found: entry(version), began: Semaphore::new(0), go_on: Semaphore::new(0) })
    }

    /// Waits until a reader is in its load.
    pub(super) async fn has_begun(&self) {
        let began = tokio::time::timeout(PATIENCE, self.began.acquire()).await;
        began.expect("a load in time").expect("open").forget();
    }
}

#[async_trait]
impl Load for Slow {
    async fn load(&self) -> Result<Entry, Fault> {
        self.began.add_permits(1);
        self.go_on.acquire().await.expect("open").forget();
        Ok(self.found.clone())
    }
}

/// What the journal says of an entity at this version; 0 for none.
pub(super) fn entry(version: u64) -> Entry {
    Entry { version, value: (version > 0).then(|| value(version)) }
}

pub(super) fn value(version: u64) -> Bytes {
    Bytes::from(format!("version {version}"))
}

pub(super) fn stale(key: &str, version: u64) -> [Stale; 1] {
    [Stale { key: key.to_owned(), version }]
}

pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}

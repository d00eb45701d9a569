//! The cache in Redis, shared by every process with the same prefix.
//!
//! A miss plants a lease in the entry, and only who holds the entry's lease may fill it; an invalidation takes the lease
//! away and leaves the version it was told as a tombstone. `link` decides when Redis may be trusted at all.

mod flights;
mod link;
mod listing;
mod owed;
mod scripts;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use redis::RedisError;
use tokio::task::JoinHandle;

use self::flights::Flights;
use self::link::{Link, Open};
use self::listing::CALLS;
use self::owed::latest;
use self::scripts::{Found, Scripts};
use super::counts::Counts;
use super::listing::add_up;
use super::options::Options;
use super::{Cache, Entry, Keys, Load, Reach, Stale, Statistics, Weight};
use crate::Fault;
use crate::journal::Head;

/// Entries named in one call: a script holds up everybody.
const AT_ONCE: usize = 256;
/// A log that went on by more events while nobody followed it is not made up for: everything is forgotten.
const WORTH_FOLLOWING: u64 = 10_000;

struct Redis {
    link: Arc<Link>,
    options: Options,
    counts: Arc<Counts>,
    flights: Flights,
    /// Names a lease together with the process.
    leases: AtomicU64,
    process: String,
    keeper: JoinHandle<()>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

pub(super) async fn open(place: &str, options: &str) -> Result<Arc<dyn Cache>, Fault> {
    let options = Options::parse(options, &["prefix", "ttl_millis", "deadline_millis"])?;
    let counts = Arc::new(Counts::default());
    let link = Link::open(place, &options, Arc::clone(&counts)).await?;
    let keeper = tokio::spawn(Arc::clone(&link).keep());
    let process = uuid::Uuid::now_v7().simple().to_string();
    let (flights, leases) = (Flights::default(), AtomicU64::new(0));
    Ok(Arc::new(Redis { link, options, counts, flights, leases, process, keeper }))
}

impl Redis {
    /// Looks into Redis. None when it is not to be asked, or did not answer.
    async fn look(&self, key: &str, least: u64) -> Option<(Open, Found)> {
        let open = self.link.readable()?;
        let lease = format!("{}-{:x}", self.process, self.leases.fetch_add(1, Ordering::Relaxed));
        match self.link.call(self.scripts().look(&open, key, least, &lease)).await {
            Ok(found) => Some((open, found)),
            Err(error) => {
                self.link.lost(&open, &error);
                None
            }
        }
    }

    /// Loads, and keeps what was loaded if the lease still stands.
    async fn fill(&self, open: &Open, key: &str, lease: &str, load: &dyn Load) -> Result<Entry, Fault> {
        self.counts.misses.one();
        let entry = load.load().await?;
        let ttl = self.options.ttl(key, &entry);
        match self.link.call(self.scripts().fill(open, key, lease, &entry, ttl)).await {
            Ok(kept) => self.counts.filled(kept),
            Err(error) => self.link.lost(open, &error),
        }
        Ok(entry)
    }

    /// Tells Redis of writes; what cannot be told is owed, and until it is paid nothing is read from there.
    async fn tell(&self, stale: &[Stale], to: Option<u64>) {
        if stale.is_empty() && to.is_none() {
            return;
        }
        self.counts.invalidations.many(stale.len());
        let stale = latest(stale);
        let debt = self.link.debt(stale.clone(), to);
        let Some(open) = self.link.writable() else { return };
        if self.link.void(&open, &stale, debt.position()).await.is_ok() {
            debt.paid();
        }
    }

    /// The connection is not used any more.
    fn failed(&self, open: &Open, error: &RedisError) -> Fault {
        self.link.lost(open, error);
        away()
    }

    fn scripts(&self) -> &Scripts {
        &self.link.scripts
    }
}

fn away() -> Fault {
    Fault::Unavailable("the cache's Redis is away: every read is a load".to_owned())
}

#[async_trait]
impl Cache for Redis {
    fn reach(&self) -> Reach {
        Reach::Cluster
    }

    async fn read_from(&self, key: &str, least: u64, load: &dyn Load) -> Result<Entry, Fault> {
        match self.look(key, least).await {
            Some((_, Found::Value(entry))) => {
                self.counts.hits.one();
                Ok(entry)
            }
            Some((open, Found::Lease(lease))) => {
                // Only readers with the same lease share a load: a lease ends with the first write that follows it, so
                // nobody joins a load that began before a write which was answered already, on whichever node. Who asks for
                // something older may have the lease too, and what it loads is not for the others.
                let flight = self.flights.join(key, least, &lease);
                let mut led = false;
                let lead = async {
                    led = true;
                    self.fill(&open, key, &lease, load).await
                };
                let entry = flight.cell().get_or_try_init(|| lead).await?.clone();
                if !led {
                    self.counts.joined.one();
                }
                Ok(entry)
            }
            None => {
                self.counts.misses.one();
                load.load().await
            }
        }
    }

    async fn put(&self, key: &str, version: u64, value: Bytes) {
        self.counts.invalidations.one();
        let debt = self.link.debt(vec![Stale { key: key.to_owned(), version }], None);
        let Some(open) = self.link.writable() else { return };
        let entry = Entry { version, value: Some(value) };
        let ttl = self.options.ttl(key, &entry);
        match self.link.call(self.scripts().put(&open, key, &entry, ttl)).await {
            Ok(()) => debt.paid(),
            Err(error) => self.link.lost(&open, &error),
        }
    }

    async fn invalidate(&self, stale: &[Stale]) {
        self.tell(stale, None).await;
    }

    async fn resume(&self, head: Head) -> u64 {
        let found = match self.link.writable() {
            Some(open) => self.link.call(self.scripts().position(&open)).await.ok().flatten(),
            None => None,
        };
        let behind = |(epoch, seq): &(u64, u64)| {
            let gap = head.seq.checked_sub(*seq);
            *epoch == head.epoch && gap.is_some_and(|gap| gap <= WORTH_FOLLOWING)
        };
        let from = found.filter(behind).map(|(_, seq)| seq);
        self.link.joined(head, from);
        from.unwrap_or(head.seq)
    }

    async fn follow(&self, stale: &[Stale], to: u64) {
        self.tell(stale, Some(to)).await;
        self.link.followed(to);
    }

    async fn clear(&self) {
        if let Some(open) = self.link.writable()
            && self.link.call(self.scripts().forget(&mut open.connection())).await.is_ok()
        {
            return;
        }
        self.link.owe_everything();
    }

    async fn remove(&self, key: &str) -> Result<bool, Fault> {
        let open = self.link.writable().ok_or_else(away)?;
        let removed = self.link.call(self.scripts().remove(&open, key)).await;
        removed.map_err(|error| self.failed(&open, &error))
    }

    async fn keys(&self, from: Option<u64>, limit: usize) -> Result<Keys, Fault> {
        let open = self.link.writable().ok_or_else(away)?;
        let (mut keys, mut next) = (Vec::new(), from.or(Some(0)));
        for _ in 0..CALLS {
            let Some(at) = next.filter(|_| keys.len() < limit) else { break };
            let call = self.scripts().list(&open, at, limit - keys.len());
            let (more, then) = self.link.call(call).await.map_err(|error| self.failed(&open, &error))?;
            keys.extend(more);
            next = then;
        }
        Ok(Keys { keys, next })
    }

    async fn weigh(&self) -> Result<Weight, Fault> {
        add_up(self).await
    }

    async fn ping(&self) -> Result<(), Fault> {
        match self.link.writable() {
            Some(_) => Ok(()),
            None => Err(away()),
        }
    }

    fn statistics(&self) -> Statistics {
        self.counts.statistics()
    }
}

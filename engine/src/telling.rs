//! The journal as the engine's parts have it: every commit is told to the cache before it is answered.
//!
//! Here and nowhere else, so that no way of writing can forget it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use domain::{Change, Claimed, DeadJob, Entity, Event, Job, JobId, Kind, Lease, Owner, Timestamp};
use drivers::cache::{Cache, Stale};
use drivers::journal::{Claim, Depth, Head, Journal, List, Page, Receipt};
use drivers::{Fault, KeyHeld};
use tokio::runtime::Handle;

use crate::cached::{is_cached, key};

pub(crate) struct Telling {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) cache: Arc<dyn Cache>,
}

/// What of a change is cached, with the versions it leads to.
fn stale(change: &Change) -> Vec<Stale> {
    let cached = change.entities.iter().filter(|write| is_cached(write.kind));
    cached.map(|write| Stale { key: key(write.kind, &write.id), version: write.expect.next_version() }).collect()
}

/// Goes on by itself when whoever waits for it goes away: what was begun may be committed all the same.
struct ToItsEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(work) = self.0.as_mut() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and its cache with it.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[async_trait]
impl Journal for Telling {
    fn shared(&self) -> bool {
        self.journal.shared()
    }

    async fn apply(&self, change: Change) -> Result<Receipt, Fault> {
        let stale = stale(&change);
        if stale.is_empty() {
            return self.journal.apply(change).await;
        }
        let (journal, cache) = (Arc::clone(&self.journal), Arc::clone(&self.cache));
        let work = async move {
            let applied = journal.apply(change).await;
            // After any other fault it may be on disk nevertheless.
            if !matches!(applied, Err(Fault::Conflict(_) | Fault::Busy)) {
                cache.invalidate(&stale).await;
            }
            applied
        };
        ToItsEnd(Some(Box::pin(work))).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Fault> {
        self.journal.claim(claim).await
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<Lease>, Fault> {
        self.journal.renew(leases).await
    }

    async fn retry_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault> {
        self.journal.retry_dead(job, now).await
    }

    async fn discard_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault> {
        self.journal.discard_dead(job, now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, Fault> {
        self.journal.sweep(now, limit).await
    }

    async fn forget(&self, before: Timestamp, limit: usize) -> Result<usize, Fault> {
        self.journal.forget(before, limit).await
    }

    async fn entity(&self, kind: Kind, id: &str) -> Result<Option<Entity>, Fault> {
        self.journal.entity(kind, id).await
    }

    async fn entities(&self, list: List) -> Result<Page, Fault> {
        self.journal.entities(list).await
    }

    async fn history(&self, kind: Kind, id: &str, after: u64, limit: usize) -> Result<Vec<Event>, Fault> {
        self.journal.history(kind, id, after, limit).await
    }

    async fn events(&self, after: u64, owner: Option<Owner>, limit: usize) -> Result<Vec<Event>, Fault> {
        self.journal.events(after, owner, limit).await
    }

    async fn key(&self, scope: &str, key: &str, now: Timestamp) -> Result<Option<KeyHeld>, Fault> {
        self.journal.key(scope, key, now).await
    }

    async fn head(&self) -> Result<Head, Fault> {
        self.journal.head().await
    }

    async fn jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Fault> {
        self.journal.jobs(queue, after, limit).await
    }

    async fn dead_jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<DeadJob>, Fault> {
        self.journal.dead_jobs(queue, after, limit).await
    }

    async fn depth(&self, queue: &str, now: Timestamp) -> Result<Depth, Fault> {
        self.journal.depth(queue, now).await
    }

    async fn ping(&self) -> Result<(), Fault> {
        self.journal.ping().await
    }

    async fn close(&self) {
        self.journal.close().await;
    }
}

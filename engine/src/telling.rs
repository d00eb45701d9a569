//! The journal as the engine's parts have it: every commit is told to the cache before it is answered.
//!
//! Here and nowhere else, so that no way of writing can forget it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use domain::{
    Audience, Change, Claimed, DeadJob, Entity, Event, Job, JobId, Kind, Lease, Owner, Received, Timestamp, event_types,
};
use drivers::cache::{Cache, Stale};
use drivers::journal::{Claim, Depth, Head, Journal, List, MessageCounts, Page, Receipt, Receive};
use drivers::{Fault, KeyHeld};
use tokio::runtime::Handle;

use crate::access::Access;
use crate::cached::{self, is_cached, key};
use crate::clock;
use crate::operator::Rates;
use crate::watch::Book;

pub(crate) struct Telling {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) access: Arc<Access>,
    pub(crate) rates: Arc<Rates>,
    /// The orders that wait for a price, where nobody else writes: else the hub tells of them.
    pub(crate) book: Option<Arc<Book>>,
}

/// What happened to an order: its id and version, the event's type, and the body where it waits now.
struct Told(String, u64, &'static str, String);

impl Telling {
    fn orders(&self, change: &Change) -> Vec<Told> {
        let written = change.entities.iter().filter(|write| self.book.is_some() && write.kind == Kind::Swap);
        let told = written.filter_map(|write| {
            let event = write.event.as_ref()?;
            let body = if event.type_ == "swap.open" { event.body.clone() } else { String::new() };
            Some(Told(write.id.clone(), write.expect.next_version(), event.type_, body))
        });
        told.collect()
    }
}

/// Whether what a change tells of is in the list of event types.
fn tells_rightly(change: &Change) -> bool {
    let told = change.entities.iter().filter_map(|write| Some((write.kind, write.event.as_ref()?.type_)));
    told.into_iter().all(|(kind, type_)| event_types::find(type_).is_some_and(|one| one.kind == kind))
}

/// The views of a change that are cached, with the versions it leads to.
fn views(change: &Change) -> Vec<Stale> {
    let cached = change.entities.iter().filter(|write| is_cached(write.kind));
    cached.map(|write| Stale { key: key(write.kind, &write.id), version: write.expect.next_version() }).collect()
}

/// What of a change says who may do what.
fn rights(change: &Change) -> Vec<(Kind, String, Option<Owner>)> {
    let rights = change.entities.iter().filter(|write| matches!(write.kind, Kind::Key | Kind::Authorisation));
    rights.map(|write| (write.kind, write.id.clone(), write.party.clone())).collect()
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
        debug_assert!(tells_rightly(&change), "not in the list of event types: {:?}", change.entities);
        let (mut stale, lists, rights) = (views(&change), cached::touched(&change), rights(&change));
        let (ends, orders) = (Rates::ends(&change), self.orders(&change));
        if stale.is_empty() && lists.is_empty() && rights.is_empty() {
            let receipt = self.journal.apply(change).await?;
            ends.into_iter().for_each(|ends| self.rates.ended(ends));
            return Ok(receipt);
        }
        let (journal, cache, access) = (Arc::clone(&self.journal), Arc::clone(&self.cache), Arc::clone(&self.access));
        let (rates, book) = (Arc::clone(&self.rates), self.book.clone());
        let work = async move {
            let applied = journal.apply(change).await;
            if let (Ok(_), Some(ends)) = (&applied, ends) {
                rates.ended(ends);
            }
            // After any other fault it may be on disk nevertheless.
            if !matches!(applied, Err(Fault::Conflict(_) | Fault::Busy)) {
                match (&book, &applied) {
                    (Some(book), Ok(_)) => orders.iter().for_each(|Told(id, version, type_, body)| {
                        book.told(id, *version, (type_, body), clock::now());
                    }),
                    (Some(book), Err(_)) if !orders.is_empty() => book.miss(),
                    _ => {}
                }
                for (kind, id, party) in &rights {
                    access.told(*kind, id, party.as_ref());
                }
                let seq = applied.as_ref().map_or(0, |receipt| receipt.seq);
                if seq == 0 {
                    cached::forget(cache.as_ref(), &lists).await;
                } else {
                    stale.extend(cached::stale(lists, seq));
                }
                cache.invalidate(&stale).await;
            }
            applied
        };
        ToItsEnd(Some(Box::pin(work))).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Fault> {
        let queue = claim.queue;
        let claimed = self.journal.claim(claim).await?;
        self.rates.claimed(queue, &claimed);
        Ok(claimed)
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<Lease>, Fault> {
        self.journal.renew(leases).await
    }

    async fn receive(&self, receive: Receive) -> Result<Vec<Received>, Fault> {
        self.journal.receive(receive).await
    }

    async fn drop_jobs(&self, queue: &str, limit: usize) -> Result<usize, Fault> {
        self.journal.drop_jobs(queue, limit).await
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

    async fn prune(
        &self,
        kind: Kind,
        statuses: &[&'static str],
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, Fault> {
        self.journal.prune(kind, statuses, before, limit).await
    }

    async fn drop_levels(&self, first: &str, end: &str, limit: usize) -> Result<usize, Fault> {
        self.journal.drop_levels(first, end, limit).await
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

    async fn events(&self, after: u64, audience: Option<&Audience>, limit: usize) -> Result<Vec<Event>, Fault> {
        self.journal.events(after, audience, limit).await
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

    async fn message_counts(&self, queue: &str, now: Timestamp) -> Result<MessageCounts, Fault> {
        self.journal.message_counts(queue, now).await
    }

    async fn hidden(&self, queue: &str, now: Timestamp, limit: u64) -> Result<u64, Fault> {
        self.journal.hidden(queue, now, limit).await
    }

    async fn levels(&self, names: &[String]) -> Result<Vec<i64>, Fault> {
        self.journal.levels(names).await
    }

    async fn ping(&self) -> Result<(), Fault> {
        self.journal.ping().await
    }

    async fn close(&self) {
        self.journal.close().await;
    }
}

//! Loads the book: the endpoints as they were at the relay's position, and what their accounts see.
//!
//! That may take longer than the lease lasts, so the lease is renewed on the way.

use std::sync::Arc;

use domain::webhook::endpoint::Endpoint;
use domain::{Entity, Kind, Owner};
use drivers::Fault;
use futures_util::{StreamExt, stream};

use super::super::book::{Book, Entry};
use super::{WebhookRelay, endpoints, unreadable};

/// Endpoints read at once.
const ENDPOINTS: usize = 1_000;
/// Versions of an endpoint read at once.
const VERSIONS: u64 = 50;
/// Accounts whose audiences are read at once.
const ACCOUNTS: usize = 8;

impl WebhookRelay {
    /// Loads the endpoints as they were at the position.
    pub(super) async fn load(&mut self) -> Result<(), Fault> {
        self.book = Book::default();
        // What has not changed since needs no look at its history; clocks of several machines may differ a little.
        let next = self.journal.events(self.position, None, 1).await?;
        let since = next.first().map(|event| event.at.plus_millis(-60_000));
        let mut after = None;
        loop {
            let list = endpoints(after, ENDPOINTS);
            let page = self.journal.entities(list).await?;
            let mut accounts = Vec::new();
            for entity in &page.entities {
                self.lease.renew().await?;
                let entry = match since {
                    Some(since) if entity.updated_at >= since => self.as_of_position(entity).await?,
                    _ => Some(as_it_is(entity)),
                };
                let entry = match entry {
                    Some(Ok(entry)) => entry,
                    Some(Err(error)) => {
                        unreadable(&entity.id, &error);
                        continue;
                    }
                    None => continue,
                };
                if self.book.enter(&entity.owner, entry) {
                    accounts.push(entity.owner.clone());
                }
            }
            self.take_in(accounts).await?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Has the book take in what accounts see. What memory says may be old where nobody tells it, so the journal is asked; this
    /// happens once for each account.
    pub(super) async fn take_in(&mut self, accounts: Vec<Owner>) -> Result<(), Fault> {
        let audience = |account: Owner| {
            let access = Arc::clone(&self.access);
            async move { access.audience_anew(&account).await }
        };
        let mut audiences = stream::iter(accounts.into_iter().map(audience)).buffer_unordered(ACCOUNTS);
        while let Some(audience) = audiences.next().await {
            self.book.take_in(&audience?);
            self.lease.renew().await?;
        }
        Ok(())
    }

    /// The endpoint as the last event up to the position left it; none if it was made later.
    async fn as_of_position(&self, entity: &Entity) -> Result<Option<Result<Entry, serde_json::Error>>, Fault> {
        let mut after = entity.version;
        while after > 0 {
            after = after.saturating_sub(VERSIONS);
            let history =
                self.journal.history(Kind::Endpoint, &entity.id, after, usize::try_from(VERSIONS).unwrap_or(1)).await?;
            if let Some(last) = history.iter().rev().find(|event| event.seq <= self.position) {
                return Ok(Some(Entry::after(last)));
            }
            if history.first().is_some_and(|first| first.version == 1) {
                return Ok(None);
            }
        }
        // Its making is forgotten, and only what the relay has passed is. Of its states since, this is the one that is known.
        Ok(Some(as_it_is(entity)))
    }
}

fn as_it_is(entity: &Entity) -> Result<Entry, serde_json::Error> {
    Endpoint::from_entity(entity).map(|endpoint| Entry::of(&endpoint))
}

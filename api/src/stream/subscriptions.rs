//! The subscriptions of one socket: added, removed, and polled as one stream.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use domain::Owner;
use drivers::Fault;
use engine::Engine;
use engine::follow::{Follower, Item};
use engine::hub::Watch;
use futures_util::stream::{self, AbortHandle, SelectAll, Stream, StreamExt, abortable};

use super::ask::Wish;
use crate::position;
use crate::problem::{Problem, codes};

/// The most subscriptions of one socket.
const MOST: usize = 64;

/// What happened to which subscription.
pub(super) type News = (Arc<str>, Result<Item, Fault>);

/// The subscriptions of one socket.
pub(super) struct Subscriptions {
    epoch: u64,
    streams: SelectAll<Pin<Box<dyn Stream<Item = News> + Send>>>,
    held: HashMap<Arc<str>, Held>,
}

struct Held {
    abort: AbortHandle,
    position: u64,
}

impl Subscriptions {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, streams: SelectAll::new(), held: HashMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Adds one; answers with the position after which its events come.
    ///
    /// # Errors
    /// A name that is taken, too many, another's account, a position that cannot be resumed from, a failing journal.
    pub(super) async fn add(&mut self, wish: Wish, engine: &Engine, account: &Owner) -> Result<u64, Problem> {
        if self.held.contains_key(&*wish.id) {
            return Err(Problem::new(codes::ALREADY_SUBSCRIBED, "unsubscribe it first, or take another id"));
        }
        if self.held.len() == MOST {
            return Err(Problem::new(codes::TOO_MANY_SUBSCRIPTIONS, "at most 64 on one socket"));
        }
        if wish.owner.is_some_and(|owner| owner != account.as_str()) {
            return Err(Problem::new(codes::UNKNOWN_ACCOUNT, "there is no such account here"));
        }
        let head = engine.journal.head().await?;
        if head.epoch != self.epoch {
            return Err(Problem::new(codes::UNAVAILABLE, "the log was restored; connect again"));
        }
        let after = wish.after.map(|text| position::resume(&text, &head)).transpose()?;
        let watch = Watch { account: Some(account.clone()), kinds: wish.kinds, ids: wish.ids };
        let follower = Follower::open(&engine.hub, watch, after).await?;
        let position = follower.position();
        let name: Arc<str> = wish.id.into();
        let (stream, abort) = abortable(news(Arc::clone(&name), follower));
        self.streams.push(Box::pin(stream));
        self.held.insert(name, Held { abort, position });
        Ok(position)
    }

    /// Removes one; false if there is none of that name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let held = self.held.remove(name);
        held.inspect(|held| held.abort.abort()).is_some()
    }

    /// The next event of any of them. None when there are none.
    pub(super) async fn next(&mut self) -> Option<News> {
        self.streams.next().await
    }

    /// Notes how far one has come.
    pub(super) fn delivered(&mut self, name: &str, position: u64) {
        if let Some(held) = self.held.get_mut(name) {
            held.position = position;
        }
    }

    /// The position of the one that is furthest behind.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.held.values().map(|held| held.position).min()
    }
}

/// A follower as a stream that ends after it was cut off or failed.
fn news(name: Arc<str>, follower: Follower) -> impl Stream<Item = News> {
    stream::unfold(Some(follower), move |follower| {
        let name = Arc::clone(&name);
        async move {
            let mut follower = follower?;
            let item = follower.next().await;
            let goes_on = matches!(item, Ok(Item::Event(_)));
            Some(((name, item), goes_on.then_some(follower)))
        }
    })
}

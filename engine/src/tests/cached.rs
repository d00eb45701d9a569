//! Reads through the cache: a change that was answered is seen, whoever made it and whatever became of its caller.

use std::task::{Context, Waker};

use async_trait::async_trait;
use domain::swap::{accept, cancel};
use drivers::Fault;
use drivers::cache::{Entry, Load};

use super::*;
use crate::access::Access;
use crate::cached::{Cached, View, key as cache_key};
use crate::telling::Telling;

/// One process as far as reads and writes go, on a journal that others write to as well.
struct Node {
    journal: Arc<dyn Journal>,
    hub: Arc<Hub>,
    cached: Cached,
    stop: CancellationToken,
}

impl Node {
    async fn start(journal: &Arc<dyn Journal>, wake: &Arc<dyn wake::Wake>, cache: &str) -> Self {
        let cache = cache::open(cache).await.expect("a cache");
        let access = Arc::new(Access::new(Arc::clone(journal)));
        let journal: Arc<dyn Journal> = Arc::new(Telling {
            journal: Arc::clone(journal),
            cache: Arc::clone(&cache),
            access: Arc::clone(&access),
            rates: Arc::default(),
            book: None,
        });
        let hub = Arc::new(Hub::new(Arc::clone(&journal), Arc::clone(wake), access).keeping(Arc::clone(&cache)));
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&hub).run(stop.clone()));
        until("the hub is current", async || hub.is_current()).await;
        let cached = Cached::new(Arc::clone(&journal), cache, Some(Arc::clone(&hub)));
        Self { journal, hub, cached, stop }
    }

    async fn version(&self, id: &str) -> u64 {
        let view = self.cached.view(Kind::Swap, id).await.expect("a read");
        view.map_or(0, |view| view.version)
    }

    /// Commits a new order.
    async fn place(&self) -> Swap {
        let choice = accept(place(), clock::now()).expect("an order");
        self.journal.apply(choice.change).await.expect("on disk");
        choice.swap
    }

    /// Commits its withdrawal.
    async fn cancel(&self, swap: &Swap) {
        let choice = cancel(swap, clock::now()).expect("still pending");
        self.journal.apply(choice.change).await.expect("on disk");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn redis() -> String {
    format!("{}?prefix={}:&deadline_millis=10000", testbed::redis(), Uuid::now_v7().simple())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_what_the_entity_says() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let taken = engine.intake.place(place(), None).await.expect("taken");
    for _ in 0..2 {
        let view = engine.cached.view(Kind::Swap, &taken.id).await.expect("a read").expect("is there");
        assert_eq!((view.version, view.body()), (1, taken.view.clone().into()));
        assert!(view.is_of(&owner("alice")) && !view.is_of(&owner("alic")) && !view.is_of(&owner("alicea")));
    }
    assert_eq!(engine.cached.view(Kind::Swap, &new_id()).await, Ok(None::<View>));
    let cancelled = engine.intake.cancel(&owner("alice"), &taken.id, None).await.expect("cancelled");
    let view = engine.cached.view(Kind::Swap, &taken.id).await.expect("a read").expect("is there");
    assert_eq!((view.version, view.body()), (2, cancelled.view.into()));
    let metrics = engine.metrics.render();
    for line in ["tradewind_cache_hits_total 1", "tradewind_cache_fills_total 3", "tradewind_cache_entries 2"] {
        assert!(metrics.lines().any(|said| said == line), "{line} in {metrics}");
    }
    engine.stop(Duration::from_secs(5)).await;
}

/// Workers commit as intake does.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_did_is_seen() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 8).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        let id = engine.intake.place(place(), None).await.expect("taken").id;
        engine.cached.view(Kind::Swap, &id).await.expect("a read");
        ids.push(id);
    }
    for id in &ids {
        let ended = until_final(&engine, id).await;
        let view = engine.cached.view(Kind::Swap, id).await.expect("a read").expect("is there");
        assert_eq!(view.version, ended.version);
    }
    engine.stop(Duration::from_secs(5)).await;
}

/// What lies in Redis is not added up for everyone who asks; what is in memory is known.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_cache_is_weighed_once_in_a_while() {
    let (server, site) = (testbed::Redis::start(), Site::new());
    for (url, then) in [(format!("{}?deadline_millis=10000", server.url()), 0), ("memory".to_owned(), 1)] {
        let (journal, cache) = (site.journal().await, cache::open(&url).await.expect("a cache"));
        let head = journal.head().await.expect("a head");
        cache.resume(head).await;
        cache.follow(&[], head.seq).await;
        let cached = Cached::new(Arc::clone(&journal), cache, None);
        until("the cache answers", async || cached.weight().await.is_ok()).await;
        let id = new_id();
        until("the cache is in use", async || {
            cached.view(Kind::Swap, &id).await.expect("a read");
            cached.cache().statistics().fills > 0
        })
        .await;
        assert_eq!(cached.cache().weigh().await.expect("a weight").keys, 1, "{url}");
        assert_eq!(cached.weight().await.expect("a weight").keys, then, "{url}");
        journal.close().await;
    }
}

/// With a cache of its own, a node hears of others' writes from the log.
#[tokio::test(flavor = "multi_thread")]
async fn another_nodes_write_does_not_stay_unseen() {
    let site = Site::new();
    let journal = site.journal().await;
    let a = Node::start(&journal, &site.wake, "memory").await;
    let b = Node::start(&journal, &site.wake, "memory").await;
    let swap = a.place().await;
    assert_eq!((a.version(&swap.id).await, b.version(&swap.id).await), (1, 1));
    a.cancel(&swap).await;
    assert_eq!(a.version(&swap.id).await, 2, "its own write");
    until("b has heard of it", async || b.version(&swap.id).await == 2).await;
}

/// With a cache in Redis it is seen at once.
#[tokio::test(flavor = "multi_thread")]
async fn another_nodes_write_is_seen_at_once_through_redis() {
    let site = Site::new();
    let (journal, url) = (site.journal().await, redis());
    let a = Node::start(&journal, &site.wake, &url).await;
    let b = Node::start(&journal, &site.wake, &url).await;
    for _ in 0..20 {
        let swap = a.place().await;
        assert_eq!((a.version(&swap.id).await, b.version(&swap.id).await), (1, 1));
        a.cancel(&swap).await;
        assert_eq!((b.version(&swap.id).await, a.version(&swap.id).await), (2, 2));
    }
}

/// A watcher that has seen an event reads what it told of, on a node that did not write it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_watcher_has_seen_is_read() {
    let site = Site::new();
    let journal = site.journal().await;
    let writer = Node::start(&journal, &site.wake, "none").await;
    let node = Node::start(&journal, &site.wake, "memory").await;
    let mut follower = Follower::open(&node.hub, Watch::default(), None).await.expect("a follower");
    for _ in 0..20 {
        let swap = writer.place().await;
        next(&mut follower).await;
        assert_eq!(node.version(&swap.id).await, 1);
        writer.cancel(&swap).await;
        assert_eq!(next(&mut follower).await.version, 2);
        assert_eq!(node.version(&swap.id).await, 2);
    }
}

/// A process died between its commit and the invalidation: its successor finds it in the log, and reads nothing before.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_and_not_told_is_found_in_the_log() {
    let site = Site::new();
    let (journal, url) = (site.journal().await, redis());
    let swap = {
        let dies = Node::start(&journal, &site.wake, &url).await;
        let swap = dies.place().await;
        assert_eq!((dies.version(&swap.id).await, dies.version(&swap.id).await), (1, 1));
        swap
    };
    let choice = cancel(&swap, clock::now()).expect("still pending");
    journal.apply(choice.change).await.expect("on disk, and nobody told");
    let next = Node::start(&journal, &site.wake, &url).await;
    assert_eq!(next.version(&swap.id).await, 2);
}

/// The caller gives up in the middle of a commit, which then happens all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_leaves_nothing_stale() {
    let site = Site::new();
    let journal = site.journal().await;
    let cache = cache::open("memory").await.expect("a cache");
    let access = Arc::new(Access::new(Arc::clone(&journal)));
    let telling =
        Telling { journal: Arc::clone(&journal), cache: Arc::clone(&cache), access, rates: Arc::default(), book: None };
    let cached = Cached::new(Arc::clone(&journal), cache, None);
    for _ in 0..20 {
        let choice = accept(place(), clock::now()).expect("an order");
        telling.apply(choice.change).await.expect("on disk");
        let id = choice.swap.id.clone();
        let version = async || {
            let view = cached.view(Kind::Swap, &id).await.expect("a read");
            view.map_or(0, |view| view.version)
        };
        assert_eq!(version().await, 1);
        let choice = cancel(&choice.swap, clock::now()).expect("still pending");
        let mut apply = Box::pin(telling.apply(choice.change));
        // Once: the journal has the change now, and its answer comes too late.
        let _ = apply.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(apply);
        until("it is committed", async || {
            let entity = journal.entity(Kind::Swap, &id).await.expect("a read").expect("is there");
            entity.version == 2
        })
        .await;
        // Nobody but the abandoned commit itself can tell this cache.
        until("what is committed is read", async || version().await == 2).await;
    }
}

/// While a node cannot read the log it does not answer from its cache.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_follow_reads_the_journal() {
    struct Planted;

    #[async_trait]
    impl Load for Planted {
        async fn load(&self) -> Result<Entry, Fault> {
            Ok(Entry { version: 9, value: Some(b"\x05alice\0{}".as_slice().into()) })
        }
    }

    let site = Site::new();
    let journal = site.journal().await;
    let cache = cache::open("memory").await.expect("a cache");
    let hub = Arc::new(
        Hub::new(Arc::clone(&journal), Arc::clone(&site.wake), Arc::new(Access::new(Arc::clone(&journal))))
            .keeping(Arc::clone(&cache)),
    );
    let cached = Cached::new(Arc::clone(&journal), Arc::clone(&cache), Some(Arc::clone(&hub)));
    let id = new_id();
    cache.read(&cache_key(Kind::Swap, &id), &Planted).await.expect("planted");
    assert_eq!(cached.view(Kind::Swap, &id).await, Ok(None), "the hub does not run yet");
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    until("it follows", async || hub.is_current()).await;
    assert_eq!(cached.view(Kind::Swap, &id).await.expect("a read").map(|view| view.version), Some(9));
    journal.close().await;
    until("it notices", async || !hub.is_current()).await;
    assert!(cached.view(Kind::Swap, &id).await.is_err(), "answered from the cache");
    stop.cancel();
}

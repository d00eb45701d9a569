//! Nobody reads what is older than an answered write: not by id, not in a list, not where a seller took its leave back; with
//! loads that dawdle, with processes that die between commit and invalidation, on both caches.
//!
//! `TRADEWIND_CONSISTENCY_SECONDS` makes the runs longer, `TRADEWIND_CONSISTENCY_SEED` repeats the chances of an earlier one.

mod crowd;
mod rough;

use std::sync::RwLock;

use crowd::{Answered, Seller, agrees};
use drivers::cache::Statistics;
use futures_util::future::join_all;
use rough::{Chance, Rough};

use super::*;
use crate::access::Access;
use crate::cached::Cached;
use crate::intake::Intake;
use crate::observe::Metrics;
use crate::telling::Telling;

const READERS: u64 = 64;
const WRITERS: u64 = 8;
const SELLERS: usize = 6;
const BUYER: &str = "buyer";
/// What is written, read and listed.
const KINDS: [Kind; 2] = [Kind::Deal, Kind::ShopOrder];
/// One in so many writes kills its process.
const MORTALITY: u64 = 100;

/// One process, as far as reads and writes go.
struct Node {
    journal: Arc<dyn Journal>,
    access: Arc<Access>,
    intake: Intake,
    cached: Cached,
    rough: Arc<Rough>,
    ended: CancellationToken,
}

impl Node {
    async fn start(stores: &Stores, seed: u64) -> Arc<Self> {
        let (kept, wake) = stores.journal().await;
        let cache = cache::open(&stores.cache).await.expect("a cache");
        let rough = Arc::new(Rough::new(cache, seed, MORTALITY));
        let cache: Arc<dyn cache::Cache> = Arc::clone(&rough) as _;
        let access = Arc::new(Access::new(Arc::clone(&kept)));
        let telling = Telling {
            journal: Arc::clone(&kept),
            cache: Arc::clone(&cache),
            access: Arc::clone(&access),
            rates: Arc::default(),
            book: None,
        };
        let (journal, ended): (Arc<dyn Journal>, _) = (Arc::new(telling), CancellationToken::new());
        let hub = kept.shared().then(|| {
            let hub = Hub::new(Arc::clone(&journal), Arc::clone(&wake), Arc::clone(&access));
            Arc::new(hub.keeping(Arc::clone(&cache)))
        });
        if let Some(hub) = &hub {
            access.listen_to(hub);
            tokio::spawn(Arc::clone(hub).run(ended.clone()));
            while !hub.is_current() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let intake = Intake::new(Arc::clone(&journal), Arc::new(Metrics::default()));
        let cached = Cached::new(Arc::clone(&journal), cache, hub);
        Arc::new(Self { journal, access, intake, cached, rough, ended })
    }

    /// Only a process that was killed may fail.
    async fn is_excused(&self, why: &impl std::fmt::Debug) {
        assert!(self.ended.is_cancelled(), "{why:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    async fn ends(&self) {
        self.ended.cancelled().await;
    }
}

/// Where a node keeps things.
struct Stores {
    /// A database of PostgreSQL, or the folder of the site for one node alone.
    database: Option<String>,
    site: Arc<Site>,
    cache: String,
}

impl Stores {
    /// Opens the journal anew, as a process that starts does.
    async fn journal(&self) -> (Arc<dyn Journal>, Arc<dyn wake::Wake>) {
        let Some(url) = &self.database else { return (self.site.journal().await, Arc::clone(&self.site.wake)) };
        let wake = wake::open("postgres", url).await.expect("a wake");
        let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
        (journal::open(url, options).await.expect("a journal"), wake)
    }
}

/// The nodes that live at present.
struct Place {
    stores: Vec<Stores>,
    nodes: Vec<RwLock<Arc<Node>>>,
    kills: std::sync::atomic::AtomicU64,
    buried: std::sync::Mutex<Vec<Statistics>>,
}

impl Place {
    async fn open(stores: Vec<Stores>, chance: &Chance) -> Arc<Self> {
        let mut nodes = Vec::new();
        for one in &stores {
            nodes.push(RwLock::new(Node::start(one, chance.below(u64::MAX)).await));
        }
        Arc::new(Self { stores, nodes, kills: 0.into(), buried: std::sync::Mutex::default() })
    }

    /// Any of them.
    fn node(&self, chance: &Chance) -> Arc<Node> {
        Arc::clone(&chance.pick(&self.nodes).read().expect("not poisoned"))
    }

    /// Starts another process whenever the one at this place is killed. Nothing of the old one is told or answered any more.
    async fn keep(&self, at: usize, chance: &Chance, over: &CancellationToken) {
        loop {
            let node = Arc::clone(&self.nodes[at].read().expect("not poisoned"));
            tokio::select! { () = node.rough.death() => {}, () = over.cancelled() => return }
            node.ended.cancel();
            // What was under way is committed, or never will be.
            node.journal.close().await;
            self.buried.lock().expect("not poisoned").push(node.cached.cache().statistics());
            let next = Node::start(&self.stores[at], chance.below(u64::MAX)).await;
            *self.nodes[at].write().expect("not poisoned") = next;
            self.kills.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    fn statistics(&self) -> Vec<Statistics> {
        let mut all = self.buried.lock().expect("not poisoned").clone();
        all.extend(self.nodes.iter().map(|node| node.read().expect("not poisoned").cached.cache().statistics()));
        all
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn setting(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}

/// Lets the crowd in, and looks at everything once more when it has gone.
async fn check(stores: Vec<Stores>) {
    let seed = setting("TRADEWIND_CONSISTENCY_SEED", u64::from(std::process::id()));
    println!("TRADEWIND_CONSISTENCY_SEED={seed}");
    let time = Duration::from_secs(setting("TRADEWIND_CONSISTENCY_SECONDS", 10));
    let chance = Chance::new(seed);
    let (place, count) = (Place::open(stores, &chance).await, SELLERS);
    let sellers = (0..count).map(|n| Seller::new(&format!("seller-{n}"))).collect();
    let (answered, over) = (Arc::new(Answered { sellers, ..Answered::default() }), CancellationToken::new());
    let mut crowd = Vec::new();
    for who in 0..READERS + WRITERS + count as u64 {
        let (place, answered, chance) =
            (Arc::clone(&place), Arc::clone(&answered), Chance::new(chance.below(u64::MAX)));
        crowd.push(tokio::spawn(async move {
            match who.checked_sub(READERS) {
                None => answered.read(&place, &chance).await,
                Some(who) if who < WRITERS => answered.write(&place, &chance).await,
                Some(who) => {
                    let seller = &answered.sellers[usize::try_from(who - WRITERS).expect("small")];
                    answered.grant(&place, &chance, seller).await;
                }
            }
        }));
    }
    let keepers: Vec<_> = (0..place.nodes.len())
        .map(|at| {
            let (place, over, chance) = (Arc::clone(&place), over.clone(), Chance::new(chance.below(u64::MAX)));
            tokio::spawn(async move { place.keep(at, &chance, &over).await })
        })
        .collect();
    tokio::time::sleep(time).await;
    answered.over.store(true, std::sync::atomic::Ordering::SeqCst);
    for one in join_all(crowd).await {
        one.expect("nobody read what was older than an answered write");
    }
    over.cancel();
    join_all(keepers).await;
    agree(&place, &answered).await;
    let sum = |of: fn(&Statistics) -> u64| place.statistics().iter().map(of).sum::<u64>();
    let [reads, lists, writes] = [&answered.reads, &answered.lists, &answered.writes]
        .map(|count| count.load(std::sync::atomic::Ordering::SeqCst));
    let kills = place.kills.load(std::sync::atomic::Ordering::SeqCst);
    let (hits, refused) = (sum(|seen| seen.hits), sum(|seen| seen.fills_refused));
    println!("{reads} reads, {lists} of lists, {writes} writes, {kills} kills, {hits} hits, {refused} fills refused");
    assert!(reads > 1_000 && lists > 300 && writes > 100, "little was read or written");
    assert!(kills > 0, "nobody was killed between commit and invalidation");
    assert!(refused > 0, "no load met a write");
    assert!(hits > reads / 10, "the cache was hardly used");
}

/// When all is quiet every node shows what the journal holds, also of what was committed by those who were killed before they
/// told of it.
async fn agree(place: &Place, answered: &Answered) {
    for node in &place.nodes {
        let node = Arc::clone(&node.read().expect("not poisoned"));
        assert!(!node.rough.is_dead());
        until("the node shows what the journal holds", async || {
            for seller in &answered.sellers {
                for kind in KINDS {
                    if !agrees(&node, kind, seller).await.expect("reads") {
                        return false;
                    }
                }
            }
            true
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_what_is_older_from_memory() {
    let cache = "memory?megabytes=1&ttl_millis=300".to_owned();
    check(vec![Stores { database: None, site: Arc::new(Site::new()), cache }]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_what_is_older_from_redis_on_two_nodes() {
    let (database, server, site) = (testbed::database(), testbed::Redis::start(), Arc::new(Site::new()));
    // No value ends by itself while this runs: what a killed process did not tell of has to be found in the log.
    let cache = format!("{}?ttl_millis=600000&deadline_millis=10000", server.url());
    let node = || Stores { database: Some(database.url.clone()), site: Arc::clone(&site), cache: cache.clone() };
    check(vec![node(), node()]).await;
}

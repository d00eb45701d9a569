//! What the crash test and the cluster test have in common: clients that remember, and a verdict on what they remember.

pub(crate) mod draw;
pub(crate) mod followers;
pub(crate) mod fronts;
pub(crate) mod process;
pub(crate) mod record;
pub(crate) mod seen;
pub(crate) mod traders;
pub(crate) mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::draw::Draw;
use self::followers::Follower;
use self::fronts::Fronts;
use self::record::Record;
use self::seen::{Last, Log};
use self::traders::{ACCOUNTS, Post, Trader, Wish};
use self::verdict::{Evidence, Execution};

/// Orders in flight come to their end within this, lost transactions and all.
const SETTLE_PATIENCE: Duration = Duration::from_secs(240);
/// Anything else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const TRADERS: u64 = 6;

/// A world that loses, refuses and delays some of everything.
pub(crate) const MISCHIEF: [&str; 10] =
    ["--pace", "real", "--fail", "0.05", "--drop", "0.05", "--stall", "0.02", "--lose-answer", "0.1"];

/// The clients of a run: traders who post until they are stopped.
pub(crate) struct Market {
    pub(crate) client: Client,
    pub(crate) fronts: Fronts,
    pub(crate) record: Arc<Record>,
    draw: Draw,
    numbers: Arc<AtomicU64>,
    stop: CancellationToken,
    trading: Vec<JoinHandle<Vec<Post>>>,
}

impl Market {
    /// Lets the traders begin. A request that is not answered for `patience` is asked again.
    pub(crate) fn open(fronts: Fronts, draw: &Draw, patience: Duration) -> Self {
        let (numbers, stop) = (Arc::new(AtomicU64::new(1)), CancellationToken::new());
        let (client, draw, record) = (traders::client(patience), draw.clone(), Arc::default());
        let mut market = Self { client, fronts, record, draw, numbers, stop, trading: Vec::new() };
        for (number, account) in (0..TRADERS).zip(ACCOUNTS.iter().cycle()) {
            let trader = market.trader(number, account);
            market.trading.push(tokio::spawn(trader.run(market.stop.clone())));
        }
        market
    }

    /// Whether everybody still trades: who has ended has found something wrong.
    pub(crate) fn is_busy(&self) -> bool {
        self.trading.iter().all(|trader| !trader.is_finished())
    }

    /// Ends the trading, waits until no order is on its way, and then posts each account's last order.
    pub(crate) async fn close(&mut self, lasts: &Lasts) -> Vec<Post> {
        self.stop.cancel();
        let mut posts = Vec::new();
        for trader in std::mem::take(&mut self.trading) {
            posts.extend(finished("a trader", trader).await);
        }
        self.settle().await;
        for (account, (last, _)) in ACCOUNTS.iter().zip(&lasts.0) {
            let post = self.trader(TRADERS, account).trade(Wish::Sell).await;
            last.send_replace(post.id.clone());
            posts.push(post);
        }
        self.settle().await;
        posts
    }

    /// Every account's log from the first event, read in one go.
    pub(crate) async fn whole_logs(&self, lasts: &Lasts) -> Vec<Log> {
        let mut all = Vec::new();
        for number in 0..ACCOUNTS.len() {
            let follower = Follower { position: Some("oldest".into()), ..self.follower(number, lasts, None) };
            all.push(timeout(PATIENCE, follower.run()).await.expect("the whole log can be read"));
        }
        all
    }

    /// Per account one subscriber who stays and one who hangs up by himself.
    pub(crate) fn subscribe(&self, lasts: &Lasts) -> Vec<JoinHandle<Log>> {
        let mut all = Vec::new();
        for (account, number) in (0..ACCOUNTS.len()).zip(200..) {
            for restless in [None, Some(self.draw.part(number))] {
                all.push(tokio::spawn(self.follower(account, lasts, restless).run()));
            }
        }
        all
    }

    fn follower(&self, account: usize, lasts: &Lasts, restless: Option<Draw>) -> Follower {
        let (client, fronts, last) = (self.client.clone(), self.fronts.clone(), lasts.0[account].1.clone());
        let record = Arc::clone(&self.record);
        Follower { client, fronts, turn: account, account: ACCOUNTS[account], position: None, restless, last, record }
    }

    fn trader(&self, number: u64, account: &'static str) -> Trader {
        Trader {
            client: self.client.clone(),
            fronts: self.fronts.clone(),
            draw: self.draw.part(number),
            numbers: Arc::clone(&self.numbers),
            record: Arc::clone(&self.record),
            account,
        }
    }

    /// Waits until no order is on its way.
    async fn settle(&self) {
        let begun = Instant::now();
        for (account, turn) in ACCOUNTS.iter().zip(0..) {
            loop {
                let base = self.fronts.url(turn, PATIENCE).await;
                let open = format!("{base}/v1/swaps?status=pending,routing,building,submitted&limit=3");
                let answer = self.client.get(open).header("x-account", *account).send().await.expect("a list");
                let page: Value = serde_json::from_str(&answer.text().await.expect("a list")).expect("JSON");
                let orders = page["data"].as_array().unwrap_or_else(|| panic!("no list: {page}"));
                if orders.is_empty() {
                    break;
                }
                assert!(begun.elapsed() < SETTLE_PATIENCE, "orders that do not end: {page:#}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Each account's last order, once it is known.
pub(crate) struct Lasts(pub(crate) [(watch::Sender<Option<String>>, Last); ACCOUNTS.len()]);

impl Default for Lasts {
    fn default() -> Self {
        Self(ACCOUNTS.map(|_| watch::channel(None)))
    }
}

/// Everything that the chain ever executed.
pub(crate) async fn ledger(client: &Client, chain: &str) -> Vec<Execution> {
    let mut all: Vec<Execution> = Vec::new();
    loop {
        let page = client.get(format!("{chain}/ledger?after={}&limit=5000", all.len())).send().await.expect("a ledger");
        let page: Value = serde_json::from_str(&page.text().await.expect("a ledger")).expect("JSON");
        let more: Vec<Execution> = serde_json::from_value(page["executions"].clone()).expect("executions");
        if more.is_empty() {
            assert_eq!(page["total"], all.len(), "the ledger is shorter than it says");
            return all;
        }
        all.extend(more);
    }
}

/// Prints what the clients went through.
pub(crate) fn tell(ends: &BTreeMap<String, usize>, evidence: &Evidence) {
    println!("orders: {ends:?}, {} executed; failures: {:?}", evidence.ledger.len(), verdict::failures(evidence));
    let unanswered: u32 = evidence.posts.iter().map(|post| post.unanswered).sum();
    let count = |what: fn(&&Post) -> bool| evidence.posts.iter().filter(what).count();
    let (found, twins) = (count(|post| post.found), count(|post| post.twin));
    println!("requests unanswered and repeated: {unanswered}; orders found on disk that nobody was told of: {found}");
    let resumed: u32 = evidence.followed.iter().map(|log| log.resumed).sum();
    let events: usize = evidence.logs.iter().map(|log| log.events.len()).sum();
    println!("posted twice at the same moment: {twins}; events: {events}; subscribers resumed {resumed} times");
}

/// As many findings as anybody reads.
pub(crate) fn first(findings: &[String]) -> String {
    findings.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
}

/// What a task came to; its panic is the test's.
pub(crate) async fn finished<T>(who: &str, task: JoinHandle<T>) -> T {
    let done = timeout(SETTLE_PATIENCE, task).await.unwrap_or_else(|_| panic!("{who} does not come to an end"));
    done.unwrap_or_else(|error| panic!("{who} failed: {error}"))
}

/// A whole number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    let text = std::env::var_os(name)?;
    Some(text.to_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} must be a whole number")))
}

/// Stays for whoever looks into a failure.
pub(crate) struct Folder(pub(crate) TempDir);

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.disable_cleanup(true);
            eprintln!("what the servers wrote is kept in {}", self.0.path().display());
        }
    }
}

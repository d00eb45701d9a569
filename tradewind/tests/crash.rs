//! Kills the server at every named fail point and at random while orders pour in, then compares what everybody knows.
//!
//! `TRADEWIND_CRASH_SECONDS` says how long it kills (default 40), `TRADEWIND_CRASH_SEED` repeats a run's chances.

mod draw;
mod followers;
mod life;
mod traders;
mod verdict;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use drivers::failpoint;
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::draw::Draw;
use self::followers::{Follower, Log};
use self::life::{Address, Home, Life, url};
use self::traders::{ACCOUNTS, Post, Trader, Wish};
use self::verdict::{Evidence, Execution};
use crate::server::{Server, command, err, out};

/// A point that is not reached in so long by a busy server is missed.
const POINT_PATIENCE: Duration = Duration::from_secs(25);
/// A point missed so often fails the run.
const MISSES: u32 = 3;
/// Orders in flight come to their end within this, lost transactions and all.
const SETTLE_PATIENCE: Duration = Duration::from_secs(240);
/// Anything else.
const PATIENCE: Duration = Duration::from_secs(120);
const TRADERS: u64 = 6;

/// A world that loses, refuses and delays some of everything.
const MISCHIEF: [&str; 10] =
    ["--pace", "real", "--fail", "0.05", "--drop", "0.05", "--stall", "0.02", "--lose-answer", "0.1"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_trades_twice() {
    let seconds = setting("TRADEWIND_CRASH_SECONDS").unwrap_or(40);
    let seed = setting("TRADEWIND_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("crash test: seed {seed}, {seconds} s; TRADEWIND_CRASH_SEED={seed} repeats its chances");
    let draw = Draw::new(seed);
    let chain = Server::chain(&[&MISCHIEF[..], &["--seed", &seed.to_string()]].concat());
    let folder = Folder(TempDir::new().expect("a folder"));
    let (sender, address) = watch::channel(None);
    let venue = format!("simnet={}", chain.url);
    let home = Home { folder: folder.0.path(), venue, address: sender };

    let client = traders::client();
    let (numbers, stop) = (Arc::new(AtomicU64::new(1)), CancellationToken::new());
    let trader = |number: u64, account| Trader {
        client: client.clone(),
        address: address.clone(),
        draw: draw.part(number),
        numbers: Arc::clone(&numbers),
        account,
    };
    let trading: Vec<JoinHandle<Vec<Post>>> = (0..TRADERS)
        .zip(ACCOUNTS.iter().cycle())
        .map(|(number, account)| tokio::spawn(trader(number, account).run(stop.clone())))
        .collect();
    let lasts = ACCOUNTS.map(|_| watch::channel(None));
    let following = subscribe(&client, &address, &draw, &lasts);

    let busy = || trading.iter().all(|trader| !trader.is_finished()) && following.iter().all(|f| !f.is_finished());
    let kills = kill_for(&home, draw.part(100), Duration::from_secs(seconds), busy).await;

    let life = home.begin("");
    stop.cancel();
    let mut posts = Vec::new();
    for trader in trading {
        posts.extend(finished("a trader", trader).await);
    }
    settle(&client, &address).await;
    for (account, (last, _)) in ACCOUNTS.iter().zip(&lasts) {
        let post = trader(TRADERS, account).trade(Wish::Sell).await;
        last.send_replace(post.id.clone());
        posts.push(post);
    }
    settle(&client, &address).await;
    let mut followed = Vec::new();
    for follower in following {
        followed.push(finished("a subscriber", follower).await);
    }
    let logs = whole_logs(&client, &address, &lasts).await;
    let events = logs.iter().map(|log| log.events.len()).sum();
    let export = exported(home.folder, events).await;
    stop_and_check(life, home.folder).await;
    let ledger = ledger(&client, &chain.url).await;

    assert!(verdict::distinct(&posts), "numbers were given out twice");
    let evidence = Evidence { posts, logs, followed, ledger, export };
    let (ends, findings) = verdict::judge(&evidence);
    report(&kills, &ends, &evidence);
    assert!(findings.is_empty(), "{} findings (seed {seed}):\n{}", findings.len(), first(&findings));
    let missed: Vec<_> = kills.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    assert!(missed.is_empty(), "fail points never hit (seed {seed}): {missed:?}");
    for state in ["confirmed", "failed", "cancelled", "expired"] {
        assert!(ends.contains_key(state), "no order ended {state}: the run proves too little (seed {seed})");
    }
}

/// Kills until the time is over and every point was hit or missed too often: at a point, then at random, in turn.
///
/// Ends early when a client is no longer busy: it has found something wrong, which the caller learns from it.
async fn kill_for(
    home: &Home<'_>,
    mut draw: Draw,
    time: Duration,
    busy: impl Fn() -> bool,
) -> BTreeMap<&'static str, u32> {
    let until = Instant::now() + time;
    let mut kills: BTreeMap<_, u32> = failpoint::NAMES.into_iter().chain(["at random"]).map(|name| (name, 0)).collect();
    let mut missed: BTreeMap<&str, u32> = BTreeMap::new();
    let mut round = Vec::new();
    loop {
        if round.is_empty() {
            round = failpoint::NAMES.to_vec();
            draw.shuffle(&mut round);
        }
        let Some(name) = round.pop() else { continue };
        let mut life = home.begin(&format!("{name}={}", passes(name, &mut draw)));
        if life.dies_within(POINT_PATIENCE).await {
            *kills.entry(name).or_default() += 1;
        } else {
            life.kill();
            *missed.entry(name).or_default() += 1;
            println!("{name} was not reached in {POINT_PATIENCE:?}");
        }
        let life = home.begin("");
        sleep(Duration::from_millis(draw.between(0, 1_000))).await;
        life.kill();
        *kills.entry("at random").or_default() += 1;
        let settled = |name: &str| kills[name] > 0 || missed.get(name).is_some_and(|times| *times >= MISSES);
        if !busy() || (Instant::now() > until && failpoint::NAMES.into_iter().all(settled)) {
            return kills;
        }
    }
}

/// How many passes of a point a process survives: rare ones few, so that a round ends soon.
fn passes(name: &str, draw: &mut Draw) -> u64 {
    let most = match name.split('.').next() {
        Some("retry" | "bury") => 2,
        Some("commit" | "relay") => 60,
        _ => 20,
    };
    draw.between(1, most)
}

/// Per account one subscriber who stays and one who hangs up by himself.
fn subscribe(client: &Client, address: &Address, draw: &Draw, lasts: &[LastOrder; 3]) -> Vec<JoinHandle<Log>> {
    let mut all = Vec::new();
    for (account, (number, (_, last))) in ACCOUNTS.iter().zip((200..).zip(lasts)) {
        for restless in [None, Some(draw.part(number))] {
            let (client, address, last) = (client.clone(), address.clone(), last.clone());
            let follower = Follower { client, address, account, position: None, restless, last };
            all.push(tokio::spawn(follower.run()));
        }
    }
    all
}

type LastOrder = (watch::Sender<Option<String>>, followers::Last);

/// Every account's log from the first event, read in one go.
async fn whole_logs(client: &Client, address: &Address, lasts: &[LastOrder; 3]) -> Vec<Log> {
    let mut all = Vec::new();
    for (account, (_, last)) in ACCOUNTS.iter().zip(lasts) {
        let (client, address, last) = (client.clone(), address.clone(), last.clone());
        let follower = Follower { client, address, account, position: Some("oldest".into()), restless: None, last };
        all.push(timeout(PATIENCE, follower.run()).await.expect("the whole log can be read"));
    }
    all
}

/// Waits until no order is on its way.
async fn settle(client: &Client, address: &Address) {
    let begun = Instant::now();
    for account in ACCOUNTS {
        loop {
            let base = url(address, PATIENCE).await;
            let open = format!("{base}/v1/swaps?status=pending,routing,building,submitted&limit=3");
            let request = client.get(open).header("x-account", account);
            let page = request.send().await.expect("a list").text().await.expect("a list");
            let page: Value = serde_json::from_str(&page).expect("JSON");
            let orders = page["data"].as_array().unwrap_or_else(|| panic!("no list: {page}"));
            if orders.is_empty() {
                break;
            }
            assert!(begun.elapsed() < SETTLE_PATIENCE, "orders that do not end: {page:#}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The exported file, when it has as many lines as there are events.
async fn exported(folder: &Path, events: usize) -> String {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(folder.join("events.jsonl")).expect("the export");
        let lines = text.lines().count();
        if lines >= events {
            return text;
        }
        assert!(begun.elapsed() < PATIENCE, "the export stops at {lines} of {events} events");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn stop_and_check(life: Life<'_>, folder: &Path) {
    let status = life.terminate().await;
    assert!(status.success(), "stopping gracefully: {status}");
    let checked =
        command(folder).args(["check", "--journal", "sqlite:tradewind.db"]).output().expect("the binary starts");
    println!("{}", out(&checked).trim_end());
    assert!(checked.status.success(), "tradewind check: {}{}", out(&checked), err(&checked));
}

async fn ledger(client: &Client, chain: &str) -> Vec<Execution> {
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

fn report(kills: &BTreeMap<&str, u32>, ends: &BTreeMap<String, usize>, evidence: &Evidence) {
    println!("kills:");
    for (name, count) in kills {
        println!("  {name:<16} {count}");
    }
    println!("orders: {ends:?}, {} executed; failures: {:?}", evidence.ledger.len(), verdict::failures(evidence));
    let unanswered: u32 = evidence.posts.iter().map(|post| post.unanswered).sum();
    let found = evidence.posts.iter().filter(|post| post.found).count();
    println!("requests unanswered and repeated: {unanswered}; orders found on disk that nobody was told of: {found}");
    let resumed: u32 = evidence.followed.iter().map(|log| log.resumed).sum();
    println!("events: {}; subscribers resumed {resumed} times", evidence.export.lines().count());
}

fn first(findings: &[String]) -> String {
    findings.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
}

async fn finished<T>(who: &str, task: JoinHandle<T>) -> T {
    let done = timeout(SETTLE_PATIENCE, task).await.unwrap_or_else(|_| panic!("{who} does not come to an end"));
    done.unwrap_or_else(|error| panic!("{who} failed: {error}"))
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var_os(name)?;
    Some(text.to_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} must be a whole number")))
}

/// Stays for whoever looks into a failure.
struct Folder(TempDir);

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.disable_cleanup(true);
            eprintln!("journal, export and server.log are kept in {}", self.0.path().display());
        }
    }
}

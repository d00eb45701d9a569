//! Kills the server at every named fail point and at random while orders pour in, then compares what everybody knows.
//!
//! `TRADEWIND_CRASH_SECONDS` says how long it kills (default 40), `TRADEWIND_CRASH_KILLS` how often where orders go to Jupiter
//! (default 12), `TRADEWIND_CRASH_SEED` repeats a run's chances.

mod jupiter;
mod life;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use drivers::failpoint;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use self::life::Home;
use crate::proof::draw::Draw;
use crate::proof::fronts::Fronts;
use crate::proof::process::Process;
use crate::proof::seen::Seen;
use crate::proof::traders::client;
use crate::proof::verdict::{self, Evidence};
use crate::proof::{Folder, Lasts, MISCHIEF, Market, PATIENCE, finished, first, ledger, setting, tell};
use crate::server::{Server, command, err, out};

/// A point that is not reached in so long by a busy server is missed.
const POINT_PATIENCE: Duration = Duration::from_secs(25);
/// A point missed so often fails the run.
const MISSES: u32 = 3;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_trades_twice() {
    let seconds = setting("TRADEWIND_CRASH_SECONDS").unwrap_or(40);
    let seed = seed();
    println!("crash test: seed {seed}, {seconds} s; TRADEWIND_CRASH_SEED={seed} repeats its chances");
    let chain = Server::chain(&[&MISCHIEF[..], &["--seed", &seed.to_string()]].concat());
    let folder = Folder(TempDir::new().expect("a folder"));
    let arguments = vec!["--venue".to_owned(), format!("simnet={}", chain.url)];
    let until = Instant::now() + Duration::from_secs(seconds);
    let plan = Plan { folder: &folder, arguments, points: &failpoint::NAMES, seed };
    let (mut evidence, kills) = plan.run(|_| Instant::now() > until).await;
    evidence.ledger = ledger(&client(REQUEST_TIMEOUT), &chain.url).await;
    judge(&evidence, &kills, seed);
}

/// What a run's chances are made from.
fn seed() -> u64 {
    setting("TRADEWIND_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()))
}

/// How a run is to go.
struct Plan<'a> {
    folder: &'a Folder,
    /// The server's venue, and what that needs.
    arguments: Vec<String>,
    /// Where it is killed, besides at random.
    points: &'a [&'static str],
    seed: u64,
}

type Kills = BTreeMap<&'static str, u32>;

impl Plan<'_> {
    /// Trades while the server is killed until it was enough; then what everybody remembers but the chain.
    async fn run(self, enough: impl Fn(u32) -> bool) -> (Evidence, Kills) {
        let draw = Draw::new(self.seed);
        let (sender, address) = watch::channel(None);
        let home = Home { folder: self.folder.0.path(), arguments: self.arguments, address: sender };
        let mut market = Market::open(Fronts::new(vec![address]), &draw, REQUEST_TIMEOUT);
        let lasts = Lasts::default();
        let following = market.subscribe(&lasts);
        let busy = || market.is_busy() && following.iter().all(|follower| !follower.is_finished());
        let kills = kill_until(&home, draw.part(100), self.points, enough, busy).await;

        let life = home.begin("");
        let posts = market.close(&lasts).await;
        let mut followed = Vec::new();
        for follower in following {
            followed.push(finished("a subscriber", follower).await);
        }
        let logs = market.whole_logs(&lasts).await;
        let events = logs.iter().map(|log| log.events.len()).sum();
        let export = exported(home.folder, events).await;
        stop_and_check(life, home.folder).await;
        (Evidence { posts, logs, followed, ledger: Vec::new(), copies: vec![("the export", export)] }, kills)
    }
}

/// Everything must hold, every point must have been hit, and orders must have ended in every way.
fn judge(evidence: &Evidence, kills: &Kills, seed: u64) {
    assert!(verdict::distinct(&evidence.posts), "numbers were given out twice");
    let (ends, findings) = verdict::judge(evidence);
    report(kills);
    tell(&ends, evidence);
    assert!(findings.is_empty(), "{} findings (seed {seed}):\n{}", findings.len(), first(&findings));
    let missed: Vec<_> = kills.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    assert!(missed.is_empty(), "fail points never hit (seed {seed}): {missed:?}");
    for state in ["confirmed", "failed", "cancelled", "expired"] {
        assert!(ends.contains_key(state), "no order ended {state}: the run proves too little (seed {seed})");
    }
}

/// Kills until it was enough and every point was hit or missed too often: at a point, then at random, in turn.
///
/// Ends early when a client is no longer busy: it has found something wrong, which the caller learns from it.
async fn kill_until(
    home: &Home<'_>,
    mut draw: Draw,
    points: &[&'static str],
    enough: impl Fn(u32) -> bool,
    busy: impl Fn() -> bool,
) -> Kills {
    let mut kills: Kills = points.iter().copied().chain(["at random"]).map(|name| (name, 0)).collect();
    let mut missed: BTreeMap<&str, u32> = BTreeMap::new();
    let mut round = Vec::new();
    loop {
        if round.is_empty() {
            round = points.to_vec();
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
        let settled = |name: &&str| kills[name] > 0 || missed.get(name).is_some_and(|times| *times >= MISSES);
        if !busy() || (enough(kills.values().sum()) && points.iter().all(settled)) {
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

/// The exported file, when it has as many lines as there are events.
async fn exported(folder: &Path, events: usize) -> Vec<Seen> {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(folder.join("events.jsonl")).expect("the export");
        let lines = text.lines().count();
        if lines >= events {
            return text.lines().map(Seen::of_export).collect();
        }
        assert!(begun.elapsed() < PATIENCE, "the export stops at {lines} of {events} events");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn stop_and_check(life: Process, folder: &Path) {
    let status = life.terminate().await;
    assert!(status.success(), "stopping gracefully: {status}");
    let checked =
        command(folder).args(["check", "--journal", "sqlite:tradewind.db"]).output().expect("the binary starts");
    println!("{}", out(&checked).trim_end());
    assert!(checked.status.success(), "tradewind check: {}{}", out(&checked), err(&checked));
}

fn report(kills: &Kills) {
    println!("kills:");
    for (name, count) in kills {
        println!("  {name:<16} {count}");
    }
}

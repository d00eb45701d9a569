//! Kills, stops and cuts off everything of a cluster while orders pour in, then compares what everybody knows.
//!
//! Two api, three work and two relay processes on a private PostgreSQL, Redis and NATS. `TRADEWIND_CLUSTER_SECONDS` says how
//! long (default 30), `TRADEWIND_CLUSTER_SEED` repeats a run's chances, `TRADEWIND_CLUSTER_CALM=N` does one thing at a time
//! with N seconds until the next, and prints what each of them did to callers.

mod copies;
mod disturb;
mod node;
mod reads;
mod sockets;
mod wire;
mod world;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;

use self::disturb::{Counts, Disturber, Plan};
use self::sockets::Listener;
use self::world::World;
use crate::proof::draw::Draw;
use crate::proof::seen::Log;
use crate::proof::traders::ACCOUNTS;
use crate::proof::verdict::{self, Evidence};
use crate::proof::{Folder, Lasts, MISCHIEF, Market, finished, first, ledger, setting, tell};
use crate::server::{Server, command, err, out};

/// A run of so many seconds reaches every fail point.
const EVERY_POINT_FROM: u64 = 120;
/// Who waits longer asks the other server.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_whatever_dies() {
    let seconds = setting("TRADEWIND_CLUSTER_SECONDS").unwrap_or(30);
    let seed = setting("TRADEWIND_CLUSTER_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let mut draw = Draw::new(seed);
    let by_nats = draw.between(0, 1) == 0;
    let wake = if by_nats { "NATS" } else { "Redis" };
    println!(
        "cluster test: seed {seed}, {seconds} s, hints over {wake}; TRADEWIND_CLUSTER_SEED={seed} repeats its chances"
    );
    let chain = Server::chain(&[&MISCHIEF[..], &["--seed", &seed.to_string()]].concat());
    let folder = Folder(TempDir::new().expect("a folder"));
    let (world, fronts) = World::begin(folder.0.path(), &format!("simnet={}", chain.url), by_nats).await;
    let world = Arc::new(world);

    let mut market = Market::open(fronts, &draw, REQUEST_TIMEOUT);
    let lasts = Lasts::default();
    let following = market.subscribe(&lasts);
    let listening = listen(&market, &lasts, &draw);
    let busy = || {
        let done = following.iter().any(JoinHandle::is_finished) || listening.iter().any(JoinHandle::is_finished);
        market.is_busy() && !done
    };
    let every_point = seconds >= EVERY_POINT_FROM;
    let calm = setting("TRADEWIND_CLUSTER_CALM").map(Duration::from_secs);
    let plan = Plan { time: Duration::from_secs(seconds), every_point, calm, record: &market.record };
    let disturber = Arc::new(Disturber::new(Arc::clone(&world)));
    let counts = disturber.run(draw.part(100), plan, busy).await;
    world.assert_lives().await;

    let posts = market.close(&lasts).await;
    let mut followed = Vec::new();
    for follower in following {
        followed.push(finished("a subscriber", follower).await);
    }
    for listener in listening {
        followed.extend(finished("a subscriber on a socket", listener).await);
    }
    let logs = market.whole_logs(&lasts).await;
    let stale = reads::stale(&market, &logs).await;
    let events = logs.iter().map(|log| log.events.len()).sum();
    let (streamed, again) = copies::streamed(&world.nats.url(), events).await;
    let journal = copies::journal(&world.database.url).await;
    world.assert_lives().await;
    let Ok(world) = Arc::try_unwrap(world) else { panic!("nobody disturbs any more") };
    let refused = World::end(world.nodes).await;
    check(&folder, &world.database.url);
    let ledger = ledger(&market.client, &chain.url).await;

    assert!(verdict::distinct(&posts), "numbers were given out twice");
    let copies = vec![("the stream", streamed), ("the journal", journal)];
    let evidence = Evidence { posts, logs, followed, ledger, copies };
    let (ends, mut findings) = verdict::judge(&evidence);
    findings.extend(stale);
    report(&counts, refused, again);
    tell(&ends, &evidence);
    assert!(findings.is_empty(), "{} findings (seed {seed}):\n{}", findings.len(), first(&findings));
    let missing = counts.missing(every_point);
    assert!(missing.is_empty(), "never happened (seed {seed}): {missing:?}");
    for state in ["confirmed", "failed", "cancelled", "expired"] {
        assert!(ends.contains_key(state), "no order ended {state}: the run proves too little (seed {seed})");
    }
}

/// One subscriber per account on a WebSocket.
fn listen(market: &Market, lasts: &Lasts, draw: &Draw) -> Vec<JoinHandle<Vec<Log>>> {
    let listener = |(number, account): (usize, &&'static str)| {
        let last = lasts.0[number].1.clone();
        let listener = Listener::new(market.fronts.clone(), number, account, draw.part(300 + number as u64), last);
        tokio::spawn(listener.run())
    };
    ACCOUNTS.iter().enumerate().map(listener).collect()
}

fn check(folder: &Folder, journal: &str) {
    let checked = command(folder.0.path()).args(["check", "--journal", journal]).output().expect("the binary starts");
    println!("{}", out(&checked).trim_end());
    assert!(checked.status.success(), "tradewind check: {}{}", out(&checked), err(&checked));
}

fn report(counts: &Counts, refused: u32, again: usize) {
    println!("what happened:");
    for (kind, count) in &counts.kinds {
        println!("  {kind:<22} {count}");
    }
    println!("kills per fail point: {:?}; not reached in time: {:?}", counts.points, counts.missed);
    println!("starts refused because a server was away: {refused}; events that the stream has more than once: {again}");
}

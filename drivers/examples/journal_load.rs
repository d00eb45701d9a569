//! How many changes per second the journal takes in process: accepts orders, then drains them with four changes each.
//!
//! `cargo run --release -p drivers --example journal_load [orders] [tasks] [folder]`

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use domain::{Change, Claimed, EntityWrite, EventDraft, Expect, JobStep, Key, Kind, NewJob, Owner, Then, Timestamp};
use drivers::journal::{self, Claim, Journal, Options};
use drivers::{Fault, wake};
use uuid::Uuid;

const QUEUE: &str = "swap.execute";
/// Keys expire in the order of their making, as in life.
static NEXT: AtomicI64 = AtomicI64::new(86_400_000_000);

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let orders: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let tasks: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(256);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let Ok(folder) = tempfile::tempdir_in(&folder) else { return Err(Fault::Unavailable(folder)) };
    let url = format!("sqlite:{}/load.db", folder.path().display());
    let options = Options { wake: wake::local(), lease_millis: 30_000, migrate: true };
    let journal = journal::open(&url, options).await?;
    accept(&journal, orders, tasks, false).await?;
    accept(&journal, orders, tasks, true).await?;
    drain(&journal, orders * 2, tasks).await?;
    read(&journal, orders, tasks).await?;
    journal.close().await;
    println!("resident: {}", resident());
    Ok(())
}

async fn accept(journal: &Arc<dyn Journal>, orders: u64, tasks: u64, keyed: bool) -> Result<(), Fault> {
    let started = Instant::now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let journal = Arc::clone(journal);
        let count = orders / tasks + u64::from(task < orders % tasks);
        running.push(tokio::spawn(async move {
            for n in 0..count {
                journal.apply(order(task * 1_000_000 + n, keyed)).await?;
            }
            Ok::<(), Fault>(())
        }));
    }
    for task in running {
        task.await.map_err(|error| Fault::Broken(error.to_string()))??;
    }
    report(if keyed { "accept with a key" } else { "accept" }, orders, started);
    Ok(())
}

async fn drain(journal: &Arc<dyn Journal>, orders: u64, tasks: u64) -> Result<(), Fault> {
    let started = Instant::now();
    let done = Arc::new(AtomicU64::new(0));
    let limit = usize::try_from(tasks).unwrap_or(256);
    let room = Arc::new(tokio::sync::Semaphore::new(limit));
    while done.load(Ordering::Relaxed) < orders {
        let Ok(first) = Arc::clone(&room).acquire_owned().await else { break };
        drop(first);
        let free = room.available_permits();
        let claim = Claim { queue: QUEUE, limit: free, per_lane: limit, narrow: Vec::new(), now: now(started) };
        for claimed in journal.claim(claim).await? {
            let (journal, done) = (Arc::clone(journal), Arc::clone(&done));
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
            tokio::spawn(async move {
                for step in 1..=4 {
                    if let Err(error) = journal.apply(advance(&claimed, step)).await {
                        println!("{error}");
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
                drop(permit);
            });
        }
    }
    report("drain, four changes", orders, started);
    Ok(())
}

async fn read(journal: &Arc<dyn Journal>, reads: u64, tasks: u64) -> Result<(), Fault> {
    let ids: Vec<String> = journal.events(0, None, 1_000).await?.into_iter().map(|event| event.id).collect();
    let ids = Arc::new(ids);
    let started = Instant::now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let (journal, ids) = (Arc::clone(journal), Arc::clone(&ids));
        running.push(tokio::spawn(async move {
            for n in 0..reads / tasks {
                let id = &ids[usize::try_from(n * 7 + task).unwrap_or(0) % ids.len()];
                journal.entity(Kind::Swap, id).await?;
            }
            Ok::<(), Fault>(())
        }));
    }
    for task in running {
        task.await.map_err(|error| Fault::Broken(error.to_string()))??;
    }
    report("point reads", reads, started);
    Ok(())
}

fn order(n: u64, keyed: bool) -> Change {
    let id = Uuid::now_v7().to_string();
    let key = keyed.then(|| Key {
        scope: "swaps.create:default".to_owned(),
        key: format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        fingerprint: Some([7; 32]),
        kind: Kind::Swap,
        id: id.clone(),
        version: 1,
        expires_at: Some(Timestamp(NEXT.fetch_add(1, Ordering::Relaxed))),
    });
    let job =
        NewJob { queue: QUEUE.into(), group: None, lane: None, run_at: Timestamp(1), body: id.clone(), dedup: None };
    Change {
        at: Timestamp(1),
        entities: vec![write(id, Expect::Absent, "pending", 600)],
        jobs: vec![job],
        keys: key.into_iter().collect(),
        ..Change::default()
    }
}

fn advance(claimed: &Claimed, step: u64) -> Change {
    let status = ["routing", "building", "submitted", "confirmed"][usize::try_from(step - 1).unwrap_or(0)];
    let size = [620, 1_000, 1_600, 1_700][usize::try_from(step - 1).unwrap_or(0)];
    let then = if step == 4 { Then::Finish } else { Then::Hold };
    Change {
        at: Timestamp(2),
        entities: vec![write(claimed.job.body.clone(), Expect::Version(step), status, size)],
        step: Some(JobStep { lease: claimed.lease, then }),
        ..Change::default()
    }
}

fn write(id: String, expect: Expect, status: &'static str, size: usize) -> EntityWrite {
    let body = format!("{{\"status\":\"{status}\",\"filler\":\"{}\"}}", "x".repeat(size));
    let event = Some(EventDraft { type_: "swap.step", body: body.clone() });
    let owner = Owner::parse("default").unwrap_or_else(|| unreachable!("a plain name"));
    EntityWrite { kind: Kind::Swap, id, expect, status, owner, party: None, parent: None, body, event }
}

fn now(started: Instant) -> Timestamp {
    Timestamp(10 + i64::try_from(started.elapsed().as_micros()).unwrap_or(0))
}

fn report(what: &str, count: u64, started: Instant) {
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let micros = started.elapsed().as_micros().max(1);
    let busy = writer_nanos();
    let each = (busy - BEFORE.swap(busy, Ordering::Relaxed)) / count;
    let rate = u128::from(count) * 1_000_000 / micros;
    println!("{what:<20} {count:>9} in {:>7} ms: {rate:>8}/s, writer {each:>6} ns of CPU each", micros / 1_000);
}

/// The CPU time of the thread that writes, which says more than the clock on a busy machine.
fn writer_nanos() -> u64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0 };
    for thread in threads.flatten() {
        let read = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        if read("comm").trim() == "journal-write" {
            return read("schedstat").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        }
    }
    0
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("unknown").to_owned()
}

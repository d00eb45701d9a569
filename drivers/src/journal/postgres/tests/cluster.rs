//! Several nodes on one server: what only they can do to each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Change, Claimed, EntityWrite, EventDraft, Expect, JobStep, Kind, NewJob, Owner, Then, Timestamp};
use tokio::task::JoinSet;

use super::Server;
use super::proxy::Proxy;
use crate::journal::{self, Claim, Journal, Options};
use crate::{Conflict, Fault, wake};

const AT: Timestamp = Timestamp(1_000_000);
const Q: &str = "work";
const LONG: u64 = 600_000;
const DEADLINE: Duration = Duration::from_secs(20);

async fn node(url: &str) -> Arc<dyn Journal> {
    journal::open(url, Options { wake: wake::local(), lease_millis: LONG, migrate: true }).await.unwrap()
}

fn write(id: &str, expect: Expect) -> Change {
    let event = Some(EventDraft { type_: "swap.changed", body: format!(r#"{{"id":"{id}"}}"#) });
    let owner = Owner::parse("alice").unwrap();
    let entity = EntityWrite {
        kind: Kind::Swap,
        id: id.to_owned(),
        expect,
        status: "new",
        owner,
        party: None,
        parent: None,
        body: "{}".into(),
        event,
    };
    Change { at: AT, entities: vec![entity], ..Change::default() }
}

fn enqueue(count: usize) -> Change {
    let job = |n: usize| NewJob {
        queue: Q.into(),
        group: n.is_multiple_of(3).then(|| format!("g{}", n % 7)),
        lane: None,
        run_at: AT,
        body: n.to_string(),
        dedup: None,
    };
    Change { at: AT, jobs: (0..count).map(job).collect(), ..Change::default() }
}

async fn claim(journal: &dyn Journal, limit: usize) -> Vec<Claimed> {
    journal.claim(Claim { queue: Q, limit, per_lane: 1_000, narrow: Vec::new(), now: AT }).await.unwrap()
}

/// Reads on from its own position until `end`, and asserts that nothing is missing and nothing comes back.
async fn follow(journal: Arc<dyn Journal>, end: u64) {
    let mut position = 0;
    while position < end {
        for event in journal.events(position, None, 100).await.unwrap() {
            assert_eq!(event.seq, position + 1);
            position = event.seq;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_on_many_nodes_leave_no_gap_and_never_step_back() {
    const NODES: u64 = 4;
    const WRITERS: u64 = 4;
    const EACH: u64 = 40;
    let server = Server::new();
    let url = server.database.url.clone();
    let mut tasks = JoinSet::new();
    let end = 1 + NODES * WRITERS * EACH * 2;
    node(&url).await.apply(write("shared", Expect::Absent)).await.unwrap();
    for name in 0..NODES {
        let journal = node(&url).await;
        tasks.spawn(follow(Arc::clone(&journal), end));
        for writer in 0..WRITERS {
            let journal = Arc::clone(&journal);
            tasks.spawn(async move {
                for n in 0..EACH {
                    journal.apply(write(&format!("{name}-{writer}-{n}"), Expect::Absent)).await.unwrap();
                    loop {
                        let version = journal.entity(Kind::Swap, "shared").await.unwrap().unwrap().version;
                        match journal.apply(write("shared", Expect::Version(version))).await {
                            Ok(_) => break,
                            Err(Fault::Conflict(Conflict::Version { .. })) => {}
                            other => panic!("{other:?}"),
                        }
                    }
                }
            });
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let head = node(&url).await;
    assert_eq!(head.head().await.unwrap().seq, end);
    assert_eq!(head.entity(Kind::Swap, "shared").await.unwrap().unwrap().version, 1 + NODES * WRITERS * EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_shared_out_without_overlap_and_groups_stay_in_order() {
    const JOBS: usize = 2_000;
    let server = Server::new();
    let first = node(&server.database.url).await;
    first.apply(enqueue(JOBS)).await.unwrap();
    let done = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let (journal, done) = (node(&server.database.url).await, Arc::clone(&done));
        workers.spawn(async move {
            while done.lock().unwrap().len() < JOBS {
                let claimed = claim(&*journal, 16).await;
                // Leases are renewed while others commit, lock and claim: nobody may wait in a circle.
                let leases: Vec<_> = claimed.iter().rev().map(|claimed| claimed.lease).collect();
                assert_eq!(journal.renew(&leases).await, Ok(vec![]));
                for Claimed { job, lease } in claimed {
                    done.lock().unwrap().push((job.group.clone(), job.id));
                    let step = Some(JobStep { lease, then: Then::Finish });
                    journal.apply(Change { at: AT, step, ..Change::default() }).await.unwrap();
                }
            }
        });
    }
    tokio::time::timeout(DEADLINE * 3, workers.join_all()).await.expect("all jobs are done");
    let done = done.lock().unwrap();
    let mut ids: Vec<u64> = done.iter().map(|(_, id)| *id).collect();
    for group in 0..7 {
        let name = Some(format!("g{group}"));
        let of_group: Vec<u64> = done.iter().filter(|(group, _)| *group == name).map(|(_, id)| *id).collect();
        assert!(!of_group.is_empty() && of_group.is_sorted(), "group {group}: {of_group:?}");
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=JOBS as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_one_schema() {
    let server = Server::new();
    let mut nodes = JoinSet::new();
    for _ in 0..8 {
        let url = server.database.url.clone();
        nodes.spawn(async move { node(&url).await.head().await.unwrap().epoch });
    }
    let epochs = nodes.join_all().await;
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
}

/// Stopped after it has locked the head, before it wrote: the server takes the head back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_stops_in_mid_batch_frees_the_others() {
    let server = Server::new();
    let wire = Proxy::start(&server.database.url).await;
    let (stopped, other) = (node(&wire.url).await, node(&server.database.url).await);
    // Its statements are known to the server from here on, so that a batch is one flight of reads, then one of writes.
    for n in 0..8 {
        stopped.apply(write(&format!("before-{n}"), Expect::Absent)).await.unwrap();
    }
    wire.stop_at("stopped in mid-batch");
    let late = tokio::spawn(async move {
        let answer = stopped.apply(write("stopped in mid-batch", Expect::Absent)).await;
        (answer, stopped)
    });
    wire.happened().await;
    let answered = tokio::time::timeout(DEADLINE, other.apply(write("after", Expect::Absent))).await;
    assert_eq!(answered.expect("the head is free again").unwrap().seq, 9);
    assert_eq!(other.entity(Kind::Swap, "stopped in mid-batch").await, Ok(None));
    late.abort();
}

/// The commit is made and its answer lost: whoever waits is told the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_settled() {
    let server = Server::new();
    let wire = Proxy::start(&server.database.url).await;
    let journal = node(&wire.url).await;
    let mut settled = 0;
    for n in 1..=20 {
        // The event's body travels in the flight that ends with the commit.
        let id = format!("cut-{n}");
        wire.cut_at(&format!(r#"{{"id":"{id}"}}"#));
        let answer =
            tokio::time::timeout(DEADLINE, journal.apply(write(&id, Expect::Absent))).await.expect("an answer");
        wire.happened().await;
        let there = journal.entity(Kind::Swap, &id).await.unwrap().is_some();
        assert_eq!(there, answer.is_ok(), "{answer:?}");
        settled += u32::from(there);
        if let Err(fault) = answer {
            assert!(fault.is_transient(), "{fault:?}");
        }
    }
    assert!(settled > 0, "no commit was made behind a cut wire");
}

/// A server that goes and comes back: calls fail meanwhile, nothing that was answered is lost, and nobody has to start anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_is_used_again() {
    let server = tokio::task::spawn_blocking(testbed::Postgres::start).await.unwrap();
    let database = server.database();
    let url = database.url.clone();
    let journal = node(&url).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let (journal, over) = (Arc::clone(&journal), Arc::clone(&over));
        writers.spawn(async move {
            let (mut answered, mut refused) = (Vec::new(), 0);
            for n in 0.. {
                let id = format!("{writer}-{n}");
                match journal.apply(write(&id, Expect::Absent)).await {
                    Ok(_) => answered.push(id),
                    Err(fault) => {
                        assert!(fault.is_transient(), "{fault:?}");
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
            (answered, refused)
        });
    }
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(500));
            server.restart_immediate();
        }
        server
    });
    let server = server.await.unwrap();
    let back = async { while journal.ping().await.is_err() {} };
    tokio::time::timeout(DEADLINE, back).await.expect("the journal is back");
    over.store(true, Ordering::Relaxed);
    let mut refusals = 0;
    while let Some(ended) = writers.join_next().await {
        let (answered, refused) = ended.unwrap();
        refusals += refused;
        for id in answered {
            assert!(journal.entity(Kind::Swap, &id).await.unwrap().is_some(), "{id} is lost");
        }
    }
    assert!(refusals > 0, "the server was never away");
    let head = journal.head().await.unwrap().seq;
    follow(Arc::clone(&journal), head).await;
    journal.close().await;
    drop(server);
}

/// Whoever looks at a journal sees one moment of it, whatever others write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_is_at_one_moment() {
    let server = Server::new();
    let url = &server.database.url;
    let writer = node(url).await;
    writer.apply(write("before", Expect::Absent)).await.unwrap();
    let look = journal::open_read_only(url).await.unwrap();
    assert_eq!(look.head().await.unwrap().seq, 1);
    writer.apply(write("after", Expect::Absent)).await.unwrap();
    let list = journal::List {
        kind: Kind::Swap,
        among: Vec::new(),
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: 10,
    };
    assert_eq!(look.head().await.unwrap().seq, 1);
    assert_eq!(look.entities(list).await.unwrap().entities.len(), 1);
    assert_eq!(look.entity(Kind::Swap, "after").await, Ok(None));
    assert!(matches!(look.apply(write("never", Expect::Absent)).await, Err(Fault::Unavailable(_))));
}

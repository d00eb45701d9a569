//! Cases: the log of events and its positions.

use std::time::Duration;

use domain::{Change, EntityWrite, Expect, Kind, Timestamp};

use super::make::{AT, Q, audience, change, create, enqueue, job, owner, swap, update, write};
use super::{DEADLINE, Harness, LONG};
use crate::journal::Journal;

fn of(name: &str, id: &str) -> Change {
    change(vec![EntityWrite { owner: owner(name), ..write(id, Expect::Absent, "new") }])
}

async fn seqs(journal: &dyn Journal, after: u64, name: Option<&str>, limit: usize) -> Vec<u64> {
    journal
        .events(after, name.map(audience).as_ref(), limit)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.seq)
        .collect()
}

pub(super) async fn empty_journal_starts_at_zero(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let head = journal.head().await.unwrap();
    assert_eq!((head.seq, head.floor), (0, 0));
    assert!(head.epoch > 0);
    assert_eq!(journal.events(0, None, 10).await, Ok(vec![]));
}

pub(super) async fn head_follows_the_log(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for n in 1..=20 {
        assert_eq!(journal.apply(create(&format!("n{n}"))).await.unwrap().seq, n);
        assert_eq!(journal.head().await.unwrap().seq, n);
    }
}

pub(super) async fn events_come_in_order_from_a_position(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for n in 0..10 {
        journal.apply(create(&format!("n{n}"))).await.unwrap();
    }
    assert_eq!(seqs(&*journal, 0, None, 100).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(seqs(&*journal, 7, None, 100).await, [8, 9, 10]);
    assert_eq!(seqs(&*journal, 3, None, 2).await, [4, 5]);
    assert_eq!(seqs(&*journal, 10, None, 100).await, [0; 0]);
    assert_eq!(seqs(&*journal, u64::MAX, None, 100).await, [0; 0]);
}

pub(super) async fn events_of_one_owner(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for n in 0..12 {
        let name = ["alice", "bob", "carol"][n % 3];
        journal.apply(of(name, &format!("n{n}"))).await.unwrap();
    }
    assert_eq!(seqs(&*journal, 0, Some("bob"), 100).await, [2, 5, 8, 11]);
    assert_eq!(seqs(&*journal, 2, Some("bob"), 2).await, [5, 8]);
    assert_eq!(seqs(&*journal, 0, Some("bo"), 100).await, [0; 0]);
    let events = journal.events(0, Some(&audience("carol")), 100).await.unwrap();
    assert!(events.iter().all(|event| event.owner == owner("carol")));
}

pub(super) async fn history_pages_by_version(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    journal.apply(create("b")).await.unwrap();
    for version in 1..10 {
        journal.apply(update("a", version, "done")).await.unwrap();
    }
    let mut versions = Vec::new();
    while let page @ [_, ..] = &*journal.history(Kind::Swap, "a", versions.len() as u64, 4).await.unwrap() {
        assert!(page.len() <= 4 && page.iter().all(|event| event.id == "a"));
        versions.extend(page.iter().map(|event| event.version));
    }
    assert_eq!(versions, (1..=10).collect::<Vec<_>>());
    assert_eq!(journal.history(Kind::Relay, "a", 0, 10).await, Ok(vec![]));
}

pub(super) async fn positions_hold_after_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for n in 0..5 {
        journal.apply(create(&format!("n{n}"))).await.unwrap();
    }
    let before = journal.events(2, None, 100).await.unwrap();
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(journal.head().await.unwrap().seq, 5);
    assert_eq!(journal.events(2, None, 100).await.unwrap(), before);
    assert_eq!(journal.apply(create("later")).await.unwrap().seq, 6);
    assert_eq!(seqs(&*journal, 4, None, 100).await, [5, 6]);
}

pub(super) async fn epoch_stays(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let epoch = journal.head().await.unwrap().epoch;
    journal.apply(create("a")).await.unwrap();
    assert_eq!(journal.head().await.unwrap().epoch, epoch);
    journal.close().await;
    drop(journal);
    assert_eq!(harness.open(LONG).await.head().await.unwrap().epoch, epoch);
}

pub(super) async fn answered_writes_are_read(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for n in 0..200 {
        let id = format!("n{n}");
        let seq = journal.apply(create(&id)).await.unwrap().seq;
        assert!(swap(&*journal, &id).await.is_some());
        assert_eq!(seqs(&*journal, seq - 1, None, 1).await, [seq]);
    }
}

pub(super) async fn limits_are_kept(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let many = (0..1_100).map(|n| write(&format!("n{n}"), Expect::Absent, "new")).collect();
    journal.apply(change(many)).await.unwrap();
    for (asked, got) in [(0, 0), (1, 1), (1_000, 1_000), (usize::MAX, 1_000)] {
        assert_eq!(journal.events(0, None, asked).await.unwrap().len(), got);
        let list = crate::journal::List { limit: asked, ..super::make::list() };
        assert_eq!(journal.entities(list).await.unwrap().entities.len(), got);
    }
}

pub(super) async fn hints_follow_commits(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let wake = harness.wake();
    let mut head = wake.head();
    let work = wake.queue(Q);
    let told = work.notified();
    let seq = journal.apply(create("a")).await.unwrap().seq;
    tokio::time::timeout(DEADLINE, head.wait_for(|head| *head >= seq)).await.expect("a hint of the head").unwrap();
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    tokio::time::timeout(DEADLINE, told).await.expect("a hint of the queue");
    // A job for later is nothing to wake up for now.
    let silent = wake.queue("later");
    let later = domain::NewJob { queue: "later".into(), run_at: Timestamp(AT.0 + 1_000_000), ..job("y") };
    journal.apply(enqueue(vec![later])).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), silent.notified()).await;
    assert!(early.is_err());
}

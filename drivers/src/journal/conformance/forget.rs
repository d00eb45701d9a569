//! Cases: old events are forgotten, in order, and nobody misses one unawares.

use std::sync::Arc;

use domain::{Change, Kind, Timestamp};
use tokio::task::JoinSet;

use super::make::{AT, create, key, swap, update};
use super::{Harness, LONG};
use crate::journal::{Head, Journal};
use crate::{Conflict, Fault};

const ALL: Timestamp = Timestamp(i64::MAX);

/// Events at these instants, one each.
async fn events_at(journal: &dyn Journal, instants: &[i64]) {
    for at in instants {
        let n = journal.head().await.unwrap().seq + 1;
        journal.apply(Change { at: Timestamp(*at), ..create(&format!("n{n}")) }).await.unwrap();
    }
}

async fn seqs(journal: &dyn Journal, after: u64) -> Vec<u64> {
    journal.events(after, None, 1_000).await.unwrap().into_iter().map(|event| event.seq).collect()
}

async fn ends(journal: &dyn Journal) -> (u64, u64) {
    let Head { seq, floor, .. } = journal.head().await.unwrap();
    (floor, seq)
}

pub(super) async fn oldest_events_are_forgotten(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.forget(ALL, 100).await, Ok(0));
    events_at(&*journal, &[1, 2, 3, 4, 5, 6, 7, 8]).await;
    assert_eq!(journal.forget(Timestamp(1), 100).await, Ok(0));
    assert_eq!(ends(&*journal).await, (0, 8));
    assert_eq!(journal.forget(Timestamp(6), 100).await, Ok(5));
    assert_eq!(ends(&*journal).await, (5, 8));
    assert_eq!(seqs(&*journal, 0).await, [6, 7, 8]);
    assert_eq!(seqs(&*journal, 5).await, [6, 7, 8]);
    assert_eq!(journal.history(Kind::Swap, "n5", 0, 10).await, Ok(vec![]));
    assert_eq!(journal.history(Kind::Swap, "n6", 0, 10).await.unwrap().len(), 1);
    // What the events told of is still there, and goes on.
    assert_eq!(swap(&*journal, "n5").await.unwrap().version, 1);
    assert_eq!(journal.apply(update("n5", 1, "done")).await.unwrap().seq, 9);
    assert_eq!(journal.history(Kind::Swap, "n5", 0, 10).await.unwrap()[0].version, 2);
}

pub(super) async fn forgetting_keeps_its_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    events_at(&*journal, &[1; 10]).await;
    assert_eq!(journal.forget(ALL, 0).await, Ok(0));
    for (deleted, floor) in [(4, 4), (4, 8), (1, 9), (0, 9)] {
        assert_eq!(journal.forget(ALL, 4).await, Ok(deleted));
        assert_eq!(ends(&*journal).await, (floor, 10));
    }
}

pub(super) async fn forgetting_stops_at_the_first_younger_event(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    // Clocks of several nodes differ, so that instants are not in the order of the numbers.
    events_at(&*journal, &[1, 3, 2, 9, 4, 5]).await;
    assert_eq!(journal.forget(Timestamp(8), 100).await, Ok(3));
    assert_eq!(seqs(&*journal, 0).await, [4, 5, 6]);
    assert_eq!(journal.forget(Timestamp(8), 100).await, Ok(0));
}

pub(super) async fn newest_event_is_never_forgotten(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    events_at(&*journal, &[1]).await;
    assert_eq!(journal.forget(ALL, 100).await, Ok(0));
    events_at(&*journal, &[2]).await;
    assert_eq!(journal.forget(ALL, 100).await, Ok(1));
    assert_eq!((ends(&*journal).await, seqs(&*journal, 0).await), ((1, 2), vec![2]));
    assert_eq!(journal.forget(ALL, 100).await, Ok(0));
    assert_eq!(journal.apply(create("next")).await.unwrap().seq, 3);
}

pub(super) async fn forgetting_survives_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    events_at(&*journal, &[1, 2, 3, 4]).await;
    assert_eq!(journal.forget(Timestamp(3), 100).await, Ok(2));
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!((ends(&*journal).await, seqs(&*journal, 0).await), ((2, 4), vec![3, 4]));
    assert_eq!(journal.forget(ALL, 100).await, Ok(1));
    assert_eq!(journal.apply(create("next")).await.unwrap().seq, 5);
    assert_eq!((ends(&*journal).await, seqs(&*journal, 0).await), ((3, 5), vec![4, 5]));
}

pub(super) async fn keys_outlive_their_events(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(Change { keys: vec![key("s", "k", "a", None)], ..create("a") }).await.unwrap();
    journal.apply(create("b")).await.unwrap();
    assert_eq!(journal.forget(ALL, 100).await, Ok(1));
    assert_eq!(journal.key("s", "k", AT).await.unwrap().unwrap().id, "a");
    let again = Change { keys: vec![key("s", "k", "c", None)], ..create("c") };
    assert!(matches!(journal.apply(again).await, Err(Fault::Conflict(Conflict::Key(held))) if held.id == "a"));
}

pub(super) async fn numbers_go_on_while_events_are_forgotten(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let mut writers = JoinSet::new();
    for n in 0..8 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move {
            for m in 0..25 {
                journal.apply(create(&format!("n{n}-{m}"))).await.unwrap();
            }
        });
    }
    let mut forgotten = 0;
    while !writers.is_empty() {
        forgotten += journal.forget(ALL, 7).await.unwrap() as u64;
        while writers.try_join_next().transpose().unwrap().is_some() {}
    }
    assert_eq!(ends(&*journal).await, (forgotten, 200));
    assert_eq!(seqs(&*journal, 0).await, (forgotten + 1..=200).collect::<Vec<_>>());
}

/// The promise of [`Journal::forget`]: a reader whose position is not below the floor, asked for after it has read, has
/// missed nothing.
pub(super) async fn reader_knows_what_it_missed(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let mut others = JoinSet::new();
    let (writes, forgets) = (Arc::clone(&journal), Arc::clone(&journal));
    others.spawn(async move {
        for n in 0..400 {
            writes.apply(create(&format!("n{n}"))).await.unwrap();
        }
    });
    others.spawn(async move {
        while forgets.head().await.unwrap().floor < 399 {
            forgets.forget(ALL, 3).await.unwrap();
        }
    });
    let mut position = 0;
    while position < 400 {
        let page = seqs(&*journal, position).await;
        let floor = journal.head().await.unwrap().floor;
        if floor > position {
            position = floor;
            continue;
        }
        let whole: Vec<_> = (position + 1..).take(page.len()).collect();
        assert_eq!(page, whole, "after {position}, floor {floor}");
        position += page.len() as u64;
    }
    while let Some(ended) = others.join_next().await {
        ended.unwrap();
    }
}

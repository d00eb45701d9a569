//! Cases: many changes at once, which share transactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Change, EntityWrite, Event, EventDraft, Expect, Kind, Then};
use tokio::task::JoinSet;

use super::make::{
    AT, change, claim_one, create, enqueue, is_broken, is_stale, is_version_conflict, job, key, step, swap, update,
    write,
};
use super::{Harness, LONG};
use crate::journal::{Journal, Receipt};
use crate::{Conflict, Fault};

/// Applies all at once; the answers come in the order of the changes.
async fn together(journal: &Arc<dyn Journal>, changes: Vec<Change>) -> Vec<Result<Receipt, Fault>> {
    let mut running = JoinSet::new();
    for (index, change) in changes.into_iter().enumerate() {
        let journal = Arc::clone(journal);
        running.spawn(async move { (index, journal.apply(change).await) });
    }
    let answers: BTreeMap<usize, _> = running.join_all().await.into_iter().collect();
    answers.into_values().collect()
}

pub(super) async fn conflict_fails_alone(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("taken")).await.unwrap();
    let changes = (0..100).map(|n| if n % 3 == 0 { create("taken") } else { create(&format!("n{n}")) }).collect();
    for (n, answer) in together(&journal, changes).await.into_iter().enumerate() {
        let lost = matches!(answer, Err(Fault::Conflict(Conflict::Exists { .. })));
        assert_eq!(lost, n % 3 == 0, "{n}: {answer:?}");
        assert_eq!(swap(&*journal, &format!("n{n}")).await.is_some(), n % 3 != 0);
    }
    assert_eq!(journal.head().await.unwrap().seq, 1 + 66);
}

pub(super) async fn broken_change_fails_alone(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let broken = |n: u64| {
        let event = Some(EventDraft { type_: "swap.changed", body: "x".repeat(Event::BODY_LIMIT + 1) });
        change(vec![EntityWrite { event, ..write(&format!("n{n}"), Expect::Absent, "new") }])
    };
    let changes = (0..60).map(|n| if n % 2 == 0 { broken(n) } else { create(&format!("n{n}")) }).collect();
    for (n, answer) in together(&journal, changes).await.into_iter().enumerate() {
        assert_eq!(is_broken(&answer), n % 2 == 0, "{n}: {answer:?}");
    }
    assert_eq!(journal.head().await.unwrap().seq, 30);
}

pub(super) async fn same_entity_twice_has_one_winner(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    let answers = together(&journal, (0..50).map(|_| update("a", 1, "done")).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| is_version_conflict(answer)).count(), 49);
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 2);
    assert_eq!(journal.head().await.unwrap().seq, 2);
}

pub(super) async fn same_key_twice_has_one_winner(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let with_key = |n: usize| {
        let id = format!("n{n}");
        Change { keys: vec![key("create", "the key", &id, None)], ..create(&id) }
    };
    let answers = together(&journal, (0..64).map(with_key).collect()).await;
    let winner = answers.iter().position(Result::is_ok).unwrap();
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Err(Fault::Conflict(Conflict::Key(held))) => assert_eq!(held.id, format!("n{winner}")),
            other => assert!(n == winner && other.is_ok(), "{n}: {other:?}"),
        }
        assert_eq!(swap(&*journal, &format!("n{n}")).await.is_some(), n == winner);
    }
    assert_eq!(journal.key("create", "the key", AT).await.unwrap().unwrap().id, format!("n{winner}"));
    assert_eq!(journal.head().await.unwrap().seq, 1);
}

pub(super) async fn same_creation_twice_has_one_winner(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let answers = together(&journal, (0..50).map(|_| create("a")).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(journal.history(Kind::Swap, "a", 0, 100).await.unwrap().len(), 1);
}

pub(super) async fn chain_of_versions_stays_whole(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let (born, second, third) = tokio::join!(
        journal.apply(create("a")),
        journal.apply(update("a", 1, "done")),
        journal.apply(update("a", 2, "over"))
    );
    assert_eq!(born.unwrap().seq, 1);
    let changed = [second, third].iter().filter(|answer| answer.is_ok()).count() as u64;
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 1 + changed);
    let versions: Vec<u64> =
        journal.history(Kind::Swap, "a", 0, 10).await.unwrap().into_iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=1 + changed).collect::<Vec<_>>());
}

pub(super) async fn numbers_are_gap_free_under_64_writers(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("shared")).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..64 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move {
            let mut made = Vec::new();
            for n in 0..10 {
                made.extend(journal.apply(create(&format!("{writer}-{n}"))).await.map(|receipt| receipt.seq));
                let version = journal.entity(Kind::Swap, "shared").await.unwrap().unwrap().version;
                match journal.apply(update("shared", version, "done")).await {
                    Ok(receipt) => made.push(receipt.seq),
                    other => assert!(is_version_conflict(&other), "{other:?}"),
                }
            }
            assert!(made.is_sorted(), "a later commit has a later number");
            made
        });
    }
    let mut made: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
    made.push(1);
    made.sort_unstable();
    assert_eq!(made, (1..=made.len() as u64).collect::<Vec<_>>());
    assert_eq!(journal.head().await.unwrap().seq, made.len() as u64);
    let mut told = Vec::new();
    while let events @ [_, ..] = &*journal.events(told.len() as u64, None, 333).await.unwrap() {
        told.extend(events.iter().map(|event| event.seq));
    }
    assert_eq!(told, made);
    let shared = journal.history(Kind::Swap, "shared", 0, 1_000).await.unwrap();
    assert!(shared.iter().zip(1..).all(|(event, version)| event.version == version));
}

pub(super) async fn lease_is_spent_once(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let lease = claim_one(&*journal).await.lease;
    let finish = |n: usize| Change { entities: create(&format!("n{n}")).entities, ..step(lease, Then::Finish) };
    let answers = together(&journal, (0..20).map(finish).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| is_stale(answer)).count(), 19);
    assert_eq!(journal.head().await.unwrap().seq, 1);
}

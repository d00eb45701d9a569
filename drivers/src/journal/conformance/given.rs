//! Cases: a change is held to entities that it does not write.

use std::sync::Arc;

use domain::{Change, Given, Kind};
use tokio::task::JoinSet;

use super::make::{Q, create, enqueue, is_version_conflict, job, swap, update};
use super::{Harness, LONG};
use crate::journal::Journal;

fn given(id: &str, version: u64) -> Given {
    Given { kind: Kind::Swap, id: id.to_owned(), version }
}

fn send(given: Vec<Given>) -> Change {
    Change { given, ..enqueue(vec![job("x")]) }
}

async fn jobs(journal: &dyn Journal) -> usize {
    journal.jobs(Q, 0, 1_000).await.unwrap().len()
}

pub(super) async fn given_version_has_to_stand(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    journal.apply(send(vec![given("a", 1)])).await.unwrap();
    journal.apply(update("a", 1, "done")).await.unwrap();
    for version in [0, 1, 3] {
        assert!(is_version_conflict(&journal.apply(send(vec![given("a", version)])).await));
    }
    assert!(is_version_conflict(&journal.apply(send(vec![given("a", 2), given("b", 1)])).await));
    let other = Given { kind: Kind::Deal, ..given("a", 2) };
    assert!(is_version_conflict(&journal.apply(send(vec![other])).await));
    assert_eq!(jobs(&*journal).await, 1);
    journal.apply(send(vec![given("a", 2), given("a", 2)])).await.unwrap();
    assert_eq!(jobs(&*journal).await, 2);
}

pub(super) async fn given_absence_has_to_stand(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(send(vec![given("a", 0)])).await.unwrap();
    journal.apply(create("a")).await.unwrap();
    assert!(is_version_conflict(&journal.apply(send(vec![given("a", 0)])).await));
    assert_eq!(jobs(&*journal).await, 1);
}

pub(super) async fn given_entity_is_not_changed(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    let before = swap(&*journal, "a").await;
    for _ in 0..3 {
        journal.apply(send(vec![given("a", 1)])).await.unwrap();
    }
    assert_eq!(swap(&*journal, "a").await, before);
    assert_eq!(journal.head().await.unwrap().seq, 1);
}

/// A change may also write what it is given: it is held to what stands before.
pub(super) async fn given_is_looked_at_before_the_change_is_written(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(Change { given: vec![given("a", 0)], ..create("a") }).await.unwrap();
    journal.apply(Change { given: vec![given("a", 1)], ..update("a", 1, "done") }).await.unwrap();
    assert!(is_version_conflict(&journal.apply(Change { given: vec![given("a", 3)], ..update("a", 2, "x") }).await));
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 2);
}

/// Writers raise the version while senders are held to it: each send counts for exactly one version.
pub(super) async fn given_sees_what_came_before_it_in_a_batch(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    let mut tasks = JoinSet::new();
    for version in 1..=40 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            // The next version comes when this one has stood for a send.
            loop {
                let sent =
                    journal.apply(Change { given: vec![given("a", version)], ..update("a", version, "x") }).await;
                match sent {
                    Ok(_) => return,
                    sent => assert!(is_version_conflict(&sent), "{sent:?}"),
                }
            }
        });
    }
    let (sender, tries) = (Arc::clone(&journal), 200);
    tasks.spawn(async move {
        for _ in 0..tries {
            let version = swap(&*sender, "a").await.unwrap().version;
            let sent = sender.apply(send(vec![given("a", version)])).await;
            assert!(sent.is_ok() || is_version_conflict(&sent), "{sent:?}");
        }
    });
    tasks.join_all().await;
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 41);
    // One batch: a chain in which each is given what the one before it left.
    let chain = (41..61).map(|version| {
        let journal = Arc::clone(&journal);
        async move { journal.apply(Change { given: vec![given("a", version)], ..update("a", version, "y") }).await }
    });
    let answers = futures_util::future::join_all(chain).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 61);
}

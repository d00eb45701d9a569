//! Cases: the end of a journal.

use std::sync::Arc;

use domain::{Kind, Lease, Timestamp};
use tokio::task::JoinSet;

use super::make::{AT, Q, create, list, swap};
use super::{Harness, LONG};
use crate::Fault;
use crate::journal::Claim;

pub(super) async fn ping_answers(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.ping().await, Ok(()));
    assert_eq!(journal.ping().await, Ok(()));
    assert_eq!(journal.head().await.unwrap().seq, 0);
}

pub(super) async fn closed_journal_is_unavailable(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    journal.close().await;
    let lease = Lease { job: 1, token: 1 };
    let claim = Claim { queue: Q, limit: 1, per_lane: 1, narrow: Vec::new(), now: AT };
    let faults = [
        journal.apply(create("b")).await.err(),
        journal.claim(claim).await.err(),
        journal.renew(&[lease]).await.err(),
        journal.retry_dead(1, AT).await.err(),
        journal.discard_dead(1, AT).await.err(),
        journal.sweep(AT, 1).await.err(),
        journal.ping().await.err(),
        journal.entity(Kind::Swap, "a").await.err(),
        journal.entities(list()).await.err(),
        journal.history(Kind::Swap, "a", 0, 1).await.err(),
        journal.events(0, None, 1).await.err(),
        journal.key("s", "k", Timestamp(0)).await.err(),
        journal.head().await.err(),
        journal.jobs(Q, 0, 1).await.err(),
        journal.dead_jobs(Q, 0, 1).await.err(),
        journal.depth(Q, AT).await.err(),
    ];
    for (index, fault) in faults.into_iter().enumerate() {
        assert!(matches!(fault, Some(Fault::Unavailable(_))), "call {index}: {fault:?}");
    }
    journal.close().await;
}

pub(super) async fn close_writes_what_waits(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let mut writers = JoinSet::new();
    for n in 0..200 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move { (n, journal.apply(create(&format!("n{n}"))).await) });
    }
    tokio::task::yield_now().await;
    journal.close().await;
    let answers = writers.join_all().await;
    drop(journal);
    let journal = harness.open(LONG).await;
    for (n, answer) in answers {
        let there = swap(&*journal, &format!("n{n}")).await.is_some();
        assert_eq!(there, answer.is_ok(), "{n}: {answer:?}");
    }
}

//! Cases: leases, and what becomes of jobs whose worker is gone.

use std::time::Duration;

use domain::{Change, Claimed, Lease, Then, Timestamp};

use super::make::{
    AT, Q, bury, claim, claim_at, claim_one, create, enqueue, grouped, is_stale, job, key, retry, step, swap, update,
};
use super::{Harness, LONG, SHORT, until};
use crate::journal::{Depth, Journal};

/// Waits until the one job is handed out again.
async fn claim_again(journal: &dyn Journal) -> Claimed {
    until(|| async { claim(journal, 1).await.pop() }).await
}

/// Every verdict that a worker can have.
fn verdicts() -> Vec<Then> {
    let wait = Then::Wait { run_at: Timestamp(AT.0 + 5) };
    vec![Then::Hold, Then::Finish, retry(AT.0), wait, bury(false), bury(true)]
}

/// No verdict under this lease does anything, and what comes along with it neither.
async fn assert_spent(journal: &dyn Journal, lease: Lease) {
    let head = journal.head().await.unwrap();
    let jobs = journal.jobs(Q, 0, 100).await.unwrap();
    for then in verdicts() {
        let change = Change {
            entities: create("ghost").entities,
            jobs: vec![job("ghost")],
            keys: vec![key("ghost", "k", "ghost", None)],
            ..step(lease, then)
        };
        let answer = journal.apply(change).await;
        assert!(is_stale(&answer), "{answer:?}");
    }
    assert_eq!(journal.head().await.unwrap(), head);
    assert_eq!(journal.jobs(Q, 0, 100).await.unwrap(), jobs);
    assert_eq!(journal.dead_jobs(Q, 0, 100).await.unwrap(), []);
    assert_eq!(journal.key("ghost", "k", AT).await, Ok(None));
    assert_eq!(swap(journal, "ghost").await, None);
}

pub(super) async fn lapsed_job_is_handed_out_again(harness: &dyn Harness) {
    let journal = harness.open(SHORT).await;
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2")])).await.unwrap();
    let first = claim_one(&*journal).await;
    let second = claim_again(&*journal).await;
    assert_eq!(second.job.id, first.job.id, "the group still waits for its head");
    assert_eq!(second.job.attempt, 2);
    assert!(second.lease.token > first.lease.token);
}

pub(super) async fn lapsed_job_counts_as_ready(harness: &dyn Harness) {
    let journal = harness.open(SHORT).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    claim_at(&*journal, 1, harness.now()).await.pop().unwrap();
    until(|| async {
        let depth = journal.depth(Q, harness.now()).await.unwrap();
        (depth == Depth { ready: 1, oldest: Some(AT), ..Depth::default() }).then_some(())
    })
    .await;
    until(|| async { claim_at(&*journal, 1, harness.now()).await.pop() }).await;
}

pub(super) async fn lapsed_lease_is_stale_before_it_is_replaced(harness: &dyn Harness) {
    let journal = harness.open(SHORT).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let lease = claim_one(&*journal).await.lease;
    until(|| async { is_stale(&journal.apply(step(lease, Then::Hold)).await).then_some(()) }).await;
    assert_spent(&*journal, lease).await;
    assert_eq!(claim_again(&*journal).await.job.attempt, 2);
}

pub(super) async fn stale_lease_commits_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let first = claim_one(&*journal).await;
    journal.apply(step(first.lease, retry(AT.0))).await.unwrap();
    assert_spent(&*journal, first.lease).await;
    let second = claim_one(&*journal).await;
    assert_spent(&*journal, first.lease).await;
    assert_spent(&*journal, Lease { token: second.lease.token + 1, ..second.lease }).await;
    assert_spent(&*journal, Lease { job: second.lease.job + 1, ..second.lease }).await;
    journal.apply(step(second.lease, Then::Finish)).await.unwrap();
    assert_spent(&*journal, second.lease).await;
}

pub(super) async fn held_lease_goes_on(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(Change { jobs: vec![job("x")], ..create("a") }).await.unwrap();
    let lease = claim_one(&*journal).await.lease;
    for version in 1..=3 {
        let change = Change { entities: update("a", version, "going").entities, ..step(lease, Then::Hold) };
        journal.apply(change).await.unwrap();
    }
    // A conflict of the entity leaves the lease as it was.
    let late = Change { entities: update("a", 1, "done").entities, ..step(lease, Then::Finish) };
    assert!(journal.apply(late).await.is_err());
    let done = Change { entities: update("a", 4, "done").entities, ..step(lease, Then::Finish) };
    journal.apply(done).await.unwrap();
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 5);
}

pub(super) async fn renewed_lease_stays(harness: &dyn Harness) {
    let journal = harness.open(1_500).await;
    journal.apply(enqueue(vec![job("kept"), job("dropped")])).await.unwrap();
    let claimed = claim(&*journal, 2).await;
    let (kept, dropped) = (claimed[0].lease, claimed[1].lease);
    let mut other = None;
    // By the time the unrenewed one has lapsed, the renewed one would have, too.
    while other.is_none() {
        assert_eq!(journal.renew(&[kept]).await, Ok(vec![]));
        tokio::time::sleep(Duration::from_millis(50)).await;
        other = claim(&*journal, 2).await.pop();
    }
    assert_eq!(other.unwrap().job.id, dropped.job);
    assert_eq!(journal.renew(&[kept]).await, Ok(vec![]));
    journal.apply(step(kept, Then::Finish)).await.unwrap();
}

pub(super) async fn renewal_names_the_lost_ones(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("a"), job("b"), job("c")])).await.unwrap();
    let leases: Vec<Lease> = claim(&*journal, 3).await.into_iter().map(|claimed| claimed.lease).collect();
    journal.apply(step(leases[1], Then::Finish)).await.unwrap();
    let wrong = Lease { token: leases[2].token + 9, ..leases[2] };
    assert_eq!(journal.renew(&[leases[0], leases[1], wrong]).await, Ok(vec![leases[1], wrong]));
    assert_eq!(journal.renew(&[]).await, Ok(vec![]));
    journal.apply(step(leases[2], Then::Finish)).await.unwrap();
}

pub(super) async fn leases_end_with_the_process(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let before = claim_one(&*journal).await;
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_spent(&*journal, before.lease).await;
    assert_eq!(journal.renew(&[before.lease]).await, Ok(vec![before.lease]));
    let after = claim_one(&*journal).await;
    assert_eq!(after.job.id, before.job.id);
    assert!(after.lease.token > before.lease.token);
    assert_spent(&*journal, before.lease).await;
}

pub(super) async fn attempts_are_counted_over_restarts(harness: &dyn Harness) {
    for attempt in 1..=4 {
        let journal = harness.open(LONG).await;
        if attempt == 1 {
            journal.apply(enqueue(vec![job("x")])).await.unwrap();
        }
        let claimed = claim_one(&*journal).await;
        assert_eq!(claimed.job.attempt, attempt);
        if attempt == 2 {
            journal.apply(step(claimed.lease, retry(AT.0))).await.unwrap();
        }
    }
}

/// The worker dies each time that it touches the job; the start after the third death gives it up, with its entity.
pub(super) async fn killer_job_dies_with_its_entity(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(Change { jobs: vec![grouped("g", "killer")], ..create("a") }).await.unwrap();
    journal.apply(enqueue(vec![grouped("g", "next")])).await.unwrap();
    drop(journal);
    for _ in 0..3 {
        let journal = harness.open(LONG).await;
        assert_eq!(claim_one(&*journal).await.job.body, "killer");
    }
    let journal = harness.open(LONG).await;
    let claimed = claim_one(&*journal).await;
    assert_eq!(claimed.job.attempt, 4);
    let end = Change { entities: update("a", 1, "failed").entities, ..step(claimed.lease, bury(false)) };
    journal.apply(end).await.unwrap();
    assert_eq!(swap(&*journal, "a").await.unwrap().status, "failed");
    assert_eq!(journal.dead_jobs(Q, 0, 10).await.unwrap()[0].job.attempt, 4);
    assert_eq!(claim_one(&*journal).await.job.body, "next");
}

//! Cases: a job is enqueued once per key and window.

use domain::{Change, NewJob, Then, Timestamp};

use super::make::{AT, Q, claim_one, deduplicated, enqueue, is_version_conflict, step, update};
use super::{Harness, LONG};
use crate::journal::Journal;

async fn put(journal: &dyn Journal, at: i64, job: NewJob) -> u64 {
    journal.apply(Change { at: Timestamp(at), ..enqueue(vec![job]) }).await.unwrap().jobs[0]
}

pub(super) async fn duplicate_gets_the_earlier_number(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = vec![deduplicated("k", 100, "1"), deduplicated("k", 100, "2"), deduplicated("other", 100, "3")];
    let ids = journal.apply(enqueue(jobs)).await.unwrap().jobs;
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert_eq!(put(&*journal, AT.0 + 99, deduplicated("k", 100, "4")).await, ids[0]);
    let found = journal.jobs(Q, 0, 10).await.unwrap();
    assert_eq!(found.iter().map(|job| job.body.as_str()).collect::<Vec<_>>(), ["1", "3"]);
}

pub(super) async fn window_ends(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let first = put(&*journal, 1_000, deduplicated("k", 100, "1")).await;
    assert_eq!(put(&*journal, 1_099, deduplicated("k", 100, "2")).await, first);
    let second = put(&*journal, 1_100, deduplicated("k", 100, "3")).await;
    assert!(second > first, "the window starts with the first use, not with the last");
    assert_eq!(put(&*journal, 1_150, deduplicated("k", 100, "4")).await, second);
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap().len(), 2);
}

pub(super) async fn window_outlives_the_job(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let first = put(&*journal, AT.0, deduplicated("k", 100, "1")).await;
    let lease = claim_one(&*journal).await.lease;
    journal.apply(step(lease, Then::Finish)).await.unwrap();
    assert_eq!(put(&*journal, AT.0 + 50, deduplicated("k", 100, "2")).await, first);
    assert_eq!(journal.jobs(Q, 0, 10).await, Ok(vec![]));
}

pub(super) async fn window_outlives_the_process(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let first = put(&*journal, AT.0, deduplicated("k", 100, "1")).await;
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(put(&*journal, AT.0 + 50, deduplicated("k", 100, "2")).await, first);
    assert_eq!(journal.sweep(Timestamp(AT.0 + 100), 10).await, Ok(1));
    assert!(put(&*journal, AT.0 + 100, deduplicated("k", 100, "3")).await > first);
}

pub(super) async fn same_key_in_another_queue_is_no_duplicate(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let first = put(&*journal, AT.0, deduplicated("k", 100, "1")).await;
    let other = NewJob { queue: "other".into(), ..deduplicated("k", 100, "2") };
    assert_ne!(put(&*journal, AT.0, other).await, first);
    assert_eq!(journal.jobs("other", 0, 10).await.unwrap().len(), 1);
}

pub(super) async fn failed_change_takes_no_window(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let failing = Change { jobs: vec![deduplicated("k", 100, "1")], ..update("absent", 1, "done") };
    assert!(is_version_conflict(&journal.apply(failing).await));
    let first = put(&*journal, AT.0, deduplicated("k", 100, "2")).await;
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap()[0].id, first);
}

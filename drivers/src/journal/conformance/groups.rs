//! Cases: groups are first in, first out, and one at a time.

use domain::{Change, NewJob, Then, Timestamp};

use super::make::{AT, Q, bodies, bury, claim, claim_at, claim_one, enqueue, grouped, job, retry, step};
use super::{Harness, LONG};
use crate::journal::{Claim, Journal};

async fn three(journal: &dyn Journal) {
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2"), grouped("g", "3")])).await.unwrap();
}

/// Claims and finishes until nothing is left.
async fn work_off(journal: &dyn Journal) -> Vec<String> {
    let mut done = Vec::new();
    loop {
        let claimed = claim(journal, 10).await;
        if claimed.is_empty() {
            return done;
        }
        for claimed in claimed {
            journal.apply(step(claimed.lease, Then::Finish)).await.unwrap();
            done.push(claimed.job.body);
        }
    }
}

pub(super) async fn group_goes_one_by_one(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    for expected in ["1", "2", "3"] {
        let claimed = claim_one(&*journal).await;
        assert_eq!(claimed.job.body, expected);
        assert_eq!(claim(&*journal, 10).await, []);
        journal.apply(step(claimed.lease, Then::Hold)).await.unwrap();
        assert_eq!(claim(&*journal, 10).await, []);
        journal.apply(step(claimed.lease, Then::Finish)).await.unwrap();
    }
    assert_eq!(claim(&*journal, 10).await, []);
}

pub(super) async fn groups_run_side_by_side(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    journal.apply(enqueue(vec![grouped("h", "h1"), job("alone"), grouped("h", "h2")])).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 10).await), ["1", "h1", "alone"]);
}

pub(super) async fn retried_head_keeps_its_place(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let head = claim_one(&*journal).await;
    journal.apply(step(head.lease, retry(AT.0 + 100))).await.unwrap();
    assert_eq!(claim_at(&*journal, 10, Timestamp(AT.0 + 99)).await, []);
    assert_eq!(bodies(&claim_at(&*journal, 10, Timestamp(AT.0 + 100)).await), ["1"]);
}

pub(super) async fn waiting_head_keeps_its_place(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let head = claim_one(&*journal).await;
    let wait = Then::Wait { run_at: Timestamp(AT.0 + 100) };
    journal.apply(step(head.lease, wait)).await.unwrap();
    assert_eq!(claim(&*journal, 10).await, []);
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(claim(&*journal, 10).await, []);
    assert_eq!(bodies(&claim_at(&*journal, 10, Timestamp(AT.0 + 100)).await), ["1"]);
}

pub(super) async fn buried_head_lets_the_group_go_on(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let head = claim_one(&*journal).await;
    journal.apply(step(head.lease, bury(false))).await.unwrap();
    assert_eq!(work_off(&*journal).await, ["2", "3"]);
}

pub(super) async fn parked_group_stops_until_a_retry(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let head = claim_one(&*journal).await;
    journal.apply(step(head.lease, bury(true))).await.unwrap();
    assert!(journal.dead_jobs(Q, 0, 1).await.unwrap()[0].parked);
    journal.apply(enqueue(vec![grouped("g", "4"), grouped("h", "other")])).await.unwrap();
    assert_eq!(work_off(&*journal).await, ["other"]);
    assert_eq!(journal.retry_dead(head.job.id, AT).await, Ok(true));
    assert_eq!(work_off(&*journal).await, ["1", "2", "3", "4"]);
}

pub(super) async fn parked_group_stops_until_a_discard(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let head = claim_one(&*journal).await;
    journal.apply(step(head.lease, bury(true))).await.unwrap();
    assert_eq!(work_off(&*journal).await, [""; 0]);
    assert_eq!(journal.discard_dead(head.job.id, AT).await, Ok(true));
    assert_eq!(work_off(&*journal).await, ["2", "3"]);
    // An empty parked group takes its first job as head again.
    journal.apply(enqueue(vec![grouped("g", "5")])).await.unwrap();
    assert_eq!(work_off(&*journal).await, ["5"]);
}

pub(super) async fn parked_group_stays_parked_over_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "1")])).await.unwrap();
    let head = claim_one(&*journal).await;
    journal.apply(step(head.lease, bury(true))).await.unwrap();
    drop(journal);
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "2")])).await.unwrap();
    assert_eq!(claim(&*journal, 10).await, []);
    assert_eq!(journal.retry_dead(head.job.id, AT).await, Ok(true));
    assert_eq!(work_off(&*journal).await, ["1", "2"]);
}

pub(super) async fn group_of_another_queue_is_another_group(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    journal.apply(enqueue(vec![NewJob { queue: "other".into(), ..grouped("g", "x") }])).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 10).await), ["1"]);
    let other = Claim { queue: "other", limit: 10, per_lane: 1, narrow: Vec::new(), now: AT };
    assert_eq!(bodies(&journal.claim(other).await.unwrap()), ["x"]);
}

pub(super) async fn job_may_follow_itself(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2")])).await.unwrap();
    let head = claim_one(&*journal).await;
    let follow = Change { jobs: vec![grouped("g", "3")], ..step(head.lease, Then::Finish) };
    journal.apply(follow).await.unwrap();
    assert_eq!(work_off(&*journal).await, ["2", "3"]);
    journal.apply(enqueue(vec![grouped("g", "4")])).await.unwrap();
    let head = claim_one(&*journal).await;
    journal.apply(Change { jobs: vec![grouped("g", "5")], ..step(head.lease, Then::Finish) }).await.unwrap();
    assert_eq!(work_off(&*journal).await, ["5"]);
}

pub(super) async fn dead_job_of_a_busy_group_waits_its_turn(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let first = claim_one(&*journal).await;
    journal.apply(step(first.lease, bury(false))).await.unwrap();
    let second = claim_one(&*journal).await;
    assert_eq!(journal.retry_dead(first.job.id, AT).await, Ok(true));
    assert_eq!(claim(&*journal, 10).await, []);
    journal.apply(step(second.lease, Then::Finish)).await.unwrap();
    assert_eq!(work_off(&*journal).await, ["1", "3"]);
}

//! Cases: jobs without groups and lanes.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{Change, Claimed, Job, NewJob, Then, Timestamp};
use tokio::task::JoinSet;

use super::make::{AT, Q, bodies, bury, claim, claim_at, claim_one, create, enqueue, grouped, job, retry, step, swap};
use super::{Harness, LONG};
use crate::journal::{Claim, Depth, Journal};

pub(super) async fn job_is_handed_out_with_all_it_has(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let new = NewJob { group: Some("g".to_owned()), lane: Some("l".to_owned()), ..job("what to do") };
    let id = journal.apply(enqueue(vec![new])).await.unwrap().jobs[0];
    let expected = Job {
        id,
        queue: Q.to_owned(),
        group: Some("g".to_owned()),
        lane: Some("l".to_owned()),
        run_at: AT,
        attempt: 0,
        body: "what to do".to_owned(),
        last_error: None,
    };
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap(), std::slice::from_ref(&expected));
    let claimed = claim_one(&*journal).await;
    assert_eq!(claimed.lease.job, id);
    assert_eq!(claimed.job, Job { attempt: 1, ..expected });
    assert_eq!(claim(&*journal, 10).await, []);
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap()[0].attempt, 1);
}

pub(super) async fn oldest_due_job_comes_first(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let at = |run_at, body| NewJob { run_at: Timestamp(run_at), ..job(body) };
    journal.apply(enqueue(vec![at(30, "c"), at(10, "a"), at(30, "d")])).await.unwrap();
    journal.apply(enqueue(vec![at(20, "b"), at(30, "e")])).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 2).await), ["a", "b"]);
    journal.apply(enqueue(vec![at(5, "late but oldest")])).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 10).await), ["late but oldest", "c", "d", "e"]);
}

pub(super) async fn claim_keeps_its_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue((0..10).map(|n| job(&n.to_string())).collect())).await.unwrap();
    assert_eq!(claim(&*journal, 0).await, []);
    assert_eq!(bodies(&claim(&*journal, 3).await), ["0", "1", "2"]);
    assert_eq!(claim(&*journal, 100).await.len(), 7);
}

pub(super) async fn delayed_job_waits(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let later = Timestamp(AT.0 + 500);
    journal.apply(enqueue(vec![NewJob { run_at: later, ..job("later") }, job("now")])).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 10).await), ["now"]);
    assert_eq!(claim_at(&*journal, 10, Timestamp(later.0 - 1)).await, []);
    assert_eq!(bodies(&claim_at(&*journal, 10, later).await), ["later"]);
}

pub(super) async fn finished_job_is_gone(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let lease = claim_one(&*journal).await.lease;
    let done = Change { entities: create("a").entities, ..step(lease, Then::Finish) };
    journal.apply(done).await.unwrap();
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 1);
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap(), []);
    drop(journal);
    assert_eq!(claim(&*harness.open(LONG).await, 10).await, []);
}

pub(super) async fn retried_job_waits_and_counts(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    for attempt in 1..=3 {
        let now = Timestamp(AT.0 + i64::from(attempt - 1) * 100);
        let claimed = claim_at(&*journal, 10, now).await.remove(0);
        assert_eq!(claimed.job.attempt, attempt);
        assert_eq!(claimed.job.last_error.is_some(), attempt > 1);
        journal.apply(step(claimed.lease, retry(now.0 + 100))).await.unwrap();
        assert_eq!(claim_at(&*journal, 10, Timestamp(now.0 + 99)).await, []);
    }
    let found = journal.jobs(Q, 0, 10).await.unwrap().remove(0);
    assert_eq!((found.attempt, found.last_error.as_deref(), found.run_at.0), (3, Some("no luck"), AT.0 + 300));
}

pub(super) async fn waiting_job_does_not_count(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let mut last = 0;
    for n in 0..5 {
        let claimed = claim_at(&*journal, 10, Timestamp(AT.0 + n)).await.remove(0);
        assert_eq!(claimed.job.attempt, 1);
        assert!(claimed.lease.token > last, "every hand-out has a newer token");
        last = claimed.lease.token;
        let wait = Then::Wait { run_at: Timestamp(AT.0 + n + 1) };
        journal.apply(step(claimed.lease, wait)).await.unwrap();
        assert_eq!(claim_at(&*journal, 10, Timestamp(AT.0 + n)).await, []);
    }
    assert_eq!(journal.jobs(Q, 0, 1).await.unwrap()[0].attempt, 0);
}

pub(super) async fn buried_job_is_dead(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x"), job("y")])).await.unwrap();
    let claimed = claim(&*journal, 1).await.remove(0);
    let when = Timestamp(AT.0 + 77);
    journal.apply(Change { at: when, ..step(claimed.lease, bury(false)) }).await.unwrap();
    let dead = journal.dead_jobs(Q, 0, 10).await.unwrap().remove(0);
    assert_eq!(dead.job, claimed.job);
    assert_eq!((dead.why.as_str(), dead.died_at, dead.parked), ("hopeless", when, false));
    assert_eq!(journal.dead_jobs(Q, dead.job.id, 10).await, Ok(vec![]));
    assert_eq!(journal.dead_jobs("other", 0, 10).await, Ok(vec![]));
    assert_eq!(bodies(&claim(&*journal, 10).await), ["y"]);
}

pub(super) async fn dead_job_starts_anew(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let first = claim_one(&*journal).await;
    journal.apply(step(first.lease, retry(AT.0))).await.unwrap();
    let second = claim_one(&*journal).await;
    assert_eq!(journal.retry_dead(second.job.id, AT).await, Ok(false));
    journal.apply(step(second.lease, bury(false))).await.unwrap();
    assert_eq!(journal.retry_dead(second.job.id, AT).await, Ok(true));
    assert_eq!(journal.retry_dead(second.job.id, AT).await, Ok(false));
    assert_eq!(journal.dead_jobs(Q, 0, 10).await, Ok(vec![]));
    let third = claim_one(&*journal).await;
    assert_eq!((third.job.id, third.job.attempt), (first.job.id, 1));
    assert!(third.lease.token > second.lease.token);
}

pub(super) async fn dead_job_is_discarded(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let claimed = claim_one(&*journal).await;
    assert_eq!(journal.discard_dead(claimed.job.id, AT).await, Ok(false));
    journal.apply(step(claimed.lease, bury(true))).await.unwrap();
    assert_eq!(journal.discard_dead(claimed.job.id, AT).await, Ok(true));
    assert_eq!(journal.discard_dead(claimed.job.id, AT).await, Ok(false));
    assert_eq!(journal.dead_jobs(Q, 0, 10).await, Ok(vec![]));
    assert_eq!(claim(&*journal, 10).await, []);
}

pub(super) async fn queues_are_apart(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![NewJob { queue: "other".into(), ..job("x") }, job("y")])).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 10).await), ["y"]);
    let other = Claim { queue: "other", limit: 10, per_lane: 1, narrow: Vec::new(), now: AT };
    assert_eq!(bodies(&journal.claim(other).await.unwrap()), ["x"]);
    assert_eq!(journal.jobs("other", 0, 10).await.unwrap().len(), 1);
    assert_eq!(
        journal.claim(Claim { queue: "empty", limit: 10, per_lane: 1, narrow: Vec::new(), now: AT }).await,
        Ok(vec![])
    );
}

pub(super) async fn job_numbers_rise_over_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let first = journal.apply(enqueue(vec![job("a"), job("b")])).await.unwrap().jobs;
    assert!(first[0] < first[1]);
    for claimed in claim(&*journal, 10).await {
        journal.apply(step(claimed.lease, Then::Finish)).await.unwrap();
    }
    drop(journal);
    let journal = harness.open(LONG).await;
    let second = journal.apply(enqueue(vec![job("c")])).await.unwrap().jobs;
    assert!(second[0] > first[1], "a number is never given again");
}

pub(super) async fn depth_tells_the_states_apart(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.depth(Q, AT).await, Ok(Depth::default()));
    let mut jobs: Vec<NewJob> = (0..6).map(|n| job(&n.to_string())).collect();
    jobs[0].run_at = Timestamp(AT.0 - 7);
    jobs.push(NewJob { run_at: Timestamp(AT.0 + 9), ..job("later") });
    journal.apply(enqueue(jobs)).await.unwrap();
    assert_eq!(journal.depth(Q, AT).await.unwrap().oldest, Some(Timestamp(AT.0 - 7)));
    let claimed = claim(&*journal, 3).await;
    journal.apply(step(claimed[0].lease, bury(false))).await.unwrap();
    journal.apply(enqueue(vec![grouped("g", "head"), grouped("g", "behind")])).await.unwrap();
    assert_eq!(journal.depth(Q, AT).await, Ok(Depth { ready: 4, leased: 2, waiting: 2, dead: 1, oldest: Some(AT) }));
    let later = Timestamp(AT.0 + 9);
    assert_eq!(journal.depth(Q, later).await, Ok(Depth { ready: 5, leased: 2, waiting: 1, dead: 1, oldest: Some(AT) }));
    assert_eq!(journal.depth("other", AT).await, Ok(Depth::default()));
}

/// Claims until nothing is left; every job comes once.
async fn claim_all(journal: &dyn Journal, limit: usize) -> BTreeSet<u64> {
    let mut seen = BTreeSet::new();
    loop {
        let claimed = claim(journal, limit).await;
        if claimed.is_empty() {
            return seen;
        }
        for Claimed { job, .. } in claimed {
            assert!(seen.insert(job.id), "{} came twice", job.id);
        }
    }
}

pub(super) async fn backlog_of_25_000_is_handed_out_once(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let batch = |from: i64| {
        // Every other one is older than all before it, so that the backlog does not come in the order of its making.
        let at = |n: i64| Timestamp(if n % 2 == 0 { n } else { 500_000 - n });
        enqueue((from..from + 500).map(|n| NewJob { run_at: at(n), ..job("x") }).collect())
    };
    let mut ids = BTreeSet::new();
    for from in 0..25 {
        ids.extend(journal.apply(batch(from * 500)).await.unwrap().jobs);
    }
    drop(journal);
    let journal = harness.open(LONG).await;
    let mut seen: BTreeSet<u64> = claim(&*journal, 900).await.into_iter().map(|claimed| claimed.job.id).collect();
    for from in 25..50 {
        ids.extend(journal.apply(batch(from * 500)).await.unwrap().jobs);
    }
    for id in claim_all(&*journal, 1_000).await {
        assert!(seen.insert(id), "{id} came twice");
    }
    assert_eq!(ids.len(), 25_000);
    assert_eq!(seen, ids);
}

pub(super) async fn concurrent_claims_share_no_job(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue((0..2_000).map(|n| job(&n.to_string())).collect())).await.unwrap();
    let mut claimers = JoinSet::new();
    for _ in 0..32 {
        let journal = Arc::clone(&journal);
        claimers.spawn(async move {
            let mut seen = Vec::new();
            loop {
                let claimed = claim(&*journal, 7).await;
                if claimed.is_empty() {
                    return seen;
                }
                for claimed in claimed {
                    seen.push(claimed.job.id);
                    journal.apply(step(claimed.lease, Then::Finish)).await.unwrap();
                }
            }
        });
    }
    let seen: Vec<u64> = claimers.join_all().await.into_iter().flatten().collect();
    assert_eq!(seen.len(), 2_000);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), 2_000);
    assert_eq!(journal.depth(Q, AT).await, Ok(Depth::default()));
}

//! Cases: lanes and their limits.

use domain::{Claimed, Then};

use super::make::{AT, Q, bodies, enqueue, job, laned, step};
use super::{Harness, LONG};
use crate::journal::{Claim, Journal};

async fn claim(journal: &dyn Journal, limit: usize, per_lane: usize) -> Vec<Claimed> {
    journal.claim(Claim { queue: Q, limit, per_lane, now: AT }).await.unwrap()
}

pub(super) async fn lane_keeps_its_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = vec![laned("a", "a1"), laned("a", "a2"), laned("a", "a3"), laned("b", "b1")];
    journal.apply(enqueue(jobs)).await.unwrap();
    assert_eq!(bodies(&claim(&*journal, 10, 2).await), ["a1", "a2", "b1"]);
    assert_eq!(claim(&*journal, 10, 2).await, []);
    assert_eq!(bodies(&claim(&*journal, 10, 3).await), ["a3"]);
}

pub(super) async fn unnamed_lane_has_no_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue((0..5).map(|n| job(&n.to_string())).collect())).await.unwrap();
    assert_eq!(claim(&*journal, 10, 1).await.len(), 5);
}

pub(super) async fn full_lane_with_a_backlog_starves_no_other(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for _ in 0..20 {
        journal.apply(enqueue((0..1_000).map(|_| laned("slow", "slow")).collect())).await.unwrap();
    }
    for round in 0..2 {
        assert_eq!(claim(&*journal, 100, 4).await.len(), if round == 0 { 4 } else { 0 });
    }
    let fast = (0..50).map(|n| laned(&format!("fast{}", n % 25), "fast")).collect();
    journal.apply(enqueue(fast)).await.unwrap();
    journal.apply(enqueue(vec![job("common")])).await.unwrap();
    let claimed = claim(&*journal, 100, 4).await;
    assert_eq!(claimed.len(), 51);
    assert!(claimed.iter().all(|claimed| claimed.job.body != "slow"));
}

pub(super) async fn freed_place_is_used(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue((0..600).map(|n| laned("a", &n.to_string())).collect())).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let claimed = claim(&*journal, 10, 2).await;
        assert!(claimed.len() <= 2);
        let Some(first) = claimed.first() else { break };
        journal.apply(step(first.lease, Then::Finish)).await.unwrap();
        seen.push(first.job.body.clone());
        for other in &claimed[1..] {
            let wait = Then::Wait { run_at: AT };
            journal.apply(step(other.lease, wait)).await.unwrap();
        }
    }
    assert_eq!(seen, (0..600).map(|n| n.to_string()).collect::<Vec<_>>());
}

pub(super) async fn lanes_survive_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = vec![laned("a", "a1"), laned("a", "a2"), laned("b", "b1"), job("common")];
    journal.apply(enqueue(jobs)).await.unwrap();
    assert_eq!(claim(&*journal, 10, 1).await.len(), 3);
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(bodies(&claim(&*journal, 10, 1).await), ["a1", "b1", "common"]);
}

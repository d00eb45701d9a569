//! Cases: lanes and their limits.

use domain::{Claimed, Then};

use super::make::{AT, Q, bodies, enqueue, job, laned, step};
use super::{Harness, LONG};
use crate::journal::{Claim, Journal};

async fn claim(journal: &dyn Journal, limit: usize, per_lane: usize) -> Vec<Claimed> {
    claim_narrow(journal, limit, per_lane, &[]).await
}

async fn claim_narrow(journal: &dyn Journal, limit: usize, per_lane: usize, narrow: &[(&str, usize)]) -> Vec<Claimed> {
    let narrow = narrow.iter().map(|(lane, room)| ((*lane).to_owned(), *room)).collect();
    journal.claim(Claim { queue: Q, limit, per_lane, narrow, now: AT }).await.unwrap()
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

pub(super) async fn narrow_lane_keeps_its_own_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let many = |lane: &'static str| (0..6).map(move |n| laned(lane, &format!("{lane}{n}")));
    journal.apply(enqueue(many("a").chain(many("b")).chain(many("c")).collect())).await.unwrap();
    let narrow = [("a", 1), ("b", 0), ("c", 9), ("none", 0), ("d\0", 0), ("'\"\\", 0)];
    let first = claim_narrow(&*journal, 100, 3, &narrow).await;
    assert_eq!(bodies(&first), ["a0", "c0", "c1", "c2"]);
    assert_eq!(claim_narrow(&*journal, 100, 3, &narrow).await, []);
    // Named twice, it has the smaller one.
    assert_eq!(bodies(&claim_narrow(&*journal, 100, 3, &[("a", 9), ("b", 1), ("b", 2), ("a", 2)]).await), ["a1", "b0"]);
    // Narrower than what is out already: nothing comes before enough of it has ended.
    assert_eq!(claim_narrow(&*journal, 100, 3, &[("a", 1), ("b", 1)]).await, []);
    journal.apply(step(first[0].lease, Then::Finish)).await.unwrap();
    assert_eq!(claim_narrow(&*journal, 100, 3, &[("a", 1), ("b", 1)]).await, []);
    // Lifted, its jobs come at the next claim.
    assert_eq!(bodies(&claim(&*journal, 100, 3).await), ["a2", "a3", "b1", "b2"]);
}

pub(super) async fn closed_lane_is_not_forgotten(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![laned("a", "a0")])).await.unwrap();
    let closed = [("a", 0)];
    assert_eq!(claim_narrow(&*journal, 10, 4, &closed).await, []);
    journal.apply(enqueue(vec![laned("a", "a1"), laned("b", "b0")])).await.unwrap();
    assert_eq!(bodies(&claim_narrow(&*journal, 10, 4, &closed).await), ["b0"]);
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(bodies(&claim_narrow(&*journal, 10, 4, &closed).await), ["b0"]);
    let claimed = claim(&*journal, 10, 4).await;
    assert_eq!(bodies(&claimed), ["a0", "a1"]);
    // A job that comes back into a lane that was closed meanwhile waits there.
    for job in &claimed {
        journal.apply(step(job.lease, Then::Wait { run_at: AT })).await.unwrap();
        assert_eq!(claim_narrow(&*journal, 10, 4, &closed).await, []);
    }
    assert_eq!(bodies(&claim(&*journal, 10, 4).await), ["a0", "a1"]);
}

pub(super) async fn narrow_lanes_with_backlogs_starve_no_other(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for lane in 0..30 {
        journal.apply(enqueue((0..700).map(|_| laned(&format!("slow{lane}"), "slow")).collect())).await.unwrap();
    }
    let names: Vec<String> = (0..30).map(|lane| format!("slow{lane}")).collect();
    let narrow: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 0)).collect();
    assert_eq!(claim_narrow(&*journal, 100, 8, &narrow).await, []);
    journal.apply(enqueue((0..40).map(|n| laned(&format!("fast{}", n % 20), "fast")).collect())).await.unwrap();
    let fast = claim_narrow(&*journal, 100, 8, &narrow).await;
    assert_eq!(fast.len(), 40);
    assert!(fast.iter().all(|claimed| claimed.job.body == "fast"));
    let mut found = 0;
    while let claimed @ [_, ..] = &*claim(&*journal, 1_000, usize::MAX).await {
        assert!(claimed.iter().all(|claimed| claimed.job.body == "slow"));
        found += claimed.len();
    }
    assert_eq!(found, 21_000);
}

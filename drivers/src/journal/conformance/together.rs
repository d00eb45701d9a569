//! Cases: many receivers at once share no message, and a group is with one of them at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::{MessageStep, NewJob, Received, Settle, Timestamp};
use tokio::task::JoinSet;

use super::make::{AT, Q, ask, delete, enqueue, grouped, job, of, settle};
use super::{DEADLINE, Harness, LONG};
use crate::journal::{Journal, MessageCounts, Receive};
use crate::{Conflict, Fault};

/// Hidden for longer than any test's clock runs.
async fn receive_for_long(journal: &dyn Journal, limit: usize) -> Vec<Received> {
    journal.receive(Receive { hide_micros: 1_000_000, ..ask(limit, AT.0) }).await.unwrap()
}

/// A row of numbers that looks random and is the same in every run.
struct Chances(u64);

impl Chances {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

pub(super) async fn receivers_at_once_share_no_message(harness: &dyn Harness) {
    const COUNT: usize = 2_000;
    let journal = harness.open(LONG).await;
    journal.apply(enqueue((0..COUNT).map(|n| job(&n.to_string())).collect())).await.unwrap();
    let left = Arc::new(AtomicUsize::new(COUNT));
    let mut receivers = JoinSet::new();
    for _ in 0..32 {
        let (journal, left) = (Arc::clone(&journal), Arc::clone(&left));
        receivers.spawn(async move {
            let mut seen = Vec::new();
            while left.load(Ordering::Relaxed) > 0 {
                let received = receive_for_long(&*journal, 7).await;
                left.fetch_sub(received.len(), Ordering::Relaxed);
                delete(&*journal, AT.0, &received).await;
                seen.extend(received.into_iter().map(|one| one.job.id));
            }
            seen
        });
    }
    let seen: Vec<u64> = receivers.join_all().await.into_iter().flatten().collect();
    assert_eq!(seen.len(), COUNT);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    assert_eq!(journal.message_counts(Q, AT).await, Ok(MessageCounts::default()));
}

/// What the test knows of a group.
#[derive(Default)]
struct Group {
    /// Its undeleted messages, in order.
    left: Vec<u64>,
    out: bool,
}

/// Takes the answer of a receive down: of each group the oldest undeleted, without a gap, and nobody else has any.
fn note(groups: &Mutex<BTreeMap<String, Group>>, received: &[Received]) {
    let mut of_group: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for one in received {
        of_group.entry(one.job.group.as_deref().unwrap()).or_default().push(one.job.id);
    }
    let mut groups = groups.lock().unwrap();
    for (name, ids) in of_group {
        let group = groups.get_mut(name).unwrap();
        assert!(!group.out, "{name} is with somebody else");
        assert_eq!(ids, group.left[..ids.len()], "{name} is not in order");
        group.out = true;
    }
}

/// Deletes some of the oldest of each group and returns the rest, all in one change.
async fn give_back(
    journal: &dyn Journal,
    groups: &Mutex<BTreeMap<String, Group>>,
    received: &[Received],
    chances: &mut Chances,
) {
    let mut steps = Vec::new();
    {
        let mut groups = groups.lock().unwrap();
        let (mut last, mut deletes) = ("", true);
        for one in received {
            let name = one.job.group.as_deref().unwrap();
            deletes = (deletes || last != name) && chances.below(4) > 0;
            last = name;
            let then = if deletes { Settle::Delete } else { Settle::ShowAt(AT) };
            let group = groups.get_mut(name).unwrap();
            group.out = false;
            if deletes {
                group.left.retain(|id| *id != one.job.id);
            }
            steps.push(of(one, then));
        }
    }
    journal.apply(settle(AT.0, steps)).await.unwrap();
}

pub(super) async fn groups_stay_whole_and_in_order_under_many_receivers(harness: &dyn Harness) {
    const GROUPS: usize = 17;
    let journal = harness.open(LONG).await;
    let jobs: Vec<NewJob> = (0..1_000).map(|n| grouped(&format!("g{}", n * n % GROUPS), &n.to_string())).collect();
    let ids = journal.apply(enqueue(jobs.clone())).await.unwrap().jobs;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (job, id) in jobs.into_iter().zip(ids) {
        groups.entry(job.group.unwrap()).or_default().left.push(id);
    }
    let groups = Arc::new(Mutex::new(groups));
    let mut receivers = JoinSet::new();
    for receiver in 0..12 {
        let (journal, groups) = (Arc::clone(&journal), Arc::clone(&groups));
        let mut chances = Chances(receiver);
        receivers.spawn(async move {
            while groups.lock().unwrap().values().any(|group| !group.left.is_empty()) {
                let received = receive_for_long(&*journal, 1 + chances.below(12)).await;
                note(&groups, &received);
                tokio::task::yield_now().await;
                give_back(&*journal, &groups, &received, &mut chances).await;
            }
        });
    }
    tokio::time::timeout(DEADLINE * 3, receivers.join_all()).await.expect("all messages come and go");
    assert_eq!(journal.message_counts(Q, AT).await, Ok(MessageCounts::default()));
}

/// Some settle whatever is there, whoever has it, while others receive: all are answered.
pub(super) async fn receivers_and_settlers_never_wait_in_a_circle(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = (0..600).map(|n| grouped(&format!("g{}", n % 5), &n.to_string())).collect();
    let ids = Arc::new(journal.apply(enqueue(jobs)).await.unwrap().jobs);
    let mut tasks = JoinSet::new();
    for settler in 0..6 {
        let (journal, ids) = (Arc::clone(&journal), Arc::clone(&ids));
        let mut chances = Chances(settler);
        tasks.spawn(async move {
            for _ in 0..60 {
                let steps = (0..8).map(|_| {
                    let then = if chances.below(8) == 0 { Settle::Delete } else { Settle::ShowAt(Timestamp(AT.0 - 1)) };
                    let job = ids[chances.below(ids.len())];
                    MessageStep { queue: Q.to_owned(), job, token: None, late: false, then }
                });
                let answer = journal.apply(settle(AT.0, steps.collect())).await;
                assert!(matches!(answer, Ok(_) | Err(Fault::Conflict(Conflict::Gone(_)))), "{answer:?}");
            }
        });
    }
    for receiver in 0..6 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            for turn in 0..60 {
                let call = (turn % 3 == 0).then(|| format!("call-{}", receiver % 2));
                let answer = journal.receive(Receive { call, ..ask(20, AT.0) }).await;
                assert!(matches!(answer, Ok(_) | Err(Fault::Conflict(Conflict::Settled))), "{answer:?}");
            }
        });
    }
    tokio::time::timeout(DEADLINE * 2, tasks.join_all()).await.expect("nobody waits for ever");
}

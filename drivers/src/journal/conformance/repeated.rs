//! Cases: a call that has a name is answered with the same messages while they are hidden.

use std::sync::Arc;

use domain::{NewJob, Received, Settle, Timestamp};
use tokio::task::JoinSet;

use super::make::{AT, Q, ask, delete, enqueue, grouped, is_broken, job, receive, settle, show_at, texts};
use super::{Harness, LONG};
use crate::journal::{Journal, Receive};
use crate::{Conflict, Fault};

const NOW: i64 = AT.0;

fn named(call: &str, limit: usize, now: i64) -> Receive {
    Receive { call: Some(call.to_owned()), ..ask(limit, now) }
}

async fn four(journal: &dyn Journal) {
    let jobs = vec![grouped("g", "1"), grouped("g", "2"), grouped("h", "3"), job("4")];
    journal.apply(enqueue(jobs)).await.unwrap();
}

fn tokens(received: &[Received]) -> Vec<(u64, u64, u32)> {
    let mut tokens: Vec<_> = received.iter().map(|one| (one.job.id, one.token, one.job.attempt)).collect();
    tokens.sort_unstable();
    tokens
}

pub(super) async fn repeated_call_is_answered_with_the_same(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.receive(named("c", 3, NOW)).await, Ok(vec![]), "an empty answer binds nobody");
    four(&*journal).await;
    let first = journal.receive(named("c", 3, NOW)).await.unwrap();
    assert_eq!(texts(&first), ["1", "2", "3"]);
    // Another limit changes nothing.
    let again = journal.receive(named("c", 1, NOW + 1)).await.unwrap();
    assert_eq!((texts(&again), tokens(&again)), (texts(&first), tokens(&first)));
    assert_eq!(texts(&journal.receive(named("d", 3, NOW + 1)).await.unwrap()), ["4"]);
    assert_eq!(receive(&*journal, 10, NOW + 1).await, []);
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(tokens(&journal.receive(named("c", 3, NOW + 2)).await.unwrap()), tokens(&first));
    delete(&*journal, NOW + 2, &first).await;
}

pub(super) async fn repeated_call_hides_anew(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    four(&*journal).await;
    journal.receive(named("c", 3, NOW)).await.unwrap();
    let again = journal.receive(named("c", 3, NOW + 90)).await.unwrap();
    assert!(again.iter().all(|one| one.job.run_at == Timestamp(NOW + 190)), "{again:?}");
    assert_eq!(texts(&receive(&*journal, 10, NOW + 189).await), ["4"]);
    assert_eq!(texts(&receive(&*journal, 10, NOW + 190).await), ["1", "2", "3"]);
}

pub(super) async fn call_whose_messages_were_settled_is_refused(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for deletes in [true, false] {
        four(&*journal).await;
        let first = journal.receive(named("c", 4, NOW)).await.unwrap();
        assert_eq!(first.len(), 4);
        if deletes {
            delete(&*journal, NOW, &first[1..2]).await;
        } else {
            show_at(&*journal, NOW, &first[1], NOW + 300).await;
        }
        assert_eq!(journal.receive(named("c", 4, NOW + 1)).await, Err(Fault::Conflict(Conflict::Settled)));
        // The others stay as they were.
        let rest: Vec<_> = first.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, one)| one.clone()).collect();
        let rest = rest.iter().map(|one| super::make::of(one, Settle::Delete)).collect();
        journal.apply(settle(NOW + 1, rest)).await.unwrap();
        assert_eq!(journal.receive(named("c", 4, NOW + 2)).await, Ok(vec![]), "nothing of it is left: a new call");
        while journal.drop_jobs(Q, 10).await.unwrap() > 0 {}
    }
}

pub(super) async fn lapsed_call_is_a_new_one(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    four(&*journal).await;
    let first = journal.receive(named("c", 3, NOW)).await.unwrap();
    let second = journal.receive(named("c", 2, NOW + 100)).await.unwrap();
    assert_eq!(texts(&second), ["4", "1"]);
    assert!(second[1].token > first[0].token);
    assert_eq!(tokens(&journal.receive(named("c", 3, NOW + 101)).await.unwrap()), tokens(&second));
}

pub(super) async fn names_of_calls_are_of_one_queue_and_have_a_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x"), NewJob { queue: "other".into(), ..job("y") }])).await.unwrap();
    assert_eq!(texts(&journal.receive(named("c", 3, NOW)).await.unwrap()), ["x"]);
    let other = Receive { queue: "other".to_owned(), ..named("c", 3, NOW) };
    assert_eq!(texts(&journal.receive(other).await.unwrap()), ["y"]);
    assert!(is_broken(&journal.receive(named(&"c".repeat(129), 3, NOW)).await));
    assert!(is_broken(&journal.receive(named("", 3, NOW)).await));
    assert!(is_broken(&journal.receive(named("\0", 3, NOW)).await));
    assert_eq!(journal.receive(named(&"c".repeat(128), 3, NOW)).await, Ok(vec![]));
}

pub(super) async fn calls_of_one_name_at_once_get_the_same(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = (0..100).map(|n| grouped(&format!("g{}", n % 9), &n.to_string())).collect();
    journal.apply(enqueue(jobs)).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let journal = Arc::clone(&journal);
        calls.spawn(async move { tokens(&journal.receive(named("c", 7, NOW)).await.unwrap()) });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers[0].len(), 7);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(journal.message_counts(Q, AT).await.unwrap().hidden, 7);
}

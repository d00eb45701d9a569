//! Cases: what becomes of messages that were received, and who may say so.

use domain::{Change, MessageStep, NewJob, Received, Settle, Timestamp};

use super::make::{
    AT, Q, ask, create, delete, enqueue, grouped, is_stale, is_version_conflict, job, of, receive, settle, show_at,
    swap, texts, update,
};
use super::{Harness, LONG};
use crate::journal::{MessageCounts, Receipt, Receive};
use crate::{Conflict, Fault};

const NOW: i64 = AT.0;

fn is_gone(result: &Result<Receipt, Fault>, of: &Received) -> bool {
    *result == Err(Fault::Conflict(Conflict::Gone(of.job.id)))
}

pub(super) async fn older_hand_out_has_no_say(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let old = receive(&*journal, 1, NOW).await.remove(0);
    let new = receive(&*journal, 1, NOW + 100).await.remove(0);
    for then in [Settle::Delete, Settle::ShowAt(Timestamp(NOW))] {
        let late = MessageStep { late: true, ..of(&old, then) };
        assert!(is_gone(&journal.apply(settle(NOW + 100, vec![late])).await, &old));
        let in_time = journal.apply(settle(NOW + 100, vec![of(&old, then)])).await;
        match then {
            Settle::Delete => assert!(is_stale(&in_time), "its time ran out: {in_time:?}"),
            Settle::ShowAt(_) => assert!(is_gone(&in_time, &old)),
        }
    }
    delete(&*journal, NOW + 101, std::slice::from_ref(&new)).await;
    assert!(is_gone(&journal.apply(settle(NOW + 101, vec![of(&new, Settle::Delete)])).await, &new));
    assert_eq!(journal.jobs(Q, 0, 10).await, Ok(vec![]));
}

pub(super) async fn lapsed_hand_out_has_a_say_only_if_it_may_be_late(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2")])).await.unwrap();
    let out = receive(&*journal, 1, NOW).await;
    assert!(is_stale(&journal.apply(settle(NOW + 100, vec![of(&out[0], Settle::Delete)])).await));
    let hide = Settle::ShowAt(Timestamp(NOW + 500));
    assert!(is_stale(&journal.apply(settle(NOW + 100, vec![of(&out[0], hide)])).await));
    let late = MessageStep { late: true, ..of(&out[0], Settle::Delete) };
    journal.apply(settle(NOW + 100, vec![late])).await.unwrap();
    assert_eq!(texts(&receive(&*journal, 10, NOW + 100).await), ["2"]);
}

pub(super) async fn whoever_has_it_may_be_overruled(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let ids = journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2"), job("x")])).await.unwrap().jobs;
    let whoever = |id, then| MessageStep { queue: Q.to_owned(), job: id, token: None, late: false, then };
    let out = receive(&*journal, 1, NOW).await;
    // One that is out, and one that never was.
    let steps = vec![whoever(ids[0], Settle::Delete), whoever(ids[2], Settle::Delete)];
    journal.apply(settle(NOW, steps)).await.unwrap();
    assert!(is_gone(&journal.apply(settle(NOW, vec![of(&out[0], Settle::Delete)])).await, &out[0]));
    journal.apply(settle(NOW, vec![whoever(ids[1], Settle::ShowAt(Timestamp(NOW + 5)))])).await.unwrap();
    assert_eq!(receive(&*journal, 10, NOW + 4).await, []);
    assert_eq!(texts(&receive(&*journal, 10, NOW + 5).await), ["2"]);
}

pub(super) async fn message_is_looked_for_in_its_queue(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let out = receive(&*journal, 1, NOW).await;
    let elsewhere = MessageStep { queue: "other".to_owned(), ..of(&out[0], Settle::Delete) };
    assert!(is_gone(&journal.apply(settle(NOW, vec![elsewhere])).await, &out[0]));
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap().len(), 1);
}

pub(super) async fn shown_message_is_hidden_or_seen(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let out = receive(&*journal, 1, NOW).await;
    show_at(&*journal, NOW + 50, &out[0], NOW + 500).await;
    assert_eq!(receive(&*journal, 1, NOW + 499).await, []);
    // It is the same hand-out still.
    show_at(&*journal, NOW + 60, &out[0], NOW + 70).await;
    assert_eq!(receive(&*journal, 1, NOW + 69).await, []);
    let again = receive(&*journal, 1, NOW + 70).await;
    assert_eq!((again[0].job.attempt, again[0].first_at), (2, AT));
    show_at(&*journal, NOW + 80, &again[0], NOW + 80).await;
    assert_eq!(receive(&*journal, 1, NOW + 80).await.len(), 1);
}

pub(super) async fn steps_of_one_change_follow_each_other(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2")])).await.unwrap();
    let out = receive(&*journal, 10, NOW).await;
    let twice = vec![of(&out[0], Settle::Delete), of(&out[0], Settle::Delete)];
    assert!(is_gone(&journal.apply(settle(NOW, twice)).await, &out[0]));
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap().len(), 2, "nothing of it happened");
    // The second becomes the head by the first step, and is hidden by the next ones.
    let hide = |until| of(&out[1], Settle::ShowAt(Timestamp(until)));
    journal.apply(settle(NOW, vec![of(&out[0], Settle::Delete), hide(NOW + 700), hide(NOW + 300)])).await.unwrap();
    assert_eq!(receive(&*journal, 10, NOW + 299).await, []);
    assert_eq!(texts(&receive(&*journal, 10, NOW + 300).await), ["2"]);
}

pub(super) async fn whole_group_is_deleted_at_once(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = (1..=5).map(|n| grouped("g", &n.to_string())).collect();
    journal.apply(enqueue(jobs)).await.unwrap();
    let out = receive(&*journal, 3, NOW).await;
    delete(&*journal, NOW, &out).await;
    let out = receive(&*journal, 3, NOW).await;
    assert_eq!(texts(&out), ["4", "5"]);
    let backwards = out.iter().rev().map(|received| of(received, Settle::Delete)).collect();
    journal.apply(settle(NOW, backwards)).await.unwrap();
    assert_eq!(journal.message_counts(Q, AT).await, Ok(MessageCounts::default()));
    journal.apply(enqueue(vec![grouped("g", "6")])).await.unwrap();
    assert_eq!(texts(&receive(&*journal, 3, NOW).await), ["6"]);
}

pub(super) async fn message_moves_to_another_queue_in_one_change(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "bad"), grouped("g", "good")])).await.unwrap();
    let out = receive(&*journal, 1, NOW).await;
    let dead = NewJob { queue: "dead".into(), ..grouped("g", "bad") };
    let moved = Change { jobs: vec![dead], ..settle(NOW, vec![of(&out[0], Settle::Delete)]) };
    assert_eq!(journal.apply(moved.clone()).await.unwrap().jobs.len(), 1);
    assert!(is_gone(&journal.apply(moved).await, &out[0]));
    assert_eq!(texts(&receive(&*journal, 10, NOW).await), ["good"]);
    let from_dead = Receive { queue: "dead".to_owned(), ..ask(10, NOW) };
    assert_eq!(texts(&journal.receive(from_dead).await.unwrap()), ["bad"]);
}

pub(super) async fn failed_change_settles_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2")])).await.unwrap();
    let out = receive(&*journal, 10, NOW).await;
    let steps = vec![of(&out[0], Settle::Delete)];
    let failing = Change { messages: steps, ..update("absent", 1, "done") };
    assert!(is_version_conflict(&journal.apply(failing).await));
    let none = MessageStep { job: 999, ..of(&out[1], Settle::Delete) };
    let half = Change { messages: vec![of(&out[0], Settle::Delete), none], ..create("a") };
    assert_eq!(journal.apply(half).await, Err(Fault::Conflict(Conflict::Gone(999))));
    assert_eq!((journal.jobs(Q, 0, 10).await.unwrap().len(), swap(&*journal, "a").await), (2, None));
    delete(&*journal, NOW, &out).await;
}

pub(super) async fn counts_tell_the_states_apart(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.message_counts(Q, AT).await, Ok(MessageCounts::default()));
    let at = |job: NewJob, run_at| NewJob { run_at: Timestamp(run_at), ..job };
    let mut jobs = vec![at(grouped("g", "1"), NOW - 9), at(grouped("g", "2"), NOW - 8), at(job("a"), NOW - 7)];
    jobs.extend([at(grouped("h", "3"), NOW + 20), at(grouped("h", "4"), NOW + 20), at(job("b"), NOW + 20)]);
    jobs.push(at(NewJob { queue: "other".into(), ..job("c") }, NOW - 50));
    journal.apply(enqueue(jobs)).await.unwrap();
    let counts = async |now| journal.message_counts(Q, Timestamp(now)).await.unwrap();
    let oldest = |at| Some(Timestamp(at));
    assert_eq!(counts(NOW).await, MessageCounts { visible: 3, hidden: 0, delayed: 3, oldest: oldest(NOW - 9) });
    assert_eq!(texts(&receive(&*journal, 1, NOW).await), ["1"]);
    // The second of the group stays among the visible, though nobody can receive it now.
    assert_eq!(counts(NOW).await, MessageCounts { visible: 2, hidden: 1, delayed: 3, oldest: oldest(NOW - 8) });
    assert_eq!(counts(NOW + 20).await, MessageCounts { visible: 5, hidden: 1, delayed: 0, oldest: oldest(NOW - 8) });
    assert_eq!(receive(&*journal, 10, NOW + 20).await.len(), 4);
    assert_eq!(counts(NOW + 21).await, MessageCounts { visible: 1, hidden: 5, delayed: 0, oldest: oldest(NOW - 8) });
    let hidden = async |now, limit| journal.hidden(Q, Timestamp(now), limit).await.unwrap();
    assert_eq!((hidden(NOW + 21, 100).await, hidden(NOW + 21, 3).await, hidden(NOW + 21, 0).await), (5, 3, 0));
    assert_eq!((hidden(NOW + 120, 100).await, hidden(NOW + 119, u64::MAX).await), (0, 4));
    assert_eq!(counts(NOW + 120).await, MessageCounts { visible: 6, hidden: 0, delayed: 0, oldest: oldest(NOW - 8) });
}

pub(super) async fn dropped_queue_is_empty(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let mut jobs: Vec<NewJob> = (0..7).map(|n| grouped("g", &n.to_string())).collect();
    jobs.extend((0..5).map(|n| job(&n.to_string())));
    jobs.push(NewJob { queue: "other".into(), ..job("kept") });
    journal.apply(enqueue(jobs)).await.unwrap();
    let out = receive(&*journal, 3, NOW).await;
    let mut dropped = Vec::new();
    while dropped.last() != Some(&0) {
        dropped.push(journal.drop_jobs(Q, 5).await.unwrap());
    }
    assert_eq!(dropped, [5, 5, 2, 0]);
    assert_eq!(receive(&*journal, 10, NOW + 100).await, []);
    assert!(is_gone(&journal.apply(settle(NOW, vec![of(&out[0], Settle::Delete)])).await, &out[0]));
    assert_eq!(journal.message_counts(Q, AT).await, Ok(MessageCounts::default()));
    assert_eq!(journal.jobs("other", 0, 10).await.unwrap().len(), 1);
}

pub(super) async fn queue_that_is_dropped_while_in_use_harms_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let some = || enqueue(vec![grouped("g", "1"), job("2"), grouped("g", "3"), job("4")]);
    for round in 0..3 {
        journal.apply(some()).await.unwrap();
        assert_eq!(receive(&*journal, 1, NOW).await.len(), 1);
        journal.drop_jobs(Q, 2).await.unwrap();
        let _ = receive(&*journal, 1, NOW).await;
        while journal.drop_jobs(Q, 100).await.unwrap() > 0 {}
        assert_eq!(receive(&*journal, 10, NOW + 1_000).await, []);
        // A queue of that name begins anew, and others with it.
        let other = NewJob { queue: format!("other-{round}").into(), ..job("x") };
        journal.apply(enqueue(vec![other])).await.unwrap();
        journal.apply(some()).await.unwrap();
        let all = receive(&*journal, 10, NOW).await;
        assert_eq!(texts(&all), ["1", "3", "2", "4"]);
        delete(&*journal, NOW, &all).await;
    }
}

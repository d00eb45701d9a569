//! Cases: messages are hidden by the clock, and a group gives what is visible up to the first that is not.

use domain::{Change, NewJob, Received, Timestamp};

use super::make::{AT, Q, ask, deduplicated, delete, enqueue, grouped, job, receive, show_at, texts};
use super::{Harness, LONG};
use crate::journal::{Journal, Receive};

const NOW: i64 = AT.0;

async fn three(journal: &dyn Journal) {
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2"), grouped("g", "3")])).await.unwrap();
}

pub(super) async fn received_message_is_hidden_and_counted(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let id = journal.apply(enqueue(vec![grouped("g", "x")])).await.unwrap().jobs[0];
    let received = receive(&*journal, 10, NOW).await;
    let [Received { job, token, first_at }] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!((job.id, job.queue.as_str(), job.group.as_deref(), job.body.as_str()), (id, Q, Some("g"), "x"));
    assert_eq!((job.attempt, job.run_at, *first_at, &job.lane), (1, Timestamp(NOW + 100), AT, &None));
    assert!(*token > 0);
    assert_eq!(receive(&*journal, 10, NOW).await, []);
    assert_eq!(receive(&*journal, 10, NOW + 99).await, []);
    assert_eq!(journal.jobs(Q, 0, 10).await.unwrap(), std::slice::from_ref(job));
}

pub(super) async fn message_is_visible_again_by_the_clock(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
    let first = receive(&*journal, 10, NOW).await.remove(0);
    let second = receive(&*journal, 10, NOW + 100).await.remove(0);
    assert_eq!((second.job.id, second.job.attempt, second.first_at), (first.job.id, 2, AT));
    assert!(second.token > first.token);
    let third = receive(&*journal, 10, NOW + 250).await.remove(0);
    assert_eq!((third.job.attempt, third.first_at, third.job.run_at), (3, AT, Timestamp(NOW + 350)));
}

pub(super) async fn hidden_message_stays_hidden_over_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![job("x"), grouped("g", "1"), grouped("g", "2")])).await.unwrap();
    let first = receive(&*journal, 2, NOW).await;
    assert_eq!(texts(&first), ["x", "1"]);
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(receive(&*journal, 10, NOW + 99).await, []);
    let again = receive(&*journal, 10, NOW + 100).await;
    assert_eq!(texts(&again), ["x", "1", "2"]);
    assert_eq!((again[0].job.attempt, again[0].first_at), (2, AT));
    assert!(again[0].token > first[0].token);
}

pub(super) async fn delayed_message_waits(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let later = |job: NewJob| NewJob { run_at: Timestamp(NOW + 50), ..job };
    journal.apply(enqueue(vec![later(grouped("g", "1")), grouped("g", "2"), later(job("x"))])).await.unwrap();
    assert_eq!(receive(&*journal, 10, NOW + 49).await, []);
    assert_eq!(texts(&receive(&*journal, 10, NOW + 50).await), ["1", "2", "x"]);
}

pub(super) async fn longest_visible_message_comes_first(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let at = |body, run_at| NewJob { run_at: Timestamp(run_at), ..job(body) };
    journal.apply(enqueue(vec![at("b", NOW - 5), at("d", NOW), at("a", NOW - 9), at("c", NOW - 5)])).await.unwrap();
    assert_eq!(texts(&receive(&*journal, 3, NOW).await), ["a", "b", "c"]);
    assert_eq!(texts(&receive(&*journal, 3, NOW).await), ["d"]);
}

pub(super) async fn receive_keeps_its_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let mut jobs: Vec<NewJob> = (0..5).map(|n| grouped("g", &n.to_string())).collect();
    jobs.extend((5..9).map(|n| job(&n.to_string())));
    journal.apply(enqueue(jobs)).await.unwrap();
    assert_eq!(receive(&*journal, 0, NOW).await, []);
    assert_eq!(texts(&receive(&*journal, 1, NOW).await), ["0"]);
    assert_eq!(texts(&receive(&*journal, 3, NOW).await), ["5", "6", "7"]);
    assert_eq!(texts(&receive(&*journal, 3, NOW).await), ["8"]);
    let again = receive(&*journal, usize::MAX, NOW + 100).await;
    assert_eq!(again.len(), 9);
}

pub(super) async fn message_that_is_not_hidden_comes_once_in_a_call(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(enqueue(vec![grouped("g", "1"), grouped("g", "2"), job("x"), grouped("h", "3")])).await.unwrap();
    for attempt in 1..=3 {
        let received = journal.receive(Receive { hide_micros: 0, ..ask(10, NOW) }).await.unwrap();
        assert_eq!(texts(&received), ["1", "2", "x", "3"]);
        assert!(received.iter().all(|received| received.job.attempt == attempt));
    }
    // Moved while it is visible: it still comes once.
    let moved = receive(&*journal, 2, NOW).await;
    show_at(&*journal, NOW, &moved[0], NOW - 7).await;
    let received = journal.receive(Receive { hide_micros: 0, ..ask(10, NOW) }).await.unwrap();
    assert_eq!(texts(&received), ["1", "x", "3"]);
}

pub(super) async fn call_may_take_one_of_each_group(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = vec![grouped("g", "1"), grouped("g", "2"), job("x"), grouped("h", "3"), grouped("g", "4"), job("y")];
    journal.apply(enqueue(jobs)).await.unwrap();
    let one_each = || Receive { one_each: true, ..ask(10, NOW) };
    assert_eq!(texts(&journal.receive(one_each()).await.unwrap()), ["1", "x", "3", "y"]);
    assert_eq!(journal.receive(one_each()).await.unwrap(), []);
    // Those behind were not received.
    let received = receive(&*journal, 10, NOW + 100).await;
    let counts: Vec<_> = received.iter().map(|one| (one.job.body.as_str(), one.job.attempt)).collect();
    assert_eq!(counts, [("1", 2), ("2", 1), ("4", 1), ("x", 2), ("3", 2), ("y", 2)]);
}

pub(super) async fn group_gives_what_is_visible_up_to_the_first_that_is_not(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let out = receive(&*journal, 10, NOW).await;
    assert_eq!(texts(&out), ["1", "2", "3"]);
    show_at(&*journal, NOW + 1, &out[1], NOW + 1).await;
    assert_eq!(receive(&*journal, 10, NOW + 1).await, [], "the second while the first is out");
    show_at(&*journal, NOW + 1, &out[0], NOW + 1).await;
    assert_eq!(texts(&receive(&*journal, 10, NOW + 1).await), ["1", "2"]);
}

/// As SQS was recorded doing it: three were received, one was extended, the time of the others ran out.
pub(super) async fn group_with_an_extended_message_gives_those_before_it(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for (extended, visible) in [(0, &[] as &[&str]), (1, &["1"]), (2, &["1", "2"])] {
        three(&*journal).await;
        let out = receive(&*journal, 10, NOW).await;
        show_at(&*journal, NOW + 1, &out[extended], NOW + 1_000).await;
        assert_eq!(texts(&receive(&*journal, 10, NOW + 100).await), visible, "number {extended} was extended");
        while journal.drop_jobs(Q, 10).await.unwrap() > 0 {}
    }
}

pub(super) async fn group_with_messages_out_gives_nothing_more(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    assert_eq!(texts(&receive(&*journal, 1, NOW).await), ["1"]);
    journal.apply(enqueue(vec![grouped("g", "4")])).await.unwrap();
    assert_eq!(receive(&*journal, 10, NOW).await, []);
    assert_eq!(texts(&receive(&*journal, 10, NOW + 100).await), ["1", "2", "3", "4"]);
}

pub(super) async fn half_deleted_group_stays_closed(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    let out = receive(&*journal, 2, NOW).await;
    delete(&*journal, NOW, &out[..1]).await;
    assert_eq!(receive(&*journal, 10, NOW).await, [], "the second is out still");
    assert_eq!(texts(&receive(&*journal, 10, NOW + 100).await), ["2", "3"]);
    let journal = {
        drop(journal);
        harness.open(LONG).await
    };
    assert_eq!(receive(&*journal, 10, NOW + 199).await, []);
}

pub(super) async fn deleted_head_lets_the_next_go(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    three(&*journal).await;
    for expected in ["1", "2", "3"] {
        let out = receive(&*journal, 1, NOW).await;
        assert_eq!(texts(&out), [expected]);
        assert_eq!(receive(&*journal, 1, NOW).await, []);
        delete(&*journal, NOW, &out).await;
    }
    assert_eq!(receive(&*journal, 1, NOW).await, []);
    journal.apply(enqueue(vec![grouped("g", "4")])).await.unwrap();
    assert_eq!(texts(&receive(&*journal, 1, NOW).await), ["4"]);
}

pub(super) async fn many_of_a_group_come_before_the_next_group(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = ["g1", "h1", "g2", "h2", "g3", "h3"].map(|body| grouped(&body[..1], body));
    journal.apply(enqueue(jobs.into())).await.unwrap();
    assert_eq!(texts(&receive(&*journal, 4, NOW).await), ["g1", "g2", "g3", "h1"]);
    assert_eq!(receive(&*journal, 4, NOW).await, []);
}

pub(super) async fn returned_group_goes_behind_those_that_wait(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let jobs = ["g1", "g2", "h1", "i1"].map(|body| grouped(&body[..1], body));
    journal.apply(enqueue(jobs.into())).await.unwrap();
    let out = receive(&*journal, 1, NOW).await;
    assert_eq!(texts(&out), ["g1"]);
    show_at(&*journal, NOW + 2, &out[0], NOW + 2).await;
    assert_eq!(texts(&receive(&*journal, 2, NOW + 3).await), ["h1", "i1"]);
    assert_eq!(texts(&receive(&*journal, 9, NOW + 3).await), ["g1", "g2"]);
}

pub(super) async fn queues_of_messages_are_apart(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let other = NewJob { queue: "other".into(), ..grouped("g", "x") };
    journal.apply(enqueue(vec![other, grouped("g", "y"), job("z")])).await.unwrap();
    assert_eq!(texts(&receive(&*journal, 10, NOW).await), ["y", "z"]);
    let from = |queue: &str| Receive { queue: queue.to_owned(), ..ask(10, NOW) };
    assert_eq!(texts(&journal.receive(from("other")).await.unwrap()), ["x"]);
    assert_eq!(journal.receive(from("empty")).await, Ok(vec![]));
}

pub(super) async fn window_of_a_duplicate_outlives_receipt_and_deletion(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let put = async |at| {
        let message = NewJob { run_at: Timestamp(at), group: Some("g".to_owned()), ..deduplicated("k", 1_000, "x") };
        journal.apply(Change { at: Timestamp(at), ..enqueue(vec![message]) }).await.unwrap().jobs[0]
    };
    let first = put(NOW).await;
    let out = receive(&*journal, 10, NOW).await;
    assert_eq!(put(NOW + 1).await, first);
    delete(&*journal, NOW + 1, &out).await;
    assert_eq!(put(NOW + 999).await, first);
    assert_eq!(receive(&*journal, 10, NOW + 999).await, []);
    assert!(put(NOW + 1_000).await > first);
    assert_eq!(texts(&receive(&*journal, 10, NOW + 1_000).await), ["x"]);
}

//! What no caller can bring about within a test's time: messages that are days old, and very many in flight.

use std::sync::Arc;

use domain::queue::{Outgoing, Refusal, Wanted};
use domain::{Change, NewJob, Owner, Timestamp};
use drivers::journal::{self, Options};
use drivers::wake;
use tokio_util::sync::CancellationToken;

use super::{Clearing, Parts, QueueError, Queues, Settings, Wish};
use crate::clock;
use crate::observe::Metrics;

async fn queues(folder: &tempfile::TempDir, in_flight: u64, resting: &CancellationToken) -> Arc<Queues> {
    let wake = wake::local();
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let url = format!("sqlite:{}/t.db", folder.path().display());
    Arc::new(Queues::new(Parts {
        journal: journal::open(&url, options).await.expect("a journal"),
        wake,
        metrics: Arc::new(Metrics::default()),
        settings: Settings { in_flight, ..Settings::default() },
        resting: resting.clone(),
    }))
}

async fn make(queues: &Queues, name: &str) {
    let fifo = name.ends_with(".fifo").then(|| ("FifoQueue".to_owned(), "true".to_owned()));
    queues.create(&Owner::default(), name, Wanted::from_iter(fifo), Default::default()).await.expect("made");
}

async fn send(queues: &Queues, name: &str, number: usize, at: Timestamp) {
    let fifo = name.ends_with(".fifo");
    let message = Outgoing {
        body: number.to_string(),
        group: fifo.then(|| "g".to_owned()),
        dedup: fifo.then(|| number.to_string()),
        ..Outgoing::default()
    };
    let sent = queues.send_at(&Owner::default(), name, &[message], at).await.expect("sent").remove(0);
    sent.expect("taken");
}

fn days_ago(days: i64) -> Timestamp {
    clock::now().plus_millis(-days * 86_400_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_too_old_are_deleted_wherever_they_lie() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = queues(&folder, 120_000, &CancellationToken::new()).await;
    for name in ["q", "q.fifo"] {
        make(&queues, name).await;
        // Four days are kept. Young ones, more than a page of them, lie before some that are old: dead letters do.
        for number in 0..260 {
            send(&queues, name, number, days_ago(3)).await;
        }
        for number in 260..270 {
            send(&queues, name, number, days_ago(5)).await;
        }
    }
    let mut clearing = Clearing::new(Arc::clone(&queues));
    clearing.step().await.expect("a round");
    for name in ["q", "q.fifo"] {
        let queue = queues.find(&Owner::default(), name).await.expect("is there");
        assert_eq!(queues.counts(&queue).await.expect("counts").visible, 260, "{name}");
    }
    assert!(queues.metrics.render().contains("tradewind_queue_messages_total{state=\"expired\"} 20"));
    queues.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receive_goes_through_few_of_the_messages_that_are_too_old() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = queues(&folder, 120_000, &CancellationToken::new()).await;
    make(&queues, "q").await;
    for number in 0..40 {
        send(&queues, "q", number, days_ago(5)).await;
    }
    send(&queues, "q", 40, clock::now()).await;
    let account = Owner::default();
    let receive = || queues.receive(&account, "q", Wish { wait: Some(0), ..Wish::default() });
    assert_eq!(receive().await, Ok(Vec::new()));
    let queue = queues.find(&Owner::default(), "q").await.expect("is there");
    assert_eq!(queues.counts(&queue).await.expect("counts").visible, 41 - 8);
    // It called for the round that deletes the rest.
    queues.litter.notified().await;
    Clearing::new(Arc::clone(&queues)).step().await.expect("a round");
    assert_eq!(receive().await.expect("received")[0].message.body, "40");
    queues.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = queues(&folder, 120_000, &CancellationToken::new()).await;
    let account = Owner::default();
    make(&queues, "dead.fifo").await;
    make(&queues, "q.fifo").await;
    let redrive = format!(
        "{{\"deadLetterTargetArn\":\"{}\",\"maxReceiveCount\":3}}",
        domain::queue::arn::of(&account, "dead.fifo")
    );
    let wanted = [("FifoQueue", "true"), ("RedrivePolicy", &redrive)].map(|(name, value)| (name.into(), value.into()));
    queues.create(&account, "letters.fifo", Wanted::from(wanted), Default::default()).await.expect("made");
    for name in ["q.fifo", "letters.fifo"] {
        let queue = queues.find(&account, name).await.expect("is there");
        let unreadable = NewJob {
            queue: queue.generation().to_owned().into(),
            group: Some("g".to_owned()),
            lane: None,
            run_at: clock::now(),
            body: "no message".to_owned(),
            dedup: None,
        };
        let change = Change { at: clock::now(), jobs: vec![unreadable], ..Change::default() };
        queues.journal.apply(change).await.expect("written");
        send(&queues, name, 1, clock::now()).await;
        let received = queues.receive(&account, name, Wish { max: 10, ..Wish::default() }).await.expect("received");
        let bodies: Vec<&str> = received.iter().map(|one| one.message.body.as_str()).collect();
        assert_eq!(bodies, ["1"], "{name}");
        assert_eq!(queues.journal.jobs(queue.generation(), 0, 10).await.expect("jobs").len(), 1, "{name}");
    }
    let dead = queues.find(&account, "dead.fifo").await.expect("is there");
    let kept = queues.journal.jobs(dead.generation(), 0, 10).await.expect("jobs");
    assert_eq!(kept.iter().map(|job| job.body.as_str()).collect::<Vec<_>>(), ["no message"], "as it was");
    queues.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_very_many_in_flight_hands_out_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = queues(&folder, 3, &CancellationToken::new()).await;
    let account = Owner::default();
    let receive = async |name: &str| queues.receive(&account, name, Wish { max: 10, ..Wish::default() }).await;
    for name in ["q", "q.fifo"] {
        make(&queues, name).await;
        for number in 0..3 {
            send(&queues, name, number, clock::now()).await;
        }
        let received = receive(name).await.expect("received");
        assert_eq!(received.len(), 3);
        send(&queues, name, 3, clock::now()).await;
        match name {
            "q" => assert!(matches!(receive(name).await, Err(QueueError::Refused(Refusal::OverLimit(_))))),
            _ => assert_eq!(receive(name).await, Ok(Vec::new())),
        }
        let handles: Vec<String> = received.into_iter().map(|one| one.handle).collect();
        let deleted = queues.delete_messages(&account, name, &handles).await.expect("answered");
        assert!(deleted.iter().all(Result::is_ok));
        let left = loop {
            match receive(name).await {
                Ok(left) if !left.is_empty() => break left,
                _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        };
        assert_eq!(left[0].message.body, "3", "when it is seen that there is room again");
    }
    queues.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_to_stop_lets_nobody_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let resting = CancellationToken::new();
    let queues = queues(&folder, 3, &resting).await;
    make(&queues, "q").await;
    let account = Owner::default();
    let wish = Wish { wait: Some(20), ..Wish::default() };
    let waiting = async {
        let both =
            tokio::join!(queues.receive(&account, "q", wish.clone()), queues.receive(&account, "q", wish.clone()));
        assert_eq!(both, (Ok(Vec::new()), Ok(Vec::new())));
    };
    // Far less than they asked for.
    let stop = async { resting.cancel() };
    let (ended, ()) = tokio::join!(tokio::time::timeout(std::time::Duration::from_secs(15), waiting), stop);
    ended.expect("they were let go");
    queues.journal.close().await;
}

//! Deliveries made again: one, and a range.

use domain::Timestamp;
use domain::webhook::replay::{QUEUE_REPLAY, Replay, Status as ReplayStatus};

use super::receiver::Reply;
use super::*;
use crate::intake::{IntakeError, Target};

async fn until_replayed(engine: &Engine, id: &str) -> Replay {
    let read = async || {
        let row = engine.journal.entity(Kind::Replay, id).await.expect("reads").expect("is there");
        Replay::from_entity(&row).expect("reads back")
    };
    until("the replay's end", async || read().await.status != ReplayStatus::Running).await;
    read().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_sent_again_when_asked() {
    let site = Site::new();
    let engine = engine(&site, settings(&[])).await;
    let receiver = Receiver::start(500).await;
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    let failed = until_done(&engine, &id, 1).await.remove(0);
    assert_eq!(failed.status, Status::Failed);
    receiver.always(Reply::of(200));
    let again = engine.intake.resend(&engine.webhooks, &owner("alice"), &failed.id, None).await.expect("taken");
    assert_eq!(again.id, failed.id);
    let delivered = until_done(&engine, &id, 1).await.remove(0);
    assert_eq!((delivered.status, delivered.attempts.len()), (Status::Delivered, 2));
    // Even one that was taken, with the same id and the same bytes.
    engine.intake.resend(&engine.webhooks, &owner("alice"), &failed.id, None).await.expect("taken");
    until("three requests", async || receiver.got().len() == 3).await;
    let got = receiver.got();
    assert!(got.iter().all(|one| one.id == failed.id && one.body == got[0].body));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_pause_a_replay_brings_what_was_missed_with_the_ids_that_it_would_have_had() {
    let site = Site::new();
    let engine = engine(&site, settings(&[])).await;
    let receiver = Receiver::start(200).await;
    let alice = owner("alice");
    let id = endpoint(&engine, &receiver, &["swap.confirmed", "swap.pending"]).await;
    let since = clock::now();
    orders(&engine, 5).await;
    let before: HashSet<_> = until_done(&engine, &id, 10).await.into_iter().map(|delivery| delivery.id).collect();
    let target = Target { id: &id, version: None };
    engine.intake.disable_endpoint(&alice, target, None).await.expect("disabled");
    engine.webhooks.changed(&id);
    orders(&engine, 250).await;
    assert!(engine.intake.replay(&alice, &id, (since, None), None).await.is_err());
    engine.intake.enable_endpoint(&alice, target, None).await.expect("enabled");
    engine.webhooks.changed(&id);
    let until_now = clock::now().plus_millis(1);
    let replay = engine.intake.replay(&alice, &id, (since, Some(until_now)), None).await.expect("taken");
    let replay = until_replayed(&engine, &replay.id).await;
    assert_eq!((replay.status, replay.deliveries), (ReplayStatus::Done, 510));
    assert!(replay.view_json().contains("\"progressPercent\":100"));
    let all = until_done(&engine, &id, 510).await;
    assert!(all.iter().all(|delivery| delivery.status == Status::Delivered));
    let ids: HashSet<_> = receiver.got().into_iter().map(|got| got.id).collect();
    assert!(ids.len() == 510 && ids.is_superset(&before));
    assert_eq!(receiver.got().len(), 520);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_next_attempt_needs_its_event_no_more() {
    let site = Site::new();
    let first = engine(&site, settings(&[1_000; 9])).await;
    let receiver = Receiver::start(500).await;
    let id = endpoint(&first, &receiver, &["swap.confirmed"]).await;
    orders(&first, 3).await;
    until("a failure each", async || receiver.got().len() >= 3).await;
    first.stop(PATIENCE).await;
    drop(first);
    let journal = site.journal().await;
    while journal.forget(clock::now().plus_millis(60_000), 1_000).await.expect("forgets") > 0 {}
    journal.close().await;
    drop(journal);
    receiver.always(Reply::of(200));
    let second = engine(&site, settings(&[1_000; 9])).await;
    let all = until_done(&second, &id, 3).await;
    assert!(all.iter().all(|delivery| delivery.status == Status::Delivered), "{all:?}");
    second.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_only_so_many_replays_that_are_not_done() {
    let site = Site::new();
    let mut none = settings(&[]);
    none.concurrency.set(QUEUE_REPLAY, 0);
    let engine = engine(&site, none).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&engine, &receiver, &["*"]).await;
    let replay = async || engine.intake.replay(&owner("alice"), &id, (Timestamp(0), None), None).await;
    for _ in 0..20 {
        replay().await.expect("taken");
    }
    assert!(matches!(replay().await, Err(IntakeError::Refused(refusal)) if refusal.code == "WRONG_STATE"));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_replay_holds_up_no_other() {
    let site = Site::new();
    let with = |at_once| {
        let mut settings = settings(&[]);
        settings.concurrency.set(QUEUE_REPLAY, at_once);
        settings
    };
    let first = engine(&site, with(0)).await;
    let receiver = Receiver::start(200).await;
    let long = endpoint(&first, &receiver, &["swap.confirmed"]).await;
    let bobs = Create { account: owner("bob"), ..wish(&first, &receiver.url, &["*"]) };
    let short = first.intake.create_endpoint(bobs, None).await.expect("an endpoint").id;
    orders(&first, 100).await;
    let range = (Timestamp(0), None);
    let long = first.intake.replay(&owner("alice"), &long, range, None).await.expect("taken").id;
    let short = first.intake.replay(&owner("bob"), &short, range, None).await.expect("taken").id;
    first.stop(PATIENCE).await;
    drop(first);
    let second = engine(&site, with(1)).await;
    let (long, short) = (until_replayed(&second, &long).await, until_replayed(&second, &short).await);
    assert_eq!((long.status, short.status), (ReplayStatus::Done, ReplayStatus::Done));
    assert!(short.updated_at < long.updated_at, "in between two pages of the long one");
    second.stop(PATIENCE).await;
}

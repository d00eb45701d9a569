//! What was known a moment ago, at another place, or of events that are forgotten, decides nothing for good.

use domain::webhook::endpoint::{Edit, Status as EndpointStatus};
use domain::{Change, JobStep, Then, Timestamp};
use drivers::journal::Claim;

use super::receiver::Reply;
use super::*;
use crate::intake::Target;
use crate::roles::Roles;

const fn to(id: &str) -> Target<'_> {
    Target { id, version: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_up_by_settings_that_are_a_moment_old() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    let alice = owner("alice");
    for round in 1..=5 {
        engine.intake.disable_endpoint(&alice, to(&id), None).await.expect("disabled");
        // As another node, which hears of no change, knows it for a while.
        engine.webhooks.changed(&id);
        assert!(engine.webhooks.known.get(&id).await.expect("reads").is_some());
        engine.intake.enable_endpoint(&alice, to(&id), None).await.expect("enabled");
        orders(&engine, 1).await;
        let all = until_done(&engine, &id, round).await;
        assert!(all.iter().all(|delivery| delivery.status == Status::Delivered), "{all:?}");
    }
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_gone_from_the_old_place_is_no_word_of_the_new_one() {
    let site = Site::new();
    let engine = engine(&site, settings(&[50; 9])).await;
    let (old, new) = (Receiver::start(410).await, Receiver::start(200).await);
    old.always(Reply { after: Duration::from_millis(700), ..Reply::of(410) });
    let id = endpoint(&engine, &old, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    until("the request", async || old.got().len() == 1).await;
    let edit = Edit { url: Some(new.url.clone()), ..Edit::default() };
    engine.intake.edit_endpoint(&owner("alice"), to(&id), &edit, None).await.expect("moved");
    let delivery = until_done(&engine, &id, 1).await.remove(0);
    let statuses: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!((delivery.status, statuses), (Status::Delivered, vec![Some(410), Some(200)]));
    assert_eq!(endpoint_now(engine.journal.as_ref(), &id).await.status, EndpointStatus::Active);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_lost_many_times_rests_and_is_not_given_up() {
    let site = Site::new();
    let mut still = settings(&[100]);
    still.concurrency.set(QUEUE_DELIVER, 0);
    let first = engine(&site, still).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&first, &receiver, &["swap.confirmed"]).await;
    orders(&first, 1).await;
    until("the delivery", async || deliveries(first.journal.as_ref(), &id).await.len() == 1).await;
    for _ in 0..10 {
        let now = clock::now();
        let claim = Claim { queue: QUEUE_DELIVER, limit: 1, per_lane: 1, narrow: Vec::new(), now };
        let lease = first.journal.claim(claim).await.expect("claims").remove(0).lease;
        let step = Some(JobStep { lease, then: Then::Retry { run_at: Timestamp(0), error: "lost".to_owned() } });
        first.journal.apply(Change { at: now, step, ..Change::default() }).await.expect("given back");
    }
    first.stop(PATIENCE).await;
    drop(first);
    let second = engine(&site, settings(&[100])).await;
    until("the rest", async || {
        let jobs = second.journal.jobs(QUEUE_DELIVER, 0, 10).await.expect("jobs");
        jobs.iter().all(|job| job.attempt == 11 && job.run_at.0 - clock::now().0 > 40_000_000)
    })
    .await;
    let delivery = deliveries(second.journal.as_ref(), &id).await.remove(0);
    assert_eq!((delivery.status, receiver.got().len()), (Status::Pending, 0));
    second.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_whose_making_is_forgotten_gets_what_came_while_nobody_relayed() {
    let site = Site::new();
    let first = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&first, &receiver, &["swap.*"]).await;
    orders(&first, 1).await;
    until_done(&first, &id, 5).await;
    first.stop(PATIENCE).await;
    drop(first);
    let roles = Roles { relay: false, ..Roles::ALL };
    let without = engine(&site, Settings { roles, ..settings(&[100]) }).await;
    without.journal.forget(clock::now(), 1_000).await.expect("forgotten");
    assert_eq!(without.journal.history(Kind::Endpoint, &id, 0, 1).await.expect("a history"), []);
    orders(&without, 1).await;
    let edit = Edit { description: Some(Some("mine".to_owned())), ..Edit::default() };
    without.intake.edit_endpoint(&owner("alice"), to(&id), &edit, None).await.expect("changed");
    without.stop(PATIENCE).await;
    drop(without);
    let last = engine(&site, settings(&[100])).await;
    let all = until_done(&last, &id, 10).await;
    assert!(all.iter().all(|delivery| delivery.status == Status::Delivered), "{all:?}");
    last.stop(PATIENCE).await;
}

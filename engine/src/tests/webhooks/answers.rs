//! What becomes of deliveries that are refused, and of endpoints that refuse them.

use domain::Owner;
use domain::webhook::endpoint::{Reason, Status as EndpointStatus};
use domain::webhook::health::{Health, MAY_FAIL_MICROS, State};
use domain::{Change, Kind};

use super::receiver::Reply;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_delivery_comes_again_the_same_until_it_is_taken() {
    let site = Site::new();
    let engine = engine(&site, settings(&[50, 50, 50])).await;
    let receiver = Receiver::start(200).await;
    receiver.next(Reply { body: "not now".to_owned(), ..Reply::of(500) });
    receiver.next(Reply::of(404));
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    let delivery = until_done(&engine, &id, 1).await.remove(0);
    assert_eq!(delivery.status, Status::Delivered);
    let statuses: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(404), Some(200)]);
    assert_eq!(delivery.attempts[0].answer.as_deref(), Some("not now"));
    let got = receiver.got();
    assert!(got.iter().all(|one| one.id == delivery.id && one.body == got[0].body));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_attempt_a_delivery_has_failed_and_leaves_no_job() {
    let site = Site::new();
    let engine = engine(&site, settings(&[20, 20])).await;
    let receiver = Receiver::start(503).await;
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    let delivery = until_done(&engine, &id, 1).await.remove(0);
    assert_eq!((delivery.status, delivery.attempts.len()), (Status::Failed, 3));
    assert_eq!(delivery.reason.as_deref(), Some("ATTEMPTS_EXHAUSTED"));
    assert!(engine.journal.jobs(QUEUE_DELIVER, 0, 10).await.expect("jobs").is_empty());
    assert!(engine.journal.dead_jobs(QUEUE_DELIVER, 0, 10).await.expect("jobs").is_empty());
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_time_gets_it() {
    let site = Site::new();
    let engine = engine(&site, settings(&[1_500])).await;
    let receiver = Receiver::start(200).await;
    receiver.next(Reply { headers: vec![("retry-after", "2".to_owned())], ..Reply::of(429) });
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    let delivery = until_done(&engine, &id, 1).await.remove(0);
    let [first, second] = delivery.attempts.as_slice() else { panic!("{delivery:?}") };
    assert!(second.at.0 - first.at.0 >= 2_000_000, "{delivery:?}");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let site = Site::new();
    let engine = engine(&site, settings(&[])).await;
    let (receiver, elsewhere) = (Receiver::start(200).await, Receiver::start(200).await);
    receiver.always(Reply { headers: vec![("location", elsewhere.url.clone())], ..Reply::of(307) });
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    let delivery = until_done(&engine, &id, 1).await.remove(0);
    assert_eq!((delivery.status, delivery.attempts[0].status), (Status::Failed, Some(307)));
    assert!(elsewhere.got().is_empty());
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_allowed_is_never_connected_to() {
    let site = Site::new();
    let mut strict = settings(&[]);
    strict.webhooks.allow.clear();
    let engine = engine(&site, strict).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    orders(&engine, 1).await;
    let delivery = until_done(&engine, &id, 1).await.remove(0);
    assert_eq!((delivery.status, delivery.attempts[0].status), (Status::Failed, None));
    assert!(receiver.got().is_empty());
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_is_the_end_of_an_endpoint_and_the_accounts_others_hear_of_it() {
    let site = Site::new();
    let engine = engine(&site, settings(&[50; 9])).await;
    let (gone, other) = (Receiver::start(410).await, Receiver::start(200).await);
    let id = endpoint(&engine, &gone, &["swap.*"]).await;
    let others = endpoint(&engine, &other, &["webhook.endpoint.disabled"]).await;
    orders(&engine, 10).await;
    until_done(&engine, &others, 1).await;
    let endpoint = endpoint_now(engine.journal.as_ref(), &id).await;
    assert_eq!((endpoint.status, endpoint.reason), (EndpointStatus::Disabled, Some(Reason::Gone)));
    let told = other.got().remove(0);
    let body: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
    assert_eq!((&body["data"]["id"], &body["data"]["reason"]), (&id.clone().into(), &"gone".into()));
    until("no job", async || engine.journal.jobs(QUEUE_DELIVER, 0, 10).await.expect("jobs").is_empty()).await;
    let all = deliveries(engine.journal.as_ref(), &id).await;
    assert!(all.iter().all(|delivery| delivery.status == Status::Failed), "{all:?}");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_days_of_failure_disable_an_endpoint_and_enabling_it_begins_anew() {
    let site = Site::new();
    let engine = engine(&site, settings(&[20, 3_000, 3_000])).await;
    let receiver = Receiver::start(500).await;
    let id = endpoint(&engine, &receiver, &["swap.confirmed"]).await;
    // It has failed since then, as other processes saw.
    let since = clock::now().plus_micros(-MAY_FAIL_MICROS - 1_000_000);
    let row = Health::unknown().turned(State::Failing, since).write(&id, &owner("alice"));
    let change = Change { at: clock::now(), entities: vec![row], ..Change::default() };
    engine.journal.apply(change).await.expect("written");
    orders(&engine, 1).await;
    until("it is disabled", async || {
        endpoint_now(engine.journal.as_ref(), &id).await.status == EndpointStatus::Disabled
    })
    .await;
    assert_eq!(endpoint_now(engine.journal.as_ref(), &id).await.reason, Some(Reason::Failing));
    let events = engine.journal.history(Kind::Endpoint, &id, 1, 10).await.expect("a history");
    let body: serde_json::Value = serde_json::from_str(&events[0].body).expect("JSON");
    assert_eq!((&*events[0].type_, &body["actor"]), ("webhook.endpoint.disabled", &Owner::system().as_str().into()));
    receiver.always(Reply::of(200));
    let target = crate::intake::Target { id: &id, version: None };
    engine.intake.enable_endpoint(&owner("alice"), target, None).await.expect("enabled");
    engine.webhooks.changed(&id);
    let health = crate::webhooks::health_of(engine.journal.as_ref(), &id).await.expect("reads");
    assert_eq!(health.state, State::Well);
    orders(&engine, 1).await;
    until("the next is taken", async || {
        deliveries(engine.journal.as_ref(), &id).await.iter().any(|delivery| delivery.status == Status::Delivered)
    })
    .await;
    engine.stop(PATIENCE).await;
}

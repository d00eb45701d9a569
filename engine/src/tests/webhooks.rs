//! Webhooks from orders to real receivers on this machine.

mod answers;
mod cluster;
mod deals;
mod moments;
mod order;
mod receiver;
mod replay;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Kind;
use domain::token::Registry;
use domain::webhook::delivery::{Delivery, QUEUE_DELIVER, Status};
use domain::webhook::endpoint::{Create, Endpoint, Format};
use domain::webhook::{Pattern, Schedule};
use drivers::journal::{Among, Journal, List};
use drivers::{cache, venue};

use self::receiver::Receiver;
use super::{Engine, PATIENCE, Parts, Settings, Site, clock, new_id, owner, place, until, until_final};
use crate::{Concurrency, webhooks};

/// Settings under which receivers on this machine may be reached and retries come soon.
fn settings(waits_millis: &[i64]) -> Settings {
    let waits: Vec<i64> = waits_millis.iter().map(|millis| millis * 1_000).collect();
    let webhooks = webhooks::Settings {
        allow: vec!["127.0.0.1".parse().expect("a network")],
        answer_within: Duration::from_secs(2),
        schedule: Schedule::of(&waits),
        ..webhooks::Settings::default()
    };
    Settings { webhooks, concurrency: Concurrency::default(), ..Settings::default() }
}

async fn engine(site: &Site, settings: Settings) -> Engine {
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal: site.journal().await,
        wake: Arc::clone(&site.wake),
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant&seed=1", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings,
    })
}

fn wish(engine: &Engine, url: &str, patterns: &[&str]) -> Create {
    let id = new_id();
    let secret = engine.webhooks.new_secret().expect("a secret");
    Create {
        secret: engine.webhooks.seal(&secret, &id),
        id,
        account: owner("alice"),
        url: url.to_owned(),
        patterns: patterns.iter().map(|text| Pattern::parse(text).expect("a pattern")).collect(),
        description: None,
        format: Format::Standard,
        rate_per_second: None,
        concurrency: 32,
        ordered: false,
    }
}

/// An endpoint at a receiver; its id.
async fn endpoint(engine: &Engine, receiver: &Receiver, patterns: &[&str]) -> String {
    let wish = wish(engine, &receiver.url, patterns);
    engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id
}

async fn orders(engine: &Engine, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(engine.intake.place(place(), None).await.expect("taken").id);
    }
    for id in &ids {
        until_final(engine, id).await;
    }
    ids
}

async fn deliveries(journal: &dyn Journal, endpoint: &str) -> Vec<Delivery> {
    let list = List {
        kind: Kind::Delivery,
        among: vec![Among::Parent(endpoint.to_owned())],
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: 10_000,
    };
    let rows = journal.entities(list).await.expect("reads").entities;
    rows.iter().map(|row| Delivery::from_entity(row).expect("reads back")).collect()
}

async fn endpoint_now(journal: &dyn Journal, id: &str) -> Endpoint {
    let row = journal.entity(Kind::Endpoint, id).await.expect("reads").expect("is there");
    Endpoint::from_entity(&row).expect("reads back")
}

/// Waits until everything that is to be delivered is.
async fn until_done(engine: &Engine, endpoint: &str, count: usize) -> Vec<Delivery> {
    until("every delivery", async || {
        let found = deliveries(engine.journal.as_ref(), endpoint).await;
        found.len() == count && found.iter().all(|delivery| delivery.status != Status::Pending)
    })
    .await;
    deliveries(engine.journal.as_ref(), endpoint).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_gives_an_endpoint_that_wants_everything_one_delivery_and_a_signature_that_verifies() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let wish = wish(&engine, &receiver.url, &["*", "swap.*", "swap.confirmed"]);
    let secret = engine.webhooks.new_secret().expect("a secret");
    let wish = Create { secret: engine.webhooks.seal(&secret, &wish.id), ..wish };
    let id = engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id;
    orders(&engine, 20).await;
    // Five events an order; the endpoint's own are not among them.
    let delivered = until_done(&engine, &id, 100).await;
    assert!(delivered.iter().all(|delivery| delivery.status == Status::Delivered && delivery.attempts.len() == 1));
    let got = receiver.got();
    assert_eq!(got.len(), 100);
    assert_eq!(got.iter().map(|got| &got.id).collect::<HashSet<_>>().len(), 100);
    let verifier = standardwebhooks::Webhook::new(&secret.show()).expect("the official verifier");
    for got in &got {
        verifier.verify(&got.body, &got.headers).expect("verifies");
        let body: serde_json::Value = serde_json::from_slice(&got.body).expect("JSON");
        assert!(body["type"].as_str().is_some_and(|type_| type_.starts_with("swap.")), "{body}");
        assert!(body["timestamp"].is_string() && body["data"]["id"].is_string(), "{body}");
    }
    let text = engine.metrics.render();
    assert!(text.contains("tradewind_webhook_attempts_total{outcome=\"delivered\"} 100"), "{text}");
    assert!(text.contains("tradewind_webhook_endpoints{state=\"active\"} 1"), "{text}");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_gets_what_its_patterns_want_and_only_of_what_its_account_sees() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let (confirmed, nothing, strange) =
        (Receiver::start(200).await, Receiver::start(200).await, Receiver::start(200).await);
    // Made before any endpoint is there: told to nobody.
    orders(&engine, 2).await;
    let wanted = endpoint(&engine, &confirmed, &["swap.confirmed", "swap.submitted.status"]).await;
    endpoint(&engine, &nothing, &["deal.*", "swap.confirmed.nothing"]).await;
    let foreign = Create { account: owner("bob"), ..wish(&engine, &strange.url, &["*"]) };
    engine.intake.create_endpoint(foreign, None).await.expect("an endpoint");
    orders(&engine, 10).await;
    until_done(&engine, &wanted, 20).await;
    let types: HashSet<_> = confirmed.got().iter().map(receiver::Got::type_).collect();
    assert_eq!(types, HashSet::from(["swap.confirmed".to_owned(), "swap.submitted".to_owned()]));
    assert_eq!((nothing.got().len(), strange.got().len()), (0, 0));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_while_nobody_relayed_is_delivered_by_the_next_start_once() {
    let site = Site::new();
    let first = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&first, &receiver, &["*"]).await;
    for round in 0..4 {
        for _ in 0..25 {
            first.intake.place(place(), None).await.expect("taken");
        }
        if round == 0 {
            // As a crash would leave it, or nearly: in the middle of everything.
            first.stop(Duration::from_millis(50)).await;
            break;
        }
    }
    drop(first);
    let second = engine(&site, settings(&[100])).await;
    until("every order's end", async || {
        second.journal.depth(domain::swap::QUEUE, clock::now()).await.is_ok_and(|d| d.ready + d.leased + d.waiting == 0)
    })
    .await;
    until_done(&second, &id, 125).await;
    let ids: HashSet<_> = receiver.got().into_iter().map(|got| got.id).collect();
    assert_eq!(ids.len(), 125);
    second.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_sign_while_one_takes_over_from_the_other() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let (old, new) = (engine.webhooks.new_secret().expect("one"), engine.webhooks.new_secret().expect("another"));
    let wish = wish(&engine, &receiver.url, &["swap.confirmed"]);
    let wish = Create { secret: engine.webhooks.seal(&old, &wish.id), ..wish };
    let id = engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id;
    let target = crate::intake::Target { id: &id, version: None };
    let sealed = engine.webhooks.seal(&new, &id);
    engine.intake.rotate_secret(&owner("alice"), target, (&sealed, 3_600_000_000), None).await.expect("rotated");
    engine.webhooks.changed(&id);
    orders(&engine, 1).await;
    until_done(&engine, &id, 1).await;
    let got = receiver.got().remove(0);
    for secret in [&old, &new] {
        let verifier = standardwebhooks::Webhook::new(&secret.show()).expect("the official verifier");
        verifier.verify(&got.body, &got.headers).expect("verifies");
    }
    let kept = engine.journal.entity(Kind::Endpoint, &id).await.expect("reads").expect("is there").body;
    assert!(!kept.contains(&old.show()) && !kept.contains("whsec_"), "{kept}");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_can_be_tried_out() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let receiver = Receiver::start(200).await;
    let id = endpoint(&engine, &receiver, &["deal.*"]).await;
    let taken = engine.intake.test_endpoint(&owner("alice"), &id, None).await.expect("taken");
    until_done(&engine, &id, 1).await;
    let got = receiver.got().remove(0);
    assert_eq!((got.id.clone(), got.type_()), (taken.id, "webhook.test".to_owned()));
    let depth = engine.journal.depth(QUEUE_DELIVER, clock::now()).await.expect("a depth");
    assert_eq!((depth.ready, depth.waiting, depth.dead), (0, 0, 0));
    engine.stop(PATIENCE).await;
}

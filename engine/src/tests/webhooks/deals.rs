//! Deals by webhook: who is told of them is judged when they happen, and again when they are sent.

use domain::Owner;
use domain::deal::{Draft, Item, Post, Price, Terms};
use domain::money::{Currency, Minor};

use super::receiver::Reply;
use super::*;
use crate::intake::Target;

fn terms(price: i64) -> Terms {
    let items = vec![Item { id: new_id(), name: "Chair".to_owned(), price: Minor::new(price).expect("an amount") }];
    let currency = Currency::parse("GBP").expect("a currency");
    let price = Price::Computed { discount: None, stated: None };
    Terms::new(Draft { name: "Chairs".to_owned(), currency, items, price }).expect("terms")
}

async fn post(engine: &Engine, seller: &Owner) -> String {
    let post = Post { id: new_id(), seller: seller.clone(), terms: terms(500), sold: false };
    engine.intake.post_deal(post, None).await.expect("posted").id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_hears_of_a_sellers_deals_from_its_leave_on_and_no_longer_than_that() {
    let site = Site::new();
    let engine = engine(&site, settings(&[2_000; 9])).await;
    let receiver = Receiver::start(200).await;
    let (seller, alice) = (owner("acme"), owner("alice"));
    let id = endpoint(&engine, &receiver, &["deal.*"]).await;
    // Its own deal, which comes after the one that it may not see: when that has arrived, the other was passed over.
    post(&engine, &seller).await;
    let own = post(&engine, &alice).await;
    until_done(&engine, &id, 1).await;
    engine.intake.authorise(&seller, &alice, None).await.expect("authorised");
    let told = post(&engine, &seller).await;
    until_done(&engine, &id, 2).await;
    let got: Vec<_> = receiver.got().iter().map(receiver::Got::about).collect();
    assert_eq!(got, [(own, 1), (told, 1)]);
    // On its way when the leave ends: it is not sent any more.
    receiver.next(Reply::of(500));
    post(&engine, &seller).await;
    until("a refusal", async || receiver.got().len() == 3).await;
    engine.intake.revoke_authorisation(&seller, &alice, None).await.expect("revoked");
    let all = until_done(&engine, &id, 3).await;
    assert_eq!((all[2].status, all[2].reason.as_deref()), (Status::Failed, Some("NOT_AUTHORISED")));
    post(&engine, &seller).await;
    orders(&engine, 1).await;
    assert_eq!((receiver.got().len(), deliveries(engine.journal.as_ref(), &id).await.len()), (3, 3));
    let body = engine.webhooks.body_of(engine.journal.as_ref(), &all[2]).await.expect("reads");
    assert_eq!(body, None, "what may not be seen any more is not shown either");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_is_told_to_who_asked_for_it_in_the_words_that_were_asked_for() {
    let site = Site::new();
    let engine = engine(&site, settings(&[100])).await;
    let (native, recorded) = (Receiver::start(200).await, Receiver::start(200).await);
    let alice = owner("alice");
    let price = endpoint(&engine, &native, &["deal.updated.totalPrice"]).await;
    let name = endpoint(&engine, &native, &["deal.updated.name"]).await;
    let wish = Create { format: Format::Deals, ..wish(&engine, &recorded.url, &["deal.created", "deal.updated.*"]) };
    let deals = engine.intake.create_endpoint(wish, None).await.expect("an endpoint").id;
    let deal = post(&engine, &alice).await;
    let target = Target { id: &deal, version: Some(1) };
    engine.intake.update_deal(&alice, target, &terms(700), None).await.expect("changed");
    until_done(&engine, &deals, 2).await;
    until_done(&engine, &price, 1).await;
    assert!(deliveries(engine.journal.as_ref(), &name).await.is_empty());
    let body: serde_json::Value = serde_json::from_slice(&native.got()[0].body).expect("JSON");
    assert_eq!((&body["data"]["totalPrice"], &body["data"]["changed"]["totalPrice"]), (&700.into(), &500.into()));
    let bodies: Vec<serde_json::Value> =
        recorded.got().iter().map(|got| serde_json::from_slice(&got.body).expect("JSON")).collect();
    assert!(bodies.iter().any(|body| body["deal"]["totalPrice"] == 500), "{bodies:?}");
    assert!(
        bodies.iter().any(|body| body["was"]["totalPrice"] == 500 && body["now"]["totalPrice"] == 700),
        "{bodies:?}"
    );
    engine.stop(PATIENCE).await;
}

//! A walk through the facade with its queue and the worker running: what is queued is done, in order, and what cannot be done
//! ends among the dead letters and holds up nobody.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{NO_SUCH_ORDER, ORDERS, get, order, post, send, text};
use crate::site::{PATIENCE, Site};

/// Asks again until the answer is as wanted.
async fn until(site: &Site, path: &str, wanted: impl Fn(u16, &Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let answer = site.get(path).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let found: Value = serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON");
        if wanted(status, &found) {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{path}: {status} {found}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn put(site: &Site, id: &str, status: &str) {
    let answer = send(site, "PUT", &format!("{ORDERS}/{id}/status"), &json!({ "status": status })).await;
    text(answer, 200).await;
}

/// How many messages a queue of the default account has.
async fn held(site: &Site, name: &str) -> u64 {
    let account = domain::Owner::default();
    let queue = site.engine.queues.find(&account, name).await.expect("a queue");
    let counts = site.engine.queues.counts(&queue).await.expect("counts");
    counts.visible + counts.hidden + counts.delayed
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_taken_moved_on_and_deleted_by_way_of_the_queue() {
    let site = Site::new().await;
    let (_, id) = post(&site, &order()).await;
    let path = format!("{ORDERS}/{id}");
    let taken = until(&site, &path, |status, _| status == 200).await;
    let mut expected = order();
    expected["id"] = json!(id);
    expected["status"] = "pending".into();
    expected["total_amount"] = json!(37.12);
    expected["items"][0]["total_price"] = json!(37.02);
    expected["items"][1]["total_price"] = json!(0.1);
    for at in ["created_at", "updated_at"] {
        expected[at] = taken[at].clone();
    }
    assert_eq!(taken, expected);
    // Commands of one order are done in their order.
    for status in ["PROCESSING", "COMPLETED"] {
        put(&site, &id, status).await;
    }
    let completed = until(&site, &path, |_, order| order["status"] == "COMPLETED").await;
    assert_eq!(completed["items"], expected["items"]);
    assert_eq!(get(&site, &format!("{ORDERS}?status=COMPLETED")).await["total"], 1);
    let answer = site.request("DELETE", &path).send().await.expect("an answer");
    text(answer, 200).await;
    until(&site, &path, |status, _| status == 404).await;
    let again = site.request("DELETE", &path).send().await.expect("an answer");
    assert_eq!(text(again, 404).await, NO_SUCH_ORDER);
    assert_eq!(get(&site, ORDERS).await["total"], 0);
    assert_eq!((held(&site, "shop-orders.fifo").await, held(&site, "shop-orders-dead.fifo").await), (0, 0));
    let handler = json!({"isRunning": true, "processingIntervalMs": 1000});
    assert_eq!(get(&site, "/shop/handler/status").await, handler);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_orders_at_once_are_forty_orders() {
    let site = Site::new().await;
    let sent = order();
    let posted = (0..40).map(|_| post(&site, &sent)).collect::<Vec<_>>();
    let mut ids: Vec<String> = futures_util::future::join_all(posted).await.into_iter().map(|(_, id)| id).collect();
    until(&site, &format!("{ORDERS}?limit=100"), |_, page| page["total"] == 40).await;
    let page = get(&site, &format!("{ORDERS}?limit=100")).await;
    let mut listed: Vec<String> = page["orders"]
        .as_array()
        .expect("orders")
        .iter()
        .filter_map(|order| order["id"].as_str().map(str::to_owned))
        .collect();
    ids.sort();
    listed.sort();
    assert_eq!(listed, ids);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_refused_is_on_its_way_no_more() {
    let site = Site::new().await;
    let stock = site.request("PUT", "/v1/shop/stock/mug").header("idempotency-key", "counted");
    let stock = stock.header("content-type", "application/json").body(r#"{"onHand":1}"#);
    assert_eq!(stock.send().await.expect("an answer").status(), 200);
    // Three mugs are wanted.
    let (_, id) = post(&site, &order()).await;
    let started = Instant::now();
    loop {
        let path = format!("{ORDERS}/{id}/status");
        let answer = send(&site, "PUT", &path, &json!({"status": "PROCESSING"})).await;
        if answer.status() == 404 {
            assert_eq!(text(answer, 404).await, NO_SUCH_ORDER);
            break;
        }
        text(answer, 200).await;
        assert!(started.elapsed() < PATIENCE, "it counts as on its way still");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_be_done_is_a_dead_letter_and_holds_up_nobody() {
    let site = Site::new().await;
    let (_, id) = post(&site, &order()).await;
    put(&site, &id, "COMPLETED").await;
    // Nothing follows a completed order.
    put(&site, &id, "PROCESSING").await;
    let (_, other) = post(&site, &order()).await;
    until(&site, &format!("{ORDERS}/{other}"), |status, _| status == 200).await;
    let answer = site.request("DELETE", &format!("{ORDERS}/{id}")).send().await.expect("an answer");
    text(answer, 200).await;
    until(&site, &format!("{ORDERS}/{id}"), |status, _| status == 404).await;
    let started = Instant::now();
    while held(&site, "shop-orders-dead.fifo").await != 1 {
        assert!(started.elapsed() < PATIENCE, "no dead letter");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(held(&site, "shop-orders.fifo").await, 0);
    site.end().await;
}

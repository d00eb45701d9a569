//! The shop facade: the routes, answers and refusals recorded from the original, and the points in which ours is better.

mod reads;
mod refusals;
mod upkeep;
mod walk;

use api::{FacadeName, Limits, Settings};
use reqwest::{Response, header};
use serde_json::{Value, json};

use crate::site::{Site, body};

const ORDERS: &str = "/shop/api/orders";
const NO_SUCH_ORDER: &str = r#"{"error":"Order not found"}"#;
const BAD_REQUEST: &str = r#"{"error":"Bad Request"}"#;

fn order() -> Value {
    json!({
        "customer_name": "Ada 😀", "customer_email": "ada@example.org",
        "items": [
            {"product_id": "mug", "product_name": "Mug", "quantity": 3, "unit_price": 12.34},
            {"product_id": "tea", "product_name": "Tea", "quantity": 1, "unit_price": 0.1}
        ]
    })
}

/// The body of an answer of that status, which is JSON as Fastify sends it.
async fn text(answer: Response, status: u16) -> String {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    answer.text().await.expect("a body")
}

async fn get(site: &Site, path: &str) -> Value {
    let answer = site.get(path).send().await.expect("an answer");
    serde_json::from_str(&text(answer, 200).await).expect("JSON")
}

async fn send(site: &Site, method: &str, path: &str, sent: &Value) -> Response {
    let request = site.request(method, path).header(header::CONTENT_TYPE, "application/json");
    request.body(sent.to_string()).send().await.expect("an answer")
}

/// Posts an order; the message's id and the order's.
async fn post(site: &Site, sent: &Value) -> (String, String) {
    let answer: Value = serde_json::from_str(&text(send(site, "POST", ORDERS, sent).await, 201).await).expect("JSON");
    assert_eq!(answer["message"], "Order creation event queued successfully");
    let id = |name: &str| answer[name].as_str().expect("an id").to_owned();
    assert_eq!(answer.as_object().expect("an object").len(), 3);
    (id("messageId"), id("orderId"))
}

/// What waits in the account's queue.
async fn waiting(site: &Site) -> u64 {
    get(site, "/shop/sqs/stats").await["ApproximateNumberOfMessages"].as_u64().expect("a number")
}

/// The messages in the default account's queue, as they lie in the journal.
async fn messages(site: &Site) -> Vec<(Value, Value)> {
    let account = domain::Owner::default();
    let queue = site.engine.queues.find(&account, "shop-orders.fifo").await.expect("a queue");
    let jobs = site.engine.journal.jobs(queue.generation(), 0, 100).await.expect("jobs");
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    jobs.iter().map(|job| (json(&job.body), json(json(&job.body)["body"].as_str().expect("a text")))).collect()
}

/// A site whose queue of commands nobody works on, as an operator may have it.
async fn paused() -> Site {
    let site = Site::idle().await;
    let (account, name) = (domain::Owner::default(), "shop-orders.fifo");
    let fifo = [("FifoQueue".to_owned(), "true".to_owned())].into();
    site.engine.queues.create(&account, name, fifo, Default::default()).await.expect("a queue");
    site.engine.queues.pause(&account, name, true).await.expect("paused");
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_queued_in_the_recorded_words_under_the_ids_that_were_answered() {
    let site = paused().await;
    let (message, id) = post(&site, &order()).await;
    let path = format!("{ORDERS}/{id}");
    // On its way: known, though it is not there yet.
    let answer = site.get(&path).send().await.expect("an answer");
    assert_eq!(text(answer, 404).await, NO_SUCH_ORDER);
    let answer = send(&site, "PUT", &format!("{path}/status"), &json!({"status": "PROCESSING"})).await;
    let updated: Value = serde_json::from_str(&text(answer, 200).await).expect("JSON");
    let answer = site.request("DELETE", &path).send().await.expect("an answer");
    let deleted: Value = serde_json::from_str(&text(answer, 200).await).expect("JSON");
    let said = ["Order status update event queued successfully", "Order deletion event queued successfully"];
    assert_eq!([&updated["message"], &deleted["message"]], said);
    assert_eq!([&updated["orderId"], &deleted["orderId"]], [&id, &id]);

    let of_it: Vec<_> = messages(&site).await.into_iter().filter(|(_, body)| body["orderId"] == *id).collect();
    let kinds: Vec<_> = of_it.iter().map(|(_, body)| body["type"].clone()).collect();
    assert_eq!(kinds, ["CREATE", "UPDATE", "DELETE"]);
    for ((kept, body), answered) in of_it.iter().zip([&json!(message), &updated["messageId"], &deleted["messageId"]]) {
        assert_eq!((&kept["messageId"], &body["id"]), (answered, answered));
        assert_eq!((&kept["group"], &body["groupId"]), (&json!(id), &json!(id)));
        assert!(body["timestamp"].as_str().is_some_and(|at| at.len() == 24 && at.ends_with('Z')), "{body}");
    }
    assert_eq!(of_it[1].1["data"], json!({"status": "PROCESSING"}));
    assert_eq!(of_it[2].1["data"], json!({}));
    let mut data = order();
    data["currency"] = "USD".into();
    // The number is written with its two decimals.
    data["items"][1]["unit_price"] = json!(0.10);
    assert_eq!(of_it[0].1["data"], data);
    assert!(of_it[0].0["body"].as_str().expect("a text").contains("\"unit_price\":0.10}"));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_with_its_key_is_one_command() {
    let site = paused().await;
    let before = messages(&site).await.len();
    let keyed = |method: &str, path: &str, sent: Value, key: &str| {
        let request = site.request(method, path).header("idempotency-key", key);
        request.header(header::CONTENT_TYPE, "application/json").body(sent.to_string()).send()
    };
    let first = keyed("POST", ORDERS, order(), "k").await.expect("an answer");
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let first = text(first, 201).await;
    let again = keyed("POST", ORDERS, order(), "k").await.expect("an answer");
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(text(again, 201).await, first);
    let mut other = order();
    other["customer_name"] = "Bob".into();
    let reused = keyed("POST", ORDERS, other, "k").await.expect("an answer");
    assert_eq!(text(reused, 422).await, r#"{"error":"Idempotency-Key was used with another request"}"#);
    let id = serde_json::from_str::<Value>(&first).expect("JSON")["orderId"].as_str().expect("an id").to_owned();
    for _ in 0..2 {
        let path = format!("{ORDERS}/{id}/status");
        let answer = keyed("PUT", &path, json!({"status": "COMPLETED"}), "k").await.expect("an answer");
        text(answer, 200).await;
    }
    assert_eq!(messages(&site).await.len(), before + 2);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_posted_by_many_at_once_under_one_key_is_one() {
    let site = paused().await;
    let before = messages(&site).await.len();
    let calls = (0..16).map(|_| async {
        let request = site.post(ORDERS, order().to_string()).header("idempotency-key", "once");
        body(request.send().await.expect("an answer")).await
    });
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer["orderId"].is_string()), "{answers:?}");
    assert_eq!(messages(&site).await.len(), before + 1);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_at_the_root_of_an_address_of_its_own() {
    let site = Site::idle().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let engine = std::sync::Arc::clone(&site.engine);
    let router = api::facade_router(FacadeName::Shop, engine, Settings::default());
    let stop = tokio_util::sync::CancellationToken::new();
    let server = tokio::spawn(api::serve(listener, router, stop.clone(), Limits::default()));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ask = async |path: &str| client.get(format!("http://{address}{path}")).send().await.expect("an answer");
    assert_eq!(body(ask("/api/orders").await).await, json!({"orders": [], "total": 0, "limit": 20, "offset": 0}));
    let document = body(ask("/documentation/json").await).await;
    assert_eq!((document["host"].clone(), document.get("basePath")), (json!(address.to_string()), None));
    assert_eq!(body(ask("/").await).await["message"], "Route GET:/ not found");
    let page = ask("/documentation/").await;
    assert!(page.text().await.expect("a page").contains("swagger-ui"));
    drop(client);
    stop.cancel();
    server.await.expect("no panic").expect("no error");
    site.end().await;
}

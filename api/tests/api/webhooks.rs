//! Webhooks over HTTP: endpoints made, changed, tried out; deliveries read and sent again; the past replayed.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::site::{PATIENCE, Site, body, problem};

const ENDPOINTS: &str = "/v1/webhooks/endpoints";

/// A receiver.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    got: Vec<(HeaderMap, Bytes)>,
    /// What every request is answered with.
    status: u16,
}

impl Receiver {
    async fn start(status: u16) -> (Self, String) {
        let receiver = Self::default();
        receiver.answers(status);
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    fn answers(&self, status: u16) {
        self.0.lock().expect("no panic").status = status;
    }

    fn got(&self) -> Vec<(HeaderMap, Bytes)> {
        self.0.lock().expect("no panic").got.clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let mut shared = receiver.0.lock().expect("no panic");
    shared.got.push((headers, body));
    (StatusCode::from_u16(shared.status).expect("a status"), "thanks")
}

async fn make(site: &Site, wish: &Value) -> Value {
    let answer = site.post(ENDPOINTS, wish.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    body(answer).await
}

async fn act(site: &Site, path: &str, with: &Value) -> Value {
    let answer = site.post(path, with.to_string()).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {:?}", answer.text().await);
    body(answer).await
}

async fn read(site: &Site, path: &str) -> Value {
    body(site.get(path).send().await.expect("an answer")).await
}

/// Reads until it is so.
async fn until(site: &Site, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let found = read(site, path).await;
        if holds(&found) {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{path}: {found}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn all_are(list: &Value, count: usize, status: &str) -> bool {
    let data = list["data"].as_array().expect("a list");
    data.len() == count && data.iter().all(|delivery| delivery["status"] == status)
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_made_read_changed_and_deleted_and_shows_its_secret_once() {
    let site = Site::sending(&[]).await;
    let wish = json!({"url": "http://127.0.0.1:9/hook", "patterns": ["*"], "description": "mine"});
    let keyed = || site.post(ENDPOINTS, wish.to_string()).header("idempotency-key", "k");
    let first = keyed().send().await.expect("an answer");
    let location = first.headers()["location"].to_str().expect("text").to_owned();
    let first = body(first).await;
    let secret = first["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_") && secret.len() > 40, "{first}");
    let again = keyed().send().await.expect("an answer");
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    let again = body(again).await;
    assert_eq!((id(&again), again.get("secret")), (id(&first), None));
    assert_eq!((&again["url"], &again["version"]), (&wish["url"], &1.into()));
    let told = site.engine.journal.history(domain::Kind::Endpoint, id(&first), 0, 1).await.expect("a history");
    assert!(told[0].body.contains("\"url\":\"http://127.0.0.1:9/…\""), "{}", told[0].body);
    assert_eq!(location, format!("{ENDPOINTS}/{}", id(&first)));
    let shown = read(&site, &location).await;
    assert_eq!((&shown["status"], &shown["concurrency"], shown.get("secret")), (&"active".into(), &32.into(), None));

    let edit =
        |tag: &str| site.request("PATCH", &location).header("if-match", tag).header("content-type", "application/json");
    let changed = edit("\"1\"").body(r#"{"patterns":["swap.*"],"description":"","ratePerSecond":5,"ordered":true}"#);
    let changed = body(changed.send().await.expect("an answer")).await;
    assert_eq!(
        (&changed["version"], &changed["ratePerSecond"], &changed["ordered"]),
        (&2.into(), &5.into(), &true.into())
    );
    assert_eq!((changed.get("description"), &changed["patterns"]), (None, &json!(["swap.*"])));
    let stale = edit("\"1\"").body(r#"{"ratePerSecond":0}"#).send().await.expect("an answer");
    assert_eq!(problem(stale).await["code"], "STALE_VERSION");

    let rotated = act(&site, &format!("{location}/rotate-secret"), &json!({"overlapSeconds": 60})).await;
    assert!(rotated["secret"].as_str().is_some_and(|new| new.starts_with("whsec_") && new != secret));
    assert!(rotated["oldSecretUntil"].is_string());
    let off = act(&site, &format!("{location}/disable"), &json!({})).await;
    assert_eq!((&off["status"], &off["reason"]), (&"disabled".into(), &"owner".into()));
    let tried = site.post(&format!("{location}/test"), "").send().await.expect("an answer");
    assert_eq!(problem(tried).await["code"], "WRONG_STATE");
    assert_eq!(act(&site, &format!("{location}/enable"), &json!({})).await["status"], "active");
    assert_eq!(read(&site, ENDPOINTS).await["data"].as_array().map(Vec::len), Some(1));
    let gone = body(site.request("DELETE", &location).send().await.expect("an answer")).await;
    assert_eq!(gone["status"], "deleted");
    let nothing = site.get(&location).send().await.expect("an answer");
    assert_eq!(problem(nothing).await["code"], "ENDPOINT_NOT_FOUND");
    assert_eq!(read(&site, ENDPOINTS).await["data"], json!([]));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_wish_is_named() {
    let site = Site::sending(&[]).await;
    for (wish, status, code, pointer) in [
        (json!({"patterns": ["*"]}), 400, "FIELD_MISSING", "/url"),
        (json!({"url": "http://127.0.0.1:9/"}), 400, "FIELD_MISSING", "/patterns"),
        (json!({"url": "http://127.0.0.1:9/", "patterns": "*"}), 400, "WRONG_TYPE", "/patterns"),
        (json!({"url": "http://127.0.0.1:9/", "patterns": ["*"], "ordered": "yes"}), 400, "WRONG_TYPE", "/ordered"),
        (json!({"url": "http://127.0.0.1:9/", "patterns": ["*"], "colour": 1}), 400, "UNKNOWN_FIELD", "/colour"),
        (json!({"url": "ftp://127.0.0.1/", "patterns": ["*"]}), 422, "URL_REFUSED", "/url"),
        (json!({"url": "http://10.0.0.1/", "patterns": ["*"]}), 422, "URL_REFUSED", "/url"),
        (json!({"url": "http://[::ffff:169.254.169.254]/", "patterns": ["*"]}), 422, "URL_REFUSED", "/url"),
        (json!({"url": "http://me:secret@example.com/", "patterns": ["*"]}), 422, "URL_REFUSED", "/url"),
        (
            json!({"url": "http://127.0.0.1:9/", "patterns": ["swap.*", "key.created"]}),
            422,
            "UNKNOWN_PATTERN",
            "/patterns/1",
        ),
        (json!({"url": "http://127.0.0.1:9/", "patterns": []}), 422, "OUT_OF_RANGE", "/patterns"),
        (
            json!({"url": "http://127.0.0.1:9/", "patterns": ["*"], "concurrency": 33}),
            422,
            "OUT_OF_RANGE",
            "/concurrency",
        ),
        (
            json!({"url": "http://127.0.0.1:9/", "patterns": ["*"], "ratePerSecond": -1}),
            422,
            "OUT_OF_RANGE",
            "/ratePerSecond",
        ),
        (json!({"url": "http://127.0.0.1:9/", "patterns": ["*"], "format": "xml"}), 422, "UNKNOWN_CHOICE", "/format"),
        (
            json!({"url": "http://127.0.0.1:9/", "patterns": ["*"], "secret": "whsec_short"}),
            422,
            "SECRET_MALFORMED",
            "/secret",
        ),
    ] {
        let answer = site.post(ENDPOINTS, wish.to_string()).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{wish}");
        let problem = problem(answer).await;
        assert_eq!(
            (&problem["errors"][0]["code"], &problem["errors"][0]["pointer"]),
            (&code.into(), &pointer.into()),
            "{problem}"
        );
        assert!(!problem.to_string().contains("me:secret"), "{problem}");
    }
    let made = make(&site, &json!({"url": "http://127.0.0.1:9/", "patterns": ["*"]})).await;
    for (path, with, code) in [
        ("replay", json!({}), "FIELD_MISSING"),
        ("replay", json!({"since": "yesterday"}), "TIME_MALFORMED"),
        ("replay", json!({"since": "2999-01-01T00:00:00Z"}), "OUT_OF_RANGE"),
        ("rotate-secret", json!({"overlapSeconds": 700_000}), "OUT_OF_RANGE"),
    ] {
        let path = format!("{ENDPOINTS}/{}/{path}", id(&made));
        let answer = site.post(&path, with.to_string()).send().await.expect("an answer");
        assert_eq!(problem(answer).await["code"], code, "{path} {with}");
    }
    for _ in 1..50 {
        make(&site, &json!({"url": "http://127.0.0.1:9/", "patterns": ["deal.*"]})).await;
    }
    let wish = json!({"url": "http://127.0.0.1:9/", "patterns": ["*"]}).to_string();
    let surplus = site.post(ENDPOINTS, wish).send().await.expect("an answer");
    assert_eq!(problem(surplus).await["code"], "TOO_MANY_ENDPOINTS");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_read_with_their_requests_and_sent_again() {
    let site = Site::sending(&[]).await;
    let (receiver, url) = Receiver::start(500).await;
    let made = make(&site, &json!({"url": url, "patterns": ["swap.confirmed"]})).await;
    site.place().await;
    let list = format!("/v1/webhooks/deliveries?endpoint={}", id(&made));
    let failed = until(&site, &list, |list| all_are(list, 1, "failed")).await["data"][0].clone();
    assert_eq!((&failed["eventType"], &failed["reason"]), (&"swap.confirmed".into(), &"ATTEMPTS_EXHAUSTED".into()));
    let path = format!("/v1/webhooks/deliveries/{}", id(&failed));
    let whole = read(&site, &path).await;
    assert_eq!((&whole["attempts"][0]["status"], &whole["attempts"][0]["answer"]), (&500.into(), &"thanks".into()));
    assert_eq!(whole["request"]["headers"]["webhook-id"], failed["id"]);
    let sent: Value = serde_json::from_slice(&receiver.got()[0].1).expect("JSON");
    assert_eq!(whole["request"]["body"], sent);
    let signature = receiver.got()[0].0["webhook-signature"].to_str().expect("text").to_owned();
    assert!(!whole.to_string().contains(&signature), "{whole}");

    receiver.answers(200);
    let again =
        site.post(&format!("{path}/resend"), "").header("idempotency-key", "k").send().await.expect("an answer");
    assert_eq!(again.status(), 202);
    until(&site, &list, |list| all_are(list, 1, "delivered")).await;
    let repeated = site.post(&format!("{path}/resend"), "").header("idempotency-key", "k").send().await.expect("one");
    assert_eq!(
        (repeated.status().as_u16(), &repeated.headers()["idempotent-replayed"]),
        (202, &"true".parse().expect("a value"))
    );
    assert_eq!(receiver.got().len(), 2);

    let replay = json!({"since": "2020-01-01T00:00:00Z"});
    let begun = act(&site, &format!("{ENDPOINTS}/{}/replay", id(&made)), &replay).await;
    let path_of_replay = format!("/v1/webhooks/replays/{}", id(&begun));
    let done = until(&site, &path_of_replay, |replay| replay["status"] == "done").await;
    assert_eq!((&done["deliveries"], &done["progressPercent"]), (&1.into(), &100.into()));
    until(&site, &list, |list| all_are(list, 1, "delivered") && list["data"][0]["attempts"][2].is_object()).await;
    let ids: Vec<_> = receiver.got().iter().map(|(headers, _)| headers["webhook-id"].clone()).collect();
    assert!(ids.iter().all(|one| *one == *id(&failed)), "{ids:?}");

    for (path, code) in [
        (path, "DELIVERY_NOT_FOUND"),
        (path_of_replay, "REPLAY_NOT_FOUND"),
        (format!("{ENDPOINTS}/{}", id(&made)), "ENDPOINT_NOT_FOUND"),
        (list, "ENDPOINT_NOT_FOUND"),
    ] {
        let foreign = site.get(&path).header("x-account", "bob").send().await.expect("an answer");
        assert_eq!(problem(foreign).await["code"], code, "{path}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_tried_out_with_a_secret_of_its_owners() {
    let site = Site::sending(&[]).await;
    let (receiver, url) = Receiver::start(204).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let made = make(&site, &json!({"url": url, "patterns": ["deal.*"], "secret": secret})).await;
    assert_eq!(made["secret"], secret);
    let delivery = act(&site, &format!("{ENDPOINTS}/{}/test", id(&made)), &json!({})).await;
    until(&site, &format!("/v1/webhooks/deliveries/{}", id(&delivery)), |one| one["status"] == "delivered").await;
    let (headers, sent) = receiver.got().remove(0);
    let official = standardwebhooks::Webhook::new(secret).expect("the official verifier");
    official.verify(&sent, &headers).expect("verifies");
    let sent: Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!((&sent["type"], &sent["data"]["endpointId"]), (&"webhook.test".into(), &made["id"]));
    site.end().await;
}

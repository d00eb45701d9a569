//! Limits and the trading state over HTTP, and what orders hear of them.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::site::{Site, body};

const TRADING: &str = "/v1/admin/trading";
const ALICE: &str = "/v1/admin/limits/alice";

async fn send(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), body(answer).await)
}

fn with(site: &Site, method: &str, path: &str, sent: &Value) -> RequestBuilder {
    site.request(method, path).header("content-type", "application/json").body(sent.to_string())
}

fn put(site: &Site, path: &str, sent: &Value) -> RequestBuilder {
    with(site, "PUT", path, sent)
}

fn tag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().expect("text").to_owned()
}

/// Alice sells so many SOL, with more in the body.
async fn sell(site: &Site, amount: &str, more: Value) -> (u16, Value) {
    let mut order = json!({ "inputToken": "SOL", "outputToken": "USDC", "amount": amount });
    order.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    send(with(site, "POST", "/v1/swaps", &order).header("x-account", "alice")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn trading_is_halted_reduced_and_resumed() {
    let site = Site::idle().await;
    let untouched = site.get(TRADING).send().await.expect("an answer");
    assert_eq!((untouched.status().as_u16(), tag(&untouched)), (200, "\"0\"".to_owned()));
    assert_eq!(body(untouched).await, json!({ "id": "trading", "version": 0, "status": "active", "state": "active" }));
    let halt = json!({ "state": "halted", "reason": "a venue answers nonsense" });
    let halted = put(&site, TRADING, &halt)
        .header("if-match", "\"0\"")
        .header("idempotency-key", "h")
        .send()
        .await
        .expect("an answer");
    assert_eq!((halted.status().as_u16(), tag(&halted)), (200, "\"1\"".to_owned()));
    assert_eq!(halted.headers()["location"], TRADING);
    let halted = body(halted).await;
    assert_eq!(
        (&halted["state"], &halted["reason"], &halted["setBy"]),
        (&halt["state"], &halt["reason"], &json!("default"))
    );
    let (status, refused) = sell(&site, "1", json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("TRADING_HALTED")));
    let known = site.get(TRADING).header("if-none-match", "\"1\"").send().await.expect("an answer");
    assert_eq!(known.status(), 304);

    let (status, stale) = send(put(&site, TRADING, &json!({ "state": "active" })).header("if-match", "\"0\"")).await;
    assert_eq!((status, &stale["code"]), (412, &json!("STALE_VERSION")));
    let (status, reducing) = send(put(&site, TRADING, &json!({ "state": "reducing" }))).await;
    assert_eq!((status, &reducing["version"], reducing.get("reason")), (200, &json!(2), None));
    let (status, refused) = sell(&site, "1", json!({ "outputToken": "JUP" })).await;
    assert_eq!(
        (status, &refused["code"], &refused["errors"][0]["pointer"]),
        (409, &json!("TRADING_STATE_REDUCING"), &json!("/outputToken"))
    );
    assert_eq!(sell(&site, "1", json!({})).await.0, 202);
    // Asked again with the same key, the answer is that of then.
    let replay = put(&site, TRADING, &halt).header("if-match", "\"0\"").header("idempotency-key", "h");
    assert_eq!(send(replay).await, (200, halted));
    assert_eq!(body(site.get(TRADING).send().await.expect("an answer")).await["state"], "reducing");
    for (wrong, status, code) in [
        (json!({}), 400, "FIELD_MISSING"),
        (json!({ "state": "closed" }), 422, "UNKNOWN_CHOICE"),
        (json!({ "state": "active", "reason": "" }), 422, "NOTE_MALFORMED"),
        (json!({ "state": "active", "until": "tomorrow" }), 400, "UNKNOWN_FIELD"),
    ] {
        let (answered, problem) = send(put(&site, TRADING, &wrong)).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{wrong}");
    }
    // Told to whoever acts for the installation.
    let events = site.engine.journal.events(0, None, 10).await.expect("events");
    let told: Vec<_> = events.iter().map(|event| (event.type_.as_str(), event.owner.as_str())).collect();
    let ours = ("trading.changed", "system");
    assert_eq!(told, [ours, ours, ("swap.pending", "alice")]);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_set_read_listed_and_taken_away() {
    let site = Site::idle().await;
    let (status, none) = send(site.get(ALICE)).await;
    assert_eq!((status, &none["code"]), (404, &json!("LIMITS_NOT_FOUND")));
    let wanted = json!({ "maxNotionalPerOrder": "300.000000", "maxNotionalPerDay": "450.5", "allowedTokens": ["USDC", "SOL"], "maxPriceImpactBps": 50 });
    let set = put(&site, ALICE, &wanted).send().await.expect("an answer");
    assert_eq!((set.status().as_u16(), tag(&set)), (200, "\"1\"".to_owned()));
    assert_eq!(set.headers()["location"], ALICE);
    let expected = json!({ "id": "alice", "account": "alice", "version": 1, "status": "active", "maxNotionalPerOrder": "300",
        "maxNotionalPerDay": "450.5", "allowedTokens": ["SOL", "USDC"], "maxPriceImpactBps": 50, "setBy": "default" });
    let shown = |view: &Value| {
        let mut view = view.clone();
        view.as_object_mut().expect("an object").retain(|name, _| !name.ends_with("At"));
        view
    };
    assert_eq!(shown(&body(set).await), expected);

    let (status, taken) = sell(&site, "2", json!({ "maxPriceImpactBps": 70 })).await;
    assert_eq!((status, &taken["maxPriceImpactBps"]), (202, &json!(50)));
    let (status, cancelled) = send(
        with(&site, "POST", &format!("/v1/swaps/{}/cancel", taken["id"].as_str().expect("an id")), &json!({}))
            .header("x-account", "alice"),
    )
    .await;
    assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")));
    let (status, taken) = sell(&site, "2", json!({ "maxPriceImpactBps": 30 })).await;
    assert_eq!((status, &taken["maxPriceImpactBps"]), (202, &json!(30)));
    let (_, read) = send(site.get(ALICE)).await;
    assert_eq!(read["notionalToday"], "300");
    for (amount, more, status, code) in [
        ("2.000000001", json!({}), 422, "NOTIONAL_EXCEEDS_MAX_PER_ORDER"),
        ("1.004", json!({}), 409, "DAILY_LIMIT"),
        ("1", json!({ "outputToken": "JUP" }), 422, "TOKEN_NOT_ALLOWED"),
        ("1", json!({ "maxPriceImpactBps": 10_001 }), 422, "OUT_OF_RANGE"),
        ("1.003", json!({}), 202, ""),
    ] {
        let (answered, problem) = sell(&site, amount, more).await;
        assert_eq!((answered, problem["code"].as_str().unwrap_or_default()), (status, code), "{amount}");
    }

    // All others.
    let path = "/v1/admin/limits/*";
    let (status, others) = send(put(&site, path, &json!({ "maxNotionalPerOrder": "0" }))).await;
    assert_eq!((status, &others["account"], &others["maxNotionalPerDay"]), (200, &json!("*"), &Value::Null));
    let order = json!({ "inputToken": "SOL", "outputToken": "USDC", "amount": "1" });
    let (status, refused) = send(with(&site, "POST", "/v1/swaps", &order).header("x-account", "bob")).await;
    assert_eq!((status, &refused["code"]), (422, &json!("NOTIONAL_EXCEEDS_MAX_PER_ORDER")));
    let (_, list) = send(site.get("/v1/admin/limits?limit=1")).await;
    assert_eq!((&list["data"][0]["account"], &list["hasMore"]), (&json!("alice"), &json!(true)));
    let next = format!("/v1/admin/limits?limit=1&cursor={}", list["nextCursor"].as_str().expect("a cursor"));
    assert_eq!(send(site.get(&next)).await.1["data"][0]["account"], "*");

    let stale = site.request("DELETE", ALICE).header("if-match", "\"7\"");
    assert_eq!(send(stale).await.1["code"], "STALE_VERSION");
    let (status, gone) = send(site.request("DELETE", ALICE).header("if-match", "\"1\"")).await;
    assert_eq!((status, &gone["status"], &gone["version"]), (200, &json!("removed"), &json!(2)));
    for method in ["GET", "DELETE"] {
        assert_eq!(send(site.request(method, ALICE)).await.1["code"], "LIMITS_NOT_FOUND", "{method}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_cannot_be_are_refused_at_their_field() {
    let site = Site::idle().await;
    for (path, wrong, status, code) in [
        (ALICE, json!({ "maxNotionalPerDay": 5 }), 400, "AMOUNT_NOT_TEXT"),
        (ALICE, json!({ "maxNotionalPerDay": "-5" }), 422, "AMOUNT_MALFORMED"),
        (ALICE, json!({ "maxNotionalPerDay": "0.0000001" }), 422, "AMOUNT_TOO_PRECISE"),
        (ALICE, json!({ "maxNotionalPerDay": "9007199254.740992" }), 422, "OUT_OF_RANGE"),
        (ALICE, json!({ "maxNotionalPerDay": "1".repeat(40) }), 422, "AMOUNT_TOO_LARGE"),
        (ALICE, json!({ "allowedTokens": ["DOGE"] }), 422, "UNKNOWN_TOKEN"),
        (ALICE, json!({ "maxPriceImpactBps": -1 }), 422, "OUT_OF_RANGE"),
        ("/v1/admin/limits/a%20b", json!({}), 400, "INVALID_ACCOUNT"),
    ] {
        let (answered, problem) = send(put(&site, path, &wrong)).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{wrong}");
    }
    site.end().await;
}

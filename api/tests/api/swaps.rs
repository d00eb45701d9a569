//! Orders over HTTP: placed, read, listed, cancelled, repeated.

use std::collections::HashSet;

use api::Settings;
use serde_json::Value;

use crate::site::{ORDER, Site, body, problem};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_read_and_traded() {
    let site = Site::new().await;
    let answer = site.post("/v1/swaps?wait=30", ORDER).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let (location, tag) = (answer.headers()["location"].clone(), answer.headers()["etag"].clone());
    let order = body(answer).await;
    assert_eq!(order["status"], "confirmed");
    assert_eq!(order["account"], "default");
    assert_eq!(tag, format!("\"{}\"", order["version"]).as_str());
    assert_eq!(location, format!("/v1/swaps/{}", order["id"].as_str().expect("an id")).as_str());

    let path = location.to_str().expect("text");
    let read = site.get(path).send().await.expect("an answer");
    assert_eq!(read.headers()["etag"], tag);
    assert_eq!(body(read).await, order);
    let unchanged = site.get(path).header("if-none-match", &tag).send().await.expect("an answer");
    assert_eq!(unchanged.status(), 304);
    let stale = site.get(path).header("if-none-match", "\"1\"").send().await.expect("an answer");
    assert_eq!(stale.status(), 200);

    let history = body(site.get(&format!("{path}/events")).send().await.expect("an answer")).await;
    let events = history["data"].as_array().expect("a list");
    let types: Vec<_> = events.iter().map(|e| e["type"].as_str().expect("a type")).collect();
    assert_eq!(types, ["swap.pending", "swap.routing", "swap.building", "swap.submitted", "swap.confirmed"]);
    let audit = &events[2]["data"];
    assert_eq!(audit["quotes"].as_array().map(Vec::len), Some(3));
    assert!(audit["reason"].as_str().is_some_and(|r| !r.is_empty()));

    for (path, account) in [(path.to_owned(), "bob"), (format!("{path}/events"), "bob")] {
        let foreign = site.get(&path).header("x-account", account).send().await.expect("an answer");
        assert_eq!(problem(foreign).await["code"], "SWAP_NOT_FOUND");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_waiting_the_answer_is_the_pending_order() {
    let site = Site::idle().await;
    let order = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"2.50","mode":"exactOut","slippageBps":0,
        "clientOrderId":"mine:1","expiresAt":"2999-01-01T00:00:00+01:00"}"#;
    let answer = site.post("/v1/swaps?wait=0", order).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["etag"].to_str().expect("text")), (202, "\"1\""));
    let view = body(answer).await;
    for (field, expected) in [
        ("status", "pending"),
        ("side", "buy"),
        ("mode", "exactOut"),
        ("amount", "2.5"),
        ("clientOrderId", "mine:1"),
        ("expiresAt", "2998-12-31T23:00:00.000000Z"),
    ] {
        assert_eq!(view[field], expected);
    }
    let waited = site.post("/v1/swaps", ORDER).header("prefer", "respond-async, wait=1").send().await.expect("one");
    assert_eq!(waited.status(), 202);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_order() {
    let site = Site::idle().await;
    let send = async |key: &str, body: &str| {
        site.post("/v1/swaps", body).header("idempotency-key", key).send().await.expect("an answer")
    };
    let first = send("k1", ORDER).await;
    assert!(!first.headers().contains_key("idempotent-replayed"));
    assert_eq!(first.status(), 202);
    let first = body(first).await;
    // Quoted, spaced and ordered differently: the same request.
    let spelled = r#" {"amount": "0.50", "outputToken":"USDC","mode":"exactIn", "inputToken":"SOL", "slippageBps":50}"#;
    let again = send("\"k1\"", spelled).await;
    assert_eq!(
        (again.status().as_u16(), again.headers()["idempotent-replayed"].to_str().expect("text")),
        (202, "true")
    );
    assert_eq!(body(again).await, first);

    let other = send("k1", r#"{"inputToken":"SOL","outputToken":"USDC","amount":"0.6"}"#).await;
    assert_eq!(other.status(), 422);
    assert_eq!(problem(other).await["code"], "IDEMPOTENCY_KEY_REUSED");
    // Refusals keep no key, and keys are each account's own.
    assert_eq!(send("k2", r#"{"inputToken":"SOL","outputToken":"USDC","amount":"0"}"#).await.status(), 422);
    assert_eq!(send("k2", ORDER).await.status(), 202);
    let bob = site.post("/v1/swaps", ORDER).header("idempotency-key", "k1").header("x-account", "bob");
    assert_ne!(body(bob.send().await.expect("an answer")).await["id"], first["id"]);

    let same = futures_util::future::join_all((0..20).map(|_| async { body(send("k3", ORDER).await).await })).await;
    let ids: HashSet<_> = same.iter().map(|order| order["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(site.events().await, 4);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_orders_can_be_cancelled_and_traded_ones_not() {
    let site = Site::idle().await;
    let id = site.place().await;
    let path = format!("/v1/swaps/{id}/cancel");
    let foreign = site.request("POST", &path).header("x-account", "bob").send().await.expect("an answer");
    assert_eq!(problem(foreign).await["code"], "SWAP_NOT_FOUND");
    for _ in 0..2 {
        let cancelled = site.request("POST", &path).send().await.expect("an answer");
        assert_eq!(cancelled.status(), 200);
        assert_eq!(body(cancelled).await["status"], "cancelled");
    }
    assert_eq!(site.events().await, 2);
    site.end().await;

    let site = Site::new().await;
    let order = body(site.post("/v1/swaps?wait=30", ORDER).send().await.expect("an answer")).await;
    let path = format!("/v1/swaps/{}/cancel", order["id"].as_str().expect("an id"));
    let late = site.request("POST", &path).send().await.expect("an answer");
    assert_eq!(late.status(), 409);
    assert_eq!(problem(late).await["code"], "NOT_CANCELLABLE");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_cancellation() {
    let site = Site::idle().await;
    let (first, second) = (site.place().await, site.place().await);
    let cancel = async |id: &str, key: &str| {
        let request = site.request("POST", &format!("/v1/swaps/{id}/cancel")).header("idempotency-key", key);
        let answer = request.send().await.expect("an answer");
        let replayed = answer.headers().contains_key("idempotent-replayed");
        (answer.status().as_u16(), replayed, body(answer).await)
    };
    let (status, replayed, cancelled) = cancel(&first, "k").await;
    assert_eq!((status, replayed, &cancelled["status"]), (200, false, &"cancelled".into()));
    assert_eq!(cancel(&first, "k").await, (200, true, cancelled.clone()));
    // A key that found the order cancelled already belongs to it as well.
    assert_eq!(cancel(&first, "later").await, (200, true, cancelled));
    for key in ["k", "later"] {
        let (status, _, refused) = cancel(&second, key).await;
        assert_eq!((status, &refused["code"]), (422, &"IDEMPOTENCY_KEY_REUSED".into()), "{key}");
    }
    assert_eq!(cancel(&second, "other").await.0, 200);
    // Both are cancelled now; the keys are still told apart.
    for (id, key, expected) in [(&second, "k", 422), (&first, "other", 422), (&second, "other", 200)] {
        assert_eq!(cancel(id, key).await.0, expected, "{key}");
    }
    assert_eq!(site.events().await, 4);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_page_through_everything_once() {
    let site = Site::idle().await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.push(site.place().await);
    }
    let other = r#"{"inputToken":"USDC","outputToken":"BONK","amount":"1","clientOrderId":"c1"}"#;
    assert_eq!(site.post("/v1/swaps", other).send().await.expect("an answer").status(), 202);
    let bob = site.post("/v1/swaps", ORDER).header("x-account", "bob").send().await.expect("an answer");
    assert_eq!(bob.status(), 202);

    let mut seen = Vec::new();
    let mut path = "/v1/swaps?limit=3&inputToken=SOL&status=pending,routing".to_owned();
    loop {
        let answer = site.get(&path).send().await.expect("an answer");
        let link = answer.headers().get("link").map(|l| l.to_str().expect("text").to_owned());
        let page = body(answer).await;
        let data = page["data"].as_array().expect("a list");
        seen.extend(data.iter().map(|order| order["id"].as_str().expect("an id").to_owned()));
        assert_eq!(page["hasMore"], link.is_some());
        let Some(link) = link else { break };
        path = link.trim_start_matches('<').split('>').next().expect("a target").to_owned();
        assert!(path.contains(page["nextCursor"].as_str().expect("a cursor")));
    }
    placed.reverse();
    assert_eq!(seen, placed);

    let ids = async |query: &str| {
        let page = body(site.get(&format!("/v1/swaps?{query}")).send().await.expect("an answer")).await;
        page["data"].as_array().map(Vec::len)
    };
    for (query, count) in [
        ("", 8),
        ("clientOrderId=c1", 1),
        ("clientOrderId=c1&status=pending&inputToken=USDC&outputToken=BONK", 1),
        ("clientOrderId=c1&status=confirmed", 0),
        ("clientOrderId=c1&inputToken=SOL", 0),
        ("clientOrderId=c1&outputToken=USDC", 0),
        ("clientOrderId=c2", 0),
        ("outputToken=BONK", 1),
        ("status=confirmed", 0),
        ("status=confirmed&status=pending", 8),
        ("inputToken=BTC", 0),
    ] {
        assert_eq!(ids(query).await, Some(count), "{query}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_are_bound_to_their_list() {
    let site = Site::idle().await;
    for _ in 0..3 {
        site.place().await;
    }
    let page = body(site.get("/v1/swaps?limit=1&status=pending").send().await.expect("an answer")).await;
    let cursor = page["nextCursor"].as_str().expect("a cursor").to_owned();
    let good = format!("/v1/swaps?status=pending&limit=2&cursor={cursor}");
    assert_eq!(site.get(&good).send().await.expect("an answer").status(), 200);
    let flipped = if cursor.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{flipped}{}", &cursor[1..]);
    for path in [
        format!("/v1/swaps?cursor={cursor}"),
        format!("/v1/swaps?status=routing&cursor={cursor}"),
        format!("/v1/swaps?status=pending&cursor={tampered}"),
        format!("/v1/swaps?status=pending&cursor={cursor}A"),
    ] {
        let answer = site.get(&path).send().await.expect("an answer");
        assert_eq!(problem(answer).await["code"], "INVALID_CURSOR", "{path}");
    }
    let foreign = site.get(&good).header("x-account", "bob").send().await.expect("an answer");
    assert_eq!(problem(foreign).await["code"], "INVALID_CURSOR");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_show_every_venue_and_the_reason() {
    let site = Site::new().await;
    let by_body = body(site.post("/v1/quotes", ORDER).send().await.expect("an answer")).await;
    let query = "/v1/quotes?inputToken=SOL&outputToken=USDC&amount=0.5";
    let by_query = body(site.get(query).send().await.expect("an answer")).await;
    for quotes in [&by_body, &by_query] {
        assert_eq!(quotes["quotes"].as_array().map(Vec::len), Some(3));
        let best = quotes["best"].as_str().expect("a venue");
        let of = |venue: &str| {
            let quote = quotes["quotes"].as_array().and_then(|all| all.iter().find(|q| q["venue"] == venue));
            domain::amount::parse(quote.and_then(|q| q["amountOut"].as_str()).expect("an amount"), 6).expect("units")
        };
        assert!(of(best) >= of("Raydium").max(of("Meteora")).max(of("Tradewind")));
        let least = domain::amount::parse(quotes["minAmountOut"].as_str().expect("a bound"), 6).expect("units");
        assert_eq!(least, (of(best) * 9_950).div_ceil(10_000));
        assert_eq!(quotes.get("maxAmountIn"), None);
        assert!(quotes["reason"].as_str().is_some_and(|r| r.contains(best)));
    }
    assert_eq!(site.events().await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_and_health_are_there() {
    let site = Site::new().await;
    for (path, content) in [
        ("/", "text/html; charset=utf-8"),
        ("/problems", "text/html; charset=utf-8"),
        ("/docs/", "text/html"),
        ("/openapi.json", "application/json"),
        ("/v1/tokens", "application/json"),
        ("/health/live", "text/plain; charset=utf-8"),
        ("/health/ready", "application/json"),
        ("/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ] {
        let answer = site.get(path).header("x-request-id", "mine-1").send().await.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["content-type"].to_str().expect("text")),
            (200, content)
        );
        if path != "/health/live" {
            assert_eq!(answer.headers()["x-request-id"], "mine-1", "{path}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        }
    }
    let odd = site.get("/v1/tokens").header("x-request-id", "a b\u{e9}").send().await.expect("an answer");
    assert!(odd.headers()["x-request-id"].to_str().is_ok_and(|id| id.len() < 32 && !id.contains(' ')));
    let metrics = site.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("/v1/tokens"), "{metrics}");
    let ready: Value = body(site.get("/health/ready").send().await.expect("an answer")).await;
    assert_eq!((&ready["status"], &ready["checks"][0]["name"]), (&"ready".into(), &"journal".into()));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_request_is_answered_in_time() {
    let settings = Settings { request_deadline_millis: 300, ..Settings::default() };
    let site = Site::with("paper?pace=instant&seed=1", 0, settings).await;
    let answer = site.post("/v1/swaps?wait=30", ORDER).send().await.expect("an answer");
    assert_eq!(answer.status(), 202, "a wait ends before the deadline does");
    site.end().await;
}

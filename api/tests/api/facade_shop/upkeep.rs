//! Health, cache, queue, handler, headers, documents; and who may do what on a server with keys.

use serde_json::{Value, json};

use super::{ORDERS, get, order, paused, post, text, waiting};
use crate::site::{Site, body};

#[tokio::test(flavor = "multi_thread")]
async fn health_cache_queue_and_handler_answer_as_recorded() {
    let site = paused().await;
    let health = get(&site, "/shop/health").await;
    assert_eq!((&health["status"], health["timestamp"].as_str().map(str::len)), (&json!("OK"), Some(24)));
    post(&site, &order()).await;
    let queue = json!({"ApproximateNumberOfMessages": 1, "ApproximateNumberOfMessagesNotVisible": 0,
        "ApproximateNumberOfMessagesDelayed": 0});
    assert_eq!(get(&site, "/shop/sqs/stats").await, queue);
    let handler = json!({"isRunning": false, "processingIntervalMs": 1000});
    assert_eq!(get(&site, "/shop/handler/status").await, handler);
    assert_eq!(get(&site, "/shop/handler/stats").await, json!({"status": handler, "queue": queue}));
    let purged = site.request("DELETE", "/shop/sqs/purge").send().await.expect("an answer");
    assert_eq!(text(purged, 200).await, r#"{"message":"SQS queue purged successfully"}"#);
    assert_eq!(waiting(&site).await, 0);
    let again = site.request("DELETE", "/shop/sqs/purge").send().await.expect("an answer");
    assert_eq!(again.status(), 429);

    get(&site, ORDERS).await;
    let stats = get(&site, "/shop/cache/stats").await;
    assert!(stats["keys"].as_u64().is_some_and(|keys| keys > 0), "{stats}");
    assert!(stats["memory"].as_str().is_some_and(|memory| memory.ends_with(['B', 'K', 'M'])), "{stats}");
    let keys = get(&site, "/shop/cache/keys").await;
    let keys: Vec<&str> = keys["keys"].as_array().expect("keys").iter().filter_map(Value::as_str).collect();
    assert!(!keys.is_empty() && keys.is_sorted(), "{keys:?}");
    let cleared = site.request("DELETE", "/shop/cache/clear").send().await.expect("an answer");
    assert_eq!(text(cleared, 200).await, r#"{"message":"Cache cleared successfully"}"#);
    assert_eq!(get(&site, "/shop/cache/keys").await, json!({"keys": []}));
    assert_eq!(get(&site, "/shop/cache/stats").await["keys"], 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_helmets_headers_and_may_be_read_by_any_page() {
    let site = Site::idle().await;
    let long = "x".repeat(300);
    for request in [
        site.get(ORDERS),
        site.get("/shop/health"),
        site.get("/shop/nothing"),
        site.get("/shop/documentation/json"),
        site.get("/shop/documentation/"),
        site.post(ORDERS, "{"),
        // Refused before any handler.
        site.get(ORDERS).header("x-account", &long),
        site.request("OPTIONS", ORDERS),
    ] {
        let answer = request.send().await.expect("an answer");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("origin-agent-cluster", "?1"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-dns-prefetch-control", "off"),
            ("x-download-options", "noopen"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-permitted-cross-domain-policies", "none"),
            ("x-xss-protection", "0"),
        ] {
            assert_eq!(answer.headers().get(name).and_then(|v| v.to_str().ok()), Some(value), "{}", answer.url());
        }
        let policy = answer.headers()["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'self';base-uri 'self';") && !policy.contains("upgrade"), "{policy}");
    }
    let preflight = site.request("OPTIONS", "/shop/api/orders/x/status").header("origin", "https://a.example");
    let preflight = preflight
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type, x-api-key");
    let answer = preflight.send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-headers"]),
        (204, &"content-type, x-api-key".parse().expect("a value"))
    );
    assert!(answer.headers()["access-control-allow-methods"].to_str().expect("text").contains("PUT"));
    let answer = site.request("OPTIONS", ORDERS).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.expect("a text").as_str()),
        (400, "Invalid Preflight Request")
    );
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_recorded_one_and_its_page_needs_nobody_else() {
    let site = Site::idle().await;
    let document = get(&site, "/shop/documentation/json").await;
    let mut recorded: Value =
        serde_json::from_str(include_str!("../../../src/facades/shop/swagger.json")).expect("JSON");
    recorded["host"] = site.host().into();
    recorded["basePath"] = "/shop".into();
    assert_eq!(document, recorded);
    assert_eq!((&document["swagger"], &document["info"]["title"]), (&json!("2.0"), &json!("ACMO Shop API")));
    let answer =
        site.get("/shop/documentation/json").header("x-forwarded-proto", "https").header("host", "shop.example");
    let answer = body(answer.send().await.expect("an answer")).await;
    assert_eq!((&answer["host"], &answer["schemes"]), (&json!("shop.example"), &json!(["https"])));
    for (path, holds) in [
        ("/shop/documentation/", "swagger-ui"),
        ("/shop/documentation/swagger-initializer.js", "/shop/documentation/json"),
    ] {
        let answer = site.get(path).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.expect("a text");
        assert!(text.contains(holds) && !text.contains("https://"), "{path}");
    }
    // Every route that it names is there.
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let path = format!("/shop{}", path.replace("{id}", "none"));
            let answer = site.request(&method.to_uppercase(), &path).send().await.expect("an answer");
            let text = answer.text().await.expect("a text");
            assert!(!text.contains("Route "), "{method} {path}: {text}");
        }
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_keys_everyone_shows_one_and_only_operators_purge_and_clear() {
    let site = Site::idle().await;
    let key = async |by: Option<&str>, wanted: Value| {
        let request = site.post("/v1/keys", wanted.to_string());
        let answer = by.iter().fold(request, reqwest::RequestBuilder::bearer_auth).send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
        body(answer).await["key"].as_str().expect("its text").to_owned()
    };
    let admin = key(None, json!({"role": "admin", "account": "ops"})).await;
    let shop = key(Some(&admin), json!({"role": "shop", "account": "acme"})).await;
    let trader = key(Some(&admin), json!({"role": "trader", "account": "acme"})).await;
    let status = async |method: &str, path: &str, key: Option<&str>| {
        let request = site.request(method, path);
        let request = key.iter().fold(request, |request, key| request.header("x-api-key", *key));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        answer.status().as_u16()
    };
    for (method, path, of_shop) in [
        ("GET", "/shop/api/orders", 200),
        ("GET", "/shop/api/orders/none", 404),
        ("POST", "/shop/api/orders", 400),
        ("PUT", "/shop/api/orders/none/status", 400),
        ("DELETE", "/shop/api/orders/none", 404),
        ("GET", "/shop/cache/stats", 200),
        ("GET", "/shop/sqs/stats", 200),
        ("GET", "/shop/handler/status", 200),
        ("GET", "/shop/handler/stats", 200),
        ("GET", "/shop/cache/keys", 403),
        ("DELETE", "/shop/cache/clear", 403),
        ("DELETE", "/shop/sqs/purge", 403),
    ] {
        assert_eq!(status(method, path, None).await, 401, "{method} {path}");
        assert_eq!(status(method, path, Some(&trader)).await, 403, "{method} {path}");
        assert_eq!(status(method, path, Some(&shop)).await, of_shop, "{method} {path}");
        let of_admin = if of_shop == 403 { 200 } else { of_shop };
        assert_eq!(status(method, path, Some(&admin)).await, of_admin, "{method} {path}");
    }
    for free in ["/shop/health", "/shop/documentation/json", "/shop/documentation/"] {
        assert_eq!(status("GET", free, None).await, 200, "{free}");
    }
    let refused = site.get(ORDERS).send().await.expect("an answer");
    let said = body(refused).await;
    assert_eq!((&said["statusCode"], &said["error"]), (&json!(401), &json!("Unauthorized")));
    site.end().await;
}

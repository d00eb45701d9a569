//! Limits on requests: the headers, the refusal in the words of each API, and who counts as one caller.
//!
//! Rates are per hour, so that nothing comes back while a test runs.

use std::sync::Arc;

use api::Settings;
use drivers::limit::{self, Limit, Rates};
use reqwest::Response;
use serde_json::json;

use crate::site::{ORDER, Site, body, problem};

async fn limiter(cache: &str, address: &str, key: &str) -> Option<Arc<dyn Limit>> {
    let rate = |text: &str| (!text.is_empty()).then(|| text.parse().expect("a rate"));
    limit::open(cache, Rates { address: rate(address), key: rate(key) }).await.expect("a limiter")
}

fn said(answer: &Response, header: &str) -> String {
    answer.headers().get(header).map(|said| said.to_str().expect("text").to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_say_how_the_caller_stands() {
    let site = Site::limited(limiter("memory", "120/h:5", "60/h:3").await, Settings::default()).await;
    for (left_of_address, left_of_key) in [((4, 30), (2, 60)), ((3, 60), (1, 120)), ((2, 90), (0, 180))] {
        let answer = site.get("/v1/swaps").send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(said(&answer, "ratelimit-policy"), r#""address";q=5;w=150, "key";q=3;w=180"#);
        let ((r, t), (kr, kt)) = (left_of_address, left_of_key);
        assert_eq!(said(&answer, "ratelimit"), format!(r#""address";r={r};t={t}, "key";r={kr};t={kt}"#));
    }
    let events = site.events().await;
    let refused = site.post("/v1/swaps", ORDER).send().await.expect("an answer");
    assert_eq!(refused.status(), 429);
    assert_eq!(said(&refused, "ratelimit"), r#""address";r=1;t=120, "key";r=0;t=180"#);
    let wait: u64 = said(&refused, "retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    insta::assert_json_snapshot!("too_many_requests", problem(refused).await);
    assert_eq!(site.events().await, events, "nothing happened");

    let other = site.get("/v1/swaps").header("x-account", "bob").send().await.expect("an answer");
    assert_eq!(other.status(), 200, "another account, and the address has one left");
    let other = site.get("/v1/swaps").header("x-account", "carol").send().await.expect("an answer");
    assert_eq!(other.status(), 429, "the address has none");
    assert_eq!(said(&other, "ratelimit"), r#""address";r=0;t=150"#);
    assert_eq!(problem(other).await["violated-policies"], json!(["address"]));

    for _ in 0..10 {
        for path in ["/health/live", "/health/ready", "/metrics", "/", "/openapi.json"] {
            let answer = site.get(path).send().await.expect("an answer");
            assert_eq!((answer.status().as_u16(), said(&answer, "ratelimit")), (200, String::new()), "{path}");
        }
    }
    let metrics = site.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    for line in
        [r#"tradewind_rate_limited_total{policy="key"} 1"#, r#"tradewind_rate_limited_total{policy="address"} 1"#]
    {
        assert!(metrics.lines().any(|said| said == line), "{line}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facade_refuses_in_its_own_words() {
    let site = Site::limited(limiter("memory", "", "1/h").await, Settings::default()).await;
    let first = site.get("/dex/").send().await.expect("an answer");
    assert_eq!((first.status().as_u16(), said(&first, "ratelimit")), (200, r#""key";r=0;t=3600"#.to_owned()));
    let refused = site.get("/dex/").send().await.expect("an answer");
    assert_eq!(refused.status(), 429);
    assert!(!said(&refused, "retry-after").is_empty() && !said(&refused, "ratelimit-policy").is_empty());
    let message = "too many requests of this account; wait, then send fewer";
    assert_eq!(body(refused).await, json!({"statusCode": 429, "error": "Too Many Requests", "message": message}));
    site.end().await;
}

/// A proxy is believed only when it is known, and then only what it said itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_callers_and_not_the_proxys() {
    let status = async |site: &Site, forwarded: &str| {
        let answer = site.get("/v1/tokens").header("x-forwarded-for", forwarded).send().await.expect("an answer");
        answer.status().as_u16()
    };
    let trusting = ["127.0.0.0/8", "10.0.0.0/8"].map(|net| net.parse().expect("a network")).to_vec();
    let settings = Settings { trusted_proxies: trusting, ..Settings::default() };
    let site = Site::limited(limiter("memory", "1/h", "").await, settings).await;
    for (forwarded, expected) in [
        ("203.0.113.1", 200),
        ("203.0.113.1", 429),
        ("203.0.113.2, 10.1.1.1", 200),
        ("203.0.113.2", 429),
        ("198.51.100.7, 203.0.113.1", 429),
        ("203.0.113.3, nonsense", 200),
        ("203.0.113.4, nonsense", 429),
        ("::ffff:203.0.113.2", 429),
    ] {
        assert_eq!(status(&site, forwarded).await, expected, "{forwarded}");
    }
    site.end().await;
    let site = Site::limited(limiter("memory", "1/h", "").await, Settings::default()).await;
    assert_eq!((status(&site, "203.0.113.1").await, status(&site, "203.0.113.2").await), (200, 429), "not trusted");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_a_limit_through_redis() {
    let url = format!("{}?prefix={}:&deadline_millis=10000", testbed::redis(), uuid::Uuid::now_v7().simple());
    let mut sites = Vec::new();
    for _ in 0..2 {
        sites.push(Site::limited(limiter(&url, "", "60/h:6").await, Settings::default()).await);
    }
    let mut allowed = 0;
    for round in 0..12 {
        let answer = sites[round % 2].get("/v1/tokens").send().await.expect("an answer");
        if answer.status() == 200 {
            allowed += 1;
            let left = 6 - allowed;
            assert_eq!(said(&answer, "ratelimit"), format!(r#""key";r={left};t={}"#, allowed * 60));
        }
    }
    assert_eq!(allowed, 6);
    for site in sites {
        site.end().await;
    }
}

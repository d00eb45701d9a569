//! What probes hear: from a process that works, that is about to stop, that lost its journal, that is no api.

use engine::Roles;
use serde_json::{Value, json};

use crate::site::{ORDER, PATIENCE, Site, body, problem};

async fn ready(site: &Site) -> (u16, Value) {
    let answer = site.get("/health/ready").send().await.expect("an answer");
    let (status, retry) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    assert_eq!(retry, status == 503);
    (status, body(answer).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_names_every_port() {
    let site = Site::new().await;
    let (status, ready) = ready(&site).await;
    assert_eq!((status, &ready["status"]), (200, &json!("ready")));
    let named: Vec<_> =
        ready["checks"].as_array().expect("checks").iter().map(|c| (&c["name"], &c["needed"])).collect();
    let check = |port: &str, needed: bool| (json!(port), json!(needed));
    let expected = [check("journal", true), check("wake", false), check("cache", false)];
    assert_eq!(named, expected.each_ref().map(|(port, needed)| (port, needed)));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_about_to_stop_is_not_ready_and_serves_on() {
    let site = Site::new().await;
    site.leaving.cancel();
    let (status, ready) = ready(&site).await;
    assert_eq!((status, &ready["status"]), (503, &json!("stopping")));
    site.place().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_lost_shows_in_answers_and_in_readiness() {
    let site = Site::idle().await;
    let id = site.place().await;
    site.engine.journal.close().await;
    for request in [site.post("/v1/swaps", ORDER), site.get(&format!("/v1/swaps/{id}")), site.get("/v1/events")] {
        let answer = request.send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().expect("a value")));
        assert_eq!(problem(answer).await["code"], "UNAVAILABLE");
    }
    let told = async {
        loop {
            match ready(&site).await {
                (503, told) => break told,
                // Good for half a second.
                _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await.expect("it shows");
    assert_eq!((&told["status"], &told["checks"][0]["status"]), (&json!("not ready"), &json!("fail")));
    assert_eq!(site.get("/health/live").send().await.expect("an answer").status(), 200);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_no_api_answers_probes_and_nothing_else() {
    let site = Site::in_roles(Roles { api: false, ..Roles::ALL }).await;
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_eq!(site.get(path).send().await.expect("an answer").status(), 200, "{path}");
    }
    for request in [
        site.get("/"),
        site.get("/v1/tokens"),
        site.post("/v1/swaps", ORDER),
        site.get("/openapi.json"),
        site.get("/docs/"),
        site.get("/dex/api/orders"),
        site.post("/dex/api/orders/execute", "{}"),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 404);
        assert_eq!(problem(answer).await["code"], "NOT_FOUND");
    }
    let answer = site.post("/metrics", "{}").send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"GET,HEAD".parse().expect("a value")));
    site.end().await;
}

//! The probes in the original's shapes, and the id that ties answers to requests.

use serde_json::{Value, json};

use super::{ORDER, QUOTE, get, made_up};
use crate::site::Site;

/// What JavaScript's `toISOString` writes.
fn is_instant(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == 24 && text.ends_with('Z') && domain::Timestamp::parse(text).is_some()
}

fn is_liveness(value: &Value) -> bool {
    let names: Vec<&String> = value.as_object().expect("an object").keys().collect();
    names.len() == 4
        && value["status"] == "alive"
        && value["heartbeatAge"].is_u64()
        && value["eventLoopDelay"].is_u64()
        && is_instant(&value["timestamp"])
}

fn assert_readiness(value: &Value) {
    assert_eq!(value.as_object().map(serde_json::Map::len), Some(3));
    assert_eq!(value["status"], "ready");
    assert!(is_instant(&value["timestamp"]));
    let checks = value["checks"].as_array().expect("a list");
    let said = |name: &str| checks.iter().map(|check| check[name].clone()).collect::<Vec<_>>();
    assert_eq!(said("name"), ["database", "redis", "memory", "cpu"]);
    assert_eq!(
        (&checks[0]["status"], &checks[1]["status"], &checks[3]["status"]),
        (&json!("ok"), &json!("ok"), &json!("ok"))
    );
    assert!(checks[0]["responseTime"].is_u64() && checks[1]["responseTime"].is_u64(), "{checks:?}");
    let usage = |at: usize, end: &str| {
        let text = checks[at]["usage"].as_str().and_then(|text| text.strip_suffix(end)).map(str::to_owned);
        text.expect("its unit").parse::<f64>().expect("a number")
    };
    assert!(usage(2, "MB") > 1.0 && usage(3, "s") >= 0.0, "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_have_the_recorded_shapes() {
    let site = Site::idle().await;
    let live = get(&site, "/universal/health/live", 200).await;
    assert!(live["success"] == true && is_liveness(&live["data"]), "{live}");
    let ready = get(&site, "/universal/health/ready", 200).await;
    assert_eq!((&ready["success"], ready.as_object().map(serde_json::Map::len)), (&json!(true), Some(2)));
    assert_readiness(&ready["data"]);
    let both = get(&site, "/universal/health", 200).await;
    assert_eq!(both["status"], "OK");
    assert!(is_instant(&both["timestamp"]) && is_liveness(&both["details"]["liveness"]), "{both}");
    assert_readiness(&both["details"]["readiness"]);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_not_ready() {
    let site = Site::idle().await;
    site.leaving.cancel();
    let ready = get(&site, "/universal/health/ready", 503).await;
    assert_eq!((&ready["success"], &ready["data"]["status"]), (&json!(false), &json!("not ready")));
    assert_eq!(ready["data"]["checks"].as_array().map(Vec::len), Some(4));
    let both = get(&site, "/universal/health", 503).await;
    assert_eq!((&both["status"], &both["details"]["liveness"]["status"]), (&json!("Unhealthy"), &json!("alive")));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_its_trace() {
    let site = Site::idle().await;
    for path in [QUOTE, "/universal/health", "/universal/nonexistent", "/universal/order/unknown"] {
        let own = site.get(path).header("x-trace-id", "my trace-1").send().await.expect("an answer");
        assert_eq!(own.headers()["x-trace-id"], "my trace-1", "{path}");
        let made = site.get(path).send().await.expect("an answer").headers()["x-trace-id"].clone();
        let again = site.get(path).send().await.expect("an answer").headers()["x-trace-id"].clone();
        let text = made.to_str().expect("text");
        assert!(made != again && text.len() == 36 && text.as_bytes()[14] == b'4', "{text}");
    }
    let order = site.post(ORDER, made_up("q-1").to_string()).header("x-trace-id", "t\"1").send().await;
    let order: Value = order.expect("an answer").json().await.expect("JSON");
    assert_eq!(order["data"]["order"]["traceId"], "t\"1");
    site.end().await;
}

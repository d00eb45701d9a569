//! Limit orders and plans over HTTP: made, read, listed, cancelled, repeated, refused.

use serde_json::{Value, json};

use crate::site::{Site, body, problem};

const LIMIT: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"1","limitPrice":"9999.50"}"#;
const PLAN: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"1","slices":3,"everySeconds":3600}"#;

/// The body with a field in place of another, or beside them.
fn with(sent: &str, field: &str, value: Value) -> String {
    let mut fields: Value = serde_json::from_str(sent).expect("JSON");
    fields[field] = value;
    fields.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_order_rests_and_is_cancelled() {
    let site = Site::new().await;
    let answer = site.post("/v1/swaps", LIMIT).send().await.expect("an answer");
    assert_eq!(answer.status(), 202);
    let order = body(answer).await;
    assert_eq!((&order["status"], &order["limitPrice"]), (&json!("open"), &json!("9999.5")));
    assert_eq!(order["timeInForce"], "GTC");
    let id = order["id"].as_str().expect("an id");
    let list = body(site.get("/v1/swaps?status=open").send().await.expect("an answer")).await;
    assert_eq!(list["data"][0]["id"], id);
    let cancelled = site.post(&format!("/v1/swaps/{id}/cancel"), "").send().await.expect("an answer");
    assert_eq!(body(cancelled).await["status"], "cancelled");
    // What can be had at once is, whatever the limit leaves.
    let at_once = with(&with(LIMIT, "limitPrice", json!("1")), "timeInForce", json!("FOK"));
    let answer = site.post("/v1/swaps?wait=30", at_once).send().await.expect("an answer");
    assert_eq!(body(answer).await["status"], "confirmed");
    let in_vain = with(LIMIT, "timeInForce", json!("IOC"));
    let answer = body(site.post("/v1/swaps?wait=30", in_vain).send().await.expect("an answer")).await;
    assert_eq!((&answer["status"], &answer["failure"]["code"]), (&json!("expired"), &json!("NOT_FILLED")));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_limits_are_refused_with_their_codes() {
    let site = Site::idle().await;
    for (field, value, status, code) in [
        ("limitPrice", json!("1e3"), 422, "LIMIT_PRICE_MALFORMED"),
        ("limitPrice", json!("0"), 422, "LIMIT_PRICE_MALFORMED"),
        ("limitPrice", json!("0.0000000000000000001"), 422, "LIMIT_PRICE_MALFORMED"),
        ("limitPrice", json!("100000000000000000000"), 422, "LIMIT_PRICE_MALFORMED"),
        ("limitPrice", json!(150), 400, "AMOUNT_NOT_TEXT"),
        ("timeInForce", json!("DAY"), 422, "UNSUPPORTED_TIME_IN_FORCE"),
        ("timeInForce", json!("GTD"), 422, "EXPIRE_TIME_REQUIRED"),
    ] {
        let answer = site.post("/v1/swaps", with(LIMIT, field, value.clone())).send().await.expect("an answer");
        let problem = problem(answer).await;
        assert_eq!(problem["status"], status, "{field} {value}: {problem}");
        let said = problem["errors"][0]["code"].as_str().or(problem["code"].as_str());
        assert_eq!(said, Some(code), "{field} {value}: {problem}");
    }
    assert_eq!(site.events().await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_followed_and_cancelled() {
    let site = Site::new().await;
    let answer = site.post("/v1/plans", PLAN).header("idempotency-key", "k").send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let path = answer.headers()["location"].to_str().expect("text").to_owned();
    let plan = body(answer).await;
    assert_eq!((&plan["status"], &plan["amount"], &plan["total"]), (&json!("active"), &json!("1"), &json!("3")));
    let again = site.post("/v1/plans", with(PLAN, "mode", json!("exactIn"))).header("idempotency-key", "k");
    assert_eq!(body(again.send().await.expect("an answer")).await["id"], plan["id"], "the same plan, said otherwise");
    let begun = std::time::Instant::now();
    let orders = loop {
        let orders = body(site.get(&format!("{path}/swaps")).send().await.expect("an answer")).await;
        if orders["data"].as_array().is_some_and(|orders| !orders.is_empty()) {
            break orders;
        }
        assert!(begun.elapsed() < crate::site::PATIENCE, "no slice");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(orders["data"][0]["planId"], plan["id"]);
    let read = body(site.get(&path).send().await.expect("an answer")).await;
    assert_eq!((&read["turns"], &read["version"]), (&json!(1), &json!(2)));
    let cancelled = site.post(&format!("{path}/cancel"), "").send().await.expect("an answer");
    assert_eq!(body(cancelled).await["status"], "cancelled");
    let list = body(site.get("/v1/plans?status=cancelled").send().await.expect("an answer")).await;
    assert_eq!(list["data"][0]["id"], plan["id"]);
    let history = body(site.get(&format!("{path}/events")).send().await.expect("an answer")).await;
    let types: Vec<_> = history["data"].as_array().expect("events").iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["plan.created", "plan.sliced", "plan.cancelled"]);
    let again = site.post(&format!("{path}/cancel"), "").send().await.expect("an answer");
    assert_eq!(problem(again).await["code"], "WRONG_STATE");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_plans_are_refused_with_their_codes() {
    let site = Site::idle().await;
    for (field, value, status, code) in [
        ("slices", json!(1), 422, "OUT_OF_RANGE"),
        ("slices", json!(-5), 422, "OUT_OF_RANGE"),
        ("slices", json!("3"), 400, "NOT_AN_INTEGER"),
        ("slices", json!(null), 400, "FIELD_MISSING"),
        ("everySeconds", json!(0), 422, "OUT_OF_RANGE"),
        ("total", json!("5"), 422, "UNKNOWN_CHOICE"),
        ("mode", json!("exactOut"), 422, "UNKNOWN_CHOICE"),
        ("outputToken", json!("DOGE"), 422, "UNKNOWN_TOKEN"),
        ("startsAt", json!("soon"), 422, "TIME_MALFORMED"),
        ("startsAt", json!("2020-01-01T00:00:00Z"), 422, "OUT_OF_RANGE"),
        ("colour", json!("red"), 400, "UNKNOWN_FIELD"),
    ] {
        let answer = site.post("/v1/plans", with(PLAN, field, value.clone())).send().await.expect("an answer");
        let problem = problem(answer).await;
        assert_eq!(problem["status"], status, "{field} {value}: {problem}");
        let said = problem["errors"][0]["code"].as_str().or(problem["code"].as_str());
        assert_eq!(said, Some(code), "{field} {value}: {problem}");
    }
    assert_eq!(site.events().await, 0);
    site.end().await;
}

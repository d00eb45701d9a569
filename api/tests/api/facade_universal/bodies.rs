//! What is wrong with bodies, in the words of zod 4.

use serde_json::{Value, json};

use super::{ORDER, QUOTE, answer, get, made_up, post, request, with, without};
use crate::site::Site;

const PATTERN: &str = "/^0x[a-fA-F0-9]{40}$/";

fn type_(path: &Value, expected: &str, received: &str) -> Value {
    let message = format!("Invalid input: expected {expected}, received {received}");
    json!({"expected": expected, "code": "invalid_type", "path": path, "message": message})
}

fn option(path: &str, values: &[&str]) -> Value {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    let message = format!("Invalid option: expected one of {}", quoted.join("|"));
    json!({"code": "invalid_value", "values": values, "path": [path], "message": message})
}

fn regex(path: &Value, message: &str) -> Value {
    json!({"origin": "string", "code": "invalid_format", "format": "regex", "pattern": PATTERN, "path": path, "message": message})
}

fn union(second: &Value) -> Value {
    let first =
        json!({"code": "invalid_value", "values": ["USDC"], "path": [], "message": "Invalid input: expected \"USDC\""});
    json!({"code": "invalid_union", "errors": [[first], [second]], "path": ["pair_token"], "message": "Invalid input"})
}

async fn refused(site: &Site, path: &str, body: &Value, details: Value) {
    let error = if path == QUOTE { "Invalid request data" } else { "Invalid order request data" };
    let said = post(site, path, body, 400).await;
    assert_eq!(said, json!({"success": false, "error": error, "details": details}), "{body}");
}

const CHAINS: [&str; 4] = ["ARBITRUM", "BASE", "POLYGON", "WORLD"];

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_quotes_are_refused_field_by_field() {
    let site = Site::idle().await;
    let good = request();
    let beyond = |code: &str, name: &str, limit: u32, message: &str| json!({"origin": "number", "code": code, name: limit, "inclusive": true, "path": ["slippage_bips"], "message": message});
    let user = json!(["user_address"]);
    for (body, issue) in [
        (without(&good, "type"), option("type", &["BUY", "SELL"])),
        (with(&good, json!({"type": "buy"})), option("type", &["BUY", "SELL"])),
        (with(&good, json!({"blockchain": "SOLANA"})), option("blockchain", &CHAINS)),
        (with(&good, json!({"blockchain": 7})), option("blockchain", &CHAINS)),
        (without(&good, "user_address"), type_(&user, "string", "undefined")),
        (with(&good, json!({"user_address": 5})), type_(&user, "string", "number")),
        (with(&good, json!({"user_address": []})), type_(&user, "string", "array")),
        (with(&good, json!({"user_address": "0xinvalid"})), regex(&user, "Invalid user address")),
        (with(&good, json!({"user_address": format!("0x{}", "g".repeat(40))})), regex(&user, "Invalid user address")),
        (with(&good, json!({"pair_token_amount": 1000})), type_(&json!(["pair_token_amount"]), "string", "number")),
        (with(&good, json!({"token_amount": null})), type_(&json!(["token_amount"]), "string", "null")),
        (with(&good, json!({"slippage_bips": "1"})), type_(&json!(["slippage_bips"]), "number", "string")),
        (with(&good, json!({"slippage_bips": true})), type_(&json!(["slippage_bips"]), "number", "boolean")),
        (with(&good, json!({"slippage_bips": -0.5})), beyond("too_small", "minimum", 0, "Slippage must be positive")),
        (
            with(&good, json!({"slippage_bips": 10_001})),
            beyond("too_big", "maximum", 10_000, "Slippage must be less than 10000 bips"),
        ),
        (without(&good, "pair_token"), union(&type_(&json!([]), "string", "undefined"))),
        (
            with(&good, json!({"pair_token": "0x742d35cc6634c0532925a3b8d435c6878c0532925"})),
            union(&regex(&json!([]), "Invalid token address")),
        ),
    ] {
        refused(&site, QUOTE, &body, json!([issue])).await;
    }
    let said = post(&site, QUOTE, &with(&good, json!({"token": "XYZ"})), 400).await;
    let tokens: Vec<Value> = drivers::venue::universal::TOKENS.iter().map(|token| Value::from(token.name)).collect();
    assert_eq!(said["details"][0]["values"], json!(tokens));
    let message = said["details"][0]["message"].as_str().expect("text");
    assert!(
        message.starts_with("Invalid option: expected one of \"ADA\"|\"ALGO\"|") && message.ends_with("|\"1INCH\"")
    );
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_said_in_the_order_of_the_schema() {
    let site = Site::idle().await;
    let said = post(&site, QUOTE, &json!({}), 400).await;
    let paths: Vec<&Value> =
        said["details"].as_array().expect("a list").iter().map(|issue| &issue["path"][0]).collect();
    assert_eq!(paths, ["type", "token", "pair_token", "blockchain", "user_address"]);
    let said = post(&site, ORDER, &json!({"token_amount": 5, "slippage_bips": null}), 400).await;
    let paths: Vec<&Value> =
        said["details"].as_array().expect("a list").iter().map(|issue| &issue["path"][0]).collect();
    let all = [
        "id",
        "deadline",
        "merchant_address",
        "gas_fee_nominal",
        "gas_fee_dollars",
        "relayer_nonce",
        "merchant_id",
        "mode",
        "pair_token_amount",
        "user_address",
        "type",
        "blockchain",
        "token",
        "token_amount",
        "pair_token",
        "slippage_bips",
        "signature",
    ];
    assert_eq!(paths, all);
    // Only of a body that is as it must be is asked for an amount.
    let none = without(&request(), "pair_token_amount");
    let either = json!([{"code": "custom", "path": ["token_amount", "pair_token_amount"],
        "message": "Either token_amount or pair_token_amount must be provided"}]);
    refused(&site, QUOTE, &none, either.clone()).await;
    refused(&site, QUOTE, &with(&none, json!({"token_amount": ""})), either).await;
    refused(&site, QUOTE, &with(&none, json!({"type": 1})), json!([option("type", &["BUY", "SELL"])])).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_refused_field_by_field() {
    let site = Site::idle().await;
    let good = made_up("q-1");
    let address = json!(["merchant_address"]);
    for (body, issue) in [
        (without(&good, "id"), type_(&json!(["id"]), "string", "undefined")),
        (with(&good, json!({"relayer_nonce": "1"})), type_(&json!(["relayer_nonce"]), "number", "string")),
        (with(&good, json!({"gas_fee_dollars": {}})), type_(&json!(["gas_fee_dollars"]), "number", "object")),
        (with(&good, json!({"mode": "FAST"})), option("mode", &["BRIDGED", "DIRECT"])),
        (with(&good, json!({"merchant_address": "0x1"})), regex(&address, "Invalid merchant address")),
        (with(&good, json!({"user_address": "0x1"})), regex(&json!(["user_address"]), "Invalid user address")),
        (with(&good, json!({"signature": 1})), type_(&json!(["signature"]), "string", "number")),
    ] {
        refused(&site, ORDER, &body, json!([issue])).await;
    }
    // What the original took and nobody could fill.
    for (field, value, message) in [
        ("deadline", "1700000000", "Quote deadline has passed"),
        ("deadline", "soon", "Invalid deadline"),
        ("deadline", "", "Invalid deadline"),
        ("pair_token_amount", "lots", "Invalid amount"),
        ("pair_token_amount", "-1", "Invalid amount"),
        ("token_amount", "1e3", "Invalid amount"),
    ] {
        let issue = json!([{"code": "custom", "path": [field], "message": message}]);
        refused(&site, ORDER, &with(&good, json!({field: value})), issue).await;
    }
    let nothing = with(&good, json!({"pair_token_amount": "0", "token_amount": ""}));
    let issue = json!([{"code": "custom", "path": ["pair_token_amount"], "message": "Invalid amount"}]);
    refused(&site, ORDER, &nothing, issue).await;
    assert_eq!(site.events().await, 0);
    let endless = made_up("q-2").to_string().replace("25.5", "1e400");
    let said = answer(site.post(ORDER, endless).send().await.expect("an answer"), 400).await;
    let issue = json!({"expected": "number", "code": "invalid_type", "received": "Infinity", "path": ["gas_fee_dollars"],
        "message": "Invalid input: expected number, received number"});
    assert_eq!(said["details"], json!([issue]));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_object_is_refused_without_a_stack_trace() {
    let site = Site::idle().await;
    for path in [QUOTE, ORDER] {
        for broken in ["{", "\"invalid json\"", "5", "null", "{\"a\":1}x", "{'a':1}"] {
            let said = answer(site.post(path, broken).send().await.expect("an answer"), 400).await;
            assert_eq!(said, json!({"success": false, "error": "Invalid JSON: expected an object"}), "{broken}");
        }
        refused(&site, path, &json!([]), json!([type_(&json!([]), "object", "array")])).await;
        let none = json!([type_(&json!([]), "object", "undefined")]);
        let said = answer(site.post(path, "").send().await.expect("an answer"), 400).await;
        assert_eq!(said["details"], none);
        let form = site.request("POST", path).header("content-type", "text/plain").body("type=BUY");
        assert_eq!(answer(form.send().await.expect("an answer"), 400).await["details"], none);
        let large = format!("{{\"id\":\"{}\"}}", "a".repeat(70_000));
        let said = answer(site.post(path, large).send().await.expect("an answer"), 413).await;
        assert_eq!(said["success"], false);
    }
    let long = with(&made_up("q-1"), json!({"merchant_id": "m".repeat(8_000)}));
    assert_eq!(post(&site, ORDER, &long, 413).await["error"], "The quote is too large");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_are_named() {
    let site = Site::idle().await;
    for (method, path) in [
        ("GET", "/universal"),
        ("GET", "/universal/"),
        ("GET", "/universal/nonexistent"),
        ("GET", "/universal/order"),
        ("GET", "/universal/order/"),
        ("DELETE", "/universal/order/x"),
        ("PUT", "/universal/quote"),
        ("POST", "/universal/health"),
    ] {
        let said = answer(site.request(method, path).send().await.expect("an answer"), 404).await;
        assert_eq!(said, json!({"success": false, "error": "Route not found", "path": path}), "{method} {path}");
    }
    for id in ["unknown", "order_1", &"a".repeat(1_000), "order!@", "%ff", "order_0190163d-8694-739b-aea5-966c26f8ad91"]
    {
        let said = get(&site, &format!("{ORDER}/{id}"), 404).await;
        assert_eq!(said, json!({"success": false, "error": "Order not found"}), "{id}");
    }
    site.end().await;
}

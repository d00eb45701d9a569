//! The catalogue of events against the events that the product makes.

use std::collections::BTreeSet;

use domain::{Event, Kind};
use serde_json::{Value, json};

use crate::site::{PATIENCE, Site, body};

/// What in `value` a schema does not allow, if anything: as much of JSON Schema as the catalogue uses. A field that the
/// schema does not name is not allowed.
fn fault(value: &Value, schema: &Value, root: &Value, place: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
        return fault(value, &root["$defs"][name], root, place);
    }
    for choices in [&schema["oneOf"], &schema["anyOf"]].into_iter().filter_map(Value::as_array) {
        let faults: Vec<_> = choices.iter().map(|choice| fault(value, choice, root, place)).collect();
        if faults.iter().all(Option::is_some) {
            return faults.into_iter().flatten().last();
        }
    }
    let kinds = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    };
    if !kinds.is_empty() && !kinds.iter().any(is) {
        return Some(format!("{place}: {value} is no {kinds:?}"));
    }
    if let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
            return Some(format!("{place}: {missing} is missing"));
        }
        for (name, field) in fields {
            let Some(schema) = known.get(name) else { return Some(format!("{place}: nobody knows {name}")) };
            if let Some(fault) = fault(field, schema, root, &format!("{place}.{name}")) {
                return Some(fault);
            }
        }
    }
    let items = value.as_array().into_iter().flatten().enumerate();
    items
        .filter(|_| schema["items"].is_object())
        .find_map(|(at, item)| fault(item, &schema["items"], root, &format!("{place}[{at}]")))
}

/// Sends a request that succeeds, and answers with its answer.
async fn done(site: &Site, method: &str, account: &str, path: &str, sent: &Value) -> Value {
    let request = site.request(method, path).header("x-account", account).header("content-type", "application/json");
    let answer = request.header("if-match", "*").body(sent.to_string()).send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    assert!(status.is_success(), "{method} {path}: {status}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}

/// Makes something of every kind, and changes it.
async fn everything(site: &Site) {
    let nothing = json!({});
    site.place().await;
    let limited =
        json!({"inputToken": "SOL", "outputToken": "USDC", "amount": "1", "limitPrice": "9999", "timeInForce": "GTC"});
    let order = done(site, "POST", "acme", "/v1/swaps", &limited).await;
    done(site, "POST", "acme", &format!("/v1/swaps/{}/cancel", id(&order)), &nothing).await;
    let plan = json!({"inputToken": "SOL", "outputToken": "USDC", "total": "1", "slices": 3, "everySeconds": 3600,
        "limitPrice": "9999", "maxPriceImpactBps": 50, "clientOrderId": "mine"});
    let plan = done(site, "POST", "acme", "/v1/plans", &plan).await;
    done(site, "POST", "acme", &format!("/v1/plans/{}/cancel", id(&plan)), &nothing).await;
    done(site, "POST", "acme", "/v1/sellers/acme/buyers", &json!({"buyerId": "bob"})).await;
    let terms = json!({"name": "a deal", "currency": "GBP", "items": [{"name": "one", "price": 1_000}],
        "discount": {"type": "percentage", "basisPoints": 100}});
    let deal = done(site, "POST", "acme", "/v1/deals", &terms).await;
    let path = format!("/v1/deals/{}", id(&deal));
    done(site, "PUT", "acme", &path, &json!({"name": "another", "currency": "GBP", "items": terms["items"]})).await;
    let bids = format!("{path}/bids");
    for action in ["decline", "accept"] {
        let bid = done(site, "POST", "bob", &bids, &json!({"amount": 900})).await;
        let bid = format!("/v1/bids/{}", id(&bid));
        done(site, "POST", "acme", &format!("{bid}/counter"), &json!({"amount": 950})).await;
        // Countered, it is the buyer's turn.
        done(site, "POST", "bob", &format!("{bid}/{action}"), &nothing).await;
    }
    done(site, "POST", "acme", &format!("{path}/sell"), &nothing).await;
    done(site, "DELETE", "acme", "/v1/sellers/acme/buyers/bob", &nothing).await;
    done(site, "PUT", "acme", "/v1/shop/stock/mug", &json!({"onHand": 10})).await;
    done(site, "PATCH", "acme", "/v1/shop/stock/mug", &json!({"add": 5})).await;
    let order = json!({"customer": {"name": "Ada", "email": "ada@example.org", "phone": "+1 2"}, "currency": "GBP",
        "items": [{"productId": "mug", "name": "Mug", "quantity": 2, "unitPrice": 500}], "externalReference": "web-1",
        "discount": {"type": "percentage", "basisPoints": 100}, "note": "a note"});
    let order = done(site, "POST", "acme", "/v1/shop/orders", &order).await;
    let path = format!("/v1/shop/orders/{}", id(&order));
    let flat = json!({"discount": {"type": "flat", "amount": 5}, "note": null});
    done(site, "PATCH", "acme", &path, &flat).await;
    done(site, "POST", "acme", &format!("{path}/status"), &json!({"status": "COMPLETED"})).await;
    done(site, "DELETE", "acme", &path, &nothing).await;
    let endpoint = json!({"url": "https://hooks.example.com/", "patterns": ["swap.*"], "format": "standard"});
    let endpoint = done(site, "POST", "acme", "/v1/webhooks/endpoints", &endpoint).await;
    let path = format!("/v1/webhooks/endpoints/{}", id(&endpoint));
    done(site, "PATCH", "acme", &path, &json!({"description": "mine", "ratePerSecond": 5})).await;
    done(site, "POST", "acme", &format!("{path}/disable"), &nothing).await;
    done(site, "POST", "acme", &format!("{path}/enable"), &nothing).await;
    done(site, "DELETE", "acme", &path, &nothing).await;
    let limits = json!({"maxNotionalPerDay": "1000000", "allowedTokens": ["SOL", "USDC"], "maxPriceImpactBps": 100});
    done(site, "PUT", "ops", "/v1/admin/limits/alice", &limits).await;
    done(site, "PUT", "ops", "/v1/admin/limits/alice", &nothing).await;
    done(site, "DELETE", "ops", "/v1/admin/limits/alice", &nothing).await;
    done(site, "PUT", "ops", "/v1/admin/trading", &json!({"state": "reducing", "reason": "a test"})).await;
    done(site, "PUT", "ops", "/v1/admin/trading", &json!({"state": "active"})).await;
    // The last thing: it closes the server.
    let key = done(site, "POST", "ops", "/v1/keys", &json!({"role": "admin", "name": "mine"})).await;
    let revoke = site.request("POST", &format!("/v1/keys/{}/revoke", id(&key)));
    let revoked = revoke.bearer_auth(key["key"].as_str().expect("its text")).send().await.expect("an answer");
    assert_eq!(revoked.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_as_the_catalogue_says() {
    let site = Site::new().await;
    let catalogue = body(site.get("/v1/event-types").send().await.expect("an answer")).await;
    everything(&site).await;
    let schema_of = |event: &Event| {
        let all = catalogue["data"].as_array().expect("types");
        let one = all.iter().find(|one| one["type"] == event.type_.as_str());
        one.unwrap_or_else(|| panic!("{} is not in the catalogue", event.type_))["schema"].clone()
    };
    let begun = std::time::Instant::now();
    let events = loop {
        let events = site.engine.journal.events(0, None, 1_000).await.expect("events");
        if events.iter().any(|event| event.type_ == "swap.confirmed") {
            break events;
        }
        assert!(begun.elapsed() < PATIENCE, "the order is not traded");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    for event in &events {
        let (schema, data) = (schema_of(event), serde_json::from_str(&event.body).expect("JSON"));
        assert_eq!(fault(&data, &schema, &schema, &event.type_), None, "{}", event.body);
    }
    let seen: BTreeSet<Kind> = events.iter().map(|event| event.kind).collect();
    let told: BTreeSet<Kind> = Kind::ALL.into_iter().filter(|kind| !kind.is_bookkeeping()).collect();
    assert_eq!(seen, told);
    site.end().await;
}

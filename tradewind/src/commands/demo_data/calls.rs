//! The recorded calls, as a shell takes them.

use serde_json::{Value, json};

use super::{BUYER1, KEYS};

/// What each call shows, and the call. `deal` is one of the first seller's, as the native API shows it.
pub(super) fn all(facade: &str, deal: &Value) -> anyhow::Result<Vec<(&'static str, String)>> {
    let (_, _, key) = KEYS[0];
    let new = json!({
        "name": "A pair of chairs", "totalPrice": 15_000, "currency": "GBP", "status": "available",
        "discount": {"type": "flat", "amount": 500}, "items": [{"name": "Chair", "price": 7_750}, {"name": "Chair", "price": 7_750}]
    });
    let send = |method: &str, body: &Value| {
        format!(
            "curl -sS -X {method} {facade}/deal -H 'x-api-key: {key}' -H 'content-type: application/json' -d '{}'",
            quoted(&body.to_string())
        )
    };
    let mut calls = vec![
        ("What the buyer sees: two deals at a time, the newest first", list(facade, "")),
        ("More of them", list(facade, "?take=5")),
        ("The seller posts a deal", send("POST", &new)),
    ];
    if deal.get("id").is_some() {
        calls.push(("The seller changes one", send("PUT", &changed(deal))));
    }
    calls.push(("What the buyer sees now", list(facade, "")));
    Ok(calls)
}

fn list(facade: &str, query: &str) -> String {
    format!("curl -sS '{facade}/deal{query}' -H 'x-api-key: {BUYER1}'")
}

/// The whole deal at half its price, as the facade wants it.
fn changed(deal: &Value) -> Value {
    let mut whole = serde_json::Map::new();
    for field in ["id", "sellerId", "name", "currency", "status", "createdAt", "updatedAt", "items"] {
        whole.insert(field.to_owned(), deal.get(field).cloned().unwrap_or_default());
    }
    let price = deal.get("totalPrice").and_then(Value::as_i64).unwrap_or_default() / 2;
    whole.insert("totalPrice".to_owned(), price.into());
    Value::Object(whole)
}

/// Text within single quotes of a shell.
fn quoted(text: &str) -> String {
    text.replace('\'', r"'\''")
}

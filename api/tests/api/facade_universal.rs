//! The universal facade: the routes, answers and refusals recorded from the original, and the points in which ours is better.

mod bodies;
mod health;
mod orders;
mod quotes;

use drivers::venue::universal::{EXCLUSIVE_DUTCH_ORDER_REACTOR, FirmQuote, Key};
use reqwest::Response;
use serde_json::{Value, json};

use crate::site::Site;

const QUOTE: &str = "/universal/quote";
const ORDER: &str = "/universal/order";
const USER: &str = "0x742d35Cc6634C0532925a3b8d435c6878c05325A";

/// A trader's key.
fn key() -> Key {
    "42".repeat(32).parse().expect("a key")
}

/// A request for a quote as clients send it.
fn request() -> Value {
    json!({"type": "BUY", "token": "ETH", "pair_token": "USDC", "pair_token_amount": "1000", "blockchain": "BASE",
        "user_address": USER, "slippage_bips": 100})
}

/// An order as the original's tests make it up: nobody gave such a quote, and nobody signed it.
fn made_up(id: &str) -> Value {
    json!({
        "id": id, "deadline": (engine::clock::now().as_millis() / 1_000 + 3_600).to_string(), "merchant_address": USER,
        "gas_fee_nominal": "0.01", "gas_fee_dollars": 25.5, "relayer_nonce": 1, "merchant_id": "test_merchant_123",
        "mode": "DIRECT", "pair_token_amount": "1000", "user_address": USER, "type": "BUY", "blockchain": "BASE",
        "token": "ETH", "token_amount": "0.5", "pair_token": "USDC", "slippage_bips": 100,
        "signature": format!("0x{}1b", "1234567890abcdef".repeat(8))
    })
}

/// Those fields of a body, or without them where the value is `undefined`.
fn with(body: &Value, changes: Value) -> Value {
    let mut body = body.clone();
    let Value::Object(changes) = changes else { panic!("no object: {changes}") };
    for (name, value) in changes {
        body[name] = value;
    }
    body
}

fn without(body: &Value, name: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().expect("an object").remove(name);
    body
}

/// The body of an answer of that status, which is JSON as Express sends it.
async fn answer(response: Response, status: u16) -> Value {
    let (said, content) = (response.status().as_u16(), response.headers()["content-type"].clone());
    let text = response.text().await.expect("a body");
    assert_eq!((said, content.to_str().expect("text")), (status, "application/json; charset=utf-8"), "{text}");
    serde_json::from_str(&text).expect("JSON")
}

async fn post(site: &Site, path: &str, body: &Value, status: u16) -> Value {
    answer(site.post(path, body.to_string()).send().await.expect("an answer"), status).await
}

async fn get(site: &Site, path: &str, status: u16) -> Value {
    answer(site.get(path).send().await.expect("an answer"), status).await
}

/// A quote of the facade, for what is changed in the request.
async fn quote(site: &Site, changes: Value) -> Value {
    let mut request = with(&request(), changes);
    request["user_address"] = key().address().to_string().into();
    let answer = post(site, QUOTE, &request, 200).await;
    assert_eq!((&answer["success"], answer.as_object().map(serde_json::Map::len)), (&json!(true), Some(2)));
    answer["data"].clone()
}

/// The quote with its trader's signature.
fn signed(quote: &Value) -> Value {
    let firm: FirmQuote = serde_json::from_value(quote.clone()).expect("a quote");
    let contract = firm.contract().expect("a token");
    let order = firm.to_sign(EXCLUSIVE_DUTCH_ORDER_REACTOR, contract).expect("an order");
    with(quote, json!({"signature": key().sign(&order.digest())}))
}

/// The order once it has that status.
async fn until(site: &Site, id: &str, status: &str) -> Value {
    for _ in 0..600 {
        let order = get(site, &format!("{ORDER}/{id}"), 200).await["data"].clone();
        if order["status"] == status {
            return order;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{id} never became {status}");
}

//! The dex facade's sockets: history first, then live, each status once, one last frame, then nothing.

use serde_json::{Value, json};

use crate::site::{Site, Socket, body};

const EXECUTE: &str = "/dex/api/orders/execute";
const E: &str = r#"{"type":"MARKET","side":"sell","inputToken":"SOL","outputToken":"USDC","amount":1}"#;

async fn place(site: &Site, sent: &str) -> String {
    let answer = body(site.post(EXECUTE, sent).send().await.expect("an answer")).await;
    answer["orderId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// E's frames of an order that trades.
fn assert_e_life(frames: &[Value], id: &str) {
    let told: Vec<_> = frames.iter().map(|f| (f["status"].as_str(), f["message"].as_str())).collect();
    let dex = frames[5]["dex"].as_str().expect("a venue");
    assert!(["Raydium", "Meteora"].contains(&dex), "{dex} is no exchange");
    let best = format!("Best Route: {dex}");
    let expected = [
        (Some("pending"), Some("Connected to updates")),
        (Some("processing"), Some("Order picked up by worker")),
        (Some("routing"), Some("Fetching quotes...")),
        (Some("routing"), Some(best.as_str())),
        (Some("building"), Some("Creating transaction...")),
        (Some("confirmed"), None),
    ];
    assert_eq!(told, expected);
    assert!(frames.iter().all(|f| f["orderId"] == id));
    assert!(frames[3]["price"].is_number());
    let last = &frames[5];
    assert!(last["finalPrice"].is_number() && last["finalPrice"] == last["price"]);
    assert!(last["txHash"].as_str().is_some_and(|hash| hash.len() > 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_has_one_name() {
    let site = Site::new().await;
    let id = place(&site, &E.replace("\"amount\":1", "\"amount\":5000")).await;
    let mut socket = site.socket(&format!("/dex/api/orders/ws/{id}")).await;
    assert_e_life(&socket.until("confirmed").await, &id);
    let order = body(site.get(&format!("/v1/swaps/{id}")).send().await.expect("an answer")).await;
    assert_eq!(order["route"]["venue"], "Tradewind");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_tells_the_whole_life_whenever_one_comes() {
    let site = Site::new().await;
    let id = place(&site, E).await;
    for path in [format!("/dex/api/orders/ws/{id}"), format!("{EXECUTE}?orderId={id}")] {
        for _ in 0..2 {
            let mut socket = site.socket(&path).await;
            assert_e_life(&socket.until("confirmed").await, &id);
            assert!(socket.is_silent().await, "nothing follows the last frame");
        }
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_refuses_unknown_and_missing_orders() {
    let site = Site::idle().await;
    let id = place(&site, E).await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    for (path, account, named) in [
        (format!("/dex/api/orders/ws/{unknown}"), "default", unknown),
        ("/dex/api/orders/ws/no-id".to_owned(), "default", "no-id"),
        (format!("{EXECUTE}?orderId={unknown}"), "default", unknown),
        (format!("/dex/api/orders/ws/{id}"), "bob", &id),
    ] {
        let mut socket = site.socket_of(&path, account).await;
        let expected = json!({"orderId":named,"status":"failed","error":"Order not found"});
        assert_eq!(socket.frame().await, expected);
        assert_eq!(socket.next().await, Err(1008));
    }
    for path in [EXECUTE.to_owned(), format!("{EXECUTE}?orderId=")] {
        assert_eq!(site.socket(&path).await.next().await, Err(1008));
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_tells_of_a_cancelled_order_as_failed() {
    let site = Site::idle().await;
    let id = place(&site, E).await;
    let mut socket = site.socket(&format!("/dex/api/orders/ws/{id}")).await;
    assert_eq!(socket.frame().await["status"], "pending");
    let cancelled = site.request("POST", &format!("/v1/swaps/{id}/cancel")).send().await.expect("an answer");
    assert_eq!(cancelled.status(), 200);
    assert_eq!(socket.frame().await, json!({"orderId":id,"status":"failed","error":"Order cancelled"}));
    assert!(socket.is_silent().await);
    site.end().await;
}

async fn m_life(socket: &mut Socket, id: &str) -> Vec<Value> {
    socket.say(&json!({"orderId":id}).to_string()).await;
    assert_eq!(socket.frame().await, json!({"orderId":id,"status":"connected"}));
    let frames = socket.until("confirmed").await;
    let told: Vec<_> = frames.iter().map(|f| f["status"].as_str().expect("a status")).collect();
    assert_eq!(told, ["pending", "routing", "building", "submitted", "confirmed"]);
    assert!(frames.iter().all(|f| f["orderId"] == id && f.as_object().map(serde_json::Map::len) == Some(3)));
    for (frame, fields) in frames.iter().zip([0, 0, 2, 0, 2]) {
        assert_eq!(frame["meta"].as_object().map(serde_json::Map::len), Some(fields), "{frame}");
    }
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn m_follows_many_orders_on_one_socket() {
    let site = Site::new().await;
    let mut socket = site.socket("/dex/api/orders/ws").await;
    let mut prices = Vec::new();
    for side in ["sell", "buy"] {
        let sent = format!(r#"{{"type":"market","side":"{side}","baseAsset":"SOL","quoteAsset":"USDC","amount":0.1}}"#);
        let id = place(&site, &sent).await;
        let frames = m_life(&mut socket, &id).await;
        assert!(["Raydium", "Meteora"].map(Value::from).contains(&frames[2]["meta"]["chosen"]));
        assert!(frames[4]["meta"]["txHash"].is_string());
        prices.push(frames[2]["meta"]["quotedPrice"].as_f64().expect("a number"));
        prices.push(frames[4]["meta"]["executedPrice"].as_f64().expect("a number"));
    }
    // Both ways it is the price of one SOL in USDC.
    assert!(prices.iter().all(|price| (100.0..250.0).contains(price)), "{prices:?}");
    assert!(socket.is_silent().await, "the socket stays open and silent");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m_answers_what_it_does_not_understand() {
    let site = Site::idle().await;
    let id = place(&site, E).await;
    let mut socket = site.socket("/dex/api/orders/ws").await;
    for (said, error) in [
        ("hello", "invalid json"),
        ("null", "invalid json"),
        ("{", "invalid json"),
        ("{}", "orderId required"),
        ("\"str\"", "orderId required"),
        ("[]", "orderId required"),
        (r#"{"orderId":""}"#, "orderId required"),
        (r#"{"orderId":0}"#, "orderId required"),
        (r#"{"orderId":7}"#, "order not found"),
        (r#"{"orderId":"nope"}"#, "order not found"),
        (r#"{"orderId":{"a":1}}"#, "order not found"),
    ] {
        socket.say(said).await;
        assert_eq!(socket.frame().await, json!({"error":error}), "{said}");
    }
    let ask = json!({"orderId":id}).to_string();
    socket.say(&ask).await;
    assert_eq!(socket.frame().await, json!({"orderId":id,"status":"connected"}));
    assert_eq!(socket.frame().await, json!({"orderId":id,"status":"pending","meta":{}}));
    socket.say(&ask).await;
    assert_eq!(socket.frame().await, json!({"orderId":id,"status":"connected"}));
    assert!(socket.is_silent().await, "the history comes once");
    let mut foreign = site.socket_of("/dex/api/orders/ws", "bob").await;
    foreign.say(&json!({"orderId":id}).to_string()).await;
    assert_eq!(foreign.frame().await, json!({"error":"order not found"}));
    site.end().await;
}

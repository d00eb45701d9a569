//! The dex facade's one POST: both dialects, with the bodies recorded from the original systems.

use api::Limits;
use serde_json::{Value, json};

use crate::site::{Site, body};

const EXECUTE: &str = "/dex/api/orders/execute";
const E: &str = r#"{"type":"MARKET","side":"buy","inputToken":"SOL","outputToken":"USDC","amount":10}"#;
const M: &str = r#"{"type":"market","side":"sell","baseAsset":"SOL","quoteAsset":"USDC","amount":1.5}"#;

#[tokio::test(flavor = "multi_thread")]
async fn e_gets_four_fields_and_a_url_it_can_use() {
    let site = Site::idle().await;
    let answer = site.post(EXECUTE, E).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let answer = body(answer).await;
    let id = answer["orderId"].as_str().expect("an id").to_owned();
    let url = format!("ws://{}/dex/api/orders/ws/{id}", site.host());
    let expected = json!({"message":"Order received","orderId":id,"status":"pending","wsUrl":url});
    assert_eq!(answer, expected);
    let secure = site.post(EXECUTE, E).header("x-forwarded-proto", "https").header("host", "dex.example").send().await;
    let secure = body(secure.expect("an answer")).await;
    assert!(secure["wsUrl"].as_str().is_some_and(|url| url.starts_with("wss://dex.example/dex/api/orders/ws/")));

    let order = body(site.get(&format!("/v1/swaps/{id}")).send().await.expect("an answer")).await;
    let told =
        ["side", "mode", "inputToken", "outputToken", "amount"].map(|f| order[f].as_str().expect("text").to_owned());
    assert_eq!(told, ["buy", "exactIn", "SOL", "USDC", "10"]);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m_buys_and_sells_the_base() {
    let site = Site::idle().await;
    let buy = M.replace("sell", "buy").replace('}', r#","slippagePct":0.01}"#);
    for (sent, mode, input, output, slippage) in
        [(M, "exactIn", "SOL", "USDC", 50), (buy.as_str(), "exactOut", "USDC", "SOL", 100)]
    {
        let answer = site.post(EXECUTE, sent).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let answer = body(answer).await;
        assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1));
        let path = format!("/v1/swaps/{}", answer["orderId"].as_str().expect("an id"));
        let order = body(site.get(&path).send().await.expect("an answer")).await;
        let told = ["mode", "inputToken", "outputToken", "amount"].map(|f| order[f].as_str().expect("text").to_owned());
        assert_eq!(told, [mode, input, output, "1.5"]);
        assert_eq!(order["slippageBps"], slippage);
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_refuse_in_the_recorded_words() {
    let site = Site::idle().await;
    let e = |change: (&str, &str)| E.replace(change.0, change.1);
    let m = |change: (&str, &str)| M.replace(change.0, change.1);
    let cases = [
        (e(("10}", "0}")), "Invalid amount"),
        (e(("10}", "-5}")), "Invalid amount"),
        (e(("10}", "null}")), "Invalid amount"),
        (e(("10}", "true}")), "Invalid amount"),
        (e(("10}", "\"abc\"}")), "Invalid amount"),
        (e(("10}", "1e400}")), "Invalid amount"),
        (e(("10}", "0.0000000001}")), "Invalid amount"),
        (e((r#","amount":10"#, "")), "Invalid amount"),
        ("{}".to_owned(), "Invalid amount"),
        ("[]".to_owned(), "Invalid amount"),
        ("null".to_owned(), "Invalid amount"),
        ("5".to_owned(), "Invalid amount"),
        (e(("\"SOL\"", "\"DOGE\"")), "Unknown token"),
        (e(("\"inputToken\":\"SOL\",", "")), "Unknown token"),
        (e(("\"USDC\"", "7")), "Unknown token"),
        (e(("\"USDC\"", "\"wSOL\"")), "Input and output are the same token"),
        (e(("MARKET", "LIMIT")), "Invalid price"),
        (e(("MARKET\"", "LIMIT\",\"price\":-1")), "Invalid price"),
        (e(("MARKET\"", "LIMIT\",\"price\":\"abc\"")), "Invalid price"),
        (e(("MARKET", "sniper")), "SNIPER orders are not supported yet; only MARKET and LIMIT orders are"),
        (e(("MARKET", "STOP")), "Unknown order type; only MARKET and LIMIT orders are supported"),
        (m(("\"market\"", "\"limit\"")), "missing fields"),
        (m(("\"market\"", "\"limit\",\"price\":\"abc\"")), "Invalid price"),
        (m(("\"market\"", "\"sniper\",\"price\":5")), "Only market orders allowed for this assignment"),
        (m(("\"market\"", "\"MARKET\"")), "Only market orders allowed for this assignment"),
        (m(("\"type\":\"market\",", "")), "Only market orders allowed for this assignment"),
        (m(("1.5", "0")), "missing fields"),
        (m(("1.5", "-1")), "missing fields"),
        (m(("1.5", "\"abc\"")), "missing fields"),
        (m(("\"sell\"", "\"\"")), "missing fields"),
        (m(("\"SOL\"", "null")), "missing fields"),
        (m(("\"sell\"", "\"hold\"")), "Invalid side"),
        (m(("\"SOL\"", "\"DOGE\"")), "Unknown token"),
        (m(("1.5", "0.0000000001")), "Invalid amount"),
        (m(("}", ",\"slippagePct\":2}")), "Invalid slippage"),
    ];
    for (sent, error) in cases {
        let answer = site.post(EXECUTE, sent.clone()).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), body(answer).await), (400, json!({"error":error})), "{sent}");
    }
    assert_eq!(site.events().await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_however_written() {
    let site = Site::idle().await;
    for (written, amount) in [
        ("1e-9", "0.000000001"),
        ("2.5E1", "25"),
        ("\"0.123456789\"", "0.123456789"),
        ("123456789.123456789", "123456789.123456789"),
    ] {
        let sent = E.replace("10}", &format!("{written}}}"));
        let answer = body(site.post(EXECUTE, sent).send().await.expect("an answer")).await;
        let path = format!("/v1/swaps/{}", answer["orderId"].as_str().expect("an id"));
        assert_eq!(body(site.get(&path).send().await.expect("an answer")).await["amount"], amount);
    }
    // As in JavaScript, the last of two counts, and what nobody asked for is ignored.
    let sent = E.replace("\"amount\"", "\"amount\":0,\"userId\":[{}],\"amount\"");
    assert_eq!(site.post(EXECUTE, sent).send().await.expect("an answer").status(), 200);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_framework_speaks_as_recorded() {
    let site = Site::idle().await;
    let answer = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        let (status, content) = (answer.status().as_u16(), answer.headers()["content-type"].clone());
        assert_eq!(content, "application/json; charset=utf-8");
        let body = body(answer).await;
        assert!(body.get("statusCode").is_none_or(|code| *code == json!(status)));
        (status, body)
    };
    let fastify = |status: u16, code: &str, error: &str, message: &str| -> (u16, Value) {
        (status, json!({"statusCode":status,"code":code,"error":error,"message":message}))
    };
    let invalid = "Body is not valid JSON but content-type is set to 'application/json'";
    let empty = "Body cannot be empty when content-type is set to 'application/json'";
    for sent in ["{", "{\"amount\":1}x", "{'a':1}", "[1,"] {
        let expected = fastify(400, "FST_ERR_CTP_INVALID_JSON_BODY", "Bad Request", invalid);
        assert_eq!(answer(site.post(EXECUTE, sent)).await, expected, "{sent}");
    }
    let expected = fastify(400, "FST_ERR_CTP_EMPTY_JSON_BODY", "Bad Request", empty);
    assert_eq!(answer(site.post(EXECUTE, "")).await, expected);
    let form = "application/x-www-form-urlencoded";
    let (kind, message) = ("Unsupported Media Type", format!("Unsupported Media Type: {form}"));
    let sent = site.request("POST", EXECUTE).header("content-type", form).body("amount=5");
    assert_eq!(answer(sent).await, fastify(415, "FST_ERR_CTP_INVALID_MEDIA_TYPE", kind, &message));
    let large = site.post(EXECUTE, vec![b' '; 65_537]);
    let message = "Request body is too large";
    assert_eq!(answer(large).await, fastify(413, "FST_ERR_CTP_BODY_TOO_LARGE", "Payload Too Large", message));

    let amount = (400, json!({"error":"Invalid amount"}));
    assert_eq!(answer(site.request("POST", EXECUTE)).await, amount);
    assert_eq!(answer(site.request("POST", EXECUTE).header("content-type", "text/plain").body(E)).await, amount);

    let online = (200, json!({"status":"online","service":"Order Execution Engine"}));
    assert_eq!(answer(site.get("/dex/")).await, online);
    assert_eq!(answer(site.get("/dex")).await, online);
    for (method, path) in
        [("GET", "/dex/health"), ("PUT", EXECUTE), ("GET", "/dex/api/orders?page=1"), ("POST", "/dex/")]
    {
        let message = format!("Route {method}:{path} not found");
        let expected = (404, json!({"message":message,"error":"Not Found","statusCode":404}));
        assert_eq!(answer(site.request(method, path)).await, expected);
    }
    for path in ["/dex/api/orders/ws", "/dex/api/orders/ws/x", "/dex/api/orders/execute?orderId=x"] {
        let plain = site.get(path).send().await.expect("an answer");
        assert_eq!((plain.status().as_u16(), plain.text().await.expect("text")), (404, String::new()), "{path}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facade_honours_idempotency_keys() {
    let site = Site::idle().await;
    let send = async |sent: &str| {
        let request = site.post(EXECUTE, sent).header("idempotency-key", "k1");
        request.send().await.expect("an answer")
    };
    let first = body(send(E).await).await;
    let again = send(E).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(body(again).await, first);
    let other = send(&E.replace("10", "11")).await;
    let expected = json!({"error":"Idempotency-Key was used with another request"});
    assert_eq!((other.status().as_u16(), body(other).await), (422, expected));
    assert_eq!(site.events().await, 1);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facade_alone_is_a_drop_in() {
    let site = Site::idle().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = api::facade_router(api::FacadeName::Dex, site.engine.clone(), api::Settings::default());
    let server = tokio::spawn(api::serve(listener, router, site.stop.clone(), Limits::default()));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let online = client.get(format!("http://{address}/")).send().await.expect("an answer");
    assert_eq!(body(online).await["status"], "online");
    let sent = client.post(format!("http://{address}/api/orders/execute")).header("content-type", "application/json");
    let placed = body(sent.body(E).send().await.expect("an answer")).await;
    let url = placed["wsUrl"].as_str().expect("a url");
    assert!(url.starts_with(&format!("ws://{address}/api/orders/ws/")), "{url}");
    let unknown = body(client.get(format!("http://{address}/health")).send().await.expect("an answer")).await;
    assert_eq!(unknown["message"], "Route GET:/health not found");
    drop(client);
    site.end().await;
    server.await.expect("no panic").expect("no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_orders_rest_at_the_price_that_each_dialect_means() {
    let site = Site::idle().await;
    for (sent, side, mode, price) in [
        (E.replace("MARKET\"", "limit\",\"price\":200.5"), "sell", "exactIn", "200.5"),
        (E.replace("MARKET\"", "LIMIT\",\"limitPrice\":\"2e2\""), "sell", "exactIn", "200"),
        (M.replace("\"market\"", "\"limit\",\"price\":200"), "sell", "exactIn", "200"),
        (M.replace("\"market\"", "\"limit\",\"price\":100").replace("\"sell\"", "\"buy\""), "buy", "exactOut", "100"),
    ] {
        let answer = body(site.post(EXECUTE, sent.clone()).send().await.expect("an answer")).await;
        let path = format!("/v1/swaps/{}", answer["orderId"].as_str().unwrap_or_else(|| panic!("{answer}")));
        let order = body(site.get(&path).send().await.expect("an answer")).await;
        let told =
            ["status", "side", "mode", "limitPrice"].map(|name| order[name].as_str().unwrap_or_default().to_owned());
        assert_eq!(told, ["open", side, mode, price], "{sent}");
    }
    site.end().await;
}

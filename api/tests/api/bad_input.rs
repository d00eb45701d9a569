//! Malformed and hostile input: a clear 4xx with a code and where it stands, and nothing changes.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::site::{ORDER, PATIENCE, Site, body, problem};

/// Body of `POST /v1/swaps`, status, code, pointer (empty for none).
const BODIES: &[(&str, u16, &str, &str)] = &[
    ("", 400, "BODY_EMPTY", ""),
    ("  \n ", 400, "BODY_EMPTY", ""),
    ("{", 400, "MALFORMED_JSON", ""),
    ("{}x", 400, "MALFORMED_JSON", ""),
    ("{} {}", 400, "MALFORMED_JSON", ""),
    ("{\"a\":1,}", 400, "MALFORMED_JSON", ""),
    ("{'a':1}", 400, "MALFORMED_JSON", ""),
    ("[]", 400, "BODY_NOT_OBJECT", ""),
    ("null", 400, "BODY_NOT_OBJECT", ""),
    ("\"text\"", 400, "BODY_NOT_OBJECT", ""),
    ("5", 400, "BODY_NOT_OBJECT", ""),
    ("{}", 400, "FIELD_MISSING", "/inputToken"),
    ("{\"inputToken\":\"SOL\",\"outputToken\":\"USDC\"}", 400, "FIELD_MISSING", "/amount"),
    ("{\"inputToken\":\"SOL\",\"inputToken\":\"BTC\"}", 400, "DUPLICATE_FIELD", "/inputToken"),
    ("{\"amount\":\"1\",\"amo\\u0075nt\":\"1\"}", 400, "DUPLICATE_FIELD", "/amount"),
];

/// Value of one field in an otherwise good order, status, code.
const FIELDS: &[(&str, &str, u16, &str)] = &[
    ("amount", "10", 400, "AMOUNT_NOT_TEXT"),
    ("amount", "10.5", 400, "AMOUNT_NOT_TEXT"),
    ("amount", "1e400", 400, "AMOUNT_NOT_TEXT"),
    ("amount", "-1", 400, "AMOUNT_NOT_TEXT"),
    ("amount", "null", 400, "FIELD_MISSING"),
    ("amount", "true", 400, "WRONG_TYPE"),
    ("amount", "{}", 400, "WRONG_TYPE"),
    ("amount", "[\"1\"]", 400, "WRONG_TYPE"),
    ("amount", "\"\\ud800\"", 400, "WRONG_TYPE"),
    ("amount", "\"1e3\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"1e400\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"NaN\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"Infinity\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"-5\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"+5\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\" 5\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"0x10\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"1,5\"", 422, "AMOUNT_MALFORMED"),
    ("amount", "\"0\"", 422, "AMOUNT_NOT_POSITIVE"),
    ("amount", "\"0.000\"", 422, "AMOUNT_NOT_POSITIVE"),
    ("amount", "\"0.0000000001\"", 422, "AMOUNT_TOO_PRECISE"),
    ("amount", "\"99999999999999999999999999999999999999\"", 422, "AMOUNT_TOO_LARGE"),
    ("inputToken", "\"DOGE\"", 422, "UNKNOWN_TOKEN"),
    ("inputToken", "\"sol\"", 422, "UNKNOWN_TOKEN"),
    ("inputToken", "\"\"", 422, "UNKNOWN_TOKEN"),
    ("inputToken", "7", 400, "WRONG_TYPE"),
    ("outputToken", "\"SOL\"", 422, "SAME_TOKEN"),
    ("outputToken", "\"wSOL\"", 422, "SAME_TOKEN"),
    ("slippageBps", "10001", 422, "SLIPPAGE_OUT_OF_RANGE"),
    ("slippageBps", "-1", 422, "SLIPPAGE_OUT_OF_RANGE"),
    ("slippageBps", "99999999999999999999", 422, "SLIPPAGE_OUT_OF_RANGE"),
    ("slippageBps", "50.0", 400, "NOT_AN_INTEGER"),
    ("slippageBps", "5e1", 400, "NOT_AN_INTEGER"),
    ("slippageBps", "1e400", 400, "NOT_AN_INTEGER"),
    ("slippageBps", "\"50\"", 400, "NOT_AN_INTEGER"),
    ("slippageBps", "true", 400, "NOT_AN_INTEGER"),
    ("mode", "\"exactin\"", 422, "UNKNOWN_CHOICE"),
    ("side", "\"hold\"", 422, "UNKNOWN_CHOICE"),
    ("clientOrderId", "\"\"", 422, "CLIENT_ORDER_ID_MALFORMED"),
    ("clientOrderId", "\"a b\"", 422, "CLIENT_ORDER_ID_MALFORMED"),
    ("clientOrderId", "\"\\u0000\"", 422, "CLIENT_ORDER_ID_MALFORMED"),
    ("clientOrderId", "5", 400, "WRONG_TYPE"),
    ("expiresAt", "\"tomorrow\"", 422, "EXPIRE_TIME_MALFORMED"),
    ("expiresAt", "\"2020-01-01T00:00:00Z\"", 422, "EXPIRE_TIME_IN_PAST"),
    ("expiresAt", "1790000000", 400, "WRONG_TYPE"),
    ("colour", "\"red\"", 400, "UNKNOWN_FIELD"),
    ("id", "\"mine\"", 400, "UNKNOWN_FIELD"),
];

/// Path and query, status, code.
const PATHS: &[(&str, u16, &str)] = &[
    ("/v1/swaps/1", 404, "SWAP_NOT_FOUND"),
    ("/v1/swaps/%00", 404, "SWAP_NOT_FOUND"),
    ("/v1/swaps/00000000-0000-7000-8000-000000000000", 404, "SWAP_NOT_FOUND"),
    ("/v1/swaps/00000000-0000-7000-8000-000000000000/events", 404, "SWAP_NOT_FOUND"),
    ("/v1/swaps/'%20or%201=1", 404, "SWAP_NOT_FOUND"),
    ("/v1/swaps?limit=0", 400, "INVALID_PARAMETER"),
    ("/v1/swaps?limit=101", 400, "INVALID_PARAMETER"),
    ("/v1/swaps?limit=1e1", 400, "INVALID_PARAMETER"),
    ("/v1/swaps?limit=5&limit=6", 400, "INVALID_PARAMETER"),
    ("/v1/swaps?status=lost", 400, "INVALID_PARAMETER"),
    ("/v1/swaps?colour=red", 400, "UNKNOWN_PARAMETER"),
    ("/v1/swaps?cursor=AAAA", 400, "INVALID_CURSOR"),
    ("/v1/swaps?cursor=%20", 400, "INVALID_CURSOR"),
    ("/v1/events?after=5", 400, "INVALID_POSITION"),
    ("/v1/events?after=9-1", 410, "POSITION_GONE"),
    ("/v1/events?kind=relay", 400, "INVALID_PARAMETER"),
    ("/v1/events?id=x", 400, "INVALID_PARAMETER"),
    ("/v1/stream", 426, "UPGRADE_REQUIRED"),
    ("/v1/quotes", 400, "FIELD_MISSING"),
    ("/v1/quotes?inputToken=SOL&outputToken=USDC&amount=-1", 422, "AMOUNT_MALFORMED"),
    ("/v1/quotes?inputToken=SOL&outputToken=USDC&amount=1&slippageBps=x", 400, "INVALID_PARAMETER"),
    ("/v1/nothing", 404, "NOT_FOUND"),
    ("/v2/swaps", 404, "NOT_FOUND"),
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_refused_and_change_nothing() {
    let site = Site::idle().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let deeper = "[".repeat(60_000);
    let many = (0..70).map(|i| format!("\"f{i}\":1")).collect::<Vec<_>>().join(",");
    let mut cases: Vec<(Vec<u8>, u16, &str, String)> = Vec::new();
    for (body, status, code, pointer) in BODIES {
        cases.push((body.as_bytes().to_vec(), *status, code, (*pointer).to_owned()));
    }
    for (field, value, status, code) in FIELDS {
        let mut order = vec![("inputToken", "\"SOL\""), ("outputToken", "\"USDC\""), ("amount", "\"1\"")];
        order.retain(|(name, _)| name != field);
        order.push((field, value));
        let body = order.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",");
        cases.push((format!("{{{body}}}").into_bytes(), *status, code, format!("/{field}")));
    }
    cases.push((deep.into_bytes(), 400, "BODY_TOO_DEEP", String::new()));
    cases.push((deeper.into_bytes(), 400, "BODY_TOO_DEEP", String::new()));
    cases.push((format!("{{{many}}}").into_bytes(), 400, "BODY_NOT_OBJECT", String::new()));
    cases.push((b"{\"amount\":\"\xff\"}".to_vec(), 400, "INVALID_UTF8", String::new()));
    cases.push((vec![b' '; 65_537], 413, "BODY_TOO_LARGE", String::new()));
    cases.push((vec![b'x'; 10_000_000], 413, "BODY_TOO_LARGE", String::new()));

    for (body, status, code, pointer) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
        let Ok(answer) = site.post("/v1/swaps", body).send().await else {
            // The server may hang up on ten megabytes before the client has sent them.
            assert_eq!(status, 413, "{shown}");
            continue;
        };
        let problem = problem(answer).await;
        assert_eq!((problem["status"].as_u64(), &problem["code"]), (Some(u64::from(status)), &code.into()), "{shown}");
        let at = problem["errors"].as_array().map_or("", |e| e[0]["pointer"].as_str().unwrap_or(""));
        assert_eq!(at, pointer, "{shown}");
    }
    assert_eq!(site.events().await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_paths_and_queries_are_refused() {
    let site = Site::idle().await;
    for (path, status, code) in PATHS {
        let problem = problem(site.get(path).send().await.expect("an answer")).await;
        assert_eq!(
            (problem["status"].as_u64(), &problem["code"]),
            (Some(u64::from(*status)), &(*code).into()),
            "{path}"
        );
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_methods_types_and_headers_are_refused() {
    let site = Site::idle().await;
    let code = async |request: reqwest::RequestBuilder| {
        let problem = problem(request.send().await.expect("an answer")).await;
        (problem["status"].as_u64().expect("a status"), problem["code"].as_str().expect("a code").to_owned())
    };
    let refused = |status, code: &str| (status, code.to_owned());
    for (method, path) in
        [("DELETE", "/v1/swaps"), ("PUT", "/v1/swaps/x"), ("POST", "/v1/events"), ("POST", "/metrics")]
    {
        let answer = site.request(method, path).send().await.expect("an answer");
        assert!(answer.headers().contains_key("allow"), "{method} {path}");
        assert_eq!(problem(answer).await["code"], "METHOD_NOT_ALLOWED", "{method} {path}");
    }
    for content in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let request = site.request("POST", "/v1/swaps").header("content-type", content).body(ORDER);
        assert_eq!(code(request).await, refused(415, "UNSUPPORTED_MEDIA_TYPE"), "{content}");
    }
    let encoded = site.post("/v1/swaps", ORDER).header("content-encoding", "gzip");
    assert_eq!(code(encoded).await, refused(415, "UNSUPPORTED_MEDIA_TYPE"));
    for account in ["", "a b", "a/b", &"x".repeat(65)] {
        let request = site.post("/v1/swaps", ORDER).header("x-account", account);
        assert_eq!(code(request).await, refused(400, "INVALID_ACCOUNT"), "{account}");
    }
    for key in ["", "\"\"", "\"open", &"k".repeat(256)] {
        let request = site.post("/v1/swaps", ORDER).header("idempotency-key", key);
        assert_eq!(code(request).await, refused(400, "INVALID_IDEMPOTENCY_KEY"), "{key}");
    }
    for wait in ["31", "-1", "1.5", "soon"] {
        let request = site.post(&format!("/v1/swaps?wait={wait}"), ORDER);
        assert_eq!(code(request).await, refused(400, "INVALID_PARAMETER"), "{wait}");
    }
    assert_eq!(site.events().await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_look_as_recorded() {
    let site = Site::idle().await;
    let bad = r#"{"inputToken":"DOGE","outputToken":"USDC","amount":"-1","slippageBps":1.5,"colour":"red"}"#;
    insta::assert_json_snapshot!(
        "several_faults",
        problem(site.post("/v1/swaps", bad).send().await.expect("one")).await
    );
    let unknown = site.get("/v1/swaps/7").send().await.expect("an answer");
    insta::assert_json_snapshot!("unknown_order", problem(unknown).await);
    let gone = site.get("/v1/events?after=9-7").send().await.expect("an answer");
    let mut gone = problem(gone).await;
    assert!(gone["oldest"].as_str().is_some_and(|position| position.ends_with("-0")));
    gone["oldest"] = "[position]".into();
    insta::assert_json_snapshot!("position_gone", gone);
    let query = site.get("/v1/swaps?limit=1000&colour=red").send().await.expect("an answer");
    insta::assert_json_snapshot!("bad_query", problem(query).await);
    let first = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"1","clientOrderId":"mine"}"#;
    let id = body(site.post("/v1/swaps", first).send().await.expect("an answer")).await["id"].clone();
    let mut taken = problem(site.post("/v1/swaps", first).send().await.expect("an answer")).await;
    assert_eq!(taken["existing"], id);
    taken["existing"] = Value::from("[id]");
    insta::assert_json_snapshot!("client_order_id_taken", taken);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_comes_is_given_up() {
    let site = Site::idle().await;
    let mut raw = tokio::net::TcpStream::connect(site.host()).await.expect("a connection");
    let head = "POST /v1/swaps HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    raw.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = vec![0; 4_096];
    let read = tokio::time::timeout(PATIENCE, raw.read(&mut answer)).await.expect("in time").expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("REQUEST_TIMEOUT"), "{answer}");
    site.end().await;
}

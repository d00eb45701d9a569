//! What is refused, and how: in the words of the system where its schema of answers leaves any, else in those of Fastify.

use serde_json::{Value, json};

use super::{BAD_REQUEST, NO_SUCH_ORDER, ORDERS, get, order, send, text, waiting};
use crate::site::Site;

const EMPTY: &str = r#"{"statusCode":400,"code":"FST_ERR_CTP_EMPTY_JSON_BODY","error":"Bad Request","message":"Body cannot be empty when content-type is set to 'application/json'"}"#;
const NOT_JSON: &str = r#"{"statusCode":400,"code":"FST_ERR_CTP_INVALID_JSON_BODY","error":"Bad Request","message":"Body is not valid JSON but content-type is set to 'application/json'"}"#;
const FORM: &str = r#"{"statusCode":415,"code":"FST_ERR_CTP_INVALID_MEDIA_TYPE","error":"Unsupported Media Type","message":"Unsupported Media Type: application/x-www-form-urlencoded"}"#;

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = order();
    change(&mut order);
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_none_are_a_bad_request_and_nothing_is_queued() {
    let site = Site::idle().await;
    let item = |field: &'static str, value: Value| with(move |order| order["items"][0][field] = value);
    let mut wrong = vec![
        json!({}),
        json!([]),
        json!("text"),
        Value::Null,
        with(|order| order["customer_name"] = "".into()),
        with(|order| order["customer_email"] = "no address".into()),
        with(|order| order["customer_email"] = "a@b".into()),
        with(|order| order["items"] = json!([])),
        with(|order| order["items"] = json!([1])),
        with(|order| order["items"] = vec![order["items"][0].clone(); 101].into()),
        item("quantity", json!(0)),
        item("quantity", json!(-1)),
        item("quantity", json!(1.5)),
        item("quantity", json!("three")),
        item("quantity", json!(1_000_001)),
        item("unit_price", json!(-0.01)),
        item("unit_price", json!(0.001)),
        item("unit_price", json!(1e15)),
        item("unit_price", json!(10_000_000_000.01)),
        item("product_id", json!("")),
        item("product_id", json!({})),
        item("product_name", json!("x".repeat(256))),
    ];
    for field in ["customer_name", "customer_email", "items"] {
        wrong.push(with(|order| drop(order.as_object_mut().expect("an object").remove(field))));
    }
    for field in ["product_id", "product_name", "quantity", "unit_price"] {
        wrong.push(with(|order| drop(order["items"][0].as_object_mut().expect("an object").remove(field))));
    }
    // A total beyond what is exact everywhere.
    wrong.push(with(|order| {
        order["items"][0] =
            json!({"product_id": "x", "product_name": "x", "quantity": 1_000_000, "unit_price": 9_999_999_999.0});
    }));
    for sent in &wrong {
        let answer = send(&site, "POST", ORDERS, sent).await;
        assert_eq!(text(answer, 400).await, BAD_REQUEST, "{sent}");
    }
    for broken in ["", "{", "nonsense", "{\"customer_name\":"] {
        let answer = site.post(ORDERS, broken).send().await.expect("an answer");
        assert_eq!(text(answer, 400).await, BAD_REQUEST, "{broken}");
    }
    let plain = site.request("POST", ORDERS).header("content-type", "text/plain").body(order().to_string());
    assert_eq!(text(plain.send().await.expect("an answer"), 400).await, BAD_REQUEST);
    assert_eq!(text(site.request("POST", ORDERS).send().await.expect("an answer"), 400).await, BAD_REQUEST);
    assert_eq!(waiting(&site).await, 0);
    assert_eq!(site.events().await, 0);
    // What the original coerces is coerced.
    let coerced = with(|order| {
        order["customer_name"] = json!(5);
        order["items"][0]["quantity"] = json!("3");
        order["items"][0]["unit_price"] = json!("12.30");
        order["unknown"] = json!({"more": true});
    });
    text(send(&site, "POST", ORDERS, &coerced).await, 201).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_what_is_not_there_and_wrong_states_are_refused() {
    let site = Site::idle().await;
    for id in ["none", "0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01", &"x".repeat(500), "%F0%9F%98%80"] {
        let path = format!("{ORDERS}/{id}");
        let answer = send(&site, "PUT", &format!("{path}/status"), &json!({"status": "COMPLETED"})).await;
        assert_eq!(text(answer, 404).await, NO_SUCH_ORDER, "{id}");
        let answer = site.request("DELETE", &path).send().await.expect("an answer");
        assert_eq!(text(answer, 404).await, NO_SUCH_ORDER, "{id}");
    }
    // The state is looked at first, as a validator does.
    for sent in
        [json!({}), json!({"status": "completed"}), json!({"status": null}), json!([]), json!({"status": "GONE"})]
    {
        let answer = send(&site, "PUT", &format!("{ORDERS}/none/status"), &sent).await;
        assert_eq!(text(answer, 400).await, BAD_REQUEST, "{sent}");
    }
    assert_eq!(waiting(&site).await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_media_types_and_unknown_routes_are_refused_in_fastifys_words() {
    let site = Site::idle().await;
    for (query, message) in [
        ("limit=0", "querystring/limit must be >= 1"),
        ("limit=101", "querystring/limit must be <= 100"),
        ("limit=abc", "querystring/limit must be integer"),
        ("offset=-1", "querystring/offset must be >= 0"),
        ("offset=10001", "querystring/offset must be <= 10000"),
        ("status=pending", "querystring/status must be equal to one of the allowed values"),
    ] {
        let answer = site.get(&format!("{ORDERS}?{query}")).send().await.expect("an answer");
        let said =
            format!(r#"{{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"{message}"}}"#);
        assert_eq!(text(answer, 400).await, said, "{query}");
    }
    assert_eq!(get(&site, &format!("{ORDERS}?limit=5.0&unknown=1")).await["limit"], 5);

    let form = "application/x-www-form-urlencoded";
    for (method, path) in [("POST", ORDERS), ("PUT", "/shop/api/orders/x/status"), ("DELETE", "/shop/api/orders/x")] {
        let answer = site.request(method, path).header("content-type", form).body("a=b").send().await;
        assert_eq!(text(answer.expect("an answer"), 415).await, FORM, "{method}");
    }
    let delete = |sent: &'static str| {
        site.request("DELETE", "/shop/api/orders/x").header("content-type", "application/json").body(sent)
    };
    assert_eq!(text(delete("").send().await.expect("an answer"), 400).await, EMPTY);
    assert_eq!(text(delete("{").send().await.expect("an answer"), 400).await, NOT_JSON);
    assert_eq!(text(delete("{}").send().await.expect("an answer"), 404).await, NO_SUCH_ORDER);
    let broken = r#"{"statusCode":400,"code":"FST_ERR_BAD_URL","error":"Bad Request","message":"'/shop/api/orders/%FF' is not a valid url component"}"#;
    assert_eq!(text(site.get("/shop/api/orders/%FF").send().await.expect("an answer"), 400).await, broken);
    let large = site.post(ORDERS, vec![b' '; 70_000]).send().await.expect("an answer");
    let said = r#"{"statusCode":413,"code":"FST_ERR_CTP_BODY_TOO_LARGE","error":"Payload Too Large","message":"Request body is too large"}"#;
    assert_eq!(text(large, 413).await, said);

    for (method, path) in [
        ("GET", "/shop/nothing?a=b"),
        ("PATCH", ORDERS),
        ("POST", "/shop/health"),
        ("GET", "/shop"),
        ("PUT", "/shop/api/orders/x"),
    ] {
        let answer = site.request(method, path).send().await.expect("an answer");
        let said = format!(r#"{{"message":"Route {method}:{path} not found","error":"Not Found","statusCode":404}}"#);
        assert_eq!(text(answer, 404).await, said);
    }
    site.end().await;
}

//! What is wrong with a body, in the words of the original's validation library.

use super::*;

/// The issues of a missing field and of one of another type.
fn required(field: &str, expected: &str) -> Value {
    json!({"code": "invalid_type", "expected": expected, "received": "undefined", "path": [field], "message": "Required"})
}

fn wrong(path: &Value, expected: &str, received: &str) -> Value {
    let message = format!("Expected {expected}, received {received}");
    json!({"code": "invalid_type", "expected": expected, "received": received, "path": path, "message": message})
}

fn no_option(field: &str, options: &[&str], received: &Value, shown: &str) -> Value {
    let expected: Vec<_> = options.iter().map(|option| format!("'{option}'")).collect();
    let message = format!("Invalid enum value. Expected {}, received '{shown}'", expected.join(" | "));
    json!({"received": received, "code": "invalid_enum_value", "options": options, "path": [field], "message": message})
}

const CURRENCIES: [&str; 3] = ["GBP", "USD", "EUR"];

async fn issues(request: RequestBuilder) -> Vec<Value> {
    let answer = text(request.send().await.expect("an answer"), 422).await;
    serde_json::from_str(&answer).expect("a bare list")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_at_all_lacks_five_things() {
    let site = market().await;
    let expected = [
        required("name", "string"),
        required("totalPrice", "number"),
        required("currency", "'GBP' | 'USD' | 'EUR'"),
        required("status", "'available' | 'sold'"),
        required("items", "array"),
    ];
    let post = || site.request("POST", DEAL).header("x-api-key", KEY1);
    let json = || post().header("content-type", "application/json");
    let form = post().header("content-type", "application/x-www-form-urlencoded").body("a string");
    for request in [post(), form, json(), json().body("{}"), post().header("content-type", "text/plain").body("x")] {
        assert_eq!(issues(request).await, expected);
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_an_issue_in_the_order_of_the_schema() {
    let site = market().await;
    let sent = json!({
        "items": [{"name": 1, "price": "2"}, "x", {"name": "", "price": 9.5}], "status": 1234, "currency": "OOOO",
        "discount": {"type": "half", "amount": null}, "totalPrice": 99.5, "name": null
    });
    let float = |path: &Value| json!({"code": "invalid_type", "expected": "integer", "received": "float", "message": "Expected integer, received float", "path": path});
    let mut half = no_option("type", &["flat", "percentage"], &"half".into(), "half");
    half["path"] = json!(["discount", "type"]);
    let expected = [
        wrong(&json!(["name"]), "string", "null"),
        float(&json!(["totalPrice"])),
        no_option("currency", &CURRENCIES, &"OOOO".into(), "OOOO"),
        half,
        wrong(&json!(["discount", "amount"]), "number", "null"),
        no_option("status", &["available", "sold"], &1234.into(), "1234"),
        wrong(&json!(["items", 0, "name"]), "string", "number"),
        wrong(&json!(["items", 0, "price"]), "number", "string"),
        wrong(&json!(["items", 1]), "object", "string"),
        float(&json!(["items", 2, "price"])),
    ];
    assert_eq!(issues(send(&site, "POST", KEY1, &sent)).await, expected);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_by_itself() {
    let site = market().await;
    let empty = json!({"code": "too_small", "minimum": 1, "type": "array", "inclusive": true, "exact": false,
        "message": "Array must contain at least 1 element(s)", "path": ["items"]});
    let beyond = json!({"code": "too_big", "maximum": 9_007_199_254_740_991_i64, "type": "number", "inclusive": true,
        "exact": false, "message": "Number must be less than or equal to 9007199254740991", "path": ["totalPrice"]});
    for (field, value, expected) in [
        ("items", json!([]), empty),
        ("items", json!({}), wrong(&json!(["items"]), "array", "object")),
        ("discount", Value::Null, wrong(&json!(["discount"]), "object", "null")),
        ("currency", json!("gbp"), no_option("currency", &CURRENCIES, &"gbp".into(), "gbp")),
        ("currency", Value::Null, wrong(&json!(["currency"]), "'GBP' | 'USD' | 'EUR'", "null")),
        ("status", json!("reserved"), no_option("status", &["available", "sold"], &"reserved".into(), "reserved")),
        ("totalPrice", json!(9_007_199_254_740_992_i64), beyond),
    ] {
        let mut sent = offer();
        sent[field] = value.clone();
        assert_eq!(issues(send(&site, "POST", KEY1, &sent)).await, [expected], "{field}: {value}");
    }
    // Our own rules are issues too.
    let mut long = offer();
    long["name"] = "x".repeat(201).into();
    let issue = &issues(send(&site, "POST", KEY1, &long)).await[0];
    assert_eq!((&issue["code"], &issue["path"]), (&json!("custom"), &json!(["name"])));
    // Whole numbers are whole however they are written, and what nobody knows is left out.
    let odd = offer().to_string().replace("15000", "1.5e4").replacen('{', r#"{"id":1,"x":[],"#, 1);
    let request = site.post(DEAL, odd).header("x-api-key", KEY1).send().await.expect("an answer");
    assert_eq!(body(request).await["totalPrice"], 15_000);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_dropped_for_a_strange_text_or_too_many_fields() {
    let site = market().await;
    let many: String = (0..100).map(|n| format!(r#""x{n}":0,"#)).collect();
    let odd = offer().to_string().replace("A pair of", r"\ud83d of").replace("Another", r"\ud83d");
    for unknown in [r#""\ude00":0,"#, &many] {
        let sent = odd.replace('{', &format!("{{{unknown}"));
        let request = site.post(DEAL, sent).header("x-api-key", KEY1).send().await.expect("an answer");
        let deal: Value = serde_json::from_str(&text(request, 201).await).expect("JSON");
        assert_eq!(deal["name"], "\u{fffd} of chairs", "{unknown}");
        let names: Vec<_> = deal["items"].as_array().expect("items").iter().map(|item| &item["name"]).collect();
        assert_eq!(names, ["Chair", "\u{fffd}"], "{unknown}");
    }
    let wrong = offer().to_string().replace("available", r"\ud83d");
    let issues = issues(site.post(DEAL, wrong).header("x-api-key", KEY1)).await;
    assert_eq!(issues.len(), 1);
    assert_eq!((&issues[0]["code"], &issues[0]["path"]), (&json!("invalid_enum_value"), &json!(["status"])));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_has_ids_and_dates() {
    let site = market().await;
    let mut sent = post(&site, |_| ()).await;
    (sent["id"], sent["sellerId"]) = ("1".into(), 2.into());
    (sent["createdAt"], sent["updatedAt"]) = ("never".into(), json!([]));
    sent["items"][0]["id"] = "x".into();
    let uuid =
        |path: &Value| json!({"validation": "uuid", "code": "invalid_string", "message": "Invalid uuid", "path": path});
    let date = |field: &str| json!({"code": "invalid_date", "path": [field], "message": "Invalid date"});
    let expected = [
        uuid(&json!(["id"])),
        wrong(&json!(["sellerId"]), "string", "number"),
        date("createdAt"),
        date("updatedAt"),
        uuid(&json!(["items", 0, "id"])),
    ];
    assert_eq!(issues(send(&site, "PUT", KEY1, &sent)).await, expected);
    let missing = issues(send(&site, "PUT", KEY1, &json!({}))).await;
    let paths: Vec<_> = missing.iter().map(|issue| issue["path"][0].as_str().unwrap_or_default().to_owned()).collect();
    let order = ["id", "sellerId", "name", "totalPrice", "currency", "status", "createdAt", "updatedAt", "items"];
    assert_eq!(paths, order);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_is_a_bad_request() {
    let site = market().await;
    for sent in ["{", "null", "5", "\"text\"", "{} {}", "{\"name\":}"] {
        let answer = site.post(DEAL, sent).header("x-api-key", KEY1).send().await.expect("an answer");
        let answer: Value = serde_json::from_str(&text(answer, 400).await).expect("JSON");
        assert_eq!((&answer["error"], &answer["statusCode"]), (&json!("Bad Request"), &json!(400)), "{sent}");
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{sent}");
    }
    let list = site.post(DEAL, "[]").header("x-api-key", KEY1);
    assert_eq!(issues(list).await, [wrong(&json!([]), "object", "array")]);
    let large = site.post(DEAL, " ".repeat(70_000)).header("x-api-key", KEY1).send().await.expect("an answer");
    assert_eq!(large.status(), 413);
    site.end().await;
}

//! Shop orders over HTTP: taken, changed, moved on, deleted, listed; what is wrong is refused and nothing stored.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::deals::id;
use crate::site::{Site, answered, body};

pub(crate) const ORDERS: &str = "/v1/shop/orders";

/// An order of two mugs and a tea at 10 % off.
pub(crate) fn mugs() -> Value {
    json!({"customer": {"name": "Ada Lovelace", "email": "Ada@example.org"}, "currency": "GBP",
        "items": [{"productId": "mug", "name": "Mug", "quantity": 2, "unitPrice": 1_250},
            {"productId": "tea", "name": "Tea", "quantity": 1, "unitPrice": 399}],
        "discount": {"type": "percentage", "basisPoints": 1_000}})
}

/// The same with some fields other.
pub(crate) fn with(fields: Value) -> Value {
    let mut order = mugs();
    if let (Some(order), Value::Object(fields)) = (order.as_object_mut(), fields) {
        order.extend(fields);
    }
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_taken_changed_moved_on_and_followed_back() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let created =
        acme.ask("POST", ORDERS).json(&with(json!({"externalReference": "web-1"}))).send().await.expect("an answer");
    assert_eq!((created.status().as_u16(), created.headers()["etag"].to_str().expect("text")), (201, "\"1\""));
    let path = created.headers()["location"].to_str().expect("text").to_owned();
    let order = body(created).await;
    assert_eq!(path, format!("{ORDERS}/{}", id(&order)));
    for (field, expected) in [
        ("status", json!("PENDING")),
        ("subtotal", json!(2_899)),
        ("discountAmount", json!(290)),
        ("total", json!(2_609)),
        ("externalReference", json!("web-1")),
    ] {
        assert_eq!(order[field], expected, "{field}");
    }
    assert_eq!((&order["items"][0]["total"], &order["items"][1]["total"]), (&json!(2_250), &json!(359)));
    assert_eq!(acme.get(&path).await, (200, order.clone()));
    let known = acme.ask("GET", &path).header("if-none-match", "\"1\"").send().await.expect("an answer");
    assert_eq!(known.status(), 304);
    assert_eq!(site.caller("other").get(&path).await.0, 404);

    let edit = json!({"items": [{"productId": "mug", "name": "Mug", "quantity": 3, "unitPrice": 1_250}],
        "discount": null, "note": "Ring twice"});
    let patch = async |tag: Option<&str>, edit: &Value| {
        let request = acme.ask("PATCH", &path).json(edit);
        answered(tag.into_iter().fold(request, |request, tag| request.header("if-match", tag))).await
    };
    assert_eq!(patch(None, &edit).await.1["code"], "IF_MATCH_REQUIRED");
    assert_eq!(patch(Some("\"7\""), &edit).await.0, 412);
    let (status, changed) = patch(Some("\"1\""), &edit).await;
    assert_eq!((status, &changed["version"], &changed["total"]), (200, &json!(2), &json!(3_750)));
    assert!(changed.get("discount").is_none(), "{changed}");
    assert_eq!(changed["customer"], order["customer"]);
    assert_eq!(acme.get(&path).await.1, changed, "nothing old comes out of the cache");
    let other = json!({"customer": {"name": "Bob", "email": "bob@example.org"}, "note": null});
    assert_eq!(patch(Some("*"), &other).await.1["customer"]["name"], "Bob");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_by_its_table_and_is_deleted_with_its_history_kept() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let path = taken(&site, 1, "ada@example.org", 500).await;
    let patch = async |edit: Value| answered(acme.ask("PATCH", &path).header("if-match", "*").json(&edit)).await;
    assert_eq!(patch(json!({"note": "Ring twice"})).await.0, 200);
    let to = async |status: &str| acme.send("POST", &format!("{path}/status"), &json!({"status": status})).await;
    assert_eq!(to("processing").await.1["code"], "UNKNOWN_CHOICE");
    let (status, problem) = to("PENDING").await;
    assert_eq!(
        (status, &problem["code"], &problem["errors"][0]["pointer"]),
        (409, &json!("WRONG_STATE"), &json!("/status"))
    );
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("PROCESSING, COMPLETED, CANCELLED")), "{problem}");
    assert_eq!(to("PROCESSING").await.1["status"], "PROCESSING");
    assert_eq!(patch(json!({"note": null})).await.1["code"], "WRONG_STATE");
    assert_eq!(to("COMPLETED").await.1["status"], "COMPLETED");
    assert_eq!(to("CANCELLED").await.0, 409);

    let (status, deleted) = answered(acme.ask("DELETE", &path)).await;
    assert_eq!((status, &deleted["status"]), (200, &json!("COMPLETED")));
    assert!(deleted["deletedAt"].is_string());
    assert_eq!(acme.get(&path).await.0, 404);
    assert_eq!(acme.get(&format!("{path}?deleted=true")).await, (200, deleted));
    assert_eq!(acme.get(&format!("{path}?deleted=perhaps")).await.0, 400);
    assert_eq!(answered(acme.ask("DELETE", &path)).await.0, 404);
    assert_eq!(to("PROCESSING").await.0, 404);

    let (_, history) = acme.get(&format!("{path}/events")).await;
    let events = history["data"].as_array().expect("a list");
    let told: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    let updated = "shop.order.updated";
    assert_eq!(told, ["shop.order.created", updated, updated, updated, "shop.order.deleted"]);
    assert!(events.iter().all(|event| event["data"]["actor"] == "acme"));
    assert_eq!(events[1]["data"]["changed"], json!({ "note": null }));
    assert_eq!(events[2]["data"]["changed"], json!({"status": "PENDING"}));
    assert_eq!(site.events().await, 5);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_reference_are_used_once() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let order = with(json!({"externalReference": "web-7"}));
    let post = async |body: &Value, key: &str| {
        let answer =
            acme.ask("POST", ORDERS).header("idempotency-key", key).json(body).send().await.expect("an answer");
        let replayed = answer.headers().contains_key("idempotent-replayed");
        (answer.status().as_u16(), replayed, body_of(answer).await)
    };
    let (status, replayed, first) = post(&order, "k1").await;
    assert_eq!((status, replayed), (201, false));
    assert_eq!(post(&order, "k1").await, (201, true, first.clone()));
    // Said otherwise it is the same.
    let spaced = with(json!({"externalReference": "web-7", "note": null}));
    assert!(post(&spaced, "k1").await.1);
    let (status, _, problem) = post(&mugs(), "k1").await;
    assert_eq!((status, &problem["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")));
    let (status, _, problem) = post(&order, "k2").await;
    assert_eq!((status, &problem["code"]), (409, &json!("DUPLICATE_EXTERNAL_REFERENCE")));
    assert_eq!((&problem["existing"], &problem["errors"][0]["pointer"]), (&first["id"], &json!("/externalReference")));
    assert_eq!(site.caller("other").send("POST", ORDERS, &order).await.0, 201, "another shop's are its own");
    assert_eq!(site.events().await, 2);
    site.end().await;
}

async fn body_of(answer: reqwest::Response) -> Value {
    body(answer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_at_its_place_and_nothing_is_stored() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let item = |fields: Value| {
        let mut item = mugs()["items"][0].clone();
        item.as_object_mut().expect("an item").extend(fields.as_object().expect("fields").clone());
        json!({"items": [mugs()["items"][1], item]})
    };
    let customer = |name: &str, email: &str| json!({"customer": {"name": name, "email": email}});
    let many =
        |n: usize| json!({"items": vec![json!({"productId": "a", "name": "a", "quantity": 1, "unitPrice": 1}); n]});
    let long = vec![json!({"productId": "p".repeat(100), "name": "n".repeat(255), "quantity": 1, "unitPrice": 1}); 30];
    for (fields, status, code, pointer) in [
        (item(json!({"quantity": -1})), 422, "QUANTITY_OUT_OF_RANGE", "/items/1/quantity"),
        (item(json!({"quantity": 0})), 422, "QUANTITY_OUT_OF_RANGE", "/items/1/quantity"),
        (item(json!({"quantity": 1.5})), 400, "NOT_AN_INTEGER", "/items/1/quantity"),
        (item(json!({"quantity": "2"})), 400, "NOT_AN_INTEGER", "/items/1/quantity"),
        (item(json!({"quantity": 1_000_001})), 422, "QUANTITY_OUT_OF_RANGE", "/items/1/quantity"),
        (item(json!({"unitPrice": -1})), 422, "PRICE_OUT_OF_RANGE", "/items/1/unitPrice"),
        (item(json!({"unitPrice": 12.5})), 400, "NOT_AN_INTEGER", "/items/1/unitPrice"),
        (item(json!({"unitPrice": 1_000_000_000_000_000_i64})), 422, "PRICE_OUT_OF_RANGE", "/items/1/unitPrice"),
        (item(json!({"unitPrice": 1e30})), 400, "NOT_AN_INTEGER", "/items/1/unitPrice"),
        (
            item(json!({"unitPrice": 1_000_000_000_000_i64, "quantity": 1_000_000})),
            422,
            "TOTAL_OUT_OF_RANGE",
            "/items/1",
        ),
        (item(json!({"name": "a\u{0}b"})), 422, "NAME_MALFORMED", "/items/1/name"),
        (item(json!({"productId": ""})), 422, "PRODUCT_ID_MALFORMED", "/items/1/productId"),
        (item(json!({"total": 5})), 400, "UNKNOWN_FIELD", "/items/1/total"),
        (many(0), 422, "ITEM_COUNT", "/items"),
        (many(101), 422, "ITEM_COUNT", "/items"),
        (json!({"items": vec![json!({}); 10_000]}), 422, "ITEM_COUNT", "/items"),
        (json!({"items": long}), 422, "ORDER_TOO_LARGE", "/items"),
        (customer("", "ada@example.org"), 422, "NAME_MALFORMED", "/customer/name"),
        (customer("Ada", "not an address"), 422, "EMAIL_MALFORMED", "/customer/email"),
        (customer("Ada", "ada@localhost"), 422, "EMAIL_MALFORMED", "/customer/email"),
        (customer("Ada", "a@b.c\r\nBcc: x@y.z"), 422, "EMAIL_MALFORMED", "/customer/email"),
        (json!({"customer": {"name": "Ada"}}), 400, "FIELD_MISSING", "/customer/email"),
        (json!({"currency": "gbp"}), 422, "CURRENCY_UNKNOWN", "/currency"),
        (json!({"total": 5}), 422, "TOTAL_PRICE_DIFFERS", "/total"),
        (json!({"discount": {"type": "flat", "amount": -1}}), 422, "DISCOUNT_OUT_OF_RANGE", "/discount"),
        (json!({"externalReference": ""}), 422, "REFERENCE_MALFORMED", "/externalReference"),
        (json!({"externalReference": "x".repeat(129)}), 422, "REFERENCE_MALFORMED", "/externalReference"),
        (json!({"note": "n".repeat(1_001)}), 422, "NOTE_MALFORMED", "/note"),
        (json!({"status": "COMPLETED"}), 400, "UNKNOWN_FIELD", "/status"),
    ] {
        let (got, problem) = acme.send("POST", ORDERS, &with(fields)).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    // What no body has room for is not even read.
    let (status, problem) = acme.send("POST", ORDERS, &with(many(10_000))).await;
    assert_eq!((status, &problem["code"]), (413, &json!("BODY_TOO_LARGE")));
    assert_eq!(site.events().await, 0);
    // A name is text.
    let (status, order) = acme.send("POST", ORDERS, &with(customer("\u{1f600} 李四", "ada@example.org"))).await;
    assert_eq!((status, &order["customer"]["name"]), (201, &json!("\u{1f600} 李四")));
    site.end().await;
}

/// The numbers in the references of the orders on all pages of a list, in its order.
pub(crate) async fn listed(site: &Site, account: &str, query: &str) -> Vec<u64> {
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = site.caller(account).get(&format!("{ORDERS}?{query}{cursor}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        let found = page["data"].as_array().expect("a page").iter();
        numbers.extend(
            found.map(|one| one["externalReference"].as_str().and_then(|r| r.parse::<u64>().ok()).expect("a number")),
        );
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(numbers.len(), numbers.iter().collect::<BTreeSet<_>>().len(), "{query}: {numbers:?}");
    numbers
}

/// Takes an order of one item whose reference is `number`.
pub(crate) async fn taken(site: &Site, number: u64, email: &str, total: i64) -> String {
    let order = json!({"customer": {"name": "Ada", "email": email}, "currency": "GBP",
        "items": [{"productId": "mug", "name": "Mug", "quantity": 1, "unitPrice": total}],
        "externalReference": number.to_string()});
    let (status, order) = site.caller("acme").send("POST", ORDERS, &order).await;
    assert_eq!(status, 201, "{order}");
    format!("{ORDERS}/{}", id(&order))
}

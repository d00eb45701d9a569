//! Orders as they are read: in the original's words, page by page, whoever made them.

use serde_json::{Value, json};

use super::{NO_SUCH_ORDER, ORDERS, get, text};
use crate::site::{Site, body};

/// An order of the native API, which the facade shows like its own.
async fn native(site: &Site, account: &str, currency: &str, price: i64) -> Value {
    let order = json!({
        "customer": {"name": "Ada", "email": "ada@example.org"}, "currency": currency,
        "items": [{"productId": "mug", "name": "Mug", "quantity": 3, "unitPrice": price}]
    });
    let request = site.post("/v1/shop/orders", order.to_string()).header("x-account", account);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    body(answer).await
}

async fn move_to(site: &Site, id: &str, status: &str) {
    let request = site.post(&format!("/v1/shop/orders/{id}/status"), json!({ "status": status }).to_string());
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

fn ids(page: &Value) -> Vec<Value> {
    page["orders"].as_array().expect("orders").iter().map(|order| order["id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_the_recorded_fields_in_their_order_and_exact_numbers() {
    let site = Site::idle().await;
    let made = native(&site, "default", "USD", 1_010).await;
    let id = made["id"].as_str().expect("an id");
    let answer = site.get(&format!("{ORDERS}/{id}")).send().await.expect("an answer");
    let shown = text(answer, 200).await;
    let created = &made["createdAt"].as_str().expect("an instant")[..23];
    let expected = format!(
        r#"{{"id":"{id}","customer_name":"Ada","customer_email":"ada@example.org","total_amount":30.3,"status":"pending","#
    ) + &format!(r#""created_at":"{created}Z","updated_at":"{created}Z","#)
        + r#""items":[{"product_id":"mug","product_name":"Mug","quantity":3,"unit_price":10.1,"total_price":30.3}]}"#;
    assert_eq!(shown, expected);
    move_to(&site, id, "PROCESSING").await;
    assert_eq!(get(&site, &format!("{ORDERS}/{id}")).await["status"], "PROCESSING");

    let yen = native(&site, "default", "JPY", 1_010).await["id"].as_str().expect("an id").to_owned();
    assert_eq!(get(&site, &format!("{ORDERS}/{yen}")).await["total_amount"], 3_030);

    let theirs = native(&site, "other", "USD", 1).await["id"].as_str().expect("an id").to_owned();
    let deleted = site.request("DELETE", &format!("/v1/shop/orders/{id}")).send().await.expect("an answer");
    assert!(deleted.status().is_success());
    for gone in [theirs.as_str(), id, "none", &"x".repeat(1_000), "%F0%9F%98%80"] {
        let answer = site.get(&format!("{ORDERS}/{gone}")).send().await.expect("an answer");
        assert_eq!(text(answer, 404).await, NO_SUCH_ORDER, "{gone}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_filters_pages_and_counts() {
    let site = Site::idle().await;
    let mut made = Vec::new();
    for price in 1..=7 {
        made.push(native(&site, "default", "USD", price).await["id"].clone());
    }
    native(&site, "other", "USD", 1).await;
    made.reverse();
    let newest = get(&site, ORDERS).await;
    assert_eq!(
        (ids(&newest), &newest["total"], &newest["limit"], &newest["offset"]),
        (made.clone(), &json!(7), &json!(20), &json!(0))
    );
    let page = get(&site, &format!("{ORDERS}?limit=3&offset=5")).await;
    assert_eq!(
        (ids(&page), &page["total"], &page["limit"], &page["offset"]),
        (made[5..].to_vec(), &json!(7), &json!(3), &json!(5))
    );
    let beyond = get(&site, &format!("{ORDERS}?offset=10000")).await;
    assert_eq!((&beyond["orders"], &beyond["total"]), (&json!([]), &json!(7)));

    for id in &made[1..3] {
        move_to(&site, id.as_str().expect("an id"), "COMPLETED").await;
    }
    let completed = get(&site, &format!("{ORDERS}?status=COMPLETED&limit=1&offset=1")).await;
    assert_eq!((ids(&completed), &completed["total"]), (made[2..3].to_vec(), &json!(2)));
    assert_eq!(completed["orders"][0]["status"], "COMPLETED");
    let path = format!("/v1/shop/orders/{}", made[2].as_str().expect("an id"));
    assert!(site.request("DELETE", &path).send().await.expect("an answer").status().is_success());
    // What is deleted is nowhere counted, at once.
    assert_eq!(get(&site, &format!("{ORDERS}?status=COMPLETED")).await["total"], 1);
    assert_eq!(get(&site, &format!("{ORDERS}?status=PENDING")).await["total"], 5);
    let all = get(&site, ORDERS).await;
    assert_eq!((ids(&all).len(), &all["total"]), (6, &json!(6)));
    assert_eq!(get(&site, &format!("{ORDERS}?status=CANCELLED")).await["total"], 0);
    site.end().await;
}

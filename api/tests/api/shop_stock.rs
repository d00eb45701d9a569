//! Stock over HTTP: counted, adjusted, kept for orders, never sold twice.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ORDERS, mugs, with};
use crate::site::{Caller, Site, answered};

const STOCK: &str = "/v1/shop/stock";

async fn stock(acme: &Caller<'_>, product: &str) -> (i64, i64, i64) {
    let (status, stock) = acme.get(&format!("{STOCK}/{product}")).await;
    assert_eq!(status, 200, "{stock}");
    let number = |name: &str| stock[name].as_i64().expect("a number");
    (number("available"), number("reserved"), number("onHand"))
}

async fn moved(acme: &Caller<'_>, order: &Value, status: &str) {
    let path = format!("{ORDERS}/{}/status", order["id"].as_str().expect("an id"));
    let (code, problem) = acme.send("POST", &path, &json!({"status": status})).await;
    assert_eq!(code, 200, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_counted_kept_for_orders_and_gone_when_they_are_completed() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let mug = format!("{STOCK}/mug");
    assert_eq!(acme.get(&mug).await.1["code"], "STOCK_NOT_FOUND");
    assert_eq!(acme.send("PATCH", &mug, &json!({"add": 5})).await.1["code"], "STOCK_NOT_FOUND");
    // What is not counted is sold without end.
    assert_eq!(acme.send("POST", ORDERS, &mugs()).await.0, 201);
    let (status, counted) = acme.send("PUT", &mug, &json!({"onHand": 10})).await;
    assert_eq!((status, &counted["version"], &counted["available"]), (200, &json!(1), &json!(10)));
    assert_eq!(stock(&acme, "mug").await, (10, 0, 10));

    let (_, first) = acme.send("POST", ORDERS, &mugs()).await;
    let (_, second) = acme.send("POST", ORDERS, &mugs()).await;
    assert_eq!(stock(&acme, "mug").await, (6, 4, 10));
    let items = json!({"items": [{"productId": "mug", "name": "Mug", "quantity": 5, "unitPrice": 1},
        {"productId": "mug", "name": "Mug, second", "quantity": 2, "unitPrice": 1}]});
    let events = site.events().await;
    let (status, problem) = acme.send("POST", ORDERS, &with(items.clone())).await;
    assert_eq!(
        (status, &problem["code"], &problem["errors"][0]["pointer"]),
        (409, &json!("OUT_OF_STOCK"), &json!("/items"))
    );
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("mug") && d.contains('6')), "{problem}");
    assert_eq!((site.events().await, stock(&acme, "mug").await), (events, (6, 4, 10)));

    let path = format!("{ORDERS}/{}", first["id"].as_str().expect("an id"));
    let patch = acme.ask("PATCH", &path).header("if-match", "*").json(&items);
    assert_eq!(answered(patch).await.0, 200);
    assert_eq!(stock(&acme, "mug").await, (1, 9, 10));
    moved(&acme, &first, "CANCELLED").await;
    assert_eq!(stock(&acme, "mug").await, (8, 2, 10));
    moved(&acme, &second, "COMPLETED").await;
    assert_eq!(stock(&acme, "mug").await, (8, 0, 8));
    let (_, third) = acme.send("POST", ORDERS, &mugs()).await;
    let third = format!("{ORDERS}/{}", third["id"].as_str().expect("an id"));
    assert_eq!(stock(&acme, "mug").await, (6, 2, 8));
    assert_eq!(acme.send("PUT", &mug, &json!({"onHand": 1})).await.1["code"], "BELOW_RESERVED");
    assert_eq!(answered(acme.ask("DELETE", &third)).await.0, 200);
    assert_eq!(stock(&acme, "mug").await, (8, 0, 8));

    assert_eq!(acme.send("PATCH", &mug, &json!({"add": -9})).await.1["code"], "OUT_OF_STOCK");
    for (body, code) in [
        (json!({"add": 0}), "QUANTITY_OUT_OF_RANGE"),
        (json!({"add": 1.5}), "NOT_AN_INTEGER"),
        (json!({"onHand": 5}), "FIELD_MISSING"),
    ] {
        let (status, problem) = acme.send("PATCH", &mug, &body).await;
        let codes: Vec<_> = problem["errors"].as_array().into_iter().flatten().map(|e| e["code"].clone()).collect();
        assert!((400..423).contains(&status) && codes.contains(&json!(code)), "{problem}");
    }
    let add = |key: &str| acme.ask("PATCH", &mug).header("idempotency-key", key).json(&json!({"add": 5}));
    assert_eq!(answered(add("once")).await.0, 200);
    assert_eq!(answered(add("once")).await.1["onHand"], 13);
    assert_eq!(answered(add("late").header("if-match", "\"1\"")).await.0, 412);
    let (_, page) = acme.get(STOCK).await;
    assert_eq!((&page["data"][0]["productId"], &page["data"][0]["onHand"]), (&json!("mug"), &json!(13)));
    assert_eq!(site.caller("other").get(STOCK).await.1["data"], json!([]));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_pieces_are_sold_to_ten_of_sixty_four_who_want_one() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    // A name that a path must encode, and whose shop cannot be mistaken for another's product.
    let product = "mug:2/ä b";
    let path = format!("{STOCK}/mug%3A2%2F%C3%A4%20b");
    let counted = acme.ask("PUT", &path).json(&json!({"onHand": 10})).send().await.expect("an answer");
    assert_eq!(counted.headers()["location"].to_str().expect("text"), path);
    let item = json!({"items": [{"productId": product, "name": "Mug", "quantity": 1, "unitPrice": 5}]});
    let buy = async |n: usize| {
        let request = acme.ask("POST", ORDERS).header("idempotency-key", format!("buyer-{n}"));
        answered(request.json(&with(item.clone()))).await
    };
    let bought = join_all((0..64).map(&buy)).await;
    let sold = bought.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(sold, 10);
    let refused = bought.iter().filter(|(status, problem)| *status == 409 && problem["code"] == "OUT_OF_STOCK");
    assert_eq!(refused.count(), 54);
    // Those who got one are told so again, though nothing is left.
    let again = join_all((0..64).map(&buy)).await;
    assert_eq!(again.iter().filter(|(status, _)| *status == 201).count(), 10);
    let (_, stock) = acme.get(&path).await;
    assert_eq!((&stock["available"], &stock["reserved"]), (&json!(0), &json!(10)));
    assert_eq!(site.events().await, 11);
    site.end().await;
}

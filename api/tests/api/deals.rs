//! Deals over HTTP: posted, changed, listed, seen by whom their seller says.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::site::{Site, answered, body, problem};

pub(crate) fn chairs() -> Value {
    json!({"name": "Two chairs", "currency": "GBP",
        "items": [{"name": "Chair", "price": 10_001}, {"name": "Armchair", "price": 5_000}],
        "discount": {"type": "percentage", "basisPoints": 1_000}})
}

pub(crate) fn id(view: &Value) -> String {
    view["id"].as_str().expect("an id").to_owned()
}

/// Posts a deal of `acme`'s and answers with its path.
pub(crate) async fn posted(site: &Site) -> String {
    let (status, deal) = site.caller("acme").send("POST", "/v1/deals", &chairs()).await;
    assert_eq!(status, 201, "{deal}");
    format!("/v1/deals/{}", id(&deal))
}

/// Lets a buyer see `acme`'s deals.
pub(crate) async fn authorised(site: &Site, buyer: &str) {
    let (status, said) = site.caller("acme").send("POST", "/v1/sellers/acme/buyers", &json!({"buyerId": buyer})).await;
    assert!(matches!(status, 200 | 201), "{said}");
    assert_eq!(said["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_is_posted_changed_and_followed_back() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let created = acme.ask("POST", "/v1/deals").json(&chairs()).send().await.expect("an answer");
    assert_eq!((created.status().as_u16(), created.headers()["etag"].to_str().expect("text")), (201, "\"1\""));
    let path = created.headers()["location"].to_str().expect("text").to_owned();
    let deal = body(created).await;
    assert_eq!(path, format!("/v1/deals/{}", id(&deal)));
    for (field, expected) in [
        ("status", json!("available")),
        ("sellerId", json!("acme")),
        ("subtotal", json!(15_001)),
        ("discountAmount", json!(1_500)),
        ("totalPrice", json!(13_501)),
    ] {
        assert_eq!(deal[field], expected, "{field}");
    }
    assert_eq!(acme.get(&path).await, (200, deal.clone()));
    let known = acme.ask("GET", &path).header("if-none-match", "\"1\"").send().await.expect("an answer");
    assert_eq!(known.status(), 304);

    // A change names the version that it is based on, and keeps the items that it names.
    let change = json!({"name": "A chair", "currency": "GBP",
        "items": [{"id": deal["items"][0]["id"], "name": "Chair", "price": 9_000}, {"name": "Cushion", "price": 1}]});
    let put = async |tag: Option<&str>| {
        let request = acme.ask("PUT", &path).json(&change);
        let request = if let Some(tag) = tag { request.header("if-match", tag) } else { request };
        answered(request).await
    };
    let (status, problem) = put(None).await;
    assert_eq!((status, &problem["code"]), (428, &json!("IF_MATCH_REQUIRED")));
    for stale in ["\"7\"", "W/\"1\"", "\"x\""] {
        let (status, problem) = put(Some(stale)).await;
        assert_eq!((status, &problem["code"]), (412, &json!("STALE_VERSION")), "{stale}");
    }
    assert_eq!(put(Some("\"1\", \"2\"")).await.1["code"], "INVALID_IF_MATCH");
    let (status, changed) = put(Some("\"1\"")).await;
    assert_eq!((status, &changed["version"], &changed["totalPrice"]), (200, &json!(2), &json!(9_001)));
    assert_eq!(changed["items"][0]["id"], deal["items"][0]["id"]);
    assert!(changed.get("discount").is_none());
    assert_eq!(put(Some("\"1\"")).await.0, 412);
    assert_eq!(acme.get(&path).await.1, changed, "nothing old comes out of the cache");

    let (_, history) = acme.get(&format!("{path}/events")).await;
    let events = history["data"].as_array().expect("a list");
    let told: Vec<_> = events.iter().map(|e| (e["type"].as_str().expect("a type"), &e["data"]["actor"])).collect();
    assert_eq!(told, [("deal.created", &json!("acme")), ("deal.updated", &json!("acme"))]);
    assert_eq!(events[1]["data"]["changed"]["totalPrice"], 13_501);
    assert_eq!(site.events().await, 2);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_page_by_version() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let path = posted(&site).await;
    let events = format!("{path}/events");
    for _ in 0..500 {
        for action in ["withdraw", "relist"] {
            assert_eq!(acme.post(&format!("{path}/{action}")).await.0, 200);
        }
    }
    for (query, first, last, more) in [
        ("", 1, 1_000, true),
        ("?after=0", 1, 1_000, true),
        ("?after=1", 2, 1_001, false),
        ("?after=1000", 1_001, 1_001, false),
    ] {
        let (_, page) = acme.get(&format!("{events}{query}")).await;
        let versions: Vec<_> = page["data"].as_array().expect("a list").iter().map(|e| e["version"].as_u64()).collect();
        assert_eq!(versions, (first..=last).map(Some).collect::<Vec<_>>(), "{query}");
        assert_eq!(page["hasMore"], more, "{query}");
    }
    assert_eq!(acme.get(&format!("{events}?after=1001")).await.1, json!({"data": [], "hasMore": false}));
    for wrong in ["after=-1", "after=x", "after=1&after=2", "before=1"] {
        assert_eq!(acme.get(&format!("{events}?{wrong}")).await.0, 400, "{wrong}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_lives_by_its_table() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let path = posted(&site).await;
    for (action, status, after) in [
        ("relist", 409, "available"),
        ("release", 409, "available"),
        ("withdraw", 200, "withdrawn"),
        ("withdraw", 409, "withdrawn"),
        ("relist", 200, "available"),
    ] {
        let (answered, view) = acme.post(&format!("{path}/{action}")).await;
        assert_eq!(answered, status, "{action}: {view}");
        assert_eq!(acme.get(&path).await.1["status"], after, "{action}");
    }
    let stale = acme.ask("POST", &format!("{path}/withdraw")).header("if-match", "\"1\"");
    assert_eq!(answered(stale).await.1["code"], "STALE_VERSION");
    let (_, refused) = acme.post(&format!("{path}/release")).await;
    assert!(refused["detail"].as_str().is_some_and(|d| d.ends_with("possible now: update, reserve, sell, withdraw")));
    site.end().await;
}

/// What is changed in a good deal (a field, its JSON; null takes it away), the status, code and pointer of the refusal.
const FAULTS: &[(&str, &str, u16, &str, &str)] = &[
    ("name", "null", 400, "FIELD_MISSING", "/name"),
    ("name", "7", 400, "WRONG_TYPE", "/name"),
    ("name", "\"\"", 422, "NAME_MALFORMED", "/name"),
    ("currency", "\"gbp\"", 422, "CURRENCY_UNKNOWN", "/currency"),
    ("currency", "\"XAU\"", 422, "CURRENCY_UNKNOWN", "/currency"),
    ("items", "[]", 422, "ITEM_COUNT", "/items"),
    ("items", "{}", 400, "WRONG_TYPE", "/items"),
    ("items", "[7]", 400, "WRONG_TYPE", "/items/0"),
    ("items", "[{\"name\":\"a\",\"price\":1},{\"name\":\"b\"}]", 400, "FIELD_MISSING", "/items/1/price"),
    ("items", "[{\"name\":\"a\",\"price\":1.5}]", 400, "NOT_AN_INTEGER", "/items/0/price"),
    ("items", "[{\"name\":\"a\",\"price\":\"1\"}]", 400, "NOT_AN_INTEGER", "/items/0/price"),
    ("items", "[{\"name\":\"a\",\"price\":-1}]", 422, "PRICE_OUT_OF_RANGE", "/items/0/price"),
    ("items", "[{\"name\":\"a\",\"price\":9007199254740992}]", 422, "AMOUNT_TOO_LARGE", "/items/0/price"),
    ("items", "[{\"name\":\"a\",\"price\":1,\"colour\":1}]", 400, "UNKNOWN_FIELD", "/items/0/colour"),
    ("items", "[{\"name\":\"a\",\"name\":\"b\",\"price\":1}]", 400, "DUPLICATE_FIELD", "/items/0"),
    ("discount", "[]", 400, "WRONG_TYPE", "/discount"),
    ("discount", "{\"amount\":1}", 400, "FIELD_MISSING", "/discount/type"),
    ("discount", "{\"type\":\"free\"}", 422, "UNKNOWN_CHOICE", "/discount/type"),
    ("discount", "{\"type\":\"flat\"}", 400, "FIELD_MISSING", "/discount/amount"),
    ("discount", "{\"type\":\"flat\",\"amount\":-1}", 422, "DISCOUNT_OUT_OF_RANGE", "/discount"),
    (
        "discount",
        "{\"type\":\"flat\",\"amount\":1,\"currency\":\"EUR\"}",
        422,
        "DISCOUNT_CURRENCY_DIFFERS",
        "/discount/currency",
    ),
    (
        "discount",
        "{\"type\":\"percentage\",\"basisPoints\":10001}",
        422,
        "DISCOUNT_OUT_OF_RANGE",
        "/discount/basisPoints",
    ),
    ("discount", "{\"type\":\"percentage\",\"amount\":1}", 400, "FIELD_MISSING", "/discount/basisPoints"),
    ("totalPrice", "13500", 422, "TOTAL_PRICE_DIFFERS", "/totalPrice"),
    ("sellerId", "\"acme\"", 400, "UNKNOWN_FIELD", "/sellerId"),
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_deals_are_refused_with_the_field_and_change_nothing() {
    let site = Site::idle().await;
    let acme = site.caller("acme");
    for (field, value, status, code, pointer) in FAULTS {
        // As text, so that what no JSON library would write gets through.
        let mut text = chairs().to_string();
        text.pop();
        let text = match chairs().get(field) {
            Some(old) => {
                format!("{text}}}").replacen(&format!("\"{field}\":{old}"), &format!("\"{field}\":{value}"), 1)
            }
            None => format!("{text},\"{field}\":{value}}}"),
        };
        let request = acme.ask("POST", "/v1/deals").header("content-type", "application/json").body(text);
        let problem = problem(request.send().await.expect("an answer")).await;
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(status), &json!(code)),
            "{field}: {value}: {problem}"
        );
        assert_eq!(problem["errors"][0]["pointer"], *pointer, "{field}: {value}");
    }
    let mut deal = chairs();
    deal["totalPrice"] = json!(13_500);
    let detail = acme.send("POST", "/v1/deals", &deal).await.1["detail"].to_string();
    assert!(detail.contains("13500") && detail.contains("13501"), "{detail}");
    assert_eq!(site.events().await, 0);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_see_a_sellers_deals_from_its_word_on_and_until_it_takes_it_back() {
    let site = Site::new().await;
    let (acme, bob) = (site.caller("acme"), site.caller("bob"));
    let path = posted(&site).await;
    let paths = [path.clone(), format!("{path}/events"), format!("{path}/bids")];
    let listed = async || bob.get("/v1/deals").await.1["data"].as_array().expect("a list").len();
    for round in 0..3 {
        for path in &paths {
            assert_eq!(bob.get(path).await.1["code"], "DEAL_NOT_FOUND", "round {round}: {path}");
        }
        assert_eq!((listed().await, bob.get("/v1/deals?seller=acme").await.1["data"].clone()), (0, json!([])));
        let (status, problem) = bob.send("POST", &format!("{path}/bids"), &json!({"amount": 1})).await;
        assert_eq!((status, &problem["code"]), (404, &json!("DEAL_NOT_FOUND")));

        authorised(&site, "bob").await;
        for path in &paths {
            assert_eq!(bob.get(path).await.0, 200, "round {round}: {path}");
        }
        assert_eq!(listed().await, 1);
        // To see is not to change.
        for action in ["withdraw", "relist", "release", "sell"] {
            assert_eq!(bob.post(&format!("{path}/{action}")).await.1["code"], "DEAL_NOT_FOUND", "{action}");
        }
        let put = bob.ask("PUT", &path).header("if-match", "*").json(&chairs());
        assert_eq!(answered(put).await.1["code"], "DEAL_NOT_FOUND");

        let (status, revoked) = answered(acme.ask("DELETE", "/v1/sellers/acme/buyers/bob")).await;
        assert_eq!((status, &revoked["status"]), (200, &json!("revoked")));
        assert_eq!(answered(acme.ask("DELETE", "/v1/sellers/acme/buyers/bob")).await.1, revoked);
    }
    authorised(&site, "carol").await;
    let names = async |query: &str| {
        let (_, page) = acme.get(&format!("/v1/sellers/acme/buyers{query}")).await;
        page["data"].as_array().expect("a list").iter().map(|one| one["buyerId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((names("").await, names("?status=revoked").await), (vec![json!("carol")], vec![json!("bob")]));
    // A seller's list is its own.
    assert_eq!(bob.get("/v1/sellers/acme/buyers").await.1["code"], "SELLER_NOT_FOUND");
    let (_, own) = acme.send("POST", "/v1/sellers/acme/buyers", &json!({"buyerId": "acme"})).await;
    assert_eq!((&own["code"], &own["errors"][0]["pointer"]), (&json!("OWN_ACCOUNT"), &json!("/buyerId")));
    let (_, never) = answered(acme.ask("DELETE", "/v1/sellers/acme/buyers/eve")).await;
    assert_eq!(never["code"], "BUYER_NOT_FOUND");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_filter_and_pages_stay_where_they_are_while_deals_are_added() {
    let site = Site::new().await;
    let deal = |currency: &str, price: u32| json!({"name": "x", "currency": currency, "items": [{"name": "y", "price": price}]});
    for (seller, currency, price) in [
        ("acme", "GBP", 100),
        ("acme", "EUR", 200),
        ("globex", "GBP", 300),
        ("hidden", "GBP", 400),
        ("globex", "JPY", 500),
        ("bob", "GBP", 600),
    ] {
        assert_eq!(site.caller(seller).send("POST", "/v1/deals", &deal(currency, price)).await.0, 201);
    }
    for seller in ["acme", "globex"] {
        let path = format!("/v1/sellers/{seller}/buyers");
        assert_eq!(site.caller(seller).send("POST", &path, &json!({"buyerId": "bob"})).await.0, 201);
    }
    let bob = site.caller("bob");
    let prices = |page: &Value| {
        let deals = page["data"].as_array().expect("a list").iter();
        deals.map(|deal| deal["totalPrice"].as_i64().expect("a price")).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("", vec![600, 500, 300, 200, 100]),
        ("?seller=globex", vec![500, 300]),
        ("?seller=globex,acme&currency=GBP", vec![300, 100]),
        ("?seller=hidden", vec![]),
        ("?minPrice=200&maxPrice=300", vec![300, 200]),
        ("?maxPrice=100", vec![100]),
        ("?status=sold", vec![]),
        ("?status=available&currency=JPY", vec![500]),
    ] {
        let (status, page) = bob.get(&format!("/v1/deals{query}")).await;
        assert_eq!((status, prices(&page)), (200, expected), "{query}");
    }
    for bad in ["?status=x", "?currency=pound", "?minPrice=x", "?seller=a%20b", "?colour=x", "?cursor=x"] {
        assert_eq!(bob.get(&format!("/v1/deals{bad}")).await.0, 400, "{bad}");
    }

    let (mut seen, mut path) = (Vec::new(), "/v1/deals?limit=2".to_owned());
    for price in 0.. {
        let (_, page) = bob.get(&path).await;
        seen.extend(prices(&page));
        // Between two pages there is always news.
        assert_eq!(site.caller("acme").send("POST", "/v1/deals", &deal("USD", 1_000 + price)).await.0, 201);
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/v1/deals?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, [600, 500, 300, 200, 100]);
    // A cursor is its account's and its list's.
    assert_eq!(site.caller("acme").get(&path).await.1["code"], "INVALID_CURSOR");
    assert_eq!(bob.get(&format!("{path}&currency=GBP")).await.1["code"], "INVALID_CURSOR");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_command() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let post = async |key: &str, deal: Value| {
        answered(acme.ask("POST", "/v1/deals").header("idempotency-key", key).json(&deal)).await
    };
    let twenty = futures_util::future::join_all((0..20).map(|_| post("k", chairs()))).await;
    let ids: HashSet<String> = twenty.iter().map(|(_, deal)| id(deal)).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(site.events().await, 1);
    let mut other = chairs();
    other["name"] = json!("Other chairs");
    assert_eq!(post("k", other.clone()).await.1["code"], "IDEMPOTENCY_KEY_REUSED");

    // A change that was made is answered again, though its version is no more the present one.
    let path = format!("/v1/deals/{}", ids.iter().next().expect("one"));
    let put = || acme.ask("PUT", &path).header("if-match", "\"1\"").header("idempotency-key", "u").json(&other);
    let first = answered(put()).await;
    assert_eq!((first.0, &first.1["version"]), (200, &json!(2)));
    for action in ["withdraw", "relist"] {
        let path = format!("{path}/{action}");
        let done = answered(acme.ask("POST", &path).header("idempotency-key", action)).await;
        assert_eq!(done.0, 200);
        let again = acme.ask("POST", &path).header("idempotency-key", action).send().await.expect("an answer");
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        assert_eq!(body(again).await, done.1);
    }
    assert_eq!(answered(put()).await, first);
    assert_eq!(site.events().await, 4);
    let authorise = || {
        let request = acme.ask("POST", "/v1/sellers/acme/buyers").header("idempotency-key", "b");
        answered(request.json(&json!({"buyerId": "bob"})))
    };
    let said = authorise().await;
    assert_eq!(authorise().await, said);
    assert_eq!(site.events().await, 5);
    site.end().await;
}

//! Lists through the cache, which are never old, and what an operator sees of it.

use serde_json::{Value, json};

use crate::deals::{authorised, chairs, id, posted};
use crate::shop::{ORDERS, mugs};
use crate::site::{Site, answered, body, problem};

/// The ids and versions that a caller's list shows.
async fn listed(site: &Site, account: &str, query: &str) -> Vec<(String, u64)> {
    let (status, page) = site.caller(account).get(&format!("/v1/deals{query}")).await;
    assert_eq!(status, 200, "{page}");
    let deals = page["data"].as_array().expect("a page");
    deals.iter().map(|deal| (id(deal), deal["version"].as_u64().expect("a version"))).collect()
}

async fn statistics(site: &Site) -> Value {
    body(site.get("/v1/admin/cache").send().await.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_every_write_that_was_answered() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    authorised(&site, "bob").await;
    let mut expected = Vec::new();
    for round in 1..=5_u64 {
        let path = posted(&site).await;
        expected.insert(0, (path.rsplit('/').next().expect("an id").to_owned(), 1));
        for account in ["acme", "bob", "acme", "bob"] {
            assert_eq!(listed(&site, account, "").await, expected, "{account} in round {round}");
        }
        let changed = acme.ask("PUT", &path).header("if-match", "*").json(&chairs()).send().await.expect("an answer");
        assert_eq!(changed.status(), 200);
        expected[0].1 = 2;
        for account in ["bob", "acme"] {
            assert_eq!(listed(&site, account, "").await, expected, "{account} in round {round}");
            assert_eq!(listed(&site, account, "?status=withdrawn").await, []);
            // Pages of one list, and its filters in another order, are kept apart and found again.
            assert_eq!(listed(&site, account, "?status=available&limit=1").await, expected[..1]);
            assert_eq!(listed(&site, account, "?limit=1&status=available").await, expected[..1]);
        }
    }
    let seen = statistics(&site).await;
    assert!(seen["hits"].as_u64() > Some(20) && seen["hitRatio"].as_f64() > Some(0.2), "{seen}");

    // Leave that is taken back counts at once, and so does leave that is given.
    for round in 0..3 {
        assert_eq!(listed(&site, "bob", "").await, expected, "round {round}");
        let revoked = acme.ask("DELETE", "/v1/sellers/acme/buyers/bob").send().await.expect("an answer");
        assert!(revoked.status().is_success());
        assert_eq!(listed(&site, "bob", "").await, []);
        assert_eq!(listed(&site, "eve", "").await, []);
        authorised(&site, "bob").await;
    }
    site.end().await;
}

/// Read by id and listed, in the program's own words and in the recorded ones.
#[tokio::test(flavor = "multi_thread")]
async fn orders_show_every_write_that_was_answered() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let mut expected: Vec<(String, u64, &str)> = Vec::new();
    let shown = async |expected: &[(String, u64, &str)]| {
        let listed = |page: &Value| -> Vec<(String, u64, String)> {
            let orders = page["data"].as_array().expect("a page").iter();
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            orders.map(|one| (id(one), one["version"].as_u64().expect("a version"), text(&one["status"]))).collect()
        };
        let all: Vec<_> =
            expected.iter().map(|(id, version, status)| (id.clone(), *version, (*status).to_owned())).collect();
        // Twice: from the journal, and from the cache.
        for _ in 0..2 {
            assert_eq!(listed(&acme.get(ORDERS).await.1), all);
            let pending = acme.get(&format!("{ORDERS}?status=PENDING")).await.1;
            let there = all.iter().filter(|(.., status)| status == "PENDING");
            assert_eq!(listed(&pending), there.cloned().collect::<Vec<_>>());
            let recorded = acme.get("/shop/api/orders").await.1;
            assert_eq!(
                (&recorded["total"], recorded["orders"].as_array().map(Vec::len)),
                (&json!(all.len()), Some(all.len()))
            );
            for (id, version, status) in &all {
                let order = acme.get(&format!("{ORDERS}/{id}")).await.1;
                assert_eq!((&order["version"], &order["status"]), (&json!(version), &json!(status)));
            }
            assert_eq!(listed(&site.caller("other").get(ORDERS).await.1), []);
        }
    };
    for _ in 0..3 {
        shown(&expected).await;
        let (status, order) = acme.send("POST", ORDERS, &mugs()).await;
        assert_eq!(status, 201, "{order}");
        let path = format!("{ORDERS}/{}", id(&order));
        expected.insert(0, (id(&order), 1, "PENDING"));
        shown(&expected).await;
        let edit = acme.ask("PATCH", &path).header("if-match", "*").json(&json!({"note": "Ring twice"}));
        assert_eq!(answered(edit).await.0, 200);
        expected[0].1 = 2;
        shown(&expected).await;
        let moved = acme.send("POST", &format!("{path}/status"), &json!({"status": "PROCESSING"})).await;
        assert_eq!(moved.0, 200, "{}", moved.1);
        (expected[0].1, expected[0].2) = (3, "PROCESSING");
        shown(&expected).await;
    }
    let (gone, ..) = expected.remove(1);
    let deleted = acme.ask("DELETE", &format!("{ORDERS}/{gone}")).send().await.expect("an answer");
    assert!(deleted.status().is_success());
    shown(&expected).await;
    assert_eq!(acme.get(&format!("/shop/api/orders/{gone}")).await.0, 404);
    assert!(statistics(&site).await["hits"].as_u64() > Some(50));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_page_leads_to_the_next_as_it_was_asked_for() {
    let site = Site::new().await;
    for _ in 0..3 {
        posted(&site).await;
    }
    let acme = site.caller("acme");
    let page = async |path: &str| {
        let answer = acme.ask("GET", path).send().await.expect("an answer");
        let link = answer.headers()["link"].to_str().expect("text").to_owned();
        (link, body(answer).await)
    };
    let (first, said) = page("/v1/deals?limit=2&status=available").await;
    assert_eq!(page("/v1/deals?limit=2&status=available").await, (first.clone(), said.clone()));
    let (other, same) = page("/v1/deals?status=available&limit=2").await;
    assert_eq!(said, same, "from the cache");
    let next = said["nextCursor"].as_str().expect("a cursor");
    assert_eq!(first, format!("</v1/deals?limit=2&status=available&cursor={next}>; rel=\"next\""));
    assert_eq!(other, format!("</v1/deals?status=available&limit=2&cursor={next}>; rel=\"next\""));
    for _ in 0..2 {
        let (status, last) = acme.get(&format!("/v1/deals?status=available&limit=2&cursor={next}")).await;
        assert_eq!((status, last["data"].as_array().map(Vec::len), &last["hasMore"]), (200, Some(1), &json!(false)));
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_the_cache_and_takes_things_out() {
    let site = Site::idle().await;
    let empty = statistics(&site).await;
    assert_eq!((&empty["reach"], &empty["hitRatio"], &empty["keys"]), (&json!("process"), &Value::Null, &json!(0)));
    let mut ids = Vec::new();
    for _ in 0..25 {
        ids.push(site.place().await);
        let path = format!("/v1/swaps/{}", ids.last().expect("one"));
        for _ in 0..2 {
            assert_eq!(site.get(&path).send().await.expect("an answer").status(), 200);
        }
    }
    let seen = statistics(&site).await;
    for (field, expected) in [
        ("hits", json!(25)),
        ("misses", json!(25)),
        ("fills", json!(25)),
        ("hitRatio", json!(0.5)),
        ("keys", json!(25)),
        ("complete", json!(true)),
    ] {
        assert_eq!(seen[field], expected, "{field} in {seen}");
    }
    assert!(seen["bytes"].as_u64() > Some(25 * 200), "{seen}");

    let (mut found, mut path) = (Vec::new(), "/v1/admin/cache/keys?limit=10".to_owned());
    loop {
        let page = body(site.get(&path).send().await.expect("an answer")).await;
        for held in page["data"].as_array().expect("a page") {
            assert_eq!((&held["holds"], &held["version"]), (&json!("value"), &json!(1)), "{held}");
            found.push(held["key"].as_str().expect("a key").to_owned());
        }
        let Some(next) = page["nextCursor"].as_str() else { break };
        path = format!("/v1/admin/cache/keys?limit=10&cursor={next}");
    }
    found.sort();
    let mut expected: Vec<_> = ids.iter().map(|id| format!("swap:2:{id}")).collect();
    expected.sort();
    assert_eq!(found, expected);

    let path = format!("/v1/admin/cache/keys/{}", expected[0].replace(':', "%3A"));
    assert_eq!(site.request("DELETE", &path).send().await.expect("an answer").status(), 204);
    let again = site.request("DELETE", &path).send().await.expect("an answer");
    assert_eq!(again.status(), 404);
    assert_eq!(problem(again).await["code"], "CACHE_KEY_NOT_FOUND");
    assert_eq!(statistics(&site).await["keys"], 24);
    assert_eq!(site.request("DELETE", "/v1/admin/cache").send().await.expect("an answer").status(), 204);
    assert_eq!(statistics(&site).await["keys"], 0);

    for query in ["limit=0", "limit=101", "cursor=nonsense", "colour=red"] {
        let answer = site.get(&format!("/v1/admin/cache/keys?{query}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{query}");
    }
    site.end().await;
}

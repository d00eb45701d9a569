//! Lists of a shop's orders: filtered, sorted, paged, and the same page again out of the cache only while it is true.

use serde_json::json;

use crate::shop::{ORDERS, listed, mugs, taken};
use crate::site::{Site, answered};

/// Totals in turn; customers in turn of three, one written in two ways.
fn total(n: u64) -> i64 {
    i64::try_from(n * 7 % 5).expect("small") * 100
}

fn customer(n: u64) -> &'static str {
    ["ada@example.org", "bob@example.org", "Ada@Example.ORG"][usize::try_from(n % 3).expect("small")]
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_by_what_is_asked_for_and_as() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let mut paths = Vec::new();
    for n in 0..30 {
        paths.push(taken(&site, n, customer(n), total(n)).await);
    }
    for (n, status) in [(1, "PROCESSING"), (2, "CANCELLED"), (3, "COMPLETED"), (9, "PROCESSING")] {
        let path = format!("{}/status", paths[n]);
        assert_eq!(acme.send("POST", &path, &json!({"status": status})).await.0, 200);
    }
    assert_eq!(answered(acme.ask("DELETE", &paths[4])).await.0, 200);
    let there = || (0..30_u64).filter(|n| *n != 4);
    let back = |mut numbers: Vec<u64>| {
        numbers.reverse();
        numbers
    };
    let by_total = |numbers: Vec<u64>| {
        let mut numbers = numbers;
        numbers.sort_by_key(|n| (total(*n), *n));
        numbers
    };
    for limit in [1, 4, 100] {
        let listed = async |query: &str| listed(&site, "acme", &format!("limit={limit}&{query}")).await;
        assert_eq!(listed("").await, back(there().collect()));
        assert_eq!(listed("sort=-created").await, back(there().collect()));
        assert_eq!(listed("sort=created").await, there().collect::<Vec<_>>());
        assert_eq!(listed("sort=total").await, by_total(there().collect()));
        assert_eq!(listed("sort=-total").await, back(by_total(there().collect())));
        assert_eq!(listed("status=PROCESSING").await, [9, 1]);
        assert_eq!(listed("status=COMPLETED,CANCELLED&sort=created").await, [2, 3]);
        assert_eq!(listed("deleted=true").await, [4]);
        let adas: Vec<u64> = there().filter(|n| n % 3 != 1).collect();
        assert_eq!(listed("customer=ADA@example.org").await, back(adas.clone()));
        assert_eq!(listed("customer=ada@example.org&sort=total").await, by_total(adas.clone()));
        let cheap = |n: &u64| (100..=200).contains(&total(*n));
        assert_eq!(listed("minTotal=100&maxTotal=200").await, back(there().filter(cheap).collect()));
        assert_eq!(listed("minTotal=100&maxTotal=200&sort=total").await, by_total(there().filter(cheap).collect()));
        assert_eq!(listed("customer=nobody@example.org").await, [0; 0]);
        assert_eq!(listed("from=2020-01-01&to=2999-01-01T00:00:00%2B01:00").await, back(there().collect()));
        assert_eq!(listed("from=2999-01-01").await, [0; 0]);
    }
    let (_, tenth) = acme.get(&paths[10]).await;
    let at = tenth["createdAt"].as_str().expect("a time");
    assert_eq!(
        listed(&site, "acme", &format!("to={at}&limit=3&sort=created")).await,
        there().take_while(|n| *n < 10).collect::<Vec<_>>()
    );
    for more in ["", "&sort=total", "&customer=ada@example.org"] {
        let found = listed(&site, "acme", &format!("from={at}&limit=2{more}")).await;
        let expected = there().filter(|n| *n >= 10 && (more.is_empty() || !more.contains("customer") || n % 3 != 1));
        let mut sorted = found.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected.collect::<Vec<_>>(), "{more}");
    }
    for wrong in [
        "status=pending",
        "sort=name",
        "from=yesterday",
        "minTotal=1.5",
        "deleted=true&status=PENDING",
        "format=xml",
        "x=1",
    ] {
        let (status, problem) = acme.get(&format!("{ORDERS}?{wrong}")).await;
        assert_eq!(status, 400, "{wrong}: {problem}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_for_its_list_and_a_list_is_never_older_than_an_answer() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    for n in 0..4 {
        taken(&site, n, customer(n), total(n)).await;
    }
    let (_, page) = acme.get(&format!("{ORDERS}?limit=2&sort=total")).await;
    let cursor = page["nextCursor"].as_str().expect("a cursor");
    assert_eq!(acme.get(&format!("{ORDERS}?limit=2&sort=total&cursor={cursor}")).await.0, 200);
    for other in ["sort=-total", "sort=created", "status=PENDING&sort=total", "customer=ada@example.org&sort=total"] {
        let (status, problem) = acme.get(&format!("{ORDERS}?limit=2&{other}&cursor={cursor}")).await;
        assert_eq!((status, &problem["code"]), (400, &json!("INVALID_CURSOR")), "{other}");
    }
    assert_eq!(site.caller("other").get(&format!("{ORDERS}?limit=2&sort=total&cursor={cursor}")).await.0, 400);
    for n in 4..20 {
        let path = taken(&site, n, customer(n), total(n)).await;
        assert_eq!(listed(&site, "acme", "limit=1&status=PENDING").await[0], n);
        let status = format!("{path}/status");
        assert_eq!(acme.send("POST", &status, &json!({"status": "CANCELLED"})).await.0, 200);
        assert_eq!(listed(&site, "acme", "status=CANCELLED").await[0], n);
    }
    assert_eq!(acme.send("POST", ORDERS, &mugs()).await.0, 201);
    site.end().await;
}

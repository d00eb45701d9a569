//! Lists as CSV: every page of them, streamed, safe in a spreadsheet.

use serde_json::json;

use crate::shop::{ORDERS, mugs, taken, with};
use crate::site::{Site, answered};

/// A list as text, its head apart.
async fn sheet(site: &Site, account: &str, path: &str, accept: Option<&str>) -> (String, Vec<String>) {
    let request = site.caller(account).ask("GET", path);
    let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    let text = answer.text().await.expect("all of it");
    let mut lines = text.strip_suffix("\r\n").expect("an end of line").split("\r\n").map(str::to_owned);
    (lines.next().expect("a head"), lines.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_many_pages_is_streamed_whole() {
    let site = Site::new().await;
    for n in 0..250 {
        taken(&site, n, "ada@example.org", 100).await;
    }
    let (head, lines) = sheet(&site, "acme", &format!("{ORDERS}?sort=created&format=csv"), None).await;
    assert!(head.starts_with("id,version,status,customer.name,customer.email,"), "{head}");
    let reference = head.split(',').position(|column| column == "externalReference").expect("the column");
    // What stands before it has no commas here.
    let numbers: Vec<_> = lines.iter().map(|line| line.split(',').nth(reference).expect("a cell").to_owned()).collect();
    assert_eq!(numbers, (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
    let (_, some) = sheet(&site, "acme", &format!("{ORDERS}?maxTotal=99"), Some("text/csv")).await;
    assert!(some.is_empty());
    let (_, others) = sheet(&site, "other", ORDERS, Some("text/csv;q=0.9, */*;q=0.1")).await;
    assert!(others.is_empty());
    let json = site.caller("acme").ask("GET", ORDERS).header("accept", "text/csv, application/json");
    assert_eq!(answered(json).await.1["data"].as_array().map(Vec::len), Some(20));
    // By either the answer depends on the header, and `format` goes before it.
    for (query, accept, expected) in [
        ("", "*/*", "application/json"),
        ("?format=json", "text/csv", "application/json"),
        ("?format=json&limit=1", "text/csv", "application/json"),
        ("?format=csv", "application/json", "text/csv; charset=utf-8; header=present"),
    ] {
        let asked = site.caller("acme").ask("GET", &format!("{ORDERS}{query}")).header("accept", accept);
        let answer = asked.send().await.expect("an answer");
        let said = |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(
            (answer.status().as_u16(), said("content-type").as_deref(), said("vary").as_deref()),
            (200, Some(expected), Some("accept")),
            "{query} {accept}"
        );
    }
    // What the list refuses is refused before anything is written.
    for wrong in [
        "format=csv&status=none",
        "format=csv&cursor=none",
        "format=xml",
        "format=csv&format=csv",
        "format=json&format=json",
    ] {
        let (status, problem) = site.caller("acme").get(&format!("{ORDERS}?{wrong}")).await;
        assert_eq!(status, 400, "{wrong}: {problem}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_writes_is_no_formula() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let order = with(json!({"customer": {"name": "=HYPERLINK(\"http://evil\",\"x\")", "email": "+49@example.org"},
        "note": "a,\nb", "externalReference": "-1+1"}));
    assert_eq!(acme.send("POST", ORDERS, &order).await.0, 201);
    let text = acme.ask("GET", &format!("{ORDERS}?format=csv")).send().await.expect("an answer");
    let file = text.headers()["content-disposition"].to_str().expect("text").to_owned();
    let text = text.text().await.expect("text");
    assert_eq!(file, "attachment; filename=\"shop-orders.csv\"");
    for cell in [
        ",\"'=HYPERLINK(\"\"http://evil\"\",\"\"x\"\")\",'+49@example.org,",
        ",'-1+1,",
        ",\"a,\nb\",",
        ",GBP,2899,290,2609,",
    ] {
        assert!(text.contains(cell), "{cell} in {text}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_business_things_is_there_as_csv() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    site.place().await;
    assert_eq!(acme.send("PUT", "/v1/shop/stock/mug", &json!({"onHand": 5})).await.0, 200);
    assert_eq!(acme.send("POST", ORDERS, &mugs()).await.0, 201);
    let deal = json!({"name": "a deal", "currency": "GBP", "items": [{"name": "one", "price": 1_000}]});
    let (_, deal) = acme.send("POST", "/v1/deals", &deal).await;
    for (account, path, rows) in [
        ("default", "/v1/swaps".to_owned(), 1),
        ("acme", "/v1/deals".to_owned(), 1),
        ("acme", format!("/v1/deals/{}/bids", deal["id"].as_str().expect("an id")), 0),
        ("acme", "/v1/bids".to_owned(), 0),
        ("acme", "/v1/invoices".to_owned(), 0),
        ("acme", "/v1/sellers/acme/buyers".to_owned(), 0),
        ("acme", ORDERS.to_owned(), 1),
        ("acme", "/v1/shop/stock".to_owned(), 1),
        ("acme", "/v1/webhooks/endpoints".to_owned(), 0),
        ("acme", "/v1/webhooks/deliveries".to_owned(), 0),
        ("acme", "/v1/keys".to_owned(), 0),
    ] {
        let (head, lines) = sheet(&site, account, &path, Some("text/csv")).await;
        assert_eq!(lines.len(), rows, "{path}: {head}");
    }
    let (_, lines) = sheet(&site, "acme", "/v1/shop/stock", Some("text/csv")).await;
    assert!(lines[0].starts_with("mug,3,2,5,5,1,"), "{lines:?}");
    site.end().await;
}

//! Sales over HTTP, and the invoices that come of them.

use futures_util::future::join_all;
use serde_json::json;

use crate::deals::{authorised, posted};
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_invoiced_to_the_two_whom_it_concerns() {
    let site = Site::new().await;
    let (acme, bob, eve) = (site.caller("acme"), site.caller("bob"), site.caller("eve"));
    let deal = posted(&site).await;
    let sell = format!("{deal}/sell");
    let (status, missing) = acme.post(&sell).await;
    assert_eq!((status, &missing["code"]), (422, &json!("BUYER_REQUIRED")));
    let (status, stranger) = acme.send("POST", &sell, &json!({"buyerId": "bob"})).await;
    assert_eq!(
        (status, &stranger["code"], &stranger["errors"][0]["pointer"]),
        (422, &json!("BUYER_NOT_AUTHORISED"), &json!("/buyerId"))
    );
    for buyer in ["bob", "eve"] {
        authorised(&site, buyer).await;
    }
    let (status, sold) = acme.send("POST", &sell, &json!({"buyerId": "bob"})).await;
    assert_eq!((status, &sold["status"]), (200, &json!("sold")), "{sold}");
    assert_eq!(acme.send("POST", &sell, &json!({"buyerId": "bob"})).await.1["code"], "WRONG_STATE");

    let path = format!("/v1/invoices/{}", sold["invoiceId"].as_str().expect("an id"));
    let (_, invoice) = bob.get(&path).await;
    assert_eq!(
        (&invoice["number"], &invoice["total"], &invoice["currencyExponent"]),
        (&json!(1), &json!(13_501), &json!(2))
    );
    let amounts: Vec<_> =
        invoice["lines"].as_array().expect("lines").iter().map(|line| line["amount"].clone()).collect();
    assert_eq!(amounts, [json!(9_001), json!(4_500)]);
    for (path, accept) in [(path.clone(), "text/html"), (format!("{path}/html"), "*/*")] {
        let page = acme.ask("GET", &path).header("accept", accept).send().await.expect("an answer");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(page.headers().contains_key("content-security-policy"));
        assert!(page.text().await.expect("text").contains("GBP 135.01"));
    }
    for path in [path.clone(), format!("{path}/html")] {
        assert_eq!(eve.get(&path).await.1["code"], "INVOICE_NOT_FOUND");
    }
    for (who, query, expected) in [
        (acme, "", 1),
        (bob, "", 1),
        (eve, "", 0),
        (acme, "?as=buyer", 0),
        (bob, "?as=buyer", 1),
        (eve, &*format!("?dealId={}", deal.rsplit('/').next().expect("an id")), 0),
        (bob, &*format!("?dealId={}", deal.rsplit('/').next().expect("an id")), 1),
    ] {
        let (_, page) = who.get(&format!("/v1/invoices{query}")).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(expected), "{query}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_are_numbered_without_gaps_however_many_at_once() {
    let site = Site::new().await;
    authorised(&site, "bob").await;
    let deals = join_all((0..24).map(|_| posted(&site))).await;
    let acme = site.caller("acme");
    // Each is asked for twice at once: half of the sales are refused, and take no number.
    let sales = deals
        .iter()
        .chain(&deals)
        .map(async |deal| acme.send("POST", &format!("{deal}/sell"), &json!({"buyerId": "bob"})).await.0);
    let statuses = join_all(sales).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 24);
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    let (_, page) = acme.get("/v1/invoices?limit=100").await;
    let numbers = page["data"].as_array().expect("a list").iter().map(|one| one["number"].as_u64().expect("a number"));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=24).collect::<Vec<_>>());
    site.end().await;
}

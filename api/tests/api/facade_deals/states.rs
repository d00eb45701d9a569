//! The states of a deal as the facade shows and changes them.

use super::*;

/// Answers to a request of the native API.
async fn native(site: &Site, key: &str, path: &str, sent: &Value) -> Value {
    let answer = site.post(path, sent.to_string()).header("x-api-key", key).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.expect("a body"));
    body(answer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_deal_shows_as_available_and_is_sold_to_its_buyer() {
    let site = market().await;
    let deal = post(&site, |_| ()).await;
    let path = format!("/v1/deals/{}/bids", deal["id"].as_str().expect("an id"));
    let bid = native(&site, BUYER1, &path, &json!({"amount": 14_000})).await;
    native(&site, KEY1, &format!("/v1/bids/{}/accept", bid["id"].as_str().expect("an id")), &json!({})).await;
    assert_eq!(list(&site, "").await["deals"][0]["status"], "available");
    // As it is, it stays reserved; other terms are not possible now; sold, it has an invoice at the price agreed.
    assert_eq!(send(&site, "PUT", KEY1, &deal).send().await.expect("an answer").status(), 200);
    let mut other = deal.clone();
    other["totalPrice"] = 1.into();
    let answer = text(send(&site, "PUT", KEY1, &other).send().await.expect("an answer"), 422).await;
    assert!(answer.starts_with(r#"[{"code":"custom","message":"#) && answer.contains("reserved"), "{answer}");
    let mut sold = deal.clone();
    sold["status"] = "sold".into();
    let answer = send(&site, "PUT", KEY1, &sold).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), body(answer).await["status"].clone()), (200, "sold".into()));
    let invoices = site.get("/v1/invoices").header("x-api-key", BUYER1).send().await.expect("an answer");
    assert_eq!(body(invoices).await["data"].as_array().map(Vec::len), Some(1));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_goes_through_the_table() {
    let site = market().await;
    let posted = post(&site, |_| ()).await;
    let with = |name: &str, status: &str| {
        let mut sent = posted.clone();
        (sent["name"], sent["status"]) = (name.into(), status.into());
        sent
    };
    let put = async |sent: &Value| send(&site, "PUT", KEY1, sent).send().await.expect("an answer");
    let sold = put(&with("Sold chairs", "sold")).await;
    assert_eq!(body(sold).await["status"], "sold");
    assert_eq!(list(&site, "").await["deals"][0]["status"], "sold");
    let before = site.events().await;
    // The same again is no change; anything else is one too many.
    assert_eq!(put(&with("Sold chairs", "sold")).await.status(), 200);
    for sent in [with("Sold chairs", "available"), with("Other chairs", "sold")] {
        let issues: Value = serde_json::from_str(&text(put(&sent).await, 422).await).expect("JSON");
        assert_eq!((&issues[0]["code"], &issues[0]["path"]), (&json!("custom"), &json!(["status"])), "{issues}");
    }
    assert_eq!(site.events().await, before);
    let sold_at_once = post(&site, |sent| sent["status"] = "sold".into()).await;
    assert_eq!(sold_at_once["status"], "sold");
    site.end().await;
}

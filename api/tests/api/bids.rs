//! Bids over HTTP: made, answered, expired, closed; of many that are accepted at once one wins.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::Timestamp;
use engine::clock;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::deals::{authorised, chairs, id, posted};
use crate::site::{PATIENCE, Site, answered};

async fn offered(site: &Site, deal: &str, buyer: &str, amount: u32) -> String {
    let (status, bid) = site.caller(buyer).send("POST", &format!("{deal}/bids"), &json!({"amount": amount})).await;
    assert_eq!(status, 201, "{bid}");
    format!("/v1/bids/{}", id(&bid))
}

async fn until_status(site: &Site, path: &str, account: &str, status: &str) -> Value {
    let started = Instant::now();
    loop {
        let (_, view) = site.caller(account).get(path).await;
        if view["status"] == status {
            return view;
        }
        assert!(started.elapsed() < PATIENCE, "{path} did not become {status}: {view}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_named_answered_taken_and_let_go() {
    let site = Site::new().await;
    let (acme, bob, eve) = (site.caller("acme"), site.caller("bob"), site.caller("eve"));
    let deal = posted(&site).await;
    for buyer in ["bob", "eve"] {
        authorised(&site, buyer).await;
    }
    let bid = offered(&site, &deal, "bob", 12_000).await;
    let (_, view) = bob.get(&bid).await;
    assert_eq!(
        (&view["status"], &view["awaits"], &view["sellerId"]),
        (&json!("offered"), &json!("seller"), &json!("acme"))
    );
    let (status, twice) = bob.send("POST", &format!("{deal}/bids"), &json!({"amount": 1})).await;
    assert_eq!((status, &twice["code"]), (409, &json!("BID_OPEN")));
    let (_, own) = acme.send("POST", &format!("{deal}/bids"), &json!({"amount": 1})).await;
    assert_eq!(own["code"], "OWN_DEAL");

    // Nobody else sees it, not even who bids for the same deal.
    for path in [bid.clone(), format!("{bid}/events")] {
        assert_eq!(eve.get(&path).await.1["code"], "BID_NOT_FOUND");
    }
    for action in ["accept", "decline", "retract"] {
        assert_eq!(eve.post(&format!("{bid}/{action}")).await.1["code"], "BID_NOT_FOUND", "{action}");
    }
    let count =
        async |account: &str, path: &str| site.caller(account).get(path).await.1["data"].as_array().map(Vec::len);
    let of_deal = format!("{deal}/bids");
    assert_eq!(
        (count("acme", &of_deal).await, count("bob", &of_deal).await, count("eve", &of_deal).await),
        (Some(1), Some(1), Some(0))
    );
    assert_eq!(
        (count("acme", "/v1/bids?as=seller").await, count("acme", "/v1/bids?as=buyer").await),
        (Some(1), Some(0))
    );
    assert_eq!((count("bob", "/v1/bids").await, count("bob", "/v1/bids?status=declined").await), (Some(1), Some(0)));

    for (who, expected) in [("bob", 409), ("acme", 200), ("acme", 409), ("bob", 200)] {
        let (status, answer) =
            site.caller(who).send("POST", &format!("{bid}/counter"), &json!({"amount": 12_500})).await;
        assert_eq!(status, expected, "{who}: {answer}");
    }
    // The price that the seller read is no more the one that stands.
    let stale = acme.ask("POST", &format!("{bid}/accept")).header("if-match", "\"1\"");
    assert_eq!(answered(stale).await.1["code"], "STALE_VERSION");
    let (status, accepted) = acme.post(&format!("{bid}/accept")).await;
    assert_eq!((status, &accepted["status"], &accepted["amount"]), (200, &json!("accepted"), &json!(12_500)));
    let (_, reserved) = eve.get(&deal).await;
    assert_eq!(reserved["status"], "reserved");
    assert!(!reserved.to_string().contains("bob") && !reserved.to_string().contains("12500"), "{reserved}");
    assert!(!eve.get(&format!("{deal}/events")).await.1.to_string().contains("bob"));

    assert_eq!(acme.post(&format!("{deal}/release")).await.1["status"], "available");
    assert_eq!(bob.get(&bid).await.1["status"], "declined");
    let again = offered(&site, &deal, "bob", 12_600).await;
    assert_eq!(bob.post(&format!("{again}/retract")).await.1["status"], "retracted");
    let (_, history) = acme.get(&format!("{bid}/events")).await;
    let events = history["data"].as_array().expect("a list").iter();
    let told: Vec<_> = events.map(|e| format!("{} by {}", e["type"], e["data"]["actor"]).replace('"', "")).collect();
    let expected = ["offered by bob", "countered by acme", "countered by bob", "accepted by acme", "declined by acme"];
    assert_eq!(told, expected.map(|what| format!("bid.{what}")));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_accepted_at_once_exactly_one_is() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let deal = posted(&site).await;
    let bids = join_all((0..64).map(async |n| {
        let buyer = format!("buyer-{n}");
        authorised(&site, &buyer).await;
        offered(&site, &deal, &buyer, 1_000 + n).await
    }));
    let bids = bids.await;
    let answers = join_all(bids.iter().map(|bid| acme.post_owned(format!("{bid}/accept")))).await;
    let mut codes = HashMap::new();
    for (status, answer) in &answers {
        *codes.entry((*status, answer["code"].as_str().unwrap_or("accepted"))).or_insert(0) += 1;
    }
    assert_eq!(codes, HashMap::from([((200, "accepted"), 1), ((409, "DEAL_NOT_AVAILABLE"), 63)]));
    let (_, page) = acme.get("/v1/bids?status=accepted").await;
    let accepted = page["data"].as_array().expect("a list");
    assert_eq!(accepted.len(), 1);

    // The sale goes to it, and declines the others.
    let (status, sold) = acme.post(&format!("{deal}/sell")).await;
    assert_eq!(status, 200, "{sold}");
    let winner = accepted[0]["buyerId"].as_str().expect("a buyer");
    let invoice = format!("/v1/invoices/{}", sold["invoiceId"].as_str().expect("an invoice"));
    let (_, invoice) = site.caller(winner).get(&invoice).await;
    assert_eq!((&invoice["total"], &invoice["buyerId"]), (&accepted[0]["amount"], &json!(winner)));
    for (n, bid) in bids.iter().enumerate() {
        let buyer = format!("buyer-{n}");
        let end = if buyer == winner { "accepted" } else { "declined" };
        until_status(&site, bid, &buyer, end).await;
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_deal_declines_its_bids_however_many_each_once() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    let deal = posted(&site).await;
    let bids = join_all((0..130).map(async |n| {
        let buyer = format!("buyer-{n}");
        authorised(&site, &buyer).await;
        (offered(&site, &deal, &buyer, 1_000).await, buyer)
    }));
    let bids = bids.await;
    let before = site.events().await;
    assert_eq!(acme.post(&format!("{deal}/withdraw")).await.0, 200);
    // It comes back at once: a new bid stays, the old ones go.
    assert_eq!(acme.post(&format!("{deal}/relist")).await.0, 200);
    authorised(&site, "late").await;
    let late = offered(&site, &deal, "late", 2_000).await;
    for (bid, buyer) in &bids {
        until_status(&site, bid, buyer, "declined").await;
    }
    assert_eq!(site.caller("late").get(&late).await.1["status"], "offered");
    // Withdrawn, relisted, authorised, offered, and one end for each.
    assert_eq!(site.events().await - before, 4 + 130);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bid_expires_when_nobody_answers_it() {
    let site = Site::new().await;
    let deal = posted(&site).await;
    authorised(&site, "bob").await;
    let bob = site.caller("bob");
    let soon = |millis| Timestamp(clock::now().0).plus_millis(millis).to_string();
    let (status, refused) =
        bob.send("POST", &format!("{deal}/bids"), &json!({"amount": 1, "expiresAt": soon(-1)})).await;
    assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!("/expiresAt")));
    let body = json!({"amount": 1_000, "expiresAt": soon(400)});
    let (_, bid) = bob.send("POST", &format!("{deal}/bids"), &body).await;
    let path = format!("/v1/bids/{}", id(&bid));
    let expired = until_status(&site, &path, "bob", "expired").await;
    assert!(expired["updatedAt"].as_str() >= bid["expiresAt"].as_str());
    assert_eq!(site.caller("acme").post(&format!("{path}/accept")).await.1["code"], "WRONG_STATE");
    assert_eq!(site.caller("acme").get(&format!("{path}/events")).await.1["data"][1]["data"]["actor"], "system");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_for_what_the_deal_was_is_not_taken_for_what_it_is() {
    let site = Site::new().await;
    let (acme, bob) = (site.caller("acme"), site.caller("bob"));
    let deal = posted(&site).await;
    authorised(&site, "bob").await;
    let bid = offered(&site, &deal, "bob", 12_000).await;
    let mut less = chairs();
    less["items"].as_array_mut().expect("items").pop();
    assert_eq!(answered(acme.ask("PUT", &deal).header("if-match", "*").json(&less)).await.0, 200);
    assert_eq!(acme.post(&format!("{bid}/accept")).await.1["code"], "DEAL_CHANGED");
    assert_eq!(acme.send("POST", &format!("{bid}/counter"), &json!({"amount": 9_000})).await.0, 200);
    // Whom the seller trusts no more neither sees nor takes.
    assert_eq!(answered(acme.ask("DELETE", "/v1/sellers/acme/buyers/bob")).await.0, 200);
    assert_eq!(bob.post(&format!("{bid}/accept")).await.1["code"], "DEAL_NOT_FOUND");
    authorised(&site, "bob").await;
    assert_eq!(bob.post(&format!("{bid}/accept")).await.0, 200);
    site.end().await;
}

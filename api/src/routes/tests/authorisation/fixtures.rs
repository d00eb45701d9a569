//! Something of the owner's for every route with a parameter, made as an admin would make it for the owner.

use domain::swap::QUEUE;
use domain::{Change, JobStep, NewJob, Then};
use drivers::journal::Claim;
use serde_json::{Value, json};

use super::{Asked, House, Method, OWNER, Role};

/// Whom the owner deals with.
const PARTNER: &str = "partner";
const DEAL: &str = r#"{"name":"a deal","currency":"GBP","items":[{"name":"one","price":1000}]}"#;

const ORDER: &str = r#"{"customer":{"name":"Ada","email":"ada@example.org"},"currency":"GBP",
"items":[{"productId":"tea","name":"Tea","quantity":1,"unitPrice":400}]}"#;

const PLAN: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"1","slices":2,"everySeconds":3600}"#;

const SINCE: &str = r#"{"since":"2020-01-01T00:00:00Z"}"#;

/// A request for something of the owner's. A new route of a kind that is not here fails the test.
pub(super) async fn fixture(house: &House, method: &Method, path: &str) -> Asked {
    let filled = |id: &str, body: &str| Asked { path: path.replacen("{id}", id, 1), body: body.to_owned() };
    if !path.contains('{') {
        return filled("", "{}");
    }
    match path.split('/').collect::<Vec<_>>()[2..] {
        ["swaps", ..] => filled(&house.swap().await, "{}"),
        ["plans", ..] => filled(&id(&made(house, OWNER, "/v1/plans", PLAN).await), "{}"),
        ["admin", "queues", ..] => Asked { path: path.replace("{name}", QUEUE), body: "{}".to_owned() },
        ["admin", "dead-jobs", ..] => filled(&dead_job(house).await, "{}"),
        ["admin", "limits", _] => limits(house, path).await,
        ["keys", ..] => filled(&house.key(OWNER, Role::Trader, None, None).await.1, "{}"),
        ["deals", _] => filled(&deal(house, OWNER).await, DEAL),
        ["deals", _, "bids"] => filled(&deal(house, OWNER).await, r#"{"amount":900}"#),
        ["deals", ..] => filled(&deal(house, OWNER).await, "{}"),
        ["bids", ..] => filled(&bid(house).await, r#"{"amount":950}"#),
        ["invoices", ..] => filled(&invoice(house).await, "{}"),
        ["sellers", _, "buyers", ..] => {
            let body = authorised(house, OWNER, PARTNER).await;
            let Asked { path, .. } = filled(OWNER, "");
            Asked { path: path.replace("{buyerId}", PARTNER), body }
        }
        ["shop", "orders", _] => filled(&order(house).await, r#"{"note":"a change"}"#),
        ["shop", "orders", ..] => filled(&order(house).await, r#"{"status":"PROCESSING"}"#),
        ["shop", "stock", _] => stock(house, method, path).await,
        ["webhooks", "endpoints", _, "replay"] => filled(&endpoint(house).await, SINCE),
        ["webhooks", "endpoints", ..] => filled(&endpoint(house).await, "{}"),
        ["webhooks", "replays", ..] => filled(&of_endpoint(house, "replay", SINCE).await, "{}"),
        ["webhooks", "deliveries", ..] => filled(&of_endpoint(house, "test", "{}").await, "{}"),
        ["admin", "cache", "keys", _] => {
            let Asked { path, body } = filled("", "");
            Asked { path: path.replace("{key}", &cached(house).await), body }
        }
        _ => panic!("{path}: say in fixtures.rs how something of its kind is made"),
    }
}

/// Limits of an account that nobody has.
async fn limits(house: &House, path: &str) -> Asked {
    let path = path.replace("{account}", &format!("held-{}", engine::intake::new_id()));
    let request = house.ask(&Method::PUT, Asked { path: path.clone(), body: "{}".to_owned() });
    let answer = request.bearer_auth(&house.admin).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    Asked { path, body: r#"{"maxNotionalPerOrder":"10"}"#.to_owned() }
}

/// A key of the cache.
async fn cached(house: &House) -> String {
    let id = house.swap().await;
    asked(house, &Method::GET, &format!("/v1/swaps/{id}")).await;
    format!("swap:2:{id}")
}

/// The answer to a `POST` that an admin makes for an account.
async fn made(house: &House, account: &str, path: &str, body: &str) -> Value {
    let request = house.ask(&Method::POST, Asked { path: path.to_owned(), body: body.to_owned() });
    let answer = request.bearer_auth(&house.admin).header("x-account", account).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

/// The answer to a request without a body that an admin makes for the owner.
async fn asked(house: &House, method: &Method, path: &str) -> reqwest::Response {
    let request = house.ask(method, Asked { path: path.to_owned(), body: String::new() });
    let answer = request.bearer_auth(&house.admin).header("x-account", OWNER).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
    answer
}

/// A job of the program's own that was given up.
async fn dead_job(house: &House) -> String {
    let (journal, now) = (&house.engine.journal, engine::clock::now());
    let job = NewJob { queue: QUEUE.into(), group: None, lane: None, run_at: now, body: "x".to_owned(), dedup: None };
    journal.apply(Change { at: now, jobs: vec![job], ..Change::default() }).await.expect("applied");
    let claim = Claim { queue: QUEUE, limit: 1, per_lane: usize::MAX, narrow: Vec::new(), now };
    let claimed = journal.claim(claim).await.expect("claimed").pop().expect("a job");
    let then = Then::Bury { why: "given up".to_owned(), park: false };
    let step = Some(JobStep { lease: claimed.lease, then });
    journal.apply(Change { at: now, step, ..Change::default() }).await.expect("buried");
    claimed.job.id.to_string()
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

async fn deal(house: &House, seller: &str) -> String {
    id(&made(house, seller, "/v1/deals", DEAL).await)
}

/// Lets a buyer see a seller's deals; answers with the body that did.
async fn authorised(house: &House, seller: &str, buyer: &str) -> String {
    let body = json!({ "buyerId": buyer }).to_string();
    made(house, seller, &format!("/v1/sellers/{seller}/buyers"), &body).await;
    body
}

/// The owner's bid on a deal of its partner.
async fn bid(house: &House) -> String {
    authorised(house, PARTNER, OWNER).await;
    let deal = deal(house, PARTNER).await;
    id(&made(house, OWNER, &format!("/v1/deals/{deal}/bids"), r#"{"amount":900}"#).await)
}

/// An endpoint of the owner's at a name that nobody has: its only one, because an account may have so many.
async fn endpoint(house: &House) -> String {
    let page = asked(house, &Method::GET, "/v1/webhooks/endpoints").await;
    let page: Value = page.json().await.expect("JSON");
    for old in page["data"].as_array().expect("a page") {
        asked(house, &Method::DELETE, &format!("/v1/webhooks/endpoints/{}", id(old))).await;
    }
    let body = json!({ "url": "https://hooks.invalid/", "patterns": ["deal.*"] }).to_string();
    id(&made(house, OWNER, "/v1/webhooks/endpoints", &body).await)
}

/// What comes of an action on such an endpoint.
async fn of_endpoint(house: &House, action: &str, body: &str) -> String {
    let endpoint = endpoint(house).await;
    id(&made(house, OWNER, &format!("/v1/webhooks/endpoints/{endpoint}/{action}"), body).await)
}

/// An order of the owner's shop.
async fn order(house: &House) -> String {
    id(&made(house, OWNER, "/v1/shop/orders", ORDER).await)
}

/// A product that the owner counts.
async fn stock(house: &House, method: &Method, path: &str) -> Asked {
    let asked = |body: &str| Asked { path: path.replace("{productId}", "mug"), body: body.to_owned() };
    let count = asked(r#"{"onHand":5}"#);
    let put = house.ask(&Method::PUT, count).bearer_auth(&house.admin).header("x-account", OWNER);
    assert!(put.send().await.expect("an answer").status().is_success(), "{path}");
    asked(if *method == Method::PUT { r#"{"onHand":5}"# } else { r#"{"add":1}"# })
}

/// The invoice of a deal that the owner sold.
async fn invoice(house: &House) -> String {
    authorised(house, OWNER, PARTNER).await;
    let deal = deal(house, OWNER).await;
    made(house, OWNER, &format!("/v1/deals/{deal}/sell"), &json!({ "buyerId": PARTNER }).to_string()).await;
    let page: Value = asked(house, &Method::GET, "/v1/invoices").await.json().await.expect("JSON");
    id(&page["data"][0])
}

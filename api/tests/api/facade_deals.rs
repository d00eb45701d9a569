//! The deals facade: the calls and answers recorded from the original, and the points in which ours is better.

mod bodies;
mod states;

use api::{FacadeName, Limits, Settings};
use domain::Owner;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::site::{Site, body};

const SELLER1: &str = "90d57fe0-0fa1-4dae-a51c-917cc82bcdda";
const SELLER2: &str = "ff42a46c-6143-4b26-85d0-69240eb39f24";
const BUYER1: &str = "90d57fe0-0fa1-4dae-a51c-917cc82bcddc";
const KEY1: &str = "some-secret-api-key";
const KEY2: &str = "another-secret-api-key";
const DEAL: &str = "/deals/deal";
const UNAUTHORIZED: &str = r#"{"message":"Unauthorized","statusCode":401}"#;

/// A server with the recorded sellers, the buyer, and their keys.
async fn market() -> Site {
    market_on(Site::idle().await).await
}

async fn market_on(site: Site) -> Site {
    let admin = site.post("/v1/keys", r#"{"role":"admin","account":"admin"}"#).send().await.expect("an answer");
    assert_eq!(admin.status(), 201);
    let admin = body(admin).await["key"].as_str().expect("its text").to_owned();
    for (account, role, key) in [(SELLER1, "seller", KEY1), (SELLER2, "seller", KEY2), (BUYER1, "buyer", BUYER1)] {
        let wanted = json!({"role": role, "account": account, "import": key}).to_string();
        let made = site.post("/v1/keys", wanted).bearer_auth(&admin).send().await.expect("an answer");
        assert_eq!(made.status(), 201, "{account}");
    }
    authorise(&site, SELLER1, true).await;
    site
}

/// Lets the buyer see a seller's deals, or no longer.
async fn authorise(site: &Site, seller: &str, may: bool) {
    let owner = |name| Owner::parse(name).expect("a name");
    let intake = &site.engine.intake;
    let (seller, buyer) = (owner(seller), owner(BUYER1));
    let said = match may {
        true => intake.authorise(&seller, &buyer, None).await,
        false => intake.revoke_authorisation(&seller, &buyer, None).await,
    };
    said.expect("said");
}

fn offer() -> Value {
    json!({
        "name": "A pair of chairs", "totalPrice": 15000, "currency": "GBP", "status": "available",
        "discount": {"type": "percentage", "amount": 12.5},
        "items": [{"name": "Chair", "price": 10000}, {"name": "Another", "price": -1}]
    })
}

fn send(site: &Site, method: &str, key: &str, sent: &Value) -> RequestBuilder {
    let request = site.request(method, DEAL).header("x-api-key", key);
    request.header("content-type", "application/json").body(sent.to_string())
}

/// Posts a deal of the first seller and answers with it.
async fn post(site: &Site, change: impl FnOnce(&mut Value)) -> Value {
    let mut sent = offer();
    change(&mut sent);
    let answer = send(site, "POST", KEY1, &sent).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    body(answer).await
}

/// What the buyer is shown.
async fn list(site: &Site, query: &str) -> Value {
    let answer = site.get(&format!("{DEAL}{query}")).header("x-api-key", BUYER1).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    body(answer).await
}

async fn text(answer: Response, status: u16) -> String {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    answer.text().await.expect("a body")
}

fn without_instants(mut deal: Value) -> Value {
    for field in ["createdAt", "updatedAt"] {
        let at = deal[field].as_str().expect("an instant").to_owned();
        assert!(at.len() == 24 && at.ends_with('Z') && at.as_bytes()[19] == b'.', "{at}");
        deal[field] = "[at]".into();
    }
    deal
}

/// The keys of an object in their order, none of which stands in a value too.
fn keys(text: &str) -> Vec<String> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(text).expect("an object");
    let mut keys: Vec<String> = object.into_iter().map(|(key, _)| key).collect();
    keys.sort_by_key(|key| text.find(&format!("\"{key}\":")));
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posted_deal_is_answered_as_recorded_and_is_stored() {
    let site = market().await;
    let answer = send(&site, "POST", KEY1, &offer()).send().await.expect("an answer");
    let answer = text(answer, 201).await;
    let order = "name,totalPrice,currency,discount,status,id,sellerId,createdAt,updatedAt,items";
    assert_eq!(keys(&answer).join(","), order);
    let deal = without_instants(serde_json::from_str(&answer).expect("JSON"));
    let (id, items) = (deal["id"].clone(), deal["items"].as_array().expect("items").clone());
    let mut expected = offer();
    expected["id"] = id.clone();
    expected["sellerId"] = SELLER1.into();
    (expected["createdAt"], expected["updatedAt"]) = ("[at]".into(), "[at]".into());
    for (index, item) in items.iter().enumerate() {
        expected["items"][index]["id"] = item["id"].clone();
    }
    assert_eq!(deal, expected);

    let listed = list(&site, "").await;
    let deals = listed["deals"].as_array().expect("deals");
    assert_eq!(deals.len(), 1);
    assert!(listed.get("cursor").is_none());
    let shown = without_instants(deals[0].clone());
    let number = shown["deliverySequence"].as_u64().expect("a number");
    let expected = json!({"id": id, "name": "A pair of chairs", "totalPrice": 15000, "currency": "GBP",
        "status": "available", "sellerId": SELLER1, "createdAt": "[at]", "updatedAt": "[at]", "deliverySequence": number});
    assert_eq!(shown, expected);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_works_without_a_key_and_that_is_said_first() {
    // Without any key in the journal the native API is open; this facade is not.
    let site = Site::idle().await;
    let strange = site.post(DEAL, "no JSON").header("x-api-key", KEY1);
    for request in [site.post(DEAL, offer().to_string()), strange, site.get(DEAL), site.request("PUT", DEAL)] {
        assert_eq!(text(request.send().await.expect("an answer"), 401).await, UNAUTHORIZED);
    }
    let site = market_on(site).await;
    // No key, one that is unknown, a buyer's for a seller's route.
    for key in [None, Some("no-such-key-anywhere"), Some(BUYER1)] {
        for method in ["POST", "PUT"] {
            let request = site.request(method, DEAL);
            let request = if let Some(key) = key { request.header("x-api-key", key) } else { request };
            assert_eq!(text(request.send().await.expect("an answer"), 401).await, UNAUTHORIZED, "{method} {key:?}");
        }
    }
    assert_eq!(text(site.get(DEAL).send().await.expect("an answer"), 401).await, UNAUTHORIZED);
    // A seller is nobody's buyer.
    post(&site, |_| ()).await;
    let answer = site.get(DEAL).header("x-api-key", KEY1).send().await.expect("an answer");
    assert_eq!(text(answer, 200).await, r#"{"deals":[]}"#);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_may_be_let_in_on_one_account() {
    let anonymous = vec![("deals".to_owned(), Owner::parse(SELLER1).expect("a name"))];
    let settings = Settings { anonymous, ..Settings::default() };
    let site = Site::with("paper?pace=instant&seed=1", 0, settings).await;
    let answer = site.post(DEAL, offer().to_string()).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), body(answer).await["sellerId"].clone()), (201, SELLER1.into()));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_replaces_the_whole_deal_but_for_what_is_not_the_clients() {
    let site = market().await;
    let posted = post(&site, |_| ()).await;
    let mut sent = posted.clone();
    sent["name"] = "".into();
    sent["totalPrice"] = (-7).into();
    sent["createdAt"] = Value::Null;
    sent["updatedAt"] = "2024-06-17 05:30:12.520".into();
    sent["items"] = json!([{"id": posted["items"][1]["id"], "name": "Kept", "price": 1}, {"name": "New", "price": 2}]);
    sent.as_object_mut().expect("an object").remove("discount");
    let answer = send(&site, "PUT", KEY1, &sent).send().await.expect("an answer");
    let answer = text(answer, 200).await;
    assert_eq!(keys(&answer).join(","), "id,sellerId,name,totalPrice,currency,status,createdAt,updatedAt,items");
    let changed: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(changed["createdAt"], posted["createdAt"], "the client's is ignored");
    assert_ne!(changed["updatedAt"], "2024-06-17T05:30:12.520Z");
    assert_eq!((&changed["name"], &changed["totalPrice"]), (&json!(""), &json!(-7)));
    let items = changed["items"].as_array().expect("items");
    assert_eq!((items.len(), &items[0]["id"]), (2, &posted["items"][1]["id"]));
    assert!(posted["items"].as_array().expect("items").iter().all(|old| old["id"] != items[1]["id"]));
    let shown = list(&site, "").await["deals"][0].clone();
    assert_eq!((&shown["name"], &shown["updatedAt"]), (&json!(""), &changed["updatedAt"]));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_deals_and_unknown_ones_are_not_found_and_nothing_is_made() {
    let site = market().await;
    let mine = post(&site, |_| ()).await;
    let before = site.events().await;
    let with = |field: &str, value: &str| {
        let mut sent = mine.clone();
        sent[field] = value.into();
        sent
    };
    let unknown = with("id", "90d57fe0-0fa1-4dae-a51c-000000000000");
    let expected = r#"{"message":"Deal not found","error":"Not Found","statusCode":404}"#;
    for (key, sent) in
        [(KEY2, mine.clone()), (KEY2, with("sellerId", SELLER2)), (KEY1, with("sellerId", SELLER2)), (KEY1, unknown)]
    {
        let answer = send(&site, "PUT", key, &sent).send().await.expect("an answer");
        assert_eq!(text(answer, 404).await, expected, "{sent}");
    }
    assert_eq!(site.events().await, before);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_page_through_the_deals_of_authorised_sellers() {
    let site = market().await;
    let other = send(&site, "POST", KEY2, &offer()).send().await.expect("an answer");
    assert_eq!(other.status(), 201);
    for number in 1..=5 {
        post(&site, |sent| sent["name"] = format!("{number}").into()).await;
    }
    let names = |page: &Value| -> Vec<String> {
        let deals = page["deals"].as_array().expect("deals").iter();
        deals.map(|deal| deal["name"].as_str().expect("a name").to_owned()).collect()
    };
    // The newest first, two by default, until the last page, which is whole.
    let mut pages = vec![list(&site, "").await];
    while let Some(cursor) = pages.last().and_then(|page| page.get("cursor")) {
        let page = list(&site, &format!("?cursor={cursor}")).await;
        assert_eq!(page["deals"][0]["deliverySequence"], *cursor);
        pages.push(page);
    }
    let seen: Vec<_> = pages.iter().map(names).collect();
    assert_eq!(seen, [vec!["5", "4"], vec!["3", "2"], vec!["1"]]);
    // Towards newer ones, from the oldest or from a cursor.
    let oldest = list(&site, "?take=-2").await;
    assert_eq!(names(&oldest), ["2", "1"]);
    assert_eq!(names(&list(&site, &format!("?take=-9&cursor={}", oldest["cursor"])).await), ["5", "4", "3"]);
    let all = list(&site, "?take=5").await;
    assert_eq!((names(&all).len(), all.get("cursor")), (5, None));
    for query in ["?take=0", "?take=x&cursor=y", "?cursor=0"] {
        assert_eq!(list(&site, query).await, pages[0], "{query}");
    }
    // What a seller says counts at once.
    authorise(&site, SELLER2, true).await;
    assert_eq!(names(&list(&site, "?take=100").await).len(), 6);
    authorise(&site, SELLER1, false).await;
    assert_eq!(names(&list(&site, "?take=100").await), ["A pair of chairs"]);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_deal() {
    let site = market().await;
    let again = async |sent: &Value| {
        send(&site, "POST", KEY1, sent).header("idempotency-key", "one").send().await.expect("an answer")
    };
    let first = text(again(&offer()).await, 201).await;
    let second = again(&offer()).await;
    assert_eq!(second.headers()["idempotent-replayed"], "true");
    assert_eq!(text(second, 201).await, first);
    let mut other = offer();
    other["totalPrice"] = 1.into();
    let misuse = r#"[{"code":"custom","message":"Idempotency-Key was used with another request","path":[]}]"#;
    assert_eq!(text(again(&other).await, 422).await, misuse);
    assert_eq!(list(&site, "?take=9").await["deals"].as_array().map(Vec::len), Some(1));
    let mut put: Value = serde_json::from_str(&first).expect("JSON");
    put["name"] = "Changed".into();
    for replayed in [false, true] {
        let request = send(&site, "PUT", KEY1, &put).header("idempotency-key", "two");
        let answer = request.send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("idempotent-replayed")), (200, replayed));
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facade_stands_alone_at_the_root_of_its_own_address() {
    let site = market().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = api::facade_router(FacadeName::Deals, site.engine.clone(), Settings::default());
    let server = tokio::spawn(api::serve(listener, router, site.stop.clone(), Limits::default()));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.get(format!("http://{address}/deal")).header("x-api-key", BUYER1).send().await;
    assert_eq!(text(answer.expect("an answer"), 200).await, r#"{"deals":[]}"#);
    for path in ["/", "/deals?x=1", "/v1/swaps"] {
        let answer = client.get(format!("http://{address}{path}")).send().await.expect("an answer");
        let expected = format!(r#"{{"message":"Cannot GET {path}","error":"Not Found","statusCode":404}}"#);
        assert_eq!(text(answer, 404).await, expected);
    }
    let answer = client.delete(format!("http://{address}/deal")).send().await.expect("an answer");
    assert!(text(answer, 404).await.contains("Cannot DELETE /deal"));
    drop(client);
    site.end().await;
    server.await.expect("no panic").expect("no error");
}

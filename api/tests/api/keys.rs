//! Keys over HTTP: the first closes the server, each is shown once, and one that is revoked opens nothing any more.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::site::{ORDER, Site, body, problem};

/// Makes a key as whoever `with` is, and answers with its text and id.
async fn made(site: &Site, with: Option<&str>, asked: &Value) -> (String, String) {
    let answer = by(site.post("/v1/keys", asked.to_string()), with).send().await.expect("an answer");
    assert_eq!(answer.status(), 201, "{asked}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let key = body(answer).await;
    let text = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
    (text("key"), text("id"))
}

fn by(request: RequestBuilder, key: Option<&str>) -> RequestBuilder {
    key.iter().fold(request, RequestBuilder::bearer_auth)
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.expect("an answer").status().as_u16()
}

async fn code(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, problem(answer).await["code"].as_str().expect("a code").to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A closed server and its admin's key.
async fn closed() -> (Site, String) {
    let site = Site::idle().await;
    let (admin, _) = made(&site, None, &json!({"role": "admin", "account": "ops"})).await;
    (site, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_closes_the_server_and_must_open_it_again() {
    let site = Site::idle().await;
    site.place().await;
    let seller = site.post("/v1/keys", r#"{"role":"seller","account":"acme"}"#);
    let answer = seller.send().await.expect("an answer");
    assert_eq!(answer.status(), 409);
    insta::assert_json_snapshot!("first_key_not_admin", problem(answer).await);
    assert_eq!(status(site.get("/v1/swaps")).await, 200, "still open");

    let (admin, id) = made(&site, None, &json!({"role": "admin", "account": "ops", "name": "first"})).await;
    let answer = site.get("/v1/swaps").send().await.expect("an answer");
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    insta::assert_json_snapshot!("key_required", problem(answer).await);
    assert_eq!(code(site.post("/v1/keys", r#"{"role":"admin"}"#)).await, refused(401, "KEY_REQUIRED"));
    for (request, expected) in [
        (site.get("/v1/swaps").bearer_auth(&admin), 200),
        (site.get("/v1/swaps").header("x-api-key", &admin), 200),
        (site.get("/v1/swaps").header("authorization", format!("bearer {admin}")), 200),
        (site.get("/v1/swaps").bearer_auth(&admin).header("x-api-key", &admin), 200),
        (site.get("/v1/swaps").bearer_auth(&admin).header("x-api-key", "another-key-altogether"), 401),
        (site.get("/v1/swaps").basic_auth("me", Some(&admin)), 401),
        (site.get(&format!("/v1/swaps?key={admin}")), 401),
        (site.get("/health/ready"), 200),
        (site.get("/"), 200),
        (site.get("/openapi.json"), 200),
        (site.get("/docs/"), 200),
        (site.get("/docs/swagger-ui.css"), 200),
        (site.get("/nowhere"), 404),
    ] {
        assert_eq!(status(request).await, expected);
    }
    // An admin acts for whom it names.
    let orders = site.get("/v1/swaps").bearer_auth(&admin).header("x-account", "default");
    assert_eq!(body(orders.send().await.expect("an answer")).await["data"].as_array().map(Vec::len), Some(1));

    // Revoked or not: once there was a key, there is no way back.
    assert_eq!(status(site.post(&format!("/v1/keys/{id}/revoke"), "").bearer_auth(&admin)).await, 200);
    assert_eq!(code(site.get("/v1/swaps").bearer_auth(&admin)).await, refused(401, "KEY_NOT_GOOD"));
    assert_eq!(code(site.get("/v1/swaps")).await, refused(401, "KEY_REQUIRED"));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_then_known_by_its_ends() {
    let (site, admin) = closed().await;
    let asked = json!({"role": "seller", "account": "acme", "name": "robot", "env": "test", "scopes": ["deals:read"]});
    let request = || by(site.post("/v1/keys", asked.to_string()), Some(&admin)).header("idempotency-key", "once");
    let first = request().send().await.expect("an answer");
    let location = first.headers()["location"].to_str().expect("text").to_owned();
    let first = body(first).await;
    let text = first["key"].as_str().expect("its text").to_owned();
    assert!(text.starts_with("tw_test_") && text.ends_with(first["last4"].as_str().expect("its end")), "{first}");
    let again = request().send().await.expect("an answer");
    assert_eq!(
        (again.status().as_u16(), &again.headers()["idempotent-replayed"]),
        (201, &"true".parse().expect("text"))
    );
    assert_eq!(body(again).await.get("key"), None);

    assert_eq!(status(site.get("/v1/swaps").bearer_auth(&text)).await, 403);
    let read = async |path: &str| body(site.get(path).bearer_auth(&admin).send().await.expect("an answer")).await;
    let mut shown = read(&location).await;
    // Its use is written by and by.
    for _ in 0..500 {
        if shown.get("lastUsedAt").is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        shown = read(&location).await;
    }
    assert!(shown["lastUsedAt"].is_string(), "{shown}");
    let history = site.engine.journal.events(0, None, 100).await.expect("events");
    let everything = format!("{shown}{}{history:?}", read("/v1/keys?all=true").await);
    let secret = &text[text.len() - 49..text.len() - 6];
    assert!(!everything.contains(secret) && !everything.contains("hash"), "{everything}");

    // Pages.
    for _ in 0..3 {
        made(&site, Some(&admin), &json!({"role": "seller", "account": "acme"})).await;
    }
    let (mut seen, mut path) = (0, "/v1/keys?limit=2".to_owned());
    loop {
        let page = site.get(&path).bearer_auth(&admin).header("x-account", "acme").send().await.expect("an answer");
        let page = body(page).await;
        seen += page["data"].as_array().expect("a page").len();
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/v1/keys?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, 4);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_more_than_it_has() {
    let (site, admin) = closed().await;
    let asked = json!({"role": "seller", "account": "acme", "scopes": ["deals:read", "keys:manage"]});
    let (manager, _) = made(&site, Some(&admin), &asked).await;
    let (reader, _) = made(&site, Some(&manager), &json!({"scopes": ["deals:read"]})).await;
    for (key, asked, expected) in [
        (&manager, json!({"scopes": ["deals:write"]}), refused(403, "SCOPE_NOT_YOURS")),
        (&manager, json!({"scopes": ["swaps:read"]}), refused(422, "SCOPE_NOT_OF_ROLE")),
        (&manager, json!({"role": "admin", "scopes": ["admin"]}), refused(403, "SCOPE_NOT_YOURS")),
        (&manager, json!({"account": "other"}), refused(403, "ACCOUNT_NOT_YOURS")),
        (&manager, json!({"import": "some-secret-api-key"}), refused(403, "SCOPE_NOT_YOURS")),
        (&reader, json!({}), refused(403, "SCOPE_MISSING")),
        (&admin, json!({"account": "acme"}), refused(400, "FIELD_MISSING")),
        (&admin, json!({"role": "king"}), refused(422, "UNKNOWN_CHOICE")),
        (&admin, json!({"role": "seller", "scopes": ["fly"]}), refused(422, "UNKNOWN_CHOICE")),
        (&admin, json!({"role": "seller", "scopes": []}), refused(422, "SCOPES_EMPTY")),
        (&admin, json!({"role": "seller", "env": "Live"}), refused(422, "ENV_MALFORMED")),
        (&admin, json!({"role": "seller", "name": ""}), refused(422, "NAME_TOO_LONG")),
        (&admin, json!({"role": "seller", "expiresAt": "2001-01-01T00:00:00Z"}), refused(422, "EXPIRE_TIME_IN_PAST")),
        (&admin, json!({"role": "seller", "expiresAt": "soon"}), refused(422, "EXPIRE_TIME_MALFORMED")),
        (&admin, json!({"role": "seller", "import": "short"}), refused(422, "IMPORT_MALFORMED")),
        (&admin, json!({"role": "seller", "account": "no such name"}), refused(400, "INVALID_ACCOUNT")),
    ] {
        assert_eq!(code(by(site.post("/v1/keys", asked.to_string()), Some(key))).await, expected, "{asked}");
    }
    assert_eq!(code(site.get("/v1/keys?all=true").bearer_auth(&manager)).await, refused(403, "SCOPE_MISSING"));
    let own = body(site.get("/v1/keys").bearer_auth(&manager).send().await.expect("an answer")).await;
    assert_eq!(own["data"].as_array().map(Vec::len), Some(2), "{own}");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_systems_work_everywhere() {
    let (site, admin) = closed().await;
    let (theirs, asked) =
        ("some-secret-api-key", json!({"role":"trader","account":"t","import":"some-secret-api-key"}));
    assert_eq!(status(site.get("/v1/swaps").header("x-api-key", theirs)).await, 401);
    let (text, id) = made(&site, Some(&admin), &asked).await;
    assert_eq!(text, "", "its holder has it");
    assert_eq!(code(by(site.post("/v1/keys", asked.to_string()), Some(&admin))).await, refused(409, "KEY_EXISTS"));
    for request in [site.get("/v1/swaps").header("x-api-key", theirs), site.get("/v1/swaps").bearer_auth(theirs)] {
        assert_eq!(status(request).await, 200);
    }
    assert_eq!(status(site.post("/dex/api/orders/execute", ORDER).header("x-api-key", theirs)).await, 200);
    assert_eq!(status(site.post(&format!("/v1/keys/{id}/revoke"), "").bearer_auth(&admin)).await, 200);
    assert_eq!(status(site.get("/v1/swaps").header("x-api-key", theirs)).await, 401);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_attempts_are_limited_and_good_keys_go_on() {
    let (site, admin) = closed().await;
    assert_eq!(status(site.get("/v1/swaps").bearer_auth(&admin)).await, 200);
    let (fresh, _) = made(&site, Some(&admin), &json!({"role": "trader", "account": "t"})).await;
    for attempt in 0..10 {
        let answer = site.get("/v1/swaps").bearer_auth(format!("made-up-key-number-{attempt}"));
        assert_eq!(status(answer).await, 401, "{attempt}");
    }
    let over = site.get("/v1/swaps").bearer_auth("made-up-key-number-11").send().await.expect("an answer");
    let wait: u64 = over.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=6).contains(&wait), "{wait}");
    insta::assert_json_snapshot!("too_many_attempts", problem(over).await);
    // What memory knows goes on; what it does not is not even looked up.
    assert_eq!(status(site.get("/v1/swaps").bearer_auth(&admin)).await, 200);
    assert_eq!(status(site.get("/v1/swaps").bearer_auth(&fresh)).await, 429);
    assert_eq!(status(site.get("/v1/swaps")).await, 401, "no key is no attempt");
    assert_eq!(status(site.get("/health/ready")).await, 200);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_facade_needs_a_key_unless_it_is_named() {
    let (site, admin) = closed().await;
    let answer = site.post("/dex/api/orders/execute", ORDER).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
        (401, &"Bearer".parse().expect("text"))
    );
    let message = "send a key: `Authorization: Bearer <key>`, or `x-api-key: <key>`";
    assert_eq!(body(answer).await, json!({"statusCode": 401, "error": "Unauthorized", "message": message}));
    assert_eq!(status(site.get("/dex/")).await, 200, "that it is online anyone may know");
    let asked = json!({"role": "trader", "account": "t", "scopes": ["swaps:read"]});
    let (reader, _) = made(&site, Some(&admin), &asked).await;
    let answer =
        site.post("/dex/api/orders/execute", ORDER).header("x-api-key", &reader).send().await.expect("an answer");
    let message = "the key lacks the scope swaps:write";
    assert_eq!(body(answer).await, json!({"statusCode": 403, "error": "Forbidden", "message": message}));
    site.end().await;

    let name = domain::Owner::parse("legacy").expect("a name");
    let settings = api::Settings { anonymous: vec![("dex".to_owned(), name)], ..api::Settings::default() };
    let site = Site::with("paper?pace=instant&seed=1", 0, settings).await;
    let placed = async |site: &Site| status(site.post("/dex/api/orders/execute", ORDER)).await;
    assert_eq!(placed(&site).await, 200);
    let (admin, _) = made(&site, None, &json!({"role": "admin", "account": "ops"})).await;
    assert_eq!(placed(&site).await, 200);
    let orders = site.get("/v1/swaps").bearer_auth(&admin).header("x-account", "legacy");
    assert_eq!(body(orders.send().await.expect("an answer")).await["data"].as_array().map(Vec::len), Some(2));
    for request in [
        site.get("/v1/swaps"),
        site.post("/dex/api/orders/execute", ORDER).header("x-account", "ops"),
        site.post("/dex/api/orders/execute", ORDER).header("x-api-key", "a-key-that-is-none"),
    ] {
        assert_eq!(status(request).await, 401);
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_are_first_at_once_are_not_both() {
    for _ in 0..5 {
        let site = Site::idle().await;
        let ask = || site.post("/v1/keys", r#"{"role":"admin"}"#).send();
        let answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
        let mut statuses: Vec<u16> = answers
            .into_iter()
            .map(|answer: Result<Response, _>| answer.expect("an answer").status().as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 401, 401, 401, 401, 401, 401, 401]);
        site.end().await;
    }
}

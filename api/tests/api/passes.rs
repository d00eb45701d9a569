//! Streams of a closed server: opened with a key or a ticket, ended when the key is.

use domain::key::{Create, Env, Material, Role};
use domain::{Owner, Timestamp};
use engine::intake::{Requester, entropy};
use futures_util::StreamExt;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Error;

use crate::site::{PATIENCE, Site, body};

/// A key of that role, made past HTTP: its text and id.
async fn key(site: &Site, role: Role, expires_at: Option<Timestamp>) -> (String, String) {
    let material = Material::New(Env::default(), entropy().expect("random bytes"));
    let account = Owner::parse("acme").expect("a name");
    let create = Create { account, role, scopes: None, name: None, expires_at, material };
    let by = Requester::Operator(Owner::default());
    let made = site.engine.intake.create_key(create, by, None).await.expect("a key");
    (made.text.expect("its text"), made.taken.id)
}

async fn revoke(site: &Site, id: &str) {
    site.engine.intake.revoke_key(None, id, &Owner::default(), None).await.expect("revoked");
}

/// What an SSE stream says, to its end.
async fn all(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), 200);
    let mut chunks = Box::pin(answer.bytes_stream());
    let mut text = String::new();
    while let Some(chunk) = tokio::time::timeout(PATIENCE, chunks.next()).await.expect("an end in time") {
        text.push_str(std::str::from_utf8(&chunk.expect("a chunk")).expect("text"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_with_their_key() {
    let site = Site::idle().await;
    // These came while there was no key, and go when there is one.
    let mut early = site.socket("/v1/stream").await;
    early.say(r#"{"op":"subscribe","id":1}"#).await;
    assert_eq!(early.frame().await["op"], "subscribed");
    let early_events = site.get("/v1/events").send().await.expect("an answer");
    key(&site, Role::Admin, None).await;
    assert!(all(early_events).await.contains(r#""code":"unauthorized""#));
    assert_eq!(early.frame().await["code"], "unauthorized");
    assert_eq!(early.next().await, Err(4401));

    let soon = engine::clock::now().plus_millis(1_500);
    for expires_at in [None, Some(soon)] {
        let (text, id) = key(&site, Role::Trader, expires_at).await;
        let (other, _) = key(&site, Role::Trader, None).await;
        let mut socket =
            site.socket_with("/v1/stream", &[("authorization", &format!("Bearer {text}"))]).await.expect("in");
        let mut stays = site.socket_with("/v1/stream", &[("x-api-key", &other)]).await.expect("in");
        let mut dex = site.socket_with("/dex/api/orders/ws", &[("x-api-key", &text)]).await.expect("in");
        for one in [&mut socket, &mut stays] {
            one.say(r#"{"op":"subscribe","id":1,"kinds":["swap"]}"#).await;
            assert_eq!(one.frame().await["op"], "subscribed");
        }
        let events = site.get("/v1/events?kind=swap").bearer_auth(&text).send().await.expect("an answer");
        if expires_at.is_none() {
            revoke(&site, &id).await;
        }
        let last = socket.frame().await;
        assert_eq!((&last["op"], &last["code"]), (&"error".into(), &"unauthorized".into()));
        assert!(last["resume"].is_string());
        assert_eq!(socket.next().await, Err(4401));
        assert_eq!(dex.next().await, Err(4401));
        assert!(all(events).await.contains("event: error"));
        stays.say(r#"{"op":"ping"}"#).await;
        assert_eq!(stays.frame().await["op"], "pong");
    }
    site.end().await;
}

/// A ticket of whoever has that key.
async fn ticket(site: &Site, key: &str) -> String {
    let answer = site.post("/v1/stream-tickets", "").bearer_auth(key).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let ticket: Value = body(answer).await;
    assert!(ticket["expiresAt"].is_string());
    ticket["ticket"].as_str().expect("a ticket").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_stream_once() {
    let site = Site::idle().await;
    let (admin, _) = key(&site, Role::Admin, None).await;
    let (text, id) = key(&site, Role::Trader, None).await;
    let page = [("origin", "https://shop.example")];
    let one = ticket(&site, &text).await;
    let path = format!("/v1/stream?ticket={one}");
    // A page of another origin comes in with a ticket, and with it alone.
    let mut socket = site.socket_with(&path, &page).await.expect("in");
    socket.say(r#"{"op":"subscribe","id":1,"owner":"acme"}"#).await;
    assert_eq!(socket.frame().await["op"], "subscribed");
    assert_eq!(site.socket_with(&path, &[]).await.err(), Some(401), "used");
    assert_eq!(site.get(&format!("/v1/events?ticket={one}")).send().await.expect("an answer").status(), 401, "used");
    let bearer = format!("Bearer {text}");
    let with_key = [page[0], ("authorization", bearer.as_str())];
    assert_eq!(site.socket_with("/v1/stream", &with_key).await.err(), Some(403), "another origin");
    let same = format!("http://{}", site.host());
    site.socket_with("/v1/stream", &[("origin", &same), ("x-api-key", &text)]).await.expect("the same origin");

    let second = ticket(&site, &text).await;
    let other = ticket(&site, &admin).await;
    let (said, _) = second.split_once('.').expect("two parts");
    let (_, signature) = other.split_once('.').expect("two parts");
    for bad in [&format!("{said}.{signature}"), said, "", ".", &"x".repeat(2_000)] {
        let answer = site.get(&format!("/v1/events?ticket={bad}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{bad}");
    }
    // It is no key, and opens nothing but streams.
    assert_eq!(site.get(&format!("/v1/swaps?ticket={second}")).send().await.expect("an answer").status(), 401);
    assert_eq!(site.get("/v1/events").bearer_auth(&second).send().await.expect("an answer").status(), 401);
    let events = site.get(&format!("/v1/events?ticket={second}&kind=swap")).send().await.expect("an answer");
    assert_eq!(events.status(), 200);

    // What was opened with a ticket ends with the key that it was made with, and so do tickets.
    let third = ticket(&site, &text).await;
    revoke(&site, &id).await;
    // The revocation itself is the account's news.
    while socket.next().await.is_ok() {}
    assert!(all(events).await.contains("unauthorized"));
    assert_eq!(site.get(&format!("/v1/events?ticket={third}")).send().await.expect("an answer").status(), 401);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_need_a_ticket_on_an_open_server_too() {
    let site = Site::idle().await;
    for (origin, expected) in [("https://evil.example", Some(403)), ("null", Some(403))] {
        assert_eq!(site.socket_with("/v1/stream", &[("origin", origin)]).await.err(), expected, "{origin}");
    }
    let answer = site.post("/v1/stream-tickets", "").send().await.expect("an answer");
    let ticket = body(answer).await["ticket"].as_str().expect("a ticket").to_owned();
    let path = format!("/v1/stream?ticket={ticket}");
    site.socket_with(&path, &[("origin", "https://shop.example")]).await.expect("in");
    assert_eq!(site.socket_with(&path, &[]).await.err(), Some(401), "used");
    site.end().await;
}

/// The status that a handshake was refused with.
pub(crate) fn refused(error: Error) -> u16 {
    match error {
        Error::Http(answer) => answer.status().as_u16(),
        other => panic!("{other}"),
    }
}

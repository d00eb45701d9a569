//! Events by SSE and WebSocket: live, resumed, filtered, and ended with a position.

use futures_util::StreamExt;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::deals::{authorised, id, posted};
use crate::site::{ORDER, PATIENCE, Site, body};

/// The events of a life that succeeds at once.
const LIFE: [&str; 5] = ["swap.pending", "swap.routing", "swap.building", "swap.submitted", "swap.confirmed"];

/// Reads `count` events of an SSE stream: type, position, data.
async fn events(answer: Response, count: usize) -> Vec<(String, String, Value)> {
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["x-accel-buffering"], "no");
    let mut chunks = Box::pin(answer.bytes_stream());
    let (mut text, mut events) = (String::new(), Vec::new());
    while events.len() < count {
        let chunk = tokio::time::timeout(PATIENCE, chunks.next()).await.expect("an event in time");
        let Some(chunk) = chunk else { break };
        text.push_str(std::str::from_utf8(&chunk.expect("a chunk")).expect("text"));
        while let Some((block, rest)) = text.split_once("\n\n") {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let (Some(type_), Some(id), Some(data)) = (field("event: "), field("id: "), field("data: ")) {
                events.push((type_, id, serde_json::from_str(&data).expect("JSON")));
            }
            text = rest.to_owned();
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn sse_brings_history_then_live_and_resumes_anywhere() {
    let site = Site::new().await;
    let first = body(site.post("/v1/swaps?wait=30", ORDER).send().await.expect("an answer")).await;
    let stream = site.get("/v1/events?after=oldest").send().await.expect("an answer");
    let second = body(site.post("/v1/swaps?wait=30", ORDER).send().await.expect("an answer")).await;
    let all = events(stream, 10).await;
    let ids: Vec<_> = all.iter().map(|(_, _, data)| data["id"].clone()).collect();
    assert_eq!(ids, [vec![first["id"].clone(); 5], vec![second["id"].clone(); 5]].concat());
    for (index, (type_, position, data)) in all.iter().enumerate() {
        assert_eq!(type_, LIFE[index % 5]);
        assert_eq!((&data["type"], &data["seq"]), (&json!(type_), &json!(position)));
        assert!(position.ends_with(&format!("-{}", index + 1)), "{position}");
        assert_eq!(data["version"], json!(index % 5 + 1));
        assert_eq!((&data["kind"], &data["owner"]), (&json!("swap"), &json!("default")));
        assert_eq!(data["data"]["id"], data["id"]);
    }
    let after = &all[6].1;
    for request in [
        site.get(&format!("/v1/events?after={after}")),
        site.get("/v1/events?after=oldest").header("last-event-id", after),
        site.get(&format!("/v1/events?after={after}&kind=swap&id={}", second["id"].as_str().expect("an id"))),
    ] {
        assert_eq!(events(request.send().await.expect("an answer"), 3).await, all[7..]);
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sse_shows_only_what_is_the_callers() {
    let site = Site::idle().await;
    let stream = site.get("/v1/events?after=oldest").header("x-account", "bob").send().await.expect("an answer");
    site.place().await;
    let bob = site.post("/v1/swaps", ORDER).header("x-account", "bob").send().await.expect("an answer");
    let bob = body(bob).await;
    let seen = events(stream, 1).await;
    assert_eq!(seen[0].2["id"], bob["id"]);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sse_ends_with_a_position_when_the_server_stops() {
    let site = Site::idle().await;
    site.place().await;
    let stream = site.get("/v1/events?after=oldest").send().await.expect("an answer");
    let stop = site.stop.clone();
    let reading = tokio::spawn(events(stream, 2));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    stop.cancel();
    let seen = reading.await.expect("no panic");
    assert_eq!(seen[1].0, "error");
    assert_eq!((&seen[1].2["code"], &seen[1].2["resume"]), (&json!("shutting_down"), &json!(seen[0].1)));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_follows_and_resumes() {
    let site = Site::new().await;
    let mut socket = site.socket("/v1/stream").await;
    socket.say(r#"{"op":"subscribe","id":1,"kinds":["swap"]}"#).await;
    let subscribed = socket.frame().await;
    assert_eq!((&subscribed["op"], &subscribed["id"]), (&json!("subscribed"), &json!(1)));
    let id = site.place().await;
    let mut live = Vec::new();
    for type_ in LIFE {
        let frame = socket.frame().await;
        assert_eq!((&frame["op"], &frame["sub"], &frame["type"]), (&json!("event"), &json!(1), &json!(type_)));
        assert_eq!((&frame["id"], &frame["data"]["id"]), (&json!(id), &json!(id)));
        live.push(frame);
    }
    let after = live[1]["seq"].as_str().expect("a position");
    socket.say(&format!(r#"{{"op":"subscribe","id":"again","ids":["{id}"],"after":"{after}"}}"#)).await;
    let subscribed = socket.frame().await;
    assert_eq!((&subscribed["from"], &subscribed["head"]), (&live[1]["seq"], &live[4]["seq"]));
    for expected in &live[2..] {
        let mut expected = expected.clone();
        expected["sub"] = json!("again");
        assert_eq!(socket.frame().await, expected);
    }
    socket.say(r#"{"op":"unsubscribe","id":1}"#).await;
    assert_eq!(socket.frame().await, json!({"op":"unsubscribed","id":1}));
    socket.say(r#"{"op":"ping"}"#).await;
    assert_eq!(socket.frame().await, json!({"op":"pong"}));
    site.place().await;
    assert!(socket.is_silent().await, "nothing is subscribed that would see it");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_refuses_what_it_cannot_do() {
    let site = Site::idle().await;
    let mut socket = site.socket("/v1/stream").await;
    socket.say(r#"{"op":"subscribe","id":"x"}"#).await;
    assert_eq!(socket.frame().await["op"], "subscribed");
    for (said, code) in [
        ("hello", "malformed_json"),
        ("[]", "body_not_object"),
        ("{}", "unknown_choice"),
        (r#"{"op":"shout"}"#, "unknown_choice"),
        (r#"{"op":"subscribe"}"#, "field_missing"),
        (r#"{"op":"subscribe","id":{}}"#, "wrong_type"),
        (r#"{"op":"subscribe","id":"x"}"#, "already_subscribed"),
        (r#"{"op":"subscribe","id":2,"kinds":["relay"]}"#, "unknown_choice"),
        (r#"{"op":"subscribe","id":2,"kinds":"swap"}"#, "wrong_type"),
        (r#"{"op":"subscribe","id":2,"ids":["x"]}"#, "invalid_parameter"),
        (r#"{"op":"subscribe","id":2,"after":"x"}"#, "invalid_position"),
        (r#"{"op":"subscribe","id":2,"after":"9-1"}"#, "position_gone"),
        (r#"{"op":"subscribe","id":2,"owner":"bob"}"#, "unknown_account"),
        (r#"{"op":"subscribe","id":2,"colour":"red"}"#, "unknown_field"),
        (r#"{"op":"subscribe","op":"ping","id":2}"#, "duplicate_field"),
        (r#"{"op":"unsubscribe","id":2}"#, "not_subscribed"),
    ] {
        socket.say(said).await;
        let frame = socket.frame().await;
        assert_eq!((&frame["op"], &frame["code"]), (&json!("error"), &json!(code)), "{said}");
        assert_eq!(frame.get("oldest").is_some(), code == "position_gone");
    }
    for id in 0..63 {
        socket.say(&format!(r#"{{"op":"subscribe","id":{id},"owner":"default"}}"#)).await;
        assert_eq!(socket.frame().await["op"], "subscribed");
    }
    socket.say(r#"{"op":"subscribe","id":64}"#).await;
    assert_eq!(socket.frame().await["code"], "too_many_subscriptions");
    socket.say(&format!("\"{}\"", "x".repeat(20_000))).await;
    assert_eq!(socket.frame().await["code"], "message_too_big");
    assert_eq!(socket.next().await, Err(1009));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_a_position_when_the_server_stops() {
    let site = Site::idle().await;
    let mut socket = site.socket("/v1/stream").await;
    socket.say(r#"{"op":"subscribe","id":1,"after":"oldest"}"#).await;
    assert_eq!(socket.frame().await["op"], "subscribed");
    site.place().await;
    let event = socket.frame().await;
    site.stop.cancel();
    let last = socket.frame().await;
    assert_eq!((&last["code"], &last["resume"]), (&json!("shutting_down"), &event["seq"]));
    assert_eq!(socket.next().await, Err(1012));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_without_a_subscription_is_closed() {
    let site = Site::idle().await;
    let mut socket = site.socket("/v1/stream").await;
    assert_eq!(socket.frame().await["code"], "idle");
    assert_eq!(socket.next().await, Err(1008));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_have_a_limit() {
    let settings = api::Settings { max_sockets: 1, ..api::Settings::default() };
    let site = Site::with("paper?pace=instant&seed=1", 0, settings).await;
    let first = site.get("/v1/events").send().await.expect("an answer");
    assert_eq!(first.status(), 200);
    let second = site.get("/v1/events").send().await.expect("an answer");
    assert_eq!((second.status().as_u16(), second.headers()["retry-after"].to_str().expect("text")), (503, "1"));
    assert_eq!(crate::site::problem(second).await["code"], "TOO_MANY_SOCKETS");
    drop(first);
    site.end().await;
}

/// Places that many orders, past HTTP.
async fn fill(site: &Site, orders: usize) {
    let place = || domain::swap::Place {
        id: engine::intake::new_id(),
        account: domain::Owner::parse("default").expect("a name"),
        side: domain::swap::Side::Sell,
        ask: domain::swap::Ask {
            input: "SOL".into(),
            output: "USDC".into(),
            mode: domain::swap::Mode::ExactIn,
            amount: 1_000_000_000,
        },
        input_decimals: 9,
        output_decimals: 6,
        slippage_bps: 50,
        client_order_id: None,
        expires_at: None,
        conditions: domain::swap::Conditions::default(),
        firm: None,
        plan: None,
    };
    for taken in futures_util::future::join_all((0..orders).map(|_| site.engine.intake.place(place(), None))).await {
        taken.expect("taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_socket_is_cut_off_with_a_position_and_misses_nothing() {
    const ORDERS: usize = 6_000;

    let site = Site::idle().await;
    let mut slow = site.narrow_socket("/v1/stream").await;
    slow.say(r#"{"op":"subscribe","id":1}"#).await;
    assert_eq!(slow.frame().await["op"], "subscribed");
    fill(&site, ORDERS).await;
    // While it does not read, the distributor gives it up.
    while site.engine.hub.watchers() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut seen = 0;
    let resume = loop {
        let frame = slow.frame().await;
        if frame["op"] == "error" {
            assert_eq!((&frame["code"], &frame["id"]), (&json!("slow_consumer"), &json!(1)));
            break frame["resume"].as_str().expect("a position").to_owned();
        }
        seen += 1;
        assert!(frame["seq"].as_str().is_some_and(|position| position.ends_with(&format!("-{seen}"))));
    };
    assert_eq!(slow.next().await, Err(4008));
    assert!(seen < ORDERS && resume.ends_with(&format!("-{seen}")), "{seen} {resume}");

    let mut again = site.socket("/v1/stream").await;
    again.say(&json!({"op":"subscribe","id":1,"after":resume}).to_string()).await;
    assert_eq!(again.frame().await["op"], "subscribed");
    for seq in seen + 1..=ORDERS {
        let frame = again.frame().await;
        assert!(frame["seq"].as_str().is_some_and(|position| position.ends_with(&format!("-{seq}"))));
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_takes_nothing_is_told_to_resume_after_what_it_got() {
    const ORDERS: usize = 900;

    let settings = api::Settings { send_within_millis: 500, ..api::Settings::default() };
    let site = Site::with("paper?pace=instant&seed=1", 0, settings).await;
    fill(&site, ORDERS).await;
    // The last frame comes only to a client that reads again after its deadline and before the server has gone.
    let mut told = None;
    for _ in 0..20 {
        let mut slow = site.narrow_socket("/v1/stream").await;
        slow.say(r#"{"op":"subscribe","id":1,"after":"oldest"}"#).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        assert_eq!(slow.frame().await["op"], "subscribed");
        let mut seen = 0;
        let resume = loop {
            match slow.next().await {
                Ok(frame) if frame["op"] == "event" => seen += 1,
                Ok(frame) => break Some(frame["resume"].as_str().expect("a position").to_owned()),
                Err(_) => break None,
            }
            if seen == ORDERS {
                break None;
            }
        };
        if let Some(resume) = resume {
            assert_eq!(slow.next().await, Err(4008));
            told = Some((seen, resume));
            break;
        }
    }
    let (seen, resume) = told.expect("a socket that was cut off and told so");
    assert!(seen < ORDERS && resume.ends_with(&format!("-{seen}")), "{seen} {resume}");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_loses_its_place() {
    let settings = api::Settings { max_sockets: 1, ..api::Settings::default() };
    let limits = api::Limits { write_within: std::time::Duration::from_millis(300), ..api::Limits::default() };
    let site = Site::within("paper?pace=instant&seed=1", 0, settings, limits).await;
    fill(&site, 3_000).await;
    let mut silent = site.narrow().await;
    silent.write_all(b"GET /v1/events?after=oldest HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    silent.readable().await.expect("an answer begins");
    let place = async {
        while site.get("/v1/events").send().await.expect("an answer").status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, place).await.expect("its place is free again");
    drop(silent);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_deals_and_bids_everyone_hears_what_they_may_see() {
    let site = Site::new().await;
    let acme = site.caller("acme");
    for buyer in ["bob", "eve"] {
        authorised(&site, buyer).await;
    }
    let deal = posted(&site).await;
    let (_, bid) = site.caller("bob").send("POST", &format!("{deal}/bids"), &json!({"amount": 9_000})).await;
    assert_eq!(acme.post(&format!("/v1/bids/{}/accept", id(&bid))).await.0, 200);
    assert_eq!(acme.post(&format!("{deal}/sell")).await.0, 200);
    let kinds = "kind=deal,bid,invoice,authorisation";
    let (word, sold) = ("authorisation.granted", ["deal.created", "deal.updated", "deal.updated"]);
    for (account, mut expected) in [
        ("acme", vec![word, word, sold[0], "bid.offered", "bid.accepted", sold[1], sold[2], "invoice.issued"]),
        ("bob", vec![word, sold[0], "bid.offered", "bid.accepted", sold[1], sold[2], "invoice.issued"]),
        ("eve", vec![word, sold[0], sold[1], sold[2]]),
    ] {
        let stream = site.get(&format!("/v1/events?after=oldest&{kinds}")).header("x-account", account);
        let told = events(stream.send().await.expect("an answer"), expected.len()).await;
        let mut told: Vec<_> = told.iter().map(|(type_, _, _)| type_.as_str()).collect();
        // Those of one change have no order among each other that is promised.
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{account}");
    }
    let wrong = site.get("/v1/events?kind=invoice_book").send().await.expect("an answer");
    assert_eq!(wrong.status(), 400);
    site.end().await;
}

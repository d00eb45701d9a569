//! A server that is told to stop: not ready at once, gone soon, and nothing is lost.

use std::io::{BufRead, Read};

use domain::swap::QUEUE;
use serde_json::Value;

use crate::server::{INSTANT, Server, status, until};

const ORDER: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"1"}"#;

/// An answer without its head.
fn body(mut answer: impl Read) -> Value {
    let mut text = String::new();
    answer.read_to_string(&mut text).expect("an answer");
    serde_json::from_str(text.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}

#[test]
fn who_stops_is_not_ready_serves_on_and_sends_streams_away_with_a_position() {
    let resting = ["--concurrency", "swap.execute=0", "--unready-for", "4s"];
    let server = Server::start(&[&INSTANT[..], &resting].concat());
    let mut stream = server.request("GET", "/v1/events?after=oldest", "");
    assert_eq!(status(&mut stream), 200);
    assert_eq!(status(&mut server.request("POST", "/v1/swaps", ORDER)), 202);
    assert_eq!(server.status("/health/ready"), 200);

    server.tell("TERM");
    until("the word that it stops", || server.status("/health/ready") == 503);
    let ready = body(server.request("GET", "/health/ready", ""));
    assert_eq!(ready["status"], "stopping");
    // Who has not noticed yet is served.
    assert_eq!(status(&mut server.request("POST", "/v1/swaps", ORDER)), 202);
    let address = server.url.trim_start_matches("http://").to_owned();

    let told: Vec<String> = stream.lines().map(|line| line.expect("a line")).collect();
    let ids: Vec<&str> = told.iter().filter_map(|line| line.strip_prefix("id: ")).collect();
    let types: Vec<&str> = told.iter().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(types, ["swap.pending", "swap.pending", "error"]);
    let last = told.iter().rev().find_map(|line| line.strip_prefix("data: ")).expect("a last event");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!((&last["code"], last["resume"].as_str()), (&"shutting_down".into(), ids.last().copied()));
    let resume = ids.last().expect("a position");
    assert!(resume.ends_with("-2"), "{resume}");

    let (ended, folder) = server.wait();
    assert_eq!(ended.code(), Some(0));
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
    // The next server goes on from there.
    let server = Server::start_in(folder, &INSTANT);
    let mut stream = server.request("GET", &format!("/v1/events?after={resume}"), "");
    assert_eq!(status(&mut stream), 200);
    let next = stream.lines().map_while(Result::ok).find(|line| line.starts_with("event: "));
    assert_eq!(next.as_deref(), Some("event: swap.routing"));
}

#[test]
fn what_is_in_hand_is_given_back() {
    // What is submitted never arrives, so that the order waits for its venue's word.
    let server = Server::start(&["--venue", "paper?pace=real&drop=1"]);
    let placed = body(server.request("POST", "/v1/swaps", ORDER));
    let path = format!("/v1/swaps/{}", placed["id"].as_str().expect("an id"));
    until("the submission", || body(server.request("GET", &path, ""))["status"] == "submitted");
    let (ended, folder) = server.terminate();
    assert_eq!(ended.code(), Some(0));

    let journal = format!("sqlite:{}", folder.path().join("data/tradewind.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (jobs, depth) = runtime.block_on(async {
        let journal = drivers::journal::open_read_only(&journal).await.expect("the journal");
        let now = domain::Timestamp(i64::MAX);
        (journal.jobs(QUEUE, 0, 10).await.expect("jobs"), journal.depth(QUEUE, now).await.expect("a depth"))
    });
    // At once due again, and the attempt that the stop broke off does not count.
    assert_eq!(jobs.iter().map(|job| job.attempt).collect::<Vec<_>>(), [0]);
    assert_eq!((depth.ready, depth.leased), (1, 0));
}

#[test]
fn a_second_signal_does_not_wait() {
    // A day, unless it is cut short.
    let server = Server::start(&[&INSTANT[..], &["--unready-for", "24h"]].concat());
    server.tell("TERM");
    until("the word that it stops", || server.status("/health/ready") == 503);
    server.tell("INT");
    assert_eq!(server.wait().0.code(), Some(0));
}

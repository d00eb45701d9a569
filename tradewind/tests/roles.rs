//! Several processes on one PostgreSQL, each in its role, and what they do while it is away.

use std::io::{BufRead, Read};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{INSTANT, Server, command, err, out, status, until};

const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ORDER: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"1"}"#;

/// A process on that journal.
fn start(journal: &str, arguments: &[&str]) -> Server {
    let all = [&INSTANT[..], &["--journal", journal, "--secret", SECRET], arguments].concat();
    Server::start(&all)
}

/// The head of an answer in lower case, and its body.
fn answer(mut answer: impl Read) -> (String, Value) {
    let mut text = String::new();
    answer.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a body");
    (head.to_lowercase(), serde_json::from_str(body).expect("JSON"))
}

#[test]
fn each_process_does_its_part() {
    let database = testbed::database();
    let migrated =
        command(TempDir::new().expect("a folder").path()).args(["migrate", "--journal", &database.url]).output();
    let migrated = migrated.expect("the binary starts");
    assert!(out(&migrated).starts_with("made the journal"), "{}", err(&migrated));
    let api = start(&database.url, &["--roles", "api", "--no-migrate"]);
    let also = start(&database.url, &["--roles", "api", "--no-migrate"]);
    let relay = start(&database.url, &["--roles", "relay", "--no-migrate", "--export", "file:events.jsonl"]);

    // Nobody works yet: one key through both is one pending order.
    let keyed = ["swap", "SOL", "USDC", "1", "--idempotency-key", "k", "--follow", "1ms"];
    let orders = [&api, &also].map(|server| out(&server.run(&keyed)).lines().next().map(str::to_owned));
    assert!(orders[0].is_some() && orders[0] == orders[1], "{orders:?}");
    let list = answer(api.request("GET", "/v1/swaps", "")).1;
    assert_eq!((list["data"].as_array().map(Vec::len), &list["data"][0]["status"]), (Some(1), &"pending".into()));

    let work = start(&database.url, &["--roles", "work", "--no-migrate"]);
    let swap = also.run(&["swap", "SOL", "USDC", "1"]);
    assert_eq!(swap.status.code(), Some(0), "{}", err(&swap));
    let exported = || std::fs::read_to_string(relay.folder().join("events.jsonl")).unwrap_or_default();
    until("the export", || exported().lines().count() == 10);
    for part in [&work, &relay] {
        assert_eq!(
            (part.status("/health/live"), part.status("/health/ready"), part.status("/metrics")),
            (200, 200, 200)
        );
        assert_eq!((part.status("/v1/tokens"), part.status("/")), (404, 404));
    }

    for server in [api, also, work, relay] {
        assert_eq!(server.terminate().0.code(), Some(0));
    }
    let folder = TempDir::new().expect("a folder");
    let check = command(folder.path()).args(["check", "--journal", &database.url]).output().expect("the binary starts");
    assert_eq!(check.status.code(), Some(0), "{}{}", out(&check), err(&check));
    assert!(out(&check).starts_with("10 events, 2 orders (2 final), 0 jobs"), "{}", out(&check));
}

#[test]
fn a_postgres_that_goes_away_is_told_of_and_comes_back_without_a_restart() {
    let postgres = testbed::Postgres::start();
    let server = start(&postgres.url(), &[]);
    assert_eq!(server.status("/health/ready"), 200);
    let mut stream = server.request("GET", "/v1/events?after=oldest", "");
    assert_eq!(status(&mut stream), 200);

    postgres.stop();
    until("the word of it", || server.status("/health/ready") == 503);
    let (_, ready) = answer(server.request("GET", "/health/ready", ""));
    assert_eq!(ready["status"], "not ready");
    let checks = ready["checks"].as_array().expect("checks");
    let journal = checks.iter().find(|check| check["name"] == "journal").expect("the journal");
    assert_eq!((&journal["status"], &journal["needed"]), (&"fail".into(), &true.into()));
    for (method, path) in [("POST", "/v1/swaps"), ("GET", "/v1/swaps"), ("GET", "/v1/events?after=oldest")] {
        let (head, problem) = answer(server.request(method, path, ORDER));
        assert!(head.starts_with("http/1.1 503 ") && head.contains("retry-after: "), "{method} {path}: {head}");
        assert_eq!(problem["code"], "UNAVAILABLE", "{method} {path}");
    }
    assert_eq!(server.status("/health/live"), 200);

    postgres.restart();
    until("the recovery", || server.status("/health/ready") == 200);
    let swap = server.run(&["swap", "SOL", "USDC", "1"]);
    assert_eq!(swap.status.code(), Some(0), "{}{}", out(&swap), err(&swap));
    // The stream was ended with a position, or goes on: either way with a last line that says where it stands.
    let told = stream.lines().map_while(Result::ok).find(|line| line.starts_with("event: "));
    assert!(matches!(told.as_deref(), Some("event: error" | "event: swap.pending")), "{told:?}");
    assert_eq!(server.terminate().0.code(), Some(0));
}

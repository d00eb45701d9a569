//! Schemas and the log's beginning, from outside: migrations on demand, events that are forgotten.

use tempfile::TempDir;

use crate::server::{INSTANT, Server, command, err, out, until};

#[test]
fn a_journal_is_made_and_brought_up_to_date_on_demand() {
    let folder = TempDir::new().expect("a folder");
    let migrate = |arguments: &[&str]| {
        let output = command(folder.path()).arg("migrate").args(arguments).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    assert!(migrate(&[]).starts_with("made the journal with schema version "));
    assert!(migrate(&[]).ends_with(" already\n"));
    let renewed = migrate(&["--new-epoch"]);
    let epoch = renewed.trim().rsplit_once("epoch ").expect("an epoch").1;

    let server = Server::start_in(folder, &[&INSTANT[..], &["--no-migrate"]].concat());
    assert_eq!(server.run(&["swap", "SOL", "USDC", "1"]).status.code(), Some(0));
    let tail = server.run(&["tail", "--after", "oldest", "--count", "1", "--json"]);
    assert!(out(&tail).contains(&format!("\"seq\":\"{epoch}-1\"")), "{}", out(&tail));
    let busy = server.run(&["migrate"]);
    assert_eq!(busy.status.code(), Some(2));
    assert!(err(&busy).contains("another process"), "{}", err(&busy));
}

#[test]
fn old_events_are_forgotten_and_the_journal_stays_sound() {
    let server = Server::start(&[&INSTANT[..], &["--keep-events", "1s"]].concat());
    for _ in 0..3 {
        let swap = server.run(&["swap", "SOL", "USDC", "1"]);
        assert_eq!(swap.status.code(), Some(0), "{}", err(&swap));
    }
    let tail = server.run(&["tail", "--after", "oldest", "--count", "1", "--json"]);
    let event: serde_json::Value = serde_json::from_str(&out(&tail)).expect("an event");
    let (epoch, _) = event["seq"].as_str().and_then(|seq| seq.split_once('-')).expect("a position");
    until("the forgetting", || server.status(&format!("/v1/events?after={epoch}-13")) == 410);
    let tail = server.run(&["tail", "--after", &format!("{epoch}-1")]);
    assert_eq!(tail.status.code(), Some(2));
    assert!(err(&tail).contains("POSITION_GONE"), "{}", err(&tail));
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));
    let check = command(folder.path()).args(["check", "--json"]).output().expect("the binary starts");
    let report: serde_json::Value = serde_json::from_str(&out(&check)).expect("JSON");
    let counts = ["events", "entities", "finalEntities", "violations"].map(|name| report[name].as_u64());
    assert_eq!(counts, [Some(1), Some(3), Some(3), Some(0)], "{report}");
}

//! Queues from the command line: on a running server and, when it is stopped, in its journal.

use std::process::Output;

use serde_json::Value;

use crate::server::{INSTANT, Server, command, err, out};

pub(crate) const JOURNAL: [&str; 2] = ["--journal", "sqlite:data/tradewind.db"];

pub(crate) fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    out(output)
}

pub(crate) fn refused(output: &Output, says: &str) {
    let text = err(output);
    assert_eq!((output.status.code(), text.trim_end().lines().count()), (Some(2), 1), "{text}");
    assert!(text.contains(says), "{text:?} does not say {says:?}");
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn queues_are_paused_and_resumed_on_a_server_and_in_its_journal() {
    let server = Server::start(&INSTANT);
    let listed = done(&server.run(&["queue", "list"]));
    assert!(listed.starts_with("queue ") && listed.contains("swap.execute"), "{listed}");
    let shown = done(&server.run(&["queue", "pause", "swap.execute"]));
    assert!(shown.starts_with("swap.execute is paused\n  0 in all: "), "{shown}");
    refused(&server.run(&["queue", "purge", "swap.execute"]), "QUEUE_OWN");
    refused(&server.run(&["queue", "show", "no/such queue"]), "QUEUE_NOT_FOUND");
    refused(&server.run(&[&["queue", "list"][..], &JOURNAL].concat()), "another process");
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));

    let run = |arguments: &[&str]| {
        let arguments = [arguments, &JOURNAL].concat();
        command(folder.path()).args(arguments).output().expect("the binary starts")
    };
    let listed = lines(&done(&run(&["queue", "list", "--json"])));
    let paused = |queues: &[Value]| -> Vec<Value> {
        queues.iter().filter(|queue| queue["paused"] == true).map(|queue| queue["name"].clone()).collect()
    };
    assert_eq!(paused(&listed), ["swap.execute"]);
    let shown = done(&run(&["queue", "resume", "swap.execute"]));
    assert!(shown.starts_with("swap.execute is running\n"), "{shown}");
    done(&run(&["queue", "pause", "bid.close", "--account", "ops"]));
    refused(&run(&["queue", "purge", "bid.close"]), "QUEUE_OWN");
    refused(&run(&["queue", "show", "no such queue"]), "QUEUE_NOT_FOUND");
    let server = Server::start_in(folder, &INSTANT);
    let listed = lines(&done(&server.run(&["queue", "list", "--json"])));
    assert_eq!(paused(&listed), ["bid.close"]);
    let close: Value =
        serde_json::from_str(&done(&server.run(&["queue", "show", "bid.close", "--json"]))).expect("JSON");
    assert_eq!(close["pausedBy"], "ops");
    // The queue that runs again does.
    assert_eq!(server.run(&["swap", "SOL", "USDC", "1"]).status.code(), Some(0));
}

#[test]
fn dead_jobs_are_shown_retried_and_discarded_on_a_server_and_in_its_journal() {
    let server = Server::start(&["--venue", "paper?pace=instant&seed=7&fail=1"]);
    for _ in 0..2 {
        assert_eq!(server.run(&["swap", "SOL", "USDC", "1"]).status.code(), Some(1));
    }
    let dead = lines(&done(&server.run(&["queue", "dead", "--json"])));
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().all(|job| job["queue"] == "swap.execute" && job["attempts"] == 3), "{dead:?}");
    let groups = lines(&done(&server.run(&["queue", "dead", "--errors", "--json"])));
    assert_eq!((groups.len(), &groups[0]["count"], &groups[0]["example"]), (1, &2.into(), &dead[1]["id"]));
    let table = done(&server.run(&["queue", "dead", "--errors"]));
    assert!(table.starts_with("count  queue") && table.lines().count() == 2, "{table}");
    let id = dead[0]["id"].as_str().expect("a number");
    assert_eq!(done(&server.run(&["queue", "retry", id])), "1 retried\n");
    refused(&server.run(&["queue", "retry", id]), "DEAD_JOB_NOT_FOUND");
    refused(&server.run(&["queue", "retry"]), "required");
    refused(&server.run(&["queue", "discard", "--group", ""]), "--group");
    refused(&server.run(&["queue", "discard", "--error", ""]), "--error");
    refused(&server.run(&["queue", "discard", id, "--all"]), "cannot be used with");
    assert_eq!(done(&server.run(&["queue", "retry", "--queue", "bid.close"])), "0 retried\n");
    let (_, folder) = server.terminate();

    let run = |arguments: &[&str]| {
        let arguments = [arguments, &JOURNAL].concat();
        command(folder.path()).args(arguments).output().expect("the binary starts")
    };
    let group = groups[0]["group"].as_str().expect("a text");
    let table = done(&run(&["queue", "dead", "--group", group]));
    assert!(table.starts_with("id ") && table.lines().count() == 2, "{table}");
    assert_eq!(lines(&done(&run(&["queue", "dead", "--errors", "--json"]))).len(), 1);
    refused(&run(&["queue", "discard", "--queue", "none"]), "QUEUE_NOT_FOUND");
    refused(&run(&["queue", "discard", "--group", ""]), "--group");
    assert_eq!(done(&run(&["queue", "discard", "--group", group])), "1 discarded\n");
    assert_eq!(done(&run(&["queue", "dead"])), "");
    assert_eq!(done(&run(&["queue", "retry", "--all", "--json"])), "{\"done\":0}\n");
}

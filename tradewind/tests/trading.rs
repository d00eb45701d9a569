//! The trading state from the command line: on a running server and, when it is stopped, in its journal.

use serde_json::Value;

use crate::queue::{JOURNAL, done, refused};
use crate::server::{INSTANT, Server, command};

#[test]
fn trading_is_halted_and_resumed_on_a_server_and_in_its_journal() {
    let server = Server::start(&INSTANT);
    assert_eq!(done(&server.run(&["trading", "show"])), "trading is active\n");
    let halted = done(&server.run(&["trading", "halt", "--reason", "a venue answers nonsense"]));
    assert!(
        halted.starts_with("trading is halted, set by default at ") && halted.ends_with(": a venue answers nonsense\n")
    );
    refused(&server.run(&["swap", "SOL", "USDC", "1"]), "TRADING_HALTED");
    refused(&server.run(&["trading", "resume", "--reason", ""]), "NOTE_MALFORMED");
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));

    let run = |arguments: &[&str]| {
        let arguments = [arguments, &JOURNAL].concat();
        command(folder.path()).args(arguments).output().expect("the binary starts")
    };
    let shown: Value = serde_json::from_str(&done(&run(&["trading", "show", "--json"]))).expect("JSON");
    assert_eq!((&shown["state"], &shown["version"]), (&"halted".into(), &1.into()));
    assert!(done(&run(&["trading", "reduce", "--account", "ops"])).starts_with("trading is reducing, set by ops at "));
    let server = Server::start_in(folder, &INSTANT);
    refused(&server.run(&["swap", "SOL", "JUP", "1"]), "TRADING_STATE_REDUCING");
    assert_eq!(server.run(&["swap", "SOL", "USDC", "1"]).status.code(), Some(0));
    assert!(done(&server.run(&["trading", "resume"])).starts_with("trading is active"));
    assert_eq!(server.run(&["swap", "SOL", "JUP", "1"]).status.code(), Some(0));
}

//! Keys from the command line: made on a running server or in its journal, shown by every command, told by none.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{INSTANT, Server, command, err, out, until};

const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Runs a command in the server's folder, with a key in the variable.
fn with(server: &Server, key: &str, arguments: &[&str]) -> Output {
    let mut command = command(server.folder());
    command.env("TRADEWIND_URL", &server.url).env("TRADEWIND_KEY", key).args(arguments);
    command.stdin(Stdio::null()).output().expect("the binary starts")
}

/// The key that a command printed, which is all that it printed.
fn key(made: &Output) -> String {
    let text = out(made);
    assert_eq!((made.status.code(), text.lines().count()), (Some(0), 1), "{}", err(made));
    assert!(text.starts_with("tw_"), "{text}");
    assert!(!err(made).contains(text.trim()), "the key is told twice");
    text.trim().to_owned()
}

/// The id within a key.
fn id(key: &str) -> &str {
    key.split('_').nth(2).expect("an id")
}

/// Refused with exit code 2, and no key in what is said.
fn refused(output: &Output, says: &str) {
    let text = err(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(says) && !text.contains("tw_"), "{text}");
}

#[test]
fn a_life_with_keys() {
    let server = Server::start(&INSTANT);
    refused(&server.run(&["keys", "create", "--role", "seller", "--account", "acme"]), "FIRST_KEY_NOT_ADMIN");
    let admin = key(&server.run(&["keys", "create", "--role", "admin", "--account", "ops"]));
    for closed in [&["quote", "SOL", "USDC", "1"][..], &["tail", "--count", "1"], &["keys", "list"], &["demo"]] {
        refused(&server.run(closed), "KEY_REQUIRED");
        refused(&with(&server, "tw_live_nonsense", closed), "KEY_NOT_GOOD");
    }
    let make = ["keys", "create", "--role", "trader", "--account", "acme", "--name", "robot", "--env", "test"];
    let trader = key(&with(&server, &admin, &make));
    assert!(trader.starts_with("tw_test_"));
    let swap = with(&server, &trader, &["swap", "SOL", "USDC", "1"]);
    assert_eq!(swap.status.code(), Some(0), "{}", err(&swap));
    // The same key as a flag; an account of one's own may be named, another may not.
    let swap = server.run(&["swap", "SOL", "USDC", "1", "--key", &trader, "--account", "acme"]);
    assert_eq!(swap.status.code(), Some(0), "{}", err(&swap));
    refused(&server.run(&["swap", "SOL", "USDC", "1", "--key", &trader, "--account", "other"]), "ACCOUNT_NOT_YOURS");

    // Who follows sees what its key may see: the admin's own account has no orders.
    let tail = ["tail", "--after", "oldest", "--kind", "swap", "--count", "5", "--json"];
    let seen = with(&server, &admin, &[&tail[..], &["--as", &trader]].concat());
    assert_eq!(out(&seen).lines().count(), 5, "{}", err(&seen));
    assert!(out(&seen).lines().all(|line| line.contains(r#""owner":"acme""#)));

    let listed = out(&with(&server, &admin, &["keys", "list", "--all", "--json"]));
    let keys: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(keys.iter().map(|key| key["account"].clone()).collect::<Vec<_>>(), ["acme", "ops"]);
    let table = out(&with(&server, &admin, &["keys", "list", "--account", "acme"]));
    assert!(table.contains("robot") && table.contains(id(&trader)) && !table.contains(&trader), "{table}");
    refused(&with(&server, &trader, &["keys", "revoke", &trader]), "keys list");
    refused(&with(&server, &trader, &["keys", "revoke", id(&admin)]), "KEY_NOT_FOUND");
    let revoked = with(&server, &trader, &["keys", "revoke", id(&trader)]);
    assert_eq!(out(&revoked), format!("key {} of acme is revoked\n", id(&trader)), "{}", err(&revoked));
    refused(&with(&server, &trader, &["quote", "SOL", "USDC", "1"]), "KEY_NOT_GOOD");

    // The last key is lost; whoever has the journal has a way back in, when its server has let go of it.
    let lost = ["keys", "create", "--role", "admin", "--account", "ops", "--journal", "sqlite:data/tradewind.db"];
    refused(&server.run(&lost), "another process");
    with(&server, &admin, &["keys", "revoke", id(&admin)]);
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));
    let run = |arguments: &[&str]| command(folder.path()).args(arguments).output().expect("the binary starts");
    let found = key(&run(&lost));
    let table = out(&run(&["keys", "list", "--all", "--journal", "sqlite:data/tradewind.db"]));
    assert_eq!(table.lines().count(), 4, "{table}");
    let check = run(&["check"]);
    assert_eq!(check.status.code(), Some(0), "{}{}", out(&check), err(&check));
    let server = Server::start_in(folder, &INSTANT);
    assert_eq!(with(&server, &found, &["quote", "SOL", "USDC", "1"]).status.code(), Some(0));
    refused(&server.run(&["quote", "SOL", "USDC", "1"]), "KEY_REQUIRED");
}

#[test]
fn strangers_are_let_near_only_with_a_key_or_on_demand() {
    let folder = TempDir::new().expect("a folder");
    let run = |arguments: &[&str]| command(folder.path()).args(arguments).output().expect("the binary starts");
    refused(&run(&["serve", "--listen", "0.0.0.0:0", "--log", "error"]), "keys create");
    let journal = ["--journal", "sqlite:data/tradewind.db"];
    refused(&run(&[&["keys", "create", "--role", "seller"][..], &journal].concat()), "FIRST_KEY_NOT_ADMIN");
    let admin = key(&run(&[&["keys", "create", "--role", "admin"][..], &journal].concat()));
    let server = Server::start_anywhere_in(folder, &INSTANT);
    assert_eq!(with(&server, &admin, &["keys", "list"]).status.code(), Some(0));
}

#[test]
fn a_key_of_another_system_comes_from_standard_input() {
    let server = Server::start(&INSTANT);
    let admin = key(&server.run(&["keys", "create", "--role", "admin", "--account", "ops"]));
    let mut import = command(server.folder());
    import.env("TRADEWIND_URL", &server.url).env("TRADEWIND_KEY", &admin);
    import.args(["keys", "create", "--role", "trader", "--account", "acme", "--import"]);
    let mut child =
        import.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"some-secret-api-key\n").expect("written");
    let made = child.wait_with_output().expect("an end");
    let said = out(&made) + &err(&made);
    assert!(made.status.success() && said.starts_with("key ") && !said.contains("some-secret"), "{said}");
    assert_eq!(with(&server, "some-secret-api-key", &["quote", "SOL", "USDC", "1"]).status.code(), Some(0));
}

#[test]
fn a_key_that_is_revoked_on_one_node_is_good_on_none() {
    let database = testbed::database();
    let start = |cache: &str| {
        let arguments = ["--journal", &database.url, "--secret", SECRET, "--cache", cache];
        Server::start(&[&INSTANT[..], &arguments].concat())
    };
    let nodes = [start("memory"), start("none")];
    // Both are open, and both close with the first key.
    for node in &nodes {
        assert_eq!(node.run(&["quote", "SOL", "USDC", "1"]).status.code(), Some(0));
    }
    let admin = key(&nodes[0].run(&["keys", "create", "--role", "admin", "--account", "ops"]));
    for node in &nodes {
        until("its closing", || err(&node.run(&["quote", "SOL", "USDC", "1"])).contains("KEY_REQUIRED"));
    }
    for (one, other) in [(0, 1), (1, 0)] {
        let trader = key(&with(&nodes[one], &admin, &["keys", "create", "--role", "trader", "--account", "acme"]));
        for node in &nodes {
            assert_eq!(with(node, &trader, &["quote", "SOL", "USDC", "1"]).status.code(), Some(0));
        }
        let revoke = with(&nodes[one], &admin, &["keys", "revoke", id(&trader)]);
        assert_eq!(revoke.status.code(), Some(0), "{}", err(&revoke));
        refused(&with(&nodes[one], &trader, &["quote", "SOL", "USDC", "1"]), "KEY_NOT_GOOD");
        until("the word of it", || {
            err(&with(&nodes[other], &trader, &["quote", "SOL", "USDC", "1"])).contains("KEY_NOT_GOOD")
        });
    }
    // At the journal itself, while the nodes run.
    let found = key(&nodes[0].run(&["keys", "create", "--role", "admin", "--journal", &database.url]));
    assert_eq!(with(&nodes[1], &found, &["keys", "list"]).status.code(), Some(0));
}

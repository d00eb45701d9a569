//! The command line: help, errors, and one life of an installation from its first order to its backup.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::server::{INSTANT, Server, command, err, out};

/// Runs the binary in an empty folder without a server.
fn run(arguments: &[&str]) -> Output {
    let folder = TempDir::new().expect("a folder");
    command(folder.path()).args(arguments).output().expect("the binary starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

/// A command that cannot be carried out: exit code 2 and one line that says why.
fn refused(output: &Output, says: &str) {
    let text = err(output);
    assert_eq!(code(output), 2, "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.starts_with("tradewind: ") && text.contains(says), "{text:?} does not say {says:?}");
    assert!(!text.contains("hunter2"), "{text:?} tells a password");
    assert_eq!(out(output), "");
}

#[test]
fn help_is_a_contract() {
    for name in [
        "",
        "serve",
        "quote",
        "swap",
        "route",
        "tail",
        "demo",
        "demo-data",
        "keys",
        "keys create",
        "keys list",
        "keys revoke",
        "queue",
        "queue list",
        "queue show",
        "queue pause",
        "queue resume",
        "queue purge",
        "queue dead",
        "queue retry",
        "queue discard",
        "trading",
        "trading show",
        "trading halt",
        "trading reduce",
        "trading resume",
        "simnet",
        "bench",
        "openapi",
        "check",
        "backup",
        "migrate",
        "webhooks",
        "webhooks listen",
    ] {
        let arguments: Vec<&str> =
            if name.is_empty() { vec!["--help"] } else { name.split(' ').chain(["--help"]).collect() };
        let output = run(&arguments);
        assert_eq!(code(&output), 0);
        let name = if name.is_empty() { "tradewind" } else { name };
        insta::assert_snapshot!(format!("help-{}", name.replace(' ', "-")), out(&output));
    }
}

#[test]
fn the_version_is_told() {
    assert_eq!(out(&run(&["--version"])), format!("tradewind {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_command_lines_are_one_line_and_exit_code_2() {
    for (line, says) in [
        ("--bogus", "--bogus"),
        ("swop SOL USDC 1", "swap"),
        ("quote SOL", "<OUTPUT>"),
        ("serve --listen nowhere", "--listen"),
        ("serve --listen 0.0.0.0:0", "--open"),
        ("serve --facade dex", "dex=127.0.0.1:3000"),
        ("serve --facade bistro=127.0.0.1:0", "dex="),
        ("serve --quote-deadline 5", "800ms"),
        ("serve --concurrency swap.execute=many", "from 0 to 4096"),
        ("serve --concurrency 5", "queue=number"),
        (
            "serve --concurrency swops=5",
            "there are bid.close, bid.expire, plan.slice, queue.move, swap.execute, swap.expire",
        ),
        ("serve --roles api", "leave --roles out"),
        ("serve --roles cook", "api, work, relay"),
        ("serve --keep-events 90", "m, h or d"),
        ("serve --unready-for soon", "30s"),
        ("serve --no-migrate", "`tradewind migrate"),
        ("serve --secret hunter2", "64 hexadecimal digits"),
        ("serve --journal mysql://x", "sqlite:"),
        ("serve --wake rabbit://x", "local"),
        ("serve --wake nats://127.0.0.1:1", "start the server"),
        ("serve --venue paper?pace=slow", "real or instant"),
        ("serve --venue paper --venue simnet=http://127.0.0.1:9", "name each once"),
        ("serve --venue jupiter=https://api.jup.ag?rpc=http://127.0.0.1:9", "say --live"),
        ("serve --venue raydium=http://127.0.0.1:9?rpc=https://node.example", "say --live"),
        ("serve --venue jupiter=http://127.0.0.1:9?rpc=http://127.0.0.1:9", "--signer file:"),
        ("serve --signer file:/nowhere", "--signer file:/nowhere: it cannot be read"),
        ("serve --export ftp:x", "file:"),
        ("serve --tokens none.json", "none.json"),
        ("serve --log =,=", "--log"),
        ("serve --failpoints nowhere=1", "nowhere"),
        ("check --journal sqlite:none.db", "none.db"),
        ("webhooks listen --secret hunter2", "--secret: a webhook secret is whsec_"),
        ("webhooks listen --answer 600", "from 200 to 599"),
        ("check --journal mysql://me:hunter2@h/d", "sqlite:"),
        ("backup copy.db --journal sqlite:none.db", "none.db"),
        ("backup copy.db --journal postgres://me:hunter2@h/d", "pg_dump; docs/operations.md"),
        ("backup copy.db --journal mysql://me:hunter2@h/d", "sqlite:"),
        ("migrate --journal mysql://me:hunter2@h/d", "sqlite:"),
        ("migrate --journal sqlite:/proc/none/t.db", "cannot write"),
        ("serve --wake rabbit://me:hunter2@h", "local"),
        ("serve --export ftp://me:hunter2@h", "file:"),
        ("serve --venue ftp://me:hunter2@h", "paper"),
        ("serve --venue simnet=ftp://me:hunter2@h", "simnet="),
        ("quote SOL USDC 1 --url https://example.invalid", "http://"),
        ("quote SOL USDC 1 --account \u{7}", "account"),
        ("quote SOL USDC 1 --key hunter2\u{7}", "--key"),
        ("serve --anonymous bistro=x", "there are deals, dex"),
        ("serve --anonymous dex", "dex=legacy"),
        ("keys create --journal sqlite:none.db", "none.db"),
        ("keys list --journal mysql://me:hunter2@h/d", "sqlite:"),
        ("keys revoke tw_live_hunter2", "keys list"),
        ("keys create --role admin --url http://127.0.0.1:1", "no server at"),
        ("tail --url http://127.0.0.1:1", "start one with `tradewind`"),
        ("demo --url http://127.0.0.1:1", "no server at"),
        ("bench execute --url http://127.0.0.1:1", "--url"),
        ("bench accept --url http://127.0.0.1:1 --journal postgres://h/d", "leave one of them away"),
        ("bench workers", "name a server with --journal"),
        ("bench hot --journal mysql://me:hunter2@h/d", "expected postgres://"),
        ("bench hot --journal postgres://me:hunter2@127.0.0.1:1/d", "start the server"),
        ("simnet --pace slow", "real or instant"),
        ("route --network none.json --from A --to B --amount 1", "--network none.json: "),
    ] {
        refused(&run(&line.split(' ').collect::<Vec<_>>()), says);
    }
}

#[test]
fn no_secret_is_ever_printed() {
    let output = run(&["serve", "--secret", "hunter2"]);
    assert!(!err(&output).contains("hunter2"));
    let folder = TempDir::new().expect("a folder");
    let help = command(folder.path()).env("TRADEWIND_SECRET", "hunter2").args(["serve", "--help"]).output();
    assert!(!out(&help.expect("the binary starts")).contains("hunter2"));
}

#[test]
fn a_second_server_on_the_same_journal_is_refused() {
    let server = Server::start(&INSTANT);
    refused(&server.run(&["serve", "--listen", "127.0.0.1:0", "--log", "error"]), "another process");
    let taken = server.url.trim_start_matches("http://");
    let other = ["serve", "--log", "error", "--journal", "sqlite:other.db", "--listen", taken];
    refused(&server.run(&other), "another program listens there");
}

#[test]
fn an_installation_lives() {
    let server = Server::start(&INSTANT);

    let quote = server.run(&["quote", "SOL", "USDC", "10"]);
    assert_eq!(code(&quote), 0, "{}", err(&quote));
    let shown = out(&quote);
    assert!(shown.contains("Raydium") && shown.contains("Meteora"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("* ")).count(), 1, "{shown}");

    let swap = server.run(&["swap", "SOL", "USDC", "10", "--client-order-id", "mine-1", "--idempotency-key", "k"]);
    assert_eq!(code(&swap), 0, "{}", err(&swap));
    let words: Vec<String> =
        out(&swap).lines().skip(1).filter_map(|l| Some(l.split_whitespace().nth(2)?.to_owned())).collect();
    assert_eq!(words, ["pending", "routing", "building", "submitted", "confirmed"]);

    let again = server.run(&["swap", "SOL", "USDC", "10", "--client-order-id", "mine-1", "--idempotency-key", "k"]);
    assert_eq!((code(&again), id(&again)), (0, id(&swap)), "one key is one order");
    refused(&server.run(&["swap", "SOL", "USDC", "10", "--client-order-id", "mine-1"]), "409");
    refused(&server.run(&["swap", "SOL", "NOPE", "10"]), "UNKNOWN_TOKEN");
    refused(&server.run(&["swap", "SOL", "USDC", "1e3"]), "AMOUNT");

    let bought = server.run(&["swap", "USDC", "SOL", "2", "--exact-out", "--slippage-bps", "100", "--json"]);
    assert_eq!(code(&bought), 0, "{}", err(&bought));
    let last: serde_json::Value = serde_json::from_str(out(&bought).lines().last().expect("events")).expect("JSON");
    assert_eq!(last["data"]["fill"]["amountOut"], "2");

    let demo = server.run(&["demo"]);
    assert_eq!(code(&demo), 0, "{}", err(&demo));
    assert!(out(&demo).contains("5 of 5 orders confirmed"), "{}", out(&demo));

    let tail = server.run(&["tail", "--after", "oldest", "--count", "35", "--json"]);
    assert_eq!(code(&tail), 0, "{}", err(&tail));
    assert_eq!(seqs(&out(&tail)), (1..=35).map(|n| n.to_string()).collect::<Vec<_>>());

    let running = server.run(&["backup", "copy.db"]);
    assert_eq!(code(&running), 0, "{}", err(&running));
    refused(&server.run(&["backup", "copy.db"]), "exists");
    let copy = server.run(&["check", "--journal", "sqlite:copy.db", "--json"]);
    assert_eq!(code(&copy), 0, "{}", out(&copy));
    let report: serde_json::Value = serde_json::from_str(&out(&copy)).expect("JSON");
    assert_eq!((&report["events"], &report["entities"], &report["finalEntities"]), (&35.into(), &7.into(), &7.into()));

    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));
    let check = command(folder.path()).args(["check"]).output().expect("the binary starts");
    assert_eq!(code(&check), 0, "{}", out(&check));
    assert!(out(&check).contains("every invariant holds"), "{}", out(&check));
}

#[test]
fn a_restored_copy_is_not_exported_over_what_its_original_exported() {
    let exporting = [&INSTANT[..], &["--export", "file:events.jsonl"]].concat();
    let server = Server::start(&exporting);
    assert_eq!(code(&server.run(&["swap", "SOL", "USDC", "1"])), 0);
    assert_eq!(code(&server.run(&["backup", "copy.db"])), 0);
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));
    let serve = ["serve", "--listen", "127.0.0.1:0", "--journal", "sqlite:copy.db"];
    let copy = command(folder.path()).args(serve).args(&exporting).output().expect("the binary starts");
    refused_after_output(&copy, "move the file away");
    // Nothing but the file stands in its way.
    std::fs::rename(folder.path().join("events.jsonl"), folder.path().join("old.jsonl")).expect("the export is there");
    drop(Server::start_in(folder, &[&exporting[..], &["--journal", "sqlite:copy.db"]].concat()));
}

#[test]
fn an_export_that_is_ahead_of_its_journal_is_refused() {
    let exporting = [&INSTANT[..], &["--export", "file:events.jsonl"]].concat();
    let server = Server::start(&exporting);
    assert_eq!(code(&server.run(&["swap", "SOL", "USDC", "1"])), 0);
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));
    // As after the return of an older copy of the journal's file.
    let file = folder.path().join("events.jsonl");
    let text = std::fs::read_to_string(&file).expect("the export is there");
    let ahead = text.lines().next().expect("a line").replace("\"seq\":1,", "\"seq\":99,").replace("-1\",", "-99\",");
    std::fs::write(&file, text + &ahead + "\n").expect("written");
    let serve = command(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]).args(&exporting).output();
    refused_after_output(&serve.expect("the binary starts"), "up to 99, the journal ends at 5");
}

fn id(swap: &Output) -> String {
    out(swap).lines().next().and_then(|line| line.strip_prefix("order ")).expect("an id").to_owned()
}

#[test]
fn what_was_accepted_before_a_kill_is_executed_after_it() {
    // Its workers rest, so that the orders are certainly not executed when it dies.
    let resting = Server::start(&[&INSTANT[..], &["--concurrency", "swap.execute=0"]].concat());
    for _ in 0..3 {
        let placed = resting.run(&["swap", "SOL", "USDC", "1", "--follow", "1ms"]);
        refused_after_output(&placed, "is not final");
    }
    let folder = resting.kill();
    let check = command(folder.path()).args(["check", "--json"]).output().expect("the binary starts");
    let report: serde_json::Value = serde_json::from_str(&out(&check)).expect("JSON");
    assert_eq!((code(&check), &report["jobs"], &report["finalEntities"]), (0, &3.into(), &0.into()), "{report}");

    let working = Server::start_in(folder, &INSTANT);
    let tail = working.run(&["tail", "--after", "oldest", "--count", "15"]);
    assert_eq!(out(&tail).matches("swap.confirmed").count(), 3, "{}", out(&tail));
    assert!(working.folder().join("data/tradewind.db").exists());
}

#[test]
fn a_tail_goes_on_after_the_server_was_killed() {
    let server = Server::start(&INSTANT);
    let mut tail = command(server.folder())
        .env("TRADEWIND_URL", &server.url)
        .args(["tail", "--after", "oldest", "--count", "10", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    assert_eq!(code(&server.run(&["swap", "SOL", "USDC", "1"])), 0);
    // It has begun, and does not meet a server that is away.
    let (mut text, mut said) = (String::new(), BufReader::new(tail.stdout.take().expect("a pipe")));
    said.read_line(&mut text).expect("text");
    let server = server.restart(&INSTANT);
    assert_eq!(code(&server.run(&["swap", "USDC", "SOL", "1"])), 0);
    said.read_to_string(&mut text).expect("text");
    let status = tail.wait().expect("a child of ours");
    assert_eq!((status.code(), seqs(&text)), (Some(0), (1..=10).map(|n| n.to_string()).collect()));
}

/// The numbers of events printed as JSON.
fn seqs(text: &str) -> Vec<String> {
    let seq = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        event["seq"].as_str().and_then(|seq| seq.split_once('-')).expect("epoch-seq").1.to_owned()
    };
    text.lines().map(seq).collect()
}

/// As [`refused`], after it had said something.
fn refused_after_output(output: &Output, says: &str) {
    assert_eq!(code(output), 2);
    assert!(err(output).contains(says), "{}", err(output));
}

#[test]
fn the_simulated_chain_runs_alone() {
    let chain = Server::chain(&["--pace", "instant", "--seed", "7"]);
    let server = Server::start(&["--venue", &format!("simnet={}", chain.url)]);
    let swap = server.run(&["swap", "SOL", "USDC", "10"]);
    assert_eq!(code(&swap), 0, "{}{}", out(&swap), err(&swap));
    assert_eq!(chain.terminate().0.code(), Some(0));
}

#[test]
fn a_facade_has_an_address_of_its_own() {
    let server = Server::start(&[&INSTANT[..], &["--facade", "dex=127.0.0.1:0"]].concat());
    let dex = server.facade.as_ref().expect("the facade's address is printed");
    assert_ne!(*dex, server.url);
    let body = r#"{"type":"MARKET","side":"buy","inputToken":"SOL","outputToken":"USDC","amount":-1}"#;
    let answer = post(dex, "/api/orders/execute", body);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with(r#"{"error":"Invalid amount"}"#), "{answer}");
}

/// A request as it goes over the wire, and its whole answer.
fn post(url: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    let head = "host: x\r\nconnection: close\r\ncontent-type: application/json";
    write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_document_of_the_api_is_printed() {
    let output = run(&["openapi"]);
    let document: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert!(document["paths"]["/v1/swaps"]["post"].is_object());
}

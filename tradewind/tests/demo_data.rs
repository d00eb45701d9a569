//! `tradewind demo-data`: the recorded calls run as they are printed, its webhooks arrive, and a second run adds nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde_json::Value;

use crate::server::{INSTANT, Server, command, deaf, err, out};

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
const SELLER: &str = "90d57fe0-0fa1-4dae-a51c-917cc82bcdda";
const BUYER: &str = "90d57fe0-0fa1-4dae-a51c-917cc82bcddc";

/// Takes webhooks: their bodies come out of the channel.
fn receiver() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let (send, bodies) = sync_channel(1_000);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let send = send.clone();
            std::thread::spawn(move || take(stream, &send));
        }
    });
    (url, bodies)
}

/// Answers the requests of one connection.
fn take(stream: TcpStream, send: &SyncSender<Value>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        write!(reader.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
        send.send(serde_json::from_slice(&body).ok()?).ok()?;
    }
}

/// The answer to one line of the script.
fn answer(server: &Server, call: &str) -> Value {
    let mut bash = deaf(Command::new("bash"), server.folder());
    let output = bash.args(["-euo", "pipefail", "-c", call]).stdin(Stdio::null()).output().expect("bash");
    assert!(output.status.success(), "{call}: {}", err(&output));
    serde_json::from_str(&out(&output)).unwrap_or_else(|error| panic!("{call}: {error}: {}", out(&output)))
}

fn is_ours(deal: &Value) -> bool {
    deal["name"].as_str().is_some_and(|name| name.ends_with(" of 10)"))
}

#[test]
fn the_printed_calls_work_and_nothing_is_made_twice() {
    let own = ["--facade", "deals=127.0.0.1:0", "--webhook-allow-net", "127.0.0.0/8"];
    let server = Server::start(&[&INSTANT[..], &own].concat());
    let facade = server.facade.clone().expect("the facade's address is printed");
    let (url, webhooks) = receiver();
    let data = ["demo-data", "--facade-url", &facade, "--webhook-url", &url];
    let made = server.run(&data);
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    let script = out(&made);
    let admin = script.lines().next().and_then(|line| line.rsplit(' ').next()).expect("a key").to_owned();
    assert!(admin.starts_with("tw_"), "{script}");
    assert_eq!(script.matches("# webhook ").count(), 4, "{script}");

    // The one call that the original's own page shows.
    let recorded = format!("curl -sS {facade}/deal -H 'x-api-key: {BUYER}'");
    let listed = answer(&server, &recorded);
    assert_eq!(listed["deals"].as_array().map(Vec::len), Some(2));
    let is_as_recorded = |deal: &Value| {
        deal["sellerId"] == SELLER
            && deal["currency"] == "GBP"
            && deal["status"] == "available"
            && deal["items"].is_null()
    };
    assert!(listed["deals"].as_array().expect("deals").iter().all(is_as_recorded), "{listed}");

    let calls: Vec<&str> = script.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    assert!(calls.len() == 5 && calls.iter().all(|call| call.starts_with("curl ")), "{script}");
    let answers: Vec<Value> = calls.iter().map(|call| answer(&server, call)).collect();
    assert_eq!(answers[0], listed);
    assert_eq!(answers[1]["deals"].as_array().map(Vec::len), Some(5));
    let (posted, changed) = (&answers[2], &answers[3]);
    assert_eq!((&posted["sellerId"], &posted["totalPrice"]), (&SELLER.into(), &15_000.into()), "{posted}");
    assert_eq!(changed["id"], listed["deals"][0]["id"], "{changed}");
    assert_eq!(answers[4]["deals"][0]["id"], posted["id"], "{}", answers[4]);

    // What changed is told with what it was, and what was posted as it is.
    let (mut was, mut whole) = (None, None);
    while was.is_none() || whole.is_none() {
        let body = webhooks.recv_timeout(PATIENCE).expect("a webhook");
        if body["now"]["totalPrice"] == changed["totalPrice"] {
            was = Some(body["was"].clone());
        } else if body["deal"]["id"] == posted["id"] {
            whole = Some(body["deal"].clone());
        }
    }
    assert_eq!(was.as_ref(), Some(&listed["deals"][0]));
    assert_eq!(whole.as_ref(), Some(&answers[4]["deals"][0]));

    // Ours are behind the first page of a hundred now.
    let post = calls[2].replace("curl ", "curl -f -o /dev/null ");
    answer(&server, &format!("for n in $(seq 100); do {post}; done; echo true"));
    let ends = || {
        ["100", "-100"]
            .map(|take| answer(&server, &format!("curl -sS '{facade}/deal?take={take}' -H 'x-api-key: {BUYER}'")))
    };
    let before = ends();
    let again = server.run(&data);
    assert_eq!(again.status.code(), Some(2), "without a key");
    assert!(err(&again).contains("TRADEWIND_KEY"), "{}", err(&again));
    let mut with_key = command(server.folder());
    let again = with_key.env("TRADEWIND_URL", &server.url).env("TRADEWIND_KEY", &admin).args(data).output();
    let again = again.expect("the binary starts");
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert!(!out(&again).contains("# webhook ") && !out(&again).contains("tw_"), "{}", out(&again));
    assert_eq!(ends(), before);
    // Ten of ours at the end, none among the newest.
    let ours = |page: &Value| page["deals"].as_array().expect("deals").iter().filter(|deal| is_ours(deal)).count();
    assert_eq!(before.each_ref().map(ours), [0, 10]);
}

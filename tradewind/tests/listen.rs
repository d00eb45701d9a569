//! `tradewind webhooks listen`: what it prints of what arrives, and what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use domain::webhook::sign::{Secret, signature};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{command, status};

const BODY: &str = r#"{"type":"deal.created","timestamp":"2026-11-18T11:06:40.1Z","data":{"id":"a"}}"#;

/// The receiver, where it listens, and what it says from then on.
fn listen(arguments: &[&str], secret: &Secret) -> (Child, String, impl Iterator<Item = String>) {
    let folder = TempDir::new().expect("a folder");
    let mut child = command(folder.path())
        .args(["webhooks", "listen", "--port", "0"])
        .args(arguments)
        .env("TRADEWIND_WEBHOOK_SECRET", secret.show())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let first = lines.next().expect("where it listens");
    let address = first.strip_prefix("listening on http://").expect("an address").to_owned();
    (child, address, lines)
}

/// Sends one webhook, and answers with the status.
fn send(address: &str, signature: &str, timestamp: i64) -> u16 {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a deadline");
    let head = format!(
        "POST /in HTTP/1.1\r\nhost: x\r\nconnection: close\r\nwebhook-id: an-id\r\nwebhook-timestamp: {timestamp}\r\n\
         webhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = BufReader::new(stream);
    let said = status(&mut answer);
    answer.read_to_end(&mut Vec::new()).expect("the rest");
    said
}

#[test]
fn arrivals_are_printed_verified_and_answered() {
    let secret = Secret::new(&[7; 32]).expect("a secret");
    let now = engine::clock::now().as_millis() / 1_000;
    let signed = signature(std::slice::from_ref(&secret), "an-id", now, BODY.as_bytes());
    let (mut child, address, mut lines) = listen(&["--count", "2"], &secret);
    assert_eq!(send(&address, &signed, now), 200);
    let line = lines.next().expect("a line");
    assert!(line.contains("  an-id  deal.created ") && line.ends_with("  verified"), "{line}");
    assert_eq!(send(&address, &signed, now - 1), 200);
    let line = lines.next().expect("a line");
    assert!(line.ends_with("NOT VERIFIED: the signature is not by this secret, or the body was changed"), "{line}");
    assert_eq!((lines.next(), child.wait().expect("a child of ours").code()), (None, Some(0)));

    let (mut child, address, mut lines) =
        listen(&["--count", "1", "--json", "--answer", "503", "--delay", "10ms"], &secret);
    assert_eq!(send(&address, &signed, now), 503);
    let arrival: Value = serde_json::from_str(&lines.next().expect("a line")).expect("JSON");
    assert_eq!((&arrival["verified"], &arrival["body"]["data"]["id"]), (&Value::Bool(true), &"a".into()));
    assert_eq!(child.wait().expect("a child of ours").code(), Some(0));
}

//! Each server starts, answers, restarts with or without what it held, and is gone when it goes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testbed::{Nats, Postgres, Redis};

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `done`, at most [`PATIENCE`].
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn runs(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

fn state(pid: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.trim().chars().next()
}

fn connects(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Sends one command in Redis's or NATS's plain form and answers what comes back until `end`.
fn ask(port: u16, words: &str, end: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    stream.write_all(words.as_bytes()).expect("a request");
    let (mut answer, mut buffer) = (String::new(), [0; 4096]);
    while !answer.contains(end) {
        let count = stream.read(&mut buffer).expect("an answer");
        assert!(count > 0, "closed after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    answer
}

/// A request to JetStream, and its answer.
fn jetstream(port: u16, subject: &str, body: &str) -> String {
    let subscribe = "CONNECT {\"verbose\":false}\r\nSUB answers 1\r\n";
    let publish = format!("PUB $JS.API.{subject} answers {}\r\n{body}\r\n", body.len());
    ask(port, &format!("{subscribe}{publish}"), "}\r\n")
}

#[test]
fn postgres_keeps_its_data_over_every_sort_of_restart() {
    let server = Postgres::start();
    let database = server.database();
    database.run("create table held (n int)");
    let restarts: [fn(&Postgres); 3] = [Postgres::restart, Postgres::restart_immediate, |server| {
        server.kill();
        assert!(!connects(server.port()));
        server.restart();
    }];
    for (count, restart) in (1..).zip(restarts) {
        let (pid, url) = (server.pid(), server.url());
        database.run(&format!("insert into held values ({count})"));
        restart(&server);
        assert!(!runs(pid));
        assert!(runs(server.pid()));
        assert_eq!(server.url(), url);
        assert_eq!(database.run("select count(*) from held"), count.to_string());
    }
    assert_eq!(database.run("show fsync"), "on");
    let (pid, port, data) = (server.pid(), server.port(), server.data());
    drop((database, server));
    assert!(!runs(pid) && !connects(port) && !data.exists());
}

#[test]
fn postgres_stops_whole_and_goes_on() {
    let server = Postgres::start();
    server.pause();
    let of_server = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        *pid == server.pid() || parent == Some(server.pid())
    };
    let all = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let family: Vec<u32> = all.filter(of_server).collect();
    assert!(family.len() > 1, "the server and its children");
    eventually("all are stopped", || family.iter().all(|pid| state(*pid) == Some('T')));
    server.resume();
    assert_eq!(server.database().run("select 1"), "1");
}

#[test]
fn databases_are_apart_and_dropped() {
    let (one, other) = (testbed::database(), testbed::database());
    one.run("create table only_here (n int)");
    assert_eq!(other.run("select to_regclass('only_here') is null"), "t");
    let count = format!("select count(*) from pg_database where datname = '{}'", one.name());
    assert_eq!(other.run(&count), "1");
    drop(one);
    assert_eq!(other.run(&count), "0");
}

#[test]
fn redis_forgets_when_it_restarts() {
    let server = Redis::start();
    assert!(ask(server.port(), "SET a 1\r\nDBSIZE\r\n", ":1\r\n").starts_with("+OK"));
    let (pid, port) = (server.pid(), server.port());
    server.restart();
    assert!(!runs(pid));
    assert_eq!(server.port(), port);
    assert_eq!(ask(port, "DBSIZE\r\n", "\r\n"), ":0\r\n");
    server.pause();
    eventually("it is stopped", || state(server.pid()) == Some('T'));
    server.resume();
    assert_eq!(ask(port, "PING\r\n", "\r\n"), "+PONG\r\n");
    let pid = server.pid();
    drop(server);
    assert!(!runs(pid) && !connects(port));
}

#[test]
fn nats_keeps_its_streams_unless_they_are_wiped() {
    let server = Nats::start();
    let port = server.port();
    let made = jetstream(port, "STREAM.CREATE.S", "{\"name\":\"S\",\"subjects\":[\"s\"]}");
    assert!(made.contains("\"did_create\":true"), "{made}");
    server.kill();
    server.restart();
    assert!(jetstream(port, "STREAM.NAMES", "").contains("\"streams\":[\"S\"]"));
    server.restart_wiped();
    assert!(jetstream(port, "STREAM.NAMES", "").contains("\"streams\":null"));
    let pid = server.pid();
    drop(server);
    assert!(!runs(pid) && !connects(port));
}

#[test]
fn nats_may_be_without_jetstream() {
    let server = Nats::start_without_jetstream();
    assert!(!ask(server.port(), "PING\r\n", "\r\n").contains("\"jetstream\":true"));
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let server = std::thread::spawn(Redis::start).join().unwrap();
    assert_eq!(ask(server.port(), "PING\r\n", "\r\n"), "+PONG\r\n");
}

/// A command that writes the servers' process ids, then `rest`.
fn with_servers(folder: &Path, rest: &str) -> Command {
    let script = folder.join("script");
    let servers = folder.join("servers");
    let text = format!(
        "#!/bin/sh\ntest -n \"$TRADEWIND_TEST_POSTGRES\" -a -n \"$TRADEWIND_TEST_REDIS\" -a -n \"$TRADEWIND_TEST_NATS\" || exit 9\n\
         ps -o pid= --ppid $PPID | grep -vw $$ > {0}.new; mv {0}.new {0}\n{rest}\n",
        servers.display()
    );
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("its rights");
    let mut command = Command::new(env!("CARGO_BIN_EXE_testbed"));
    command.arg("--").arg(script);
    command
}

fn servers(folder: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(folder.join("servers")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

#[test]
fn the_command_gets_servers_and_gives_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let status = with_servers(folder.path(), "exit 7").status().unwrap();
    assert_eq!(status.code(), Some(7));
    let servers = servers(folder.path());
    assert_eq!(servers.len(), 3);
    assert!(!servers.into_iter().any(runs));
}

#[test]
fn no_server_outlives_a_killed_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = with_servers(folder.path(), "exec sleep 60").spawn().unwrap();
    eventually("the servers run", || servers(folder.path()).len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("they are gone", || !servers(folder.path()).into_iter().any(runs));
}

//! A 2xx answer means on disk: under `strace`, every answer comes after the journal was written and flushed for it.
//!
//! Killing a process cannot show a missing flush, for the kernel keeps what was written; watching system calls can.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::server::deaf;

/// Everything is slower under `strace`.
const PATIENCE: Duration = Duration::from_secs(60);
const ORDERS: usize = 20;

#[tokio::test]
async fn every_answer_waits_for_the_disk() {
    let folder = TempDir::new().expect("a folder");
    let log = folder.path().join("strace.log");
    let (mut server, url) = traced(folder.path(), &log);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    for number in 0..ORDERS {
        let body = serde_json::json!({"inputToken": "SOL", "outputToken": "USDC", "amount": "1"});
        let request = client.post(format!("{url}/v1/swaps")).header("idempotency-key", format!("key-{number}"));
        let answer = request.json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
        answer.bytes().await.expect("an order");
    }
    let status = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().expect("kill");
    assert!(status.success(), "the server has gone already");
    assert!(server.0.wait().expect("a child of ours").success(), "the server stops gracefully");
    let trace = whole(&log, server.0.id());
    let flushed = flushed_answers(&trace).unwrap_or_else(|why| panic!("{why}\n{}", tail(&trace)));
    assert_eq!(flushed, ORDERS, "answers in the trace");
}

/// A traced server that accepts orders and executes none, so that every write to the journal is for a request.
fn traced(folder: &Path, log: &Path) -> (Killed, String) {
    let calls = "trace=pwrite64,write,writev,sendto,sendmsg,read,readv,recvfrom,recvmsg,fdatasync,fsync";
    let mut command = deaf(Command::new("strace"), folder);
    // With -D the server, not strace, is our child.
    command.args(["-D", "-f", "-y", "-s", "32", "-e", calls, "-o"]).arg(log).arg(env!("CARGO_BIN_EXE_tradewind"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--journal", "sqlite:t.db"]);
    command.args(["--venue", "paper?pace=instant", "--concurrency", "swap.execute=0"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut server = Killed(child.expect("strace is needed: apt-get install strace"));
    let out = BufReader::new(server.0.stdout.take().expect("its output"));
    let mut lines = out.lines().map_while(Result::ok);
    let url = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
    (server, url.expect("the server listens; is ptrace allowed here?"))
}

/// Ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The trace, once strace has written the server's end.
fn whole(log: &Path, pid: u32) -> String {
    let begun = Instant::now();
    loop {
        let trace = String::from_utf8_lossy(&fs::read(log).expect("the trace")).into_owned();
        let of_server = |line: &str| line.split_whitespace().next() == Some(pid.to_string().as_str());
        if trace.lines().any(|line| of_server(line) && line.contains("+++ exited")) {
            return trace;
        }
        assert!(begun.elapsed() < PATIENCE, "strace does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Counts answers; an error names one that came before the journal's log was written and then flushed for its request, by
/// the thread that wrote: a checkpoint's flush of the log, by another thread, is no promise to anyone.
fn flushed_answers(trace: &str) -> Result<usize, String> {
    let mut flushing = HashSet::new();
    let (mut answers, mut written, mut flushed) = (0, None, false);
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let log = call.contains(".db-wal>");
        if call.contains("\"POST /v1/swaps") {
            (written, flushed) = (None, false);
        } else if call.contains("\"HTTP/1.1 202") {
            answers += 1;
            if !flushed {
                return Err(format!("answer {answers} did not wait for the disk (written by: {written:?}): {line}"));
            }
        } else if log && call.starts_with("pwrite64") {
            (written, flushed) = (Some(thread), false);
        } else if log && written == Some(thread) && (call.starts_with("fdatasync") || call.starts_with("fsync")) {
            if call.ends_with("<unfinished ...>") {
                flushing.insert(thread);
            } else {
                flushed = call.ends_with("= 0");
            }
        } else if call.starts_with("<... f") && flushing.remove(thread) {
            flushed = written == Some(thread) && call.ends_with("= 0");
        }
    }
    Ok(answers)
}

fn tail(trace: &str) -> String {
    let lines: Vec<&str> = trace.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

#[test]
fn a_missing_flush_is_noticed() {
    const ASKED: &str = "7 recvfrom(12<TCP:[x]>, \"POST /v1/swaps HTTP/1.1\\r\\nx-acc\"..., 8192) = 200\n";
    const WRITTEN: &str = "9 pwrite64(10</t/t.db-wal>, \"\\0\"..., 4096, 0) = 4096\n";
    const FLUSHED: &str = "9 fdatasync(10</t/t.db-wal>) = 0\n";
    const SPLIT: &str = "9 fdatasync(10</t/t.db-wal> <unfinished ...>\n8 read(3<pipe:[1]>, \"\", 1) = 1\n9 <... fdatasync resumed>) = 0\n";
    const FAILED: &str = "9 fdatasync(10</t/t.db-wal>) = -1 EIO (Input/output error)\n";
    const OTHER: &str = "9 fdatasync(10</t/t.db>) = 0\n";
    const BEGUN: &str = "9 fdatasync(10</t/t.db-wal> <unfinished ...>\n";
    const ENDED: &str = "9 <... fdatasync resumed>) = 0\n";
    const CHECKPOINT: &str = "5 fdatasync(11</t/t.db-wal>) = 0\n";
    const ANSWERED: &str = "8 sendto(12<TCP:[x]>, \"HTTP/1.1 202 Accepted\\r\\nconten\"..., 700) = 700\n";
    for (trace, expected) in [
        (&[ASKED, WRITTEN, FLUSHED, ANSWERED][..], Some(1)),
        (&[ASKED, WRITTEN, SPLIT, ANSWERED, ASKED, WRITTEN, FLUSHED, ANSWERED], Some(2)),
        (&[ASKED, WRITTEN, ANSWERED, FLUSHED], None),
        (&[ASKED, FLUSHED, WRITTEN, ANSWERED], None),
        (&[ASKED, WRITTEN, OTHER, ANSWERED], None),
        (&[ASKED, WRITTEN, CHECKPOINT, ANSWERED], None),
        (&[WRITTEN, BEGUN, ASKED, ENDED, ANSWERED], None),
        (&[ASKED, WRITTEN, FAILED, ANSWERED], None),
        (&[ASKED, FLUSHED, ANSWERED], None),
        (&[ASKED, WRITTEN, FLUSHED, ANSWERED, ASKED, ANSWERED], None),
    ] {
        assert_eq!(flushed_answers(&trace.concat()).ok(), expected, "{trace:?}");
    }
}

//! One life of the server, from its start to its death.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::server::command;

/// SIGKILL, as a fail point sends it to its own process.
const KILLED: i32 = 9;

/// Where the server is just now, if anywhere.
pub(super) type Address = watch::Receiver<Option<String>>;

/// The server's place: its folder, its arguments, and its address for whoever talks to it.
pub(super) struct Home<'a> {
    pub(super) folder: &'a Path,
    pub(super) venue: String,
    pub(super) address: watch::Sender<Option<String>>,
}

/// A running server.
pub(super) struct Life<'a> {
    child: Child,
    reader: Option<JoinHandle<()>>,
    home: &'a Home<'a>,
}

impl Home<'_> {
    /// Starts the server, with fail points armed.
    pub(super) fn begin(&self, failpoints: &str) -> Life<'_> {
        let mut child = command(self.folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--journal", "sqlite:tradewind.db"])
            .args(["--export", "file:events.jsonl", "--venue", &self.venue])
            .env("TRADEWIND_FAILPOINTS", failpoints)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log())
            .spawn()
            .expect("the binary starts");
        let out = child.stdout.take().expect("its output");
        let address = self.address.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    address.send_replace(Some(url.to_owned()));
                }
            }
        });
        Life { child, reader: Some(reader), home: self }
    }

    fn log(&self) -> File {
        let path = self.folder.join("server.log");
        OpenOptions::new().create(true).append(true).open(path).expect("a log file")
    }
}

impl Life<'_> {
    /// Waits for a fail point to end it; false when it still lives after `patience`.
    pub(super) async fn dies_within(&mut self, patience: Duration) -> bool {
        let Some(status) = self.end_within(patience).await else { return false };
        assert_eq!(status.signal(), Some(KILLED), "the server ended by itself: {status}; see server.log");
        self.gone();
        true
    }

    /// Kills it in the middle of whatever it does. A fail point may have been faster.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
        self.gone();
    }

    /// Asks it to stop, and waits until it has.
    pub(super) async fn terminate(mut self) -> ExitStatus {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(told.success(), "the server has gone already; see server.log");
        let status = self.end_within(Duration::from_secs(60)).await.expect("the server stops when it is told to");
        self.gone();
        status
    }

    async fn end_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        None
    }

    /// Its last words are read before anybody is told that it is gone.
    fn gone(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader of its output");
        }
        self.home.address.send_replace(None);
    }
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the server is somewhere.
pub(super) async fn url(address: &Address, patience: Duration) -> String {
    let mut address = address.clone();
    let found = tokio::time::timeout(patience, address.wait_for(Option::is_some)).await;
    let found = found.expect("the server says where it listens; see server.log").expect("the run goes on");
    found.clone().expect("an address")
}

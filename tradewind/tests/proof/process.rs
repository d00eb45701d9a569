//! One life of a server process, from its start to its death, and its address for whoever talks to it.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// SIGKILL, as a fail point sends it to its own process.
const KILLED: i32 = 9;

/// How often an end is looked for.
const PAUSE: Duration = Duration::from_millis(2);

/// A running server.
pub(crate) struct Process {
    child: Child,
    reader: Option<JoinHandle<()>>,
    listens: Arc<AtomicBool>,
    address: watch::Sender<Option<String>>,
}

impl Process {
    /// Starts `command`; `address` holds where it listens while it lives, `log` what it says.
    pub(crate) fn begin(mut command: Command, log: &Path, address: &watch::Sender<Option<String>>) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = started.expect("the binary starts");
        let out = child.stdout.take().expect("its output");
        let listens = Arc::new(AtomicBool::new(false));
        let (said, place) = (Arc::clone(&listens), address.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    said.store(true, Ordering::Relaxed);
                    place.send_replace(Some(url.to_owned()));
                }
            }
        });
        Self { child, reader: Some(reader), listens, address: address.clone() }
    }

    /// Waits until it listens; true when it does, false when it ended or did neither within `patience`.
    pub(crate) async fn listens_within(&mut self, patience: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if self.listens.load(Ordering::Relaxed) {
                return true;
            }
            if self.ended().is_some() {
                return false;
            }
            sleep(PAUSE).await;
        }
        false
    }

    /// Waits for a fail point to end it; false when it still lives after `patience`.
    pub(crate) async fn dies_within(&mut self, patience: Duration) -> bool {
        let Some(status) = self.end_within(patience).await else { return false };
        assert!(was_killed(status), "a server ended by itself: {status}; see its log");
        self.gone();
        true
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("a child of ours");
        if status.is_some() {
            self.gone();
        }
        status
    }

    /// Kills it in the middle of whatever it does. A fail point may have been faster.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
        self.gone();
    }

    /// Sends it the signal of that name.
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().expect("kill");
        assert!(told.success(), "a server has gone already; see its log");
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
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
            sleep(PAUSE).await;
        }
        None
    }

    /// Its last words are read before anybody is told that it is gone.
    fn gone(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader of its output");
            self.address.send_replace(None);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether SIGKILL ended it.
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(KILLED)
}

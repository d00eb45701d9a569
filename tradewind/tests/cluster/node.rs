//! One process of the cluster, in its role, and everything that can be done to it.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::proof::process::{Process, was_killed};
use crate::server::command;

/// How long a process may take to come up, its servers being away for part of it.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How long whoever looks after processes waits before it starts one again that would not start.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Api,
    Work,
    Relay,
}

impl Role {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Work => "work",
            Self::Relay => "relay",
        }
    }
}

/// A process, its place, and how it is started.
pub(super) struct Node {
    pub(super) name: String,
    folder: PathBuf,
    arguments: Vec<String>,
    address: watch::Sender<Option<String>>,
    process: Option<Process>,
    /// How often it would not start because a server was away.
    pub(super) refused: u32,
}

impl Node {
    pub(super) fn new(
        name: String,
        folder: &Path,
        arguments: Vec<String>,
        address: watch::Sender<Option<String>>,
    ) -> Self {
        Self { name, folder: folder.to_owned(), arguments, address, process: None, refused: 0 }
    }

    /// Starts it, and starts it again while it cannot reach its servers, until it serves. Fail points may kill it before: then
    /// it is down.
    pub(super) async fn up(&mut self, failpoints: &str) {
        let begun = Instant::now();
        loop {
            let mut process = self.begin(failpoints);
            if process.listens_within(UP_WITHIN).await {
                self.process = Some(process);
                return;
            }
            let status = process.ended();
            match status {
                Some(status) if was_killed(status) && !failpoints.is_empty() => return self.process = Some(process),
                Some(status) if status.code() == Some(2) => self.refused += 1,
                other => panic!("{} does not come up: {other:?}; see {}", self.name, self.log().display()),
            }
            assert!(begun.elapsed() < UP_WITHIN, "{} does not come up; see {}", self.name, self.log().display());
            sleep(AGAIN_AFTER).await;
        }
    }

    /// Kills it.
    pub(super) fn kill(&mut self) {
        self.assert_lives();
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Waits until a fail point killed it; kills it after `patience`, and answers false.
    pub(super) async fn dies_within(&mut self, patience: Duration) -> bool {
        let Some(mut process) = self.process.take() else { return false };
        let died = process.dies_within(patience).await;
        if !died {
            process.kill();
        }
        died
    }

    /// Stops it for so long: it does nothing, and holds on to everything.
    pub(super) async fn stand_still(&mut self, time: Duration) {
        self.assert_lives();
        self.signal("STOP");
        sleep(time).await;
        self.signal("CONT");
    }

    /// Asks it to stop, and waits until it has.
    pub(super) async fn terminate(mut self) -> (String, ExitStatus) {
        let process = self.process.take().expect("it runs");
        (self.name, process.terminate().await)
    }

    /// Nothing but the test ends it.
    pub(super) fn assert_lives(&mut self) {
        let ended = self.process.as_mut().and_then(Process::ended);
        assert!(ended.is_none(), "{} ended by itself: {ended:?}; see {}", self.name, self.log().display());
    }

    fn begin(&self, failpoints: &str) -> Process {
        let mut command = command(&self.folder);
        command.args(&self.arguments).env("TRADEWIND_FAILPOINTS", failpoints);
        Process::begin(command, &self.log(), &self.address)
    }

    fn signal(&self, name: &str) {
        self.process.as_ref().expect("it runs").signal(name);
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

//! The server's place: its folder, its arguments, and its address for whoever talks to it.

use std::path::Path;

use tokio::sync::watch;

use crate::proof::process::Process;
use crate::server::command;

/// Where the server lives.
pub(super) struct Home<'a> {
    pub(super) folder: &'a Path,
    /// Its venue, and what that needs.
    pub(super) arguments: Vec<String>,
    pub(super) address: watch::Sender<Option<String>>,
}

impl Home<'_> {
    /// Starts the server, with fail points armed.
    pub(super) fn begin(&self, failpoints: &str) -> Process {
        let mut command = command(self.folder);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--journal", "sqlite:tradewind.db"])
            .args(["--export", "file:events.jsonl"])
            .args(&self.arguments)
            .env("TRADEWIND_FAILPOINTS", failpoints);
        Process::begin(command, &self.folder.join("server.log"), &self.address)
    }
}

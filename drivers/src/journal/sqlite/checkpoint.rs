//! The thread that moves the log into the database beside the writer, which then finds little left to move itself.
//!
//! SQLite's own checkpoint runs inside the commit that crosses its limit: everyone waits while tens of megabytes are
//! written and flushed. A second connection may do the same meanwhile; see "Checkpointing" in <https://sqlite.org/wal.html>.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::file;

/// How often the log is looked at.
const EVERY: Duration = Duration::from_millis(25);
/// So many looks without a commit, and the log is emptied; where a reader stands in the way, again after as many.
const QUIET: u32 = 10;

/// The thread; dropped, it ends.
pub(super) struct Checkpointer {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own; `commits` counts what the writer has committed.
    pub(super) fn start(conn: Connection, commits: Arc<AtomicU64>) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new().name("journal-checkpt".to_owned());
        let thread = thread.spawn(move || run(&conn, &commits, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("journal: the checkpoint thread has panicked");
        }
    }
}

fn run(conn: &Connection, commits: &AtomicU64, stopped: &Receiver<()>) {
    // The log may hold something from before the start.
    let (mut seen, mut quiet, mut emptied, mut failing) = (u64::MAX, 0_u32, false, false);
    while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        let now = commits.load(Ordering::Relaxed);
        if now == seen {
            quiet = quiet.saturating_add(1);
        } else {
            (seen, quiet, emptied) = (now, 0, false);
        }
        let result = match quiet {
            0 => file::checkpoint(conn, "passive"),
            // What is moved already need not be moved under the write lock.
            _ if !emptied && quiet.is_multiple_of(QUIET) => file::checkpoint(conn, "passive").and_then(|moved| {
                emptied = moved && file::checkpoint(conn, "truncate")?;
                Ok(moved)
            }),
            _ => continue,
        };
        match result {
            Err(error) if !failing => {
                tracing::warn!(%error, "journal: its log cannot be moved into the database; it grows until that works");
                failing = true;
            }
            Err(_) => {}
            Ok(_) if failing => {
                tracing::info!("journal: its log moves again");
                failing = false;
            }
            Ok(_) => {}
        }
    }
}

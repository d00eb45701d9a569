//! A private PostgreSQL, and databases on it or on any other.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::process::Signal;

use crate::files::Folder;
use crate::programs::{self, User};
use crate::server::{Server, Sort};

/// Who may connect: everybody from this machine, but the role `guarded` only with its password.
const ACCESS: &str = "host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n\
                      host replication all 127.0.0.1/32 trust\n";

const SETTINGS: [&str; 10] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=64MB",
    // Files in the data folder, which go with it.
    "dynamic_shared_memory_type=mmap",
    "log_min_messages=warning",
    "timezone=UTC",
    // Durability is what is tested.
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
];

/// A private PostgreSQL with trust on the loopback; the role `guarded`, once a test makes it, needs its password.
pub struct Postgres(Server<Sorted>);

struct Sorted {
    programs: PathBuf,
    user: Option<User>,
}

impl Sort for Sorted {
    fn command(&self, folder: &Path, port: u16) -> Result<Command, String> {
        let mut command = programs::bound(&self.programs.join("postgres"), self.user.as_ref())?;
        command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        Ok(command)
    }

    fn answers(&self, folder: &Path, _: u16, pid: u32) -> bool {
        let state = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = state.lines();
        lines.next() == Some(&pid.to_string()) && lines.nth(6).map(str::trim) == Some("ready")
    }

    /// "Fast": clients are cut off, the data is written.
    fn stop_signal(&self) -> Signal {
        Signal::INT
    }

    /// "Immediate": unlike after a kill, it gives its System V memory back.
    fn end_signal(&self) -> Signal {
        Signal::QUIT
    }
}

impl Postgres {
    /// Starts a server with an empty cluster, fsync on.
    ///
    /// # Panics
    /// When it cannot be started; says why.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Postgres::start`].
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn try_start() -> Result<Self, String> {
        let (programs, user) = (programs::postgres()?, programs::postgres_user()?);
        let folder = Folder::make()?;
        if let Some(User { uid, gid, .. }) = user {
            chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let data = folder.path().join("data");
        let mut initdb = programs::bound(&programs.join("initdb"), user.as_ref())?;
        initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        run(initdb.args(["--no-sync", "--no-instructions"]).current_dir(folder.path()))?;
        fs::write(data.join("pg_hba.conf"), ACCESS).map_err(|error| format!("pg_hba.conf: {error}"))?;
        Ok(Self(Server::start(Sorted { programs, user }, folder)?))
    }

    /// The URL of its maintenance database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.0.port())
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The id of the server's first process, or of its last one when it is down.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// The folder with the cluster's files.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.0.folder().join("data")
    }

    /// A new empty database on it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::create(&self.url())
    }

    /// SIGKILL to all its processes at once.
    pub fn kill(&self) {
        self.0.kill();
    }

    /// A "fast" shutdown; its end is waited for.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// A "fast" shutdown if it runs, then a start with the same port and data.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart(&self) {
        self.0.restart().unwrap_or_else(|error| panic!("{error}"));
    }

    /// As `pg_ctl -m immediate restart`: all processes quit where they are, the next start recovers from the log.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart_immediate(&self) {
        self.0.restart_with(Signal::QUIT, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    }

    /// SIGSTOP to all its processes.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// SIGCONT to all its processes.
    pub fn resume(&self) {
        self.0.resume();
    }
}

/// A database of one test. It is dropped, with whoever is connected, when it goes.
pub struct Database {
    /// Where it is: `postgres://…/name`.
    pub url: String,
    name: String,
    server: String,
}

impl Database {
    /// A new empty database with a unique name on the server at `server`, the URL of a database that is there.
    pub(crate) fn create(server: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{}_{count}", now.as_micros(), std::process::id());
        psql(server, &format!("create database {name}")).unwrap_or_else(|error| panic!("{error}"));
        Self { url: with_database(server, &name), name, server: server.to_owned() }
    }

    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL in it with `psql`; answers the rows, columns separated by `|`.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn run(&self, sql: &str) -> String {
        psql(&self.url, sql).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may have gone before.
        let _ = psql(&self.server, &format!("drop database if exists {} with (force)", self.name));
    }
}

/// `url` with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    format!("{}/{name}{query}", &base[..end])
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let mut command = Command::new(programs::postgres()?.join("psql"));
    command.env("PGCONNECT_TIMEOUT", "20").args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        url,
        "-c",
        sql,
    ]);
    run(&mut command)
}

/// Runs a program to its end; answers what it said.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_database_replaces_the_one_in_the_url() {
        let cases = [
            ("postgres://u@h:1/postgres", "postgres://u@h:1/x"),
            ("postgres://u:p@h:1", "postgres://u:p@h:1/x"),
            ("postgres://h/a?sslmode=disable", "postgres://h/x?sslmode=disable"),
        ];
        for (url, expected) in cases {
            assert_eq!(super::with_database(url, "x"), expected);
        }
    }
}

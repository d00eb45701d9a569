//! A private NATS server with JetStream.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::files::Folder;
use crate::programs;
use crate::server::{Server, Sort};

const ANSWER: Duration = Duration::from_secs(2);

/// A private NATS server.
pub struct Nats(Server<Sorted>);

struct Sorted {
    arguments: Vec<String>,
    jetstream: bool,
}

impl Sort for Sorted {
    fn command(&self, folder: &Path, port: u16) -> Result<Command, String> {
        let mut command = programs::bound(&programs::find("nats-server", "nats-server")?, None)?;
        command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "--name", &name(folder)]);
        if self.jetstream {
            command.arg("-js").arg("-sd").arg(folder.join("store"));
        }
        command.args(&self.arguments);
        Ok(command)
    }

    fn answers(&self, folder: &Path, port: u16, _: u32) -> bool {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
        let mut greeting = String::new();
        let greeted =
            stream.set_read_timeout(Some(ANSWER)).and_then(|()| BufReader::new(stream).read_line(&mut greeting));
        greeted.is_ok() && greeting.contains(&name(folder)) && greeting.contains("\"jetstream\":true") == self.jetstream
    }

    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }
}

/// The folder's name is unique on this machine, and it is the server's.
fn name(folder: &Path) -> String {
    folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

impl Nats {
    /// Starts a server with JetStream.
    ///
    /// # Panics
    /// When it cannot be started; says why.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Nats::start`].
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn try_start() -> Result<Self, String> {
        Self::begin(&[], true)
    }

    /// Starts a server without JetStream.
    ///
    /// # Panics
    /// When it cannot be started; says why.
    #[must_use]
    pub fn start_without_jetstream() -> Self {
        Self::begin(&[], false).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts a server with JetStream that wants this name and password.
    ///
    /// # Panics
    /// When it cannot be started; says why.
    #[must_use]
    pub fn start_guarded(user: &str, password: &str) -> Self {
        Self::begin(&["--user", user, "--pass", password], true).unwrap_or_else(|error| panic!("{error}"))
    }

    fn begin(arguments: &[&str], jetstream: bool) -> Result<Self, String> {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Ok(Self(Server::start(Sorted { arguments, jetstream }, Folder::make()?)?))
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.0.port())
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The id of its process, or of its last one when it is down.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.0.kill();
    }

    /// Stops it; its end is waited for.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Stops it if it runs, then starts it on the same port with the same streams.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart(&self) {
        self.0.restart().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Stops it if it runs, deletes its streams, then starts it on the same port.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart_wiped(&self) {
        self.restart_changed(|store| {
            let _ = fs::remove_dir_all(store);
        });
    }

    /// Stops it if it runs, lets `change` do what it wants with the folder of its streams (which may not be there), then
    /// starts it on the same port. For tests of a restored store.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart_changed(&self, change: impl FnOnce(&Path)) {
        let restarted = self.0.restart_with(Signal::TERM, |folder| change(&folder.join("store")));
        restarted.unwrap_or_else(|error| panic!("{error}"));
    }

    /// SIGSTOP.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.0.resume();
    }
}

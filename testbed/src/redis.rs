//! A private Redis that keeps nothing on disk.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::files::Folder;
use crate::programs;
use crate::server::{Server, Sort};

const ANSWER: Duration = Duration::from_secs(2);

/// A private Redis: whatever ends it empties its memory.
pub struct Redis(Server<Sorted>);

struct Sorted;

impl Sort for Sorted {
    fn command(&self, _: &Path, port: u16) -> Result<Command, String> {
        let mut command = programs::bound(&programs::find("redis-server", "redis-server")?, None)?;
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--daemonize", "no"]);
        Ok(command)
    }

    fn answers(&self, _: &Path, port: u16, pid: u32) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
        let mut text = String::new();
        let asked = stream.set_read_timeout(Some(ANSWER)).and_then(|()| stream.write_all(b"INFO server\r\nQUIT\r\n"));
        // It closes after QUIT.
        asked.and_then(|()| stream.read_to_string(&mut text)).is_ok() && text.contains(&format!("process_id:{pid}\r\n"))
    }

    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }
}

impl Redis {
    /// Starts a server.
    ///
    /// # Panics
    /// When it cannot be started; says why.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Redis::start`].
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn try_start() -> Result<Self, String> {
        Ok(Self(Server::start(Sorted, Folder::make()?)?))
    }

    /// Its URL, database 0.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.0.port())
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

    /// Stops it if it runs, then starts it on the same port with an empty memory.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart(&self) {
        self.0.restart().unwrap_or_else(|error| panic!("{error}"));
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

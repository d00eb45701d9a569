//! A server of a test's own: the real binary on a temporary folder and any free port, killed when it is dropped.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing here takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Venues that answer at once, always the same way.
pub(crate) const INSTANT: [&str; 2] = ["--venue", "paper?pace=instant&seed=7"];

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    /// A facade's, if one has an address of its own.
    pub(crate) facade: Option<String>,
    folder: TempDir,
}

impl Server {
    /// Starts `tradewind` with these arguments on an empty folder.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(TempDir::new().expect("a folder"), arguments)
    }

    /// Starts it on a folder that a server worked in before.
    pub(crate) fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        Self::spawn("serve", "127.0.0.1:0", folder, arguments)
    }

    /// The same, reachable from everywhere.
    pub(crate) fn start_anywhere_in(folder: TempDir, arguments: &[&str]) -> Self {
        Self::spawn("serve", "0.0.0.0:0", folder, arguments)
    }

    /// Starts `tradewind simnet`.
    pub(crate) fn chain(arguments: &[&str]) -> Self {
        Self::spawn("simnet", "127.0.0.1:0", TempDir::new().expect("a folder"), arguments)
    }

    /// Kills it and starts it again, on the same folder and address.
    pub(crate) fn restart(self, arguments: &[&str]) -> Self {
        let address = self.url.trim_start_matches("http://").to_owned();
        Self::spawn("serve", &address, self.kill(), arguments)
    }

    fn spawn(name: &str, address: &str, folder: TempDir, arguments: &[&str]) -> Self {
        let mut child = command(folder.path())
            .args([name, "--listen", address, "--log", "error"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the binary starts");
        let out = child.stdout.take().expect("its output");
        let (send, lines) = sync_channel(1);
        std::thread::spawn(move || {
            let mut facade = None;
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once(" facade on ") {
                    facade = Some(url.to_owned());
                }
                if let Some(url) = line.strip_prefix("listening on ") {
                    let _ = send.send((url.to_owned(), facade.take()));
                }
            }
        });
        let (url, facade) = lines.recv_timeout(PATIENCE).expect("the server says where it listens");
        Self { child, url, facade, folder }
    }

    /// Runs a command in the server's folder, against the server.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        command(self.folder.path())
            .env("TRADEWIND_URL", &self.url)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the binary starts")
    }

    /// Sends a request and answers with the connection, on which the answer comes.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        let head = "host: x\r\nconnection: close\r\ncontent-type: application/json";
        write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .expect("sent");
        BufReader::new(stream)
    }

    /// The status that a `GET` of the path is answered with.
    pub(crate) fn status(&self, path: &str) -> u16 {
        status(&mut self.request("GET", path, ""))
    }

    /// The folder that it works in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn terminate(self) -> (ExitStatus, TempDir) {
        self.tell("TERM");
        self.wait()
    }

    /// Sends it a signal.
    pub(crate) fn tell(&self, name: &str) {
        let process = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &process]).status().expect("kill");
        assert!(status.success(), "the server has gone already");
    }

    /// Waits until it has stopped.
    pub(crate) fn wait(mut self) -> (ExitStatus, TempDir) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not stop");
            std::thread::sleep(Duration::from_millis(10));
        };
        (status, std::mem::replace(&mut self.folder, TempDir::new().expect("a folder")))
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
        std::mem::replace(&mut self.folder, TempDir::new().expect("a folder"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of an answer, whose rest is still to be read.
pub(crate) fn status(answer: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    answer.read_line(&mut line).expect("an answer");
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{line:?}"))
}

/// Asks again until it holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The binary in a folder, deaf to the settings of whoever runs the tests.
pub(crate) fn command(folder: &Path) -> Command {
    deaf(Command::new(env!("CARGO_BIN_EXE_tradewind")), folder)
}

/// A command in a folder, deaf to the settings of whoever runs the tests.
pub(crate) fn deaf(mut command: Command, folder: &Path) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRADEWIND_") {
            command.env_remove(&name);
        }
    }
    command.current_dir(folder).env("NO_COLOR", "1").env("COLUMNS", "100");
    command
}

/// Standard output as text.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Standard error as text.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

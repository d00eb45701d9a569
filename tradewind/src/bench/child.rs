//! Servers that the bench starts: this very binary, each a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use drivers::without_secrets;

/// A server is up, or down, within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server under measurement; dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts this binary with `arguments` and waits for the address that it prints.
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(this_binary()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server does not start")?;
        let out = child.stdout.take().context("no output of the server")?;
        let (send, lines) = sync_channel(1);
        // Reads to the end of the output, so that the server never waits for a reader.
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    let _ = send.send(address.to_owned());
                }
            }
        });
        let address = lines.recv_timeout(PATIENCE).ok().and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            let shown: Vec<_> = arguments.iter().map(|argument| without_secrets(argument)).collect();
            bail!("the server did not come up: run `tradewind {}` to see why", shown.join(" "));
        };
        Ok(Self { child, address })
    }

    /// Stops it the gentle way and waits until it has gone.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| anyhow!("the server has no process id"))?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                bail!("the server does not stop");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// A figure of `/proc/<pid>/status`, in bytes: `VmRSS`, `VmHWM`.
    pub(crate) fn memory(&self, figure: &str) -> anyhow::Result<u64> {
        let file = format!("/proc/{}/status", self.child.id());
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("{file} cannot be read: memory needs Linux"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
        let kibibytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        Ok(kibibytes.ok_or_else(|| anyhow!("{file} has no {figure}"))? * 1_024)
    }
}

/// The running program itself, also when its file was replaced by a newer build meanwhile.
fn this_binary() -> anyhow::Result<PathBuf> {
    let running = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if running.exists() {
        return Ok(running);
    }
    std::env::current_exe().context("this program does not find itself")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

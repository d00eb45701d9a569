//! A server process of any sort: begun, waited for, stopped, continued, killed with its children.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::files::Folder;
use crate::keeper;

/// How long a server may take to answer, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server may take to stop when it is told to, before it is killed.
const STOPPING: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(5);

/// Below the ports that connections begin from: a server that restarts finds its port free.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// What is different from one sort of server to another.
pub(crate) trait Sort: Send + Sync {
    /// The command that serves on `port` with its data in `folder`.
    fn command(&self, folder: &Path, port: u16) -> Result<Command, String>;

    /// Whether the process `pid`, and no other that took the port, answers there.
    fn answers(&self, folder: &Path, port: u16, pid: u32) -> bool;

    /// The signal that asks it to stop in order.
    fn stop_signal(&self) -> Signal;

    /// The signal that ends it at once, its data unasked for.
    fn end_signal(&self) -> Signal {
        Signal::KILL
    }
}

/// A server, running or not. It is killed and its folder deleted when it goes.
pub(crate) struct Server<S: Sort> {
    sort: S,
    // Locked for the length of a start or stop: one at a time.
    running: Mutex<Process>,
    port: u16,
    folder: Folder,
}

struct Process {
    child: Option<Child>,
    pid: u32,
}

impl<S: Sort> Server<S> {
    /// Starts on a free port. A port that somebody else took in the meantime is given up for another.
    pub(crate) fn start(sort: S, folder: Folder) -> Result<Self, String> {
        let mut failed = String::new();
        for _ in 0..5 {
            let port = free_port()?;
            match begin(&sort, folder.path(), port) {
                Ok(child) => {
                    let running = Mutex::new(Process { pid: child.id(), child: Some(child) });
                    return Ok(Self { sort, running, port, folder });
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process().pid
    }

    /// SIGKILL to the process and its children, and waits until they are gone.
    pub(crate) fn kill(&self) {
        kill(&mut self.process());
    }

    /// Asks it to stop with `signal`, and waits until it has; one that does not stop in time is killed.
    pub(crate) fn stop_with(&self, signal: Signal) {
        stop(&mut self.process(), signal);
    }

    /// Stops what still runs, then starts on the same port and folder after `between`.
    pub(crate) fn restart_with(&self, signal: Signal, between: impl FnOnce(&Path)) -> Result<(), String> {
        let mut process = self.process();
        stop(&mut process, signal);
        between(self.folder.path());
        let child = begin(&self.sort, self.folder.path(), self.port)?;
        *process = Process { pid: child.id(), child: Some(child) };
        Ok(())
    }

    pub(crate) fn stop(&self) {
        self.stop_with(self.sort.stop_signal());
    }

    pub(crate) fn restart(&self) -> Result<(), String> {
        self.restart_with(self.sort.stop_signal(), |_| {})
    }

    /// SIGSTOP to the process, then to its children: it can make no more of them.
    pub(crate) fn pause(&self) {
        let process = self.process();
        if process.child.is_some() {
            signal(process.pid, Signal::STOP);
            children(process.pid).into_iter().for_each(|pid| signal(pid, Signal::STOP));
        }
    }

    /// SIGCONT to all of them.
    pub(crate) fn resume(&self) {
        let process = self.process();
        if process.child.is_some() {
            children(process.pid).into_iter().for_each(|pid| signal(pid, Signal::CONT));
            signal(process.pid, Signal::CONT);
        }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sort> Drop for Server<S> {
    fn drop(&mut self) {
        stop(&mut self.process(), self.sort.end_signal());
    }
}

/// Begins the process and waits until it answers.
fn begin<S: Sort>(sort: &S, folder: &Path, port: u16) -> Result<Child, String> {
    let mut command = sort.command(folder, port)?;
    let name = format!("{command:?}");
    let log_path = folder.join("log");
    let log = OpenOptions::new().create(true).append(true).open(&log_path);
    let log = log.map_err(|error| format!("{}: {error}", log_path.display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    // A group of its own: the terminal's interrupt is for whoever started it.
    command.current_dir(folder).process_group(0).stdin(Stdio::null()).stdout(log).stderr(errors);
    let mut child = keeper::spawn(command).map_err(|error| format!("{name}: {error}"))?;
    let begun = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("{name} ended with {status}:\n{}", last_words(&log_path)));
        }
        if sort.answers(folder, port, child.id()) {
            return Ok(child);
        }
        if begun.elapsed() > PATIENCE {
            kill(&mut Process { pid: child.id(), child: Some(child) });
            return Err(format!("{name} does not answer within {PATIENCE:?}:\n{}", last_words(&log_path)));
        }
        std::thread::sleep(PAUSE);
    }
}

fn stop(process: &mut Process, asked: Signal) {
    let Some(child) = &mut process.child else { return };
    let family = children(process.pid);
    signal(process.pid, asked);
    family.iter().for_each(|pid| signal(*pid, Signal::CONT));
    signal(process.pid, Signal::CONT);
    let begun = Instant::now();
    while begun.elapsed() < STOPPING {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            process.child = None;
            return;
        }
        std::thread::sleep(PAUSE);
    }
    kill(process);
}

fn kill(process: &mut Process) {
    let Some(mut child) = process.child.take() else { return };
    // Stopped first, so that it makes no more children and their numbers stay theirs until they are killed.
    signal(process.pid, Signal::STOP);
    let family = children(process.pid);
    family.iter().for_each(|pid| signal(*pid, Signal::KILL));
    signal(process.pid, Signal::KILL);
    let _ = child.wait();
    let begun = Instant::now();
    while family.iter().any(|pid| lives(*pid)) && begun.elapsed() < STOPPING {
        std::thread::sleep(PAUSE);
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
    }
}

/// Whether the process runs: one that has ended and waits to be looked at does not.
fn lives(pid: u32) -> bool {
    state(pid).is_some_and(|(state, _)| state != 'Z')
}

/// The state and the parent of a process.
fn state(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets, and may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// The children of a process, and theirs. PostgreSQL's are process groups of their own, so that no signal reaches all.
fn children(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let all = entries.filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, state(pid)?.1))
    });
    let all: BTreeSet<(u32, u32)> = all.collect();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(all.iter().filter(|(_, above)| *above == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    family.split_off(1)
}

fn free_port() -> Result<u16, String> {
    for attempt in 0..1_000_u64 {
        let span = u64::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(RandomState::new().hash_one(attempt) % span).unwrap_or(0);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port on the loopback".to_owned())
}

fn last_words(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(2_000)..]).into_owned()
}

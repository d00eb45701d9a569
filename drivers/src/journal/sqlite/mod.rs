//! The journal in one SQLite file: one thread writes, two read, one moves the log; an answer to a write means on disk.

mod apply;
mod backup;
mod checkpoint;
mod command;
mod file;
mod groups;
mod jobs;
mod lease;
mod list;
mod messages;
mod read;
mod reader;
mod rooms;
mod round;
mod rows;
mod sweep;
mod window;
mod writer;

#[cfg(test)]
mod statements;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use domain::{Audience, Change, Claimed, DeadJob, Entity, Event, Job, JobId, Kind, Lease, Received, Timestamp};
use tokio::sync::oneshot;

use self::checkpoint::Checkpointer;
use self::command::{Command, Prune, Reply};
use self::groups::Verdict;
use self::reader::{Effort, LOOK_AGAIN, PATIENCE, READS_WITHIN, Readers, closed};
use self::writer::{Gauges, Writer};
use super::limits::LEVELS_LIMIT;
use super::{Claim, Depth, Head, Journal, List, MessageCounts, Migrated, Options, Page, Receipt, Receive};
use crate::{Fault, KeyHeld};

pub(super) use self::backup::backup;

/// The most commands that wait for the writer.
const WAITING_LIMIT: usize = 8_192;
/// Reading along so many sellers' deals at once counts as a scan.
const MANY: usize = 20;

/// The journal's front: hands every call to a thread and waits for the answer.
struct Sqlite {
    readers: Readers,
    /// None where the file was opened for reading only.
    commands: Option<SyncSender<Command>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    closed: AtomicBool,
    /// Kept by the writer; where there is none the head is read from the file.
    gauges: Arc<Gauges>,
    epoch: u64,
}

/// Opens the file for this process alone.
pub(super) async fn open(path: &str, options: Options) -> Result<Arc<dyn Journal>, Fault> {
    Ok(Arc::new(open_file(path, options).await?))
}

/// Opens the file to look at it as it stands now, whether a server is writing it or not: one connection, whose one
/// transaction sees nothing of what comes later.
pub(super) async fn open_read_only(path: &str) -> Result<Arc<dyn Journal>, Fault> {
    let path = parse(path)?;
    let work = move || {
        let reader = file::open_reader(&path)?;
        // The first question begins the transaction.
        let epoch = reader.execute_batch("begin").and_then(|()| file::epoch(&reader));
        let epoch = epoch.map_err(|error| rows::fault(&error))?;
        Ok((Readers::start(vec![reader], READS_WITHIN).map_err(|error| no_thread(&error))?, epoch))
    };
    let (readers, epoch) = blocking(work).await?;
    Ok(Arc::new(Sqlite {
        readers,
        commands: None,
        writer: Mutex::new(None),
        closed: AtomicBool::new(false),
        gauges: Arc::default(),
        epoch,
    }))
}

/// Brings the file's schema up to date, with nobody else at it.
pub(super) async fn migrate(path: &str, new_epoch: bool) -> Result<Migrated, Fault> {
    let path = parse(path)?;
    blocking(move || file::migrate(&path, new_epoch)).await
}

async fn open_file(path: &str, options: Options) -> Result<Sqlite, Fault> {
    let path = parse(path)?;
    let (commands, waiting) = sync_channel(WAITING_LIMIT);
    blocking(move || start(&path, options, commands, waiting)).await
}

fn start(
    path: &Path,
    options: Options,
    commands: SyncSender<Command>,
    waiting: Receiver<Command>,
) -> Result<Sqlite, Fault> {
    let (conn, lock) = file::open_writer(path, options.migrate)?;
    let gauges = Arc::new(Gauges::default());
    let epoch = file::epoch(&conn).map_err(|error| rows::fault(&error))?;
    let writer = Writer::new(conn, lock, options, Arc::clone(&gauges)).map_err(|error| rows::fault(&error))?;
    let readers = vec![file::open_reader(path)?, file::open_reader(path)?];
    let readers = Readers::start(readers, READS_WITHIN).map_err(|error| no_thread(&error))?;
    let checkpointer = Checkpointer::start(file::open_checkpointer(path)?, Arc::clone(&gauges.commits));
    let checkpointer = checkpointer.map_err(|error| no_thread(&error))?;
    let thread = std::thread::Builder::new().name("journal-write".to_owned());
    let writer = thread.spawn(move || writer.run(&waiting, checkpointer)).map_err(|error| no_thread(&error))?;
    let writer = Mutex::new(Some(writer));
    let closed = AtomicBool::new(false);
    Ok(Sqlite { readers, commands: Some(commands), writer, closed, gauges, epoch })
}

impl Sqlite {
    /// Sends one command to the writer and waits until it is done and on disk.
    async fn write<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Fault> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let Some(commands) = &self.commands else {
            return Err(Fault::Unavailable("the journal is open for reading only".to_owned()));
        };
        let (reply, answer) = oneshot::channel();
        let command = command(reply);
        let waits = self.gauges.waits(&command);
        if let Err(refused) = commands.try_send(command) {
            send_later(commands, refused).await?;
        }
        waits.sent();
        answer.await.map_err(|_| closed())?
    }

    async fn read<T: Send + 'static>(
        &self,
        effort: Effort,
        read: impl FnOnce(&rusqlite::Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, Fault> {
        self.readers.read(effort, read).await
    }

    fn take_writer(&self) -> Option<JoinHandle<()>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Waits for the writer thread, which ends by itself once it is told to or nobody can ask it any more.
fn join(writer: Option<JoinHandle<()>>) {
    if let Some(thread) = writer
        && thread.join().is_err()
    {
        tracing::error!("journal: the writer thread has panicked");
    }
}

impl Drop for Sqlite {
    /// The lock is gone when this returns, so that the file can be opened again at once.
    fn drop(&mut self) {
        self.readers.close();
        self.commands = None;
        join(self.take_writer());
    }
}

#[async_trait]
impl Journal for Sqlite {
    fn shared(&self) -> bool {
        false
    }

    async fn apply(&self, change: Change) -> Result<Receipt, Fault> {
        self.write(|reply| Command::Apply(change, reply)).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Fault> {
        self.write(|reply| Command::Claim(claim, reply)).await
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<Lease>, Fault> {
        self.write(|reply| Command::Renew(leases.to_vec(), reply)).await
    }

    async fn receive(&self, receive: Receive) -> Result<Vec<Received>, Fault> {
        self.write(|reply| Command::Receive(receive, reply)).await
    }

    async fn drop_jobs(&self, queue: &str, limit: usize) -> Result<usize, Fault> {
        self.write(|reply| Command::DropJobs(queue.to_owned(), limit, reply)).await
    }

    async fn retry_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault> {
        self.write(|reply| Command::JudgeDead(job, Verdict::Retry, now, reply)).await
    }

    async fn discard_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault> {
        self.write(|reply| Command::JudgeDead(job, Verdict::Discard, now, reply)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, Fault> {
        self.write(|reply| Command::Sweep(now, limit, reply)).await
    }

    async fn forget(&self, before: Timestamp, limit: usize) -> Result<usize, Fault> {
        self.write(|reply| Command::Forget(before, limit, reply)).await
    }

    async fn prune(
        &self,
        kind: Kind,
        statuses: &[&'static str],
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, Fault> {
        let prune = Prune { kind, statuses: statuses.to_vec(), before, limit };
        self.write(|reply| Command::Prune(prune, reply)).await
    }

    async fn drop_levels(&self, first: &str, end: &str, limit: usize) -> Result<usize, Fault> {
        self.write(|reply| Command::DropLevels(first.to_owned(), end.to_owned(), limit, reply)).await
    }

    async fn entity(&self, kind: Kind, id: &str) -> Result<Option<Entity>, Fault> {
        let id = id.to_owned();
        self.read(Effort::Point, move |conn| read::entity(conn, kind, &id)).await
    }

    async fn entities(&self, list: List) -> Result<Page, Fault> {
        self.read(Effort::Scan, move |conn| list::entities(conn, &list)).await
    }

    async fn history(&self, kind: Kind, id: &str, after: u64, limit: usize) -> Result<Vec<Event>, Fault> {
        let id = id.to_owned();
        self.read(Effort::Point, move |conn| read::history(conn, kind, &id, after, limit)).await
    }

    async fn events(&self, after: u64, audience: Option<&Audience>, limit: usize) -> Result<Vec<Event>, Fault> {
        let Some(audience) = audience.cloned() else {
            return self.read(Effort::Point, move |conn| read::events(conn, after, limit)).await;
        };
        let effort = if audience.sellers.len() < MANY { Effort::Point } else { Effort::Scan };
        self.read(effort, move |conn| read::events_of(conn, after, &audience, limit)).await
    }

    async fn key(&self, scope: &str, key: &str, now: Timestamp) -> Result<Option<KeyHeld>, Fault> {
        let (scope, key) = (scope.to_owned(), key.to_owned());
        self.read(Effort::Point, move |conn| apply::find_key(conn, &scope, &key, now.0)).await
    }

    async fn head(&self) -> Result<Head, Fault> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let (seq, floor) = match self.commands {
            Some(_) => (self.gauges.head.load(Ordering::Acquire), self.gauges.floor.load(Ordering::Acquire)),
            None => {
                let sql = "select seq, floor from journal_head";
                let both = |row: &rusqlite::Row<'_>| Ok((rows::number(row, 0)?, rows::number(row, 1)?));
                self.read(Effort::Point, move |conn| conn.query_row(sql, [], both)).await?
            }
        };
        Ok(Head { seq, epoch: self.epoch, floor })
    }

    async fn jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Fault> {
        let queue = queue.to_owned();
        self.read(Effort::Scan, move |conn| read::jobs(conn, &queue, after, limit)).await
    }

    async fn dead_jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<DeadJob>, Fault> {
        let queue = queue.to_owned();
        self.read(Effort::Scan, move |conn| read::dead_jobs(conn, &queue, after, limit)).await
    }

    async fn depth(&self, queue: &str, now: Timestamp) -> Result<Depth, Fault> {
        let queue = queue.to_owned();
        self.read(Effort::Scan, move |conn| read::depth(conn, &queue, now)).await
    }

    async fn message_counts(&self, queue: &str, now: Timestamp) -> Result<MessageCounts, Fault> {
        let queue = queue.to_owned();
        self.read(Effort::Scan, move |conn| messages::counts(conn, &queue, now)).await
    }

    async fn hidden(&self, queue: &str, now: Timestamp, limit: u64) -> Result<u64, Fault> {
        let queue = queue.to_owned();
        self.read(Effort::Scan, move |conn| messages::hidden(conn, &queue, now, limit)).await
    }

    async fn levels(&self, names: &[String]) -> Result<Vec<i64>, Fault> {
        if names.len() > LEVELS_LIMIT {
            return Err(Fault::Broken(format!("{} levels at once", names.len())));
        }
        let names = names.to_owned();
        self.read(Effort::Point, move |conn| messages::levels(conn, &names)).await
    }

    async fn ping(&self) -> Result<(), Fault> {
        self.write(Command::Ping).await
    }

    async fn close(&self) {
        if self.commands.is_some() {
            // The command goes first: whoever sees `closed` later has not been promised anything.
            if self.write(Command::Close).await.is_err() {
                tracing::warn!("journal: closed already, or its writer is too busy to be told");
            }
        }
        self.closed.store(true, Ordering::Release);
        self.readers.close();
        let writer = self.take_writer();
        let _ = tokio::task::spawn_blocking(move || join(writer)).await;
    }
}

/// The channel is full: looks again for a while.
async fn send_later(commands: &SyncSender<Command>, mut refused: TrySendError<Command>) -> Result<(), Fault> {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let TrySendError::Full(command) = refused else { return Err(closed()) };
            tokio::time::sleep(LOOK_AGAIN).await;
            match commands.try_send(command) {
                Ok(()) => return Ok(()),
                Err(again) => refused = again,
            }
        }
    });
    waited.await.map_err(|_| Fault::Busy)?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::Broken(error.to_string()))?
}

fn parse(path: &str) -> Result<PathBuf, Fault> {
    if path.is_empty() || path.starts_with(':') {
        return Err(Fault::Unavailable(format!("--journal sqlite:{path}: expected sqlite:<file>")));
    }
    Ok(PathBuf::from(path))
}

fn no_thread(error: &std::io::Error) -> Fault {
    Fault::Unavailable(format!("cannot start a thread: {error}"))
}

//! Two threads that read, each with its own connection; many reads share one read transaction.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Error};
use tokio::sync::oneshot;

use super::rows;
use crate::Fault;

/// The most reads that wait, of each sort.
const WAITING_LIMIT: usize = 8_192;
/// The most reads in one transaction: a long one would hold up the checkpoint.
const BATCH_LIMIT: usize = 64;
/// How long a caller waits for room, and how often it looks.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(2);

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// How much a read may have to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// A few rows by an index. Both threads serve these.
    Point,
    /// Perhaps the whole table. Only the second thread serves these, so that they hold up no point read.
    Scan,
}

/// The readers' front.
pub(super) struct Readers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// One per thread.
    news: [Condvar; 2],
}

#[derive(Default)]
struct Waiting {
    points: VecDeque<Read>,
    scans: VecDeque<Read>,
    idle: [bool; 2],
    closed: bool,
}

impl Readers {
    /// Starts the threads on their connections.
    pub(super) fn start(connections: [Connection; 2]) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        for (index, conn) in connections.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            let name = format!("journal-read-{index}");
            threads.push(std::thread::Builder::new().name(name).spawn(move || serve(&shared, index, &conn))?);
        }
        Ok(Self { shared, threads })
    }

    /// Runs one read and waits for its answer.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        effort: Effort,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        let work: Read = Box::new(move |conn| {
            let _ = reply.send(read(conn).map_err(|error| {
                tracing::error!(%error, "journal: a read failed");
                rows::fault(&error)
            }));
        });
        let mut work = Some(work);
        let waited = tokio::time::timeout(PATIENCE, async {
            while let Some(read) = work.take() {
                match self.shared.push(effort, read)? {
                    None => break,
                    Some(read) => work = Some(read),
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        });
        waited.await.map_err(|_| Fault::Busy)??;
        answer.await.map_err(|_| closed())?
    }

    /// Ends the threads; reads that still wait are answered that the journal is closed.
    pub(super) fn close(&self) {
        self.shared.lock().closed = true;
        for news in &self.shared.news {
            news.notify_all();
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What every call answers after the end.
pub(super) fn closed() -> Fault {
    Fault::Unavailable("the journal is closed".to_owned())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a read, or gives it back when there is no room.
    fn push(&self, effort: Effort, read: Read) -> Result<Option<Read>, Fault> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(closed());
        }
        let queue = if effort == Effort::Point { &mut waiting.points } else { &mut waiting.scans };
        if queue.len() >= WAITING_LIMIT {
            return Ok(Some(read));
        }
        queue.push_back(read);
        let thread = usize::from(effort == Effort::Scan);
        let wake = std::mem::take(&mut waiting.idle[thread]);
        drop(waiting);
        if wake {
            self.news[thread].notify_one();
        }
        Ok(None)
    }

    /// Waits for reads; false at the end.
    fn take(&self, thread: usize, batch: &mut Vec<Read>) -> bool {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                waiting.points.clear();
                waiting.scans.clear();
                return false;
            }
            if thread == 1
                && let Some(scan) = waiting.scans.pop_front()
            {
                batch.push(scan);
                return true;
            }
            if !waiting.points.is_empty() {
                let count = waiting.points.len().min(BATCH_LIMIT);
                batch.extend(waiting.points.drain(..count));
                return true;
            }
            waiting.idle[thread] = true;
            waiting = self.news[thread].wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.idle[thread] = false;
        }
    }
}

fn serve(shared: &Shared, thread: usize, conn: &Connection) {
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    while shared.take(thread, &mut batch) {
        // Without the transaction each read takes its own locks, which is slower but right.
        let together = batch.len() > 1 && run(conn, "begin");
        for read in batch.drain(..) {
            read(conn);
        }
        if together {
            run(conn, "commit");
        }
    }
}

fn run(conn: &Connection, sql: &str) -> bool {
    conn.prepare_cached(sql).and_then(|mut statement| statement.execute([])).is_ok()
}

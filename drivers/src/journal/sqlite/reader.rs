//! One or two threads that read, each with its own connection; many reads share one read transaction.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error};
use tokio::sync::oneshot;

use super::rows;
use crate::Fault;

/// The most reads that wait, of each sort.
const WAITING_LIMIT: usize = 8_192;
/// The most reads in one transaction: a long one would hold up the checkpoint.
const BATCH_LIMIT: usize = 64;
/// A read that takes longer is broken off: it would hold up all that wait behind it.
pub(super) const READS_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks at the clock SQLite does so many steps, well below a millisecond's worth.
const STEPS: i32 = 10_000;
/// How long a caller waits for room, and how often it looks.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The thread that serves scans, and everything where it is alone.
const LAST: usize = 1;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// How much a read may have to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// A few rows by an index. Both threads serve these.
    Point,
    /// Many rows. Only the last thread serves these, so that they hold up no point read where there are two.
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
    /// The thread that is woken for points.
    for_points: usize,
}

#[derive(Default)]
struct Waiting {
    points: VecDeque<Read>,
    scans: VecDeque<Read>,
    idle: [bool; 2],
    closed: bool,
}

impl Readers {
    /// Starts a thread on each of the connections, one or two. No read takes longer than `within`.
    pub(super) fn start(connections: Vec<Connection>, within: Duration) -> std::io::Result<Self> {
        let for_points = LAST.saturating_sub(connections.len() - 1);
        let shared = Arc::new(Shared { for_points, ..Shared::default() });
        let mut threads = Vec::new();
        for (conn, index) in connections.into_iter().zip(for_points..) {
            let shared = Arc::clone(&shared);
            let name = format!("journal-read-{index}");
            threads.push(std::thread::Builder::new().name(name).spawn(move || serve(&shared, index, conn, within))?);
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
            // Whoever asked has gone.
            if reply.is_closed() {
                return;
            }
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
        let thread = if effort == Effort::Point { self.for_points } else { LAST };
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
            if thread == LAST
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

fn serve(shared: &Shared, thread: usize, mut conn: Connection, within: Duration) {
    let (started, until) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let deadline = Arc::clone(&until);
    let is_late = move || millis(started.elapsed()) > deadline.load(Ordering::Relaxed);
    if let Err(error) = conn.progress_handler(STEPS, Some(is_late)) {
        tracing::warn!(%error, "journal: reads have no deadline");
    }
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    while shared.take(thread, &mut batch) {
        // Without the transaction each read takes its own locks, which is slower but right.
        let together = batch.len() > 1 && run(&conn, "begin");
        for read in batch.drain(..) {
            until.store(millis(started.elapsed() + within), Ordering::Relaxed);
            read(&conn);
        }
        if together {
            run(&conn, "commit");
        }
    }
}

fn run(conn: &Connection, sql: &str) -> bool {
    conn.prepare_cached(sql).and_then(|mut statement| statement.execute([])).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::sync_channel;

    use super::*;

    const ENDLESS: &str = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n";

    fn readers(within: Duration) -> Readers {
        Readers::start(vec![Connection::open_in_memory().unwrap()], within).unwrap()
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_broken_off_and_the_next_is_not() {
        let readers = readers(Duration::from_millis(100));
        let number = async |effort, sql| {
            readers.read(effort, move |conn| conn.query_row(sql, [], |row| row.get::<_, i64>(0))).await
        };
        for effort in [Effort::Scan, Effort::Point] {
            assert!(matches!(number(effort, ENDLESS).await, Err(Fault::Unavailable(_))));
            assert_eq!(number(effort, "select 7").await, Ok(7));
        }
    }

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_any_more_is_not_made() {
        let readers = readers(READS_WITHIN);
        let (release, held) = sync_channel::<()>(0);
        let made = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&made);
        let holds = readers.read(Effort::Scan, move |_| {
            let _ = held.recv();
            Ok(())
        });
        let goes = async {
            let read = readers.read(Effort::Scan, move |_| {
                note.store(true, Ordering::Relaxed);
                Ok(())
            });
            // Asked once, it waits in the queue; then whoever asked goes away.
            assert!(tokio::time::timeout(Duration::ZERO, read).await.is_err());
            release.send(()).unwrap();
        };
        assert_eq!(tokio::join!(holds, goes).0, Ok(()));
        assert_eq!(readers.read(Effort::Scan, |_| Ok(())).await, Ok(()));
        assert!(!made.load(Ordering::Relaxed));
    }
}

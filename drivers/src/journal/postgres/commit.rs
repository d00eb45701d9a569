//! The committers of a node: each waits for its turn to write in the cluster, takes every change that waits by then,
//! commits them together, and answers when they are on disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Object, Pool, PoolError};
use futures_util::future::join;
use tokio_postgres::Error;

use super::fold::{Counters, Folded, fold};
use super::look::{Looked, look};
use super::queue::{Queue, Waiting};
use super::rows::{fault, is_about_the_change};
use super::write::Writes;
use crate::wake::Wake;
use crate::{Fault, failpoint, postgres};

/// The most changes that share a transaction.
const BATCH_LIMIT: usize = 1_024;
/// How long the outcome of a commit is asked for after its answer was lost.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);
/// Longer than the server's own limits for statements and locks.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);
const ASK_AGAIN: Duration = Duration::from_millis(100);

const LOCK_HEAD: &str = "select seq, job, created, pg_current_xact_id()::text from journal_head for update";

/// One committer.
pub(super) struct Committer {
    pool: Pool,
    queue: Arc<Queue>,
    wake: Arc<dyn Wake>,
    /// Its own connection, which knows its statements; none after it broke.
    client: Option<Object>,
}

/// How a batch ended.
enum End {
    Committed(Folded),
    /// Nothing of it was written.
    Failed(Error),
    /// The server was not reached.
    Away(Fault),
    /// The answer to the commit of this transaction was lost.
    Unknown(Folded, String),
}

impl Committer {
    pub(super) fn new(pool: Pool, queue: Arc<Queue>, wake: Arc<dyn Wake>) -> Self {
        Self { pool, queue, wake, client: None }
    }

    /// Commits until the queue is closed and empty.
    pub(super) async fn run(mut self) {
        while self.queue.wait().await {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let mut batch = Vec::new();
        match self.attempt(&mut batch).await {
            End::Failed(error) if is_about_the_change(&error) && batch.len() > 1 => {
                tracing::error!(
                    error = postgres::chain(&error),
                    changes = batch.len(),
                    "journal: a batch was refused; trying its changes one by one"
                );
                for alone in batch {
                    let mut alone = vec![alone];
                    let end = self.attempt(&mut alone).await;
                    self.end(alone, end).await;
                }
            }
            end => self.end(batch, end).await,
        }
    }

    async fn end(&self, batch: Vec<Waiting>, end: End) {
        match end {
            End::Committed(folded) => self.answer(batch, folded),
            End::Failed(error) => {
                let said = postgres::chain(&error);
                tracing::error!(
                    error = said,
                    changes = batch.len(),
                    "journal: nothing of this batch was written; its callers are told so"
                );
                refuse(batch, &fault(&error));
            }
            End::Away(fault) => refuse(batch, &fault),
            End::Unknown(folded, transaction) => match self.settle(&transaction, &folded.writes).await {
                Some(true) => {
                    tracing::warn!(transaction, "journal: the connection broke in a commit, which was made");
                    self.answer(batch, folded);
                }
                settled => {
                    let made = if settled.is_some() { "was not made" } else { "nobody knows the outcome of" };
                    tracing::error!(transaction, made, "journal: the connection broke in a commit");
                    let why = "the connection to PostgreSQL broke; ask again with the same idempotency key";
                    refuse(batch, &Fault::Unavailable(why.to_owned()));
                }
            },
        }
    }

    /// One transaction. An empty batch takes everything that waits, once it is this node's turn or when that does not come.
    async fn attempt(&mut self, batch: &mut Vec<Waiting>) -> End {
        let (client, counters, transaction) = match self.begin().await {
            Ok(begun) => begun,
            Err(fault) => {
                self.take(batch);
                return End::Away(fault);
            }
        };
        self.take(batch);
        let standings = match within(Box::pin(look(&client, batch, counters))).await {
            Some(Ok(standings)) => standings,
            Some(Err(Looked::Error(error))) => return abandon(client, error),
            Some(Err(Looked::Broken(fault))) => return End::Away(spoil(client, fault)),
            None => return End::Away(spoil(client, silent())),
        };
        let mut folded = fold(standings, batch.iter().map(|waiting| &waiting.change));
        folded.writes.beat = batch.iter().any(|waiting| waiting.beat);
        if folded.writes.is_empty() {
            // All were refused, or changed nothing.
            return match client.batch_execute("rollback").await {
                Ok(()) => self.keep(client, End::Committed(folded)),
                Err(error) => abandon(client, error),
            };
        }
        match within(folded.writes.send(&client)).await {
            Some(Ok(())) => {
                failpoint::hit("commit.written");
                self.keep(client, End::Committed(folded))
            }
            Some(Err(error)) if is_rolled_back(&error) => abandon(client, error),
            broken => {
                let error = broken.and_then(Result::err).map(|error| postgres::chain(&error));
                tracing::warn!(error, "journal: a connection broke in a commit, or nothing came back");
                drop(Object::take(client));
                End::Unknown(folded, transaction)
            }
        }
    }

    /// Waits for this node's turn. Nothing is sent before it, so that a connection that broke while nobody used it costs
    /// nobody an answer.
    async fn begin(&mut self) -> Result<(Object, Counters, String), Fault> {
        let kept = self.client.is_some();
        let client = self.connection().await.map_err(away)?;
        match within(lock_head(&client)).await {
            Some(Ok((counters, transaction))) => return Ok((client, counters, transaction)),
            Some(Err(error)) if !kept || error.code().is_some() => return Err(spoil(client, fault(&error))),
            None => return Err(spoil(client, silent())),
            Some(Err(_)) => drop(Object::take(client)),
        }
        let client = self.pool.get().await.map_err(away)?;
        match within(lock_head(&client)).await {
            Some(Ok((counters, transaction))) => Ok((client, counters, transaction)),
            Some(Err(error)) => Err(spoil(client, fault(&error))),
            None => Err(spoil(client, silent())),
        }
    }

    /// Its connection; whatever happens to a batch, only [`Self::keep`] gives it back.
    async fn connection(&mut self) -> Result<Object, PoolError> {
        match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => Ok(client),
            None => self.pool.get().await,
        }
    }

    fn keep(&mut self, client: Object, end: End) -> End {
        self.client = Some(client);
        end
    }

    /// Fills an empty batch with everything that waits by now.
    fn take(&self, batch: &mut Vec<Waiting>) {
        if batch.is_empty() {
            *batch = self.queue.take(BATCH_LIMIT);
        }
    }

    /// Whether the transaction was committed; none when nobody can tell any more. A number whose commit was not on disk when
    /// the server fell is given out again, so that "committed" counts only with what this batch wrote.
    async fn settle(&self, transaction: &str, writes: &Writes) -> Option<bool> {
        let until = Instant::now() + SETTLE_WITHIN;
        while Instant::now() < until {
            if let Ok(client) = self.pool.get().await {
                let asked = async { client.query_one("select pg_xact_status($1::text::xid8)", &[&transaction]).await };
                let Some(status) = within(asked).await else {
                    drop(Object::take(client));
                    continue;
                };
                match status.as_ref().map(|row| row.get::<_, Option<&str>>(0)) {
                    Ok(Some("committed")) => {
                        if let Ok(there) = writes.are_there(&client).await {
                            return there;
                        }
                    }
                    Ok(Some("aborted")) => return Some(false),
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    // A promoted replica may never have heard of it.
                    Err(error) if error.code().is_some() => return Some(false),
                    Err(_) => {}
                }
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
        None
    }

    fn answer(&self, batch: Vec<Waiting>, folded: Folded) {
        for (waiting, answer) in batch.into_iter().zip(folded.answers) {
            // Whoever went away is told nothing.
            let _ = waiting.reply.send(answer);
        }
        if folded.hint.head > 0 || !folded.hint.queues.is_empty() {
            self.wake.send(&folded.hint);
        }
        failpoint::hit("commit.after");
    }
}

/// Waits for the server, which ends every statement by itself before; none when nothing comes back from it.
pub(super) async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(ANSWERS_WITHIN, work).await.ok()
}

pub(super) fn silent() -> Fault {
    Fault::Unavailable("PostgreSQL does not answer".to_owned())
}

/// What the pool answered in place of a connection.
pub(super) fn away(error: PoolError) -> Fault {
    match error {
        PoolError::Backend(error) => fault(&error),
        other => Fault::Unavailable(format!("PostgreSQL: {other}")),
    }
}

/// Whether the server said itself that a statement failed, and so that the commit rolled back. A session that is ended from
/// outside (classes 08, 25, 57, 58) may have committed before.
fn is_rolled_back(error: &Error) -> bool {
    error.code().is_some_and(|state| !["08", "25", "57", "58", "XX"].contains(&&state.code()[..2]))
}

fn refuse(batch: Vec<Waiting>, fault: &Fault) {
    for waiting in batch {
        let _ = waiting.reply.send(Err(fault.clone()));
    }
}

/// The connection may be in the middle of a transaction: it is not used again, which rolls back.
fn abandon(client: Object, error: Error) -> End {
    drop(Object::take(client));
    End::Failed(error)
}

fn spoil(client: Object, fault: Fault) -> Fault {
    drop(Object::take(client));
    fault
}

/// Waits for this node's turn to write: batches are serial over the cluster from here to the commit.
async fn lock_head(client: &Object) -> Result<(Counters, String), Error> {
    let lock = client.prepare_cached(LOCK_HEAD).await?;
    let (begun, head) = join(client.batch_execute("begin"), client.query_one(&lock, &[])).await;
    begun?;
    let row = head?;
    let number = |column| row.try_get::<_, i64>(column).map(i64::cast_unsigned);
    Ok((Counters { seq: number(0)?, job: number(1)?, created: number(2)? }, row.try_get(3)?))
}

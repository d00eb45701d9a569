//! The journal on PostgreSQL: any number of nodes write, one batch at a time over the cluster; an answer to a write means
//! committed there.
//!
//! Every session pins its plans (`PARAMETERS`): each statement finds its rows by an index, however stale the statistics.

mod audience;
mod claim;
mod commit;
mod fold;
mod groups;
mod list;
mod look;
mod messages;
mod migrate;
mod node;
mod queue;
mod read;
mod rows;
mod sweep;
mod write;

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Hook, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use domain::{Audience, Change, Claimed, DeadJob, Entity, Event, Job, JobId, Kind, Lease, Received, Timestamp};
use futures_util::FutureExt;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use self::commit::{Committer, away};
use self::node::Node;
use self::queue::{Queue, Waiting};
use super::{Claim, Depth, Head, Journal, List, MessageCounts, Migrated, Options, Page, Receipt, Receive};
use crate::postgres::Server;
use crate::wake::Wake;
use crate::{Fault, KeyHeld};

/// Committers of one node: while one waits for the disk, the next one has its place in the row of those who write.
const COMMITTERS: usize = 2;
/// Connections beside those for reads: the committers, hand-outs, and a spare one to settle and to test writes.
const OWN: usize = COMMITTERS + 3;
/// How long a call waits for a connection that another one gives back.
const PATIENCE: Duration = Duration::from_secs(3);
/// What every session is told. A node that stops in mid-batch loses its session, and with it the head, within a second;
/// statements end by themselves; and plans are by index only.
const PARAMETERS: &str = "-c idle_in_transaction_session_timeout=1000 -c statement_timeout=5000 -c lock_timeout=5000 \
    -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off \
    -c enable_bitmapscan=off -c jit=off -c default_transaction_isolation=read\\ committed -c timezone=UTC";

/// To look at a journal: one session, whose one transaction sees the moment at which it began.
const LOOKING: &str = "-c statement_timeout=60000 -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off \
    -c timezone=UTC";

/// The journal's front.
struct Postgres {
    server: Server,
    pool: Pool,
    /// None where it was opened for reading only.
    writes: Option<Writes>,
    closed: AtomicBool,
}

/// What only a node that writes has.
struct Writes {
    queue: Arc<Queue>,
    node: Node,
    committers: Mutex<Vec<JoinHandle<()>>>,
}

/// Connects, and brings the schema up to date.
pub(super) async fn open(url: &str, options: Options) -> Result<Arc<dyn Journal>, Fault> {
    let server = Server::parse("--journal", url)?;
    migrate::prepare(&server, options.migrate).await?;
    let pool = connect(&server, PARAMETERS, server.pool + OWN)?;
    let node = Node::start(pool.clone(), options.lease_millis, Arc::clone(&options.wake)).await?;
    let queue = Arc::new(Queue::default());
    let committers = (0..COMMITTERS).map(|_| {
        let (pool, queue, wake) = (pool.clone(), Arc::clone(&queue), Arc::clone(&options.wake));
        tokio::spawn(commit(pool, queue, wake))
    });
    let committers = committers.collect();
    let writes = Writes { queue, node, committers: Mutex::new(committers) };
    Ok(Arc::new(Postgres { server, pool, writes: Some(writes), closed: AtomicBool::new(false) }))
}

/// Brings the schema up to date.
pub(super) async fn migrate(url: &str, new_epoch: bool) -> Result<Migrated, Fault> {
    migrate::migrate(&Server::parse("--journal", url)?, new_epoch).await
}

/// Connects to look only.
pub(super) async fn open_read_only(url: &str) -> Result<Arc<dyn Journal>, Fault> {
    let server = Server::parse("--journal", url)?;
    migrate::look(&server).await?;
    let pool = connect(&server, LOOKING, 1)?;
    Ok(Arc::new(Postgres { server, pool, writes: None, closed: AtomicBool::new(false) }))
}

/// A committer, and another one in its place should it panic: it holds nothing but a connection, and its batch is told that
/// the outcome is unknown.
async fn commit(pool: Pool, queue: Arc<Queue>, wake: Arc<dyn Wake>) {
    loop {
        let committer = Committer::new(pool.clone(), Arc::clone(&queue), Arc::clone(&wake));
        if AssertUnwindSafe(committer.run()).catch_unwind().await.is_ok() {
            return;
        }
        tracing::error!("journal: a committer has panicked; another one takes its place");
    }
}

fn connect(server: &Server, parameters: &'static str, size: usize) -> Result<Pool, Fault> {
    let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(server.config("tradewind", parameters), server.tls(), fast);
    let checked = server.clone();
    let check = Hook::async_fn(move |client, _| {
        let server = checked.clone();
        Box::pin(async move {
            let checked = if parameters == LOOKING { begin_looking(client).await } else { server.check(client).await };
            checked.map_err(|fault| deadpool_postgres::HookError::message(fault.to_string()))
        })
    });
    Pool::builder(manager)
        .max_size(size)
        .timeouts(Timeouts { wait: Some(PATIENCE), create: Some(server.connected_within()), recycle: Some(PATIENCE) })
        .runtime(Runtime::Tokio1)
        .post_create(check)
        .build()
        .map_err(|error| server.refuse(&error.to_string()))
}

/// Begins the transaction of a session that looks only; its first question takes the snapshot.
async fn begin_looking(client: &tokio_postgres::Client) -> Result<(), Fault> {
    client
        .batch_execute("begin isolation level repeatable read, read only; select seq from journal_head")
        .await
        .map_err(|error| rows::fault(&error))
}

impl Postgres {
    fn open(&self) -> Result<(), Fault> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    fn writes(&self) -> Result<&Writes, Fault> {
        self.open()?;
        self.writes.as_ref().ok_or_else(|| Fault::Unavailable("the journal is open for reading only".to_owned()))
    }

    async fn write(&self, change: Change, beat: bool) -> Result<Receipt, Fault> {
        let (reply, answer) = oneshot::channel();
        self.writes()?.queue.push(Waiting { change, beat, reply }).await?;
        answer.await.map_err(|_| closed())?
    }

    async fn reader(&self) -> Result<Object, Fault> {
        self.open()?;
        self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => self.server.unreachable(&error),
            other => away(other),
        })
    }
}

#[async_trait]
impl Journal for Postgres {
    async fn apply(&self, change: Change) -> Result<Receipt, Fault> {
        self.write(change, false).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Fault> {
        self.writes()?.node.claim(&claim).await
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<Lease>, Fault> {
        self.writes()?.node.renew(leases).await
    }

    async fn receive(&self, receive: Receive) -> Result<Vec<Received>, Fault> {
        self.writes()?;
        messages::receive(&mut self.reader().await?, &receive).await
    }

    async fn drop_jobs(&self, queue: &str, limit: usize) -> Result<usize, Fault> {
        self.writes()?;
        messages::drop_jobs(&mut self.reader().await?, queue, limit).await
    }

    async fn retry_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault> {
        self.writes()?;
        groups::judge_dead(&mut self.reader().await?, job, groups::Verdict::Retry, now).await
    }

    async fn discard_dead(&self, job: JobId, now: Timestamp) -> Result<bool, Fault> {
        self.writes()?;
        groups::judge_dead(&mut self.reader().await?, job, groups::Verdict::Discard, now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, Fault> {
        self.writes()?;
        sweep::sweep(&self.reader().await?, now, limit).await
    }

    async fn forget(&self, before: Timestamp, limit: usize) -> Result<usize, Fault> {
        self.writes()?;
        sweep::forget(&mut self.reader().await?, before, limit).await
    }

    async fn prune(
        &self,
        kind: Kind,
        statuses: &[&'static str],
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, Fault> {
        self.writes()?;
        sweep::prune(&mut self.reader().await?, kind, statuses, before, limit).await
    }

    async fn drop_levels(&self, first: &str, end: &str, limit: usize) -> Result<usize, Fault> {
        self.writes()?;
        sweep::drop_levels(&mut self.reader().await?, first, end, limit).await
    }

    async fn entity(&self, kind: Kind, id: &str) -> Result<Option<Entity>, Fault> {
        read::entity(&self.reader().await?, kind, id).await
    }

    async fn entities(&self, list: List) -> Result<Page, Fault> {
        let mut client = self.reader().await?;
        if self.writes.is_none() {
            return list::read(&client, &list).await;
        }
        list::entities(&mut client, &list).await
    }

    async fn history(&self, kind: Kind, id: &str, after: u64, limit: usize) -> Result<Vec<Event>, Fault> {
        read::history(&self.reader().await?, kind, id, after, limit).await
    }

    async fn events(&self, after: u64, audience: Option<&Audience>, limit: usize) -> Result<Vec<Event>, Fault> {
        let mut client = self.reader().await?;
        match audience {
            None => read::events(&client, after, limit).await,
            Some(audience) if self.writes.is_none() => audience::read(&client, after, audience, limit).await,
            Some(audience) => audience::events(&mut client, after, audience, limit).await,
        }
    }

    async fn key(&self, scope: &str, key: &str, now: Timestamp) -> Result<Option<KeyHeld>, Fault> {
        read::key(&self.reader().await?, scope, key, now).await
    }

    async fn head(&self) -> Result<Head, Fault> {
        read::head(&self.reader().await?).await
    }

    async fn jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Fault> {
        read::jobs(&self.reader().await?, queue, after, limit).await
    }

    async fn dead_jobs(&self, queue: &str, after: JobId, limit: usize) -> Result<Vec<DeadJob>, Fault> {
        read::dead_jobs(&self.reader().await?, queue, after, limit).await
    }

    async fn depth(&self, queue: &str, now: Timestamp) -> Result<Depth, Fault> {
        read::depth(&self.reader().await?, queue, now).await
    }

    async fn message_counts(&self, queue: &str, now: Timestamp) -> Result<MessageCounts, Fault> {
        messages::counts(&self.reader().await?, queue, now).await
    }

    async fn hidden(&self, queue: &str, now: Timestamp, limit: u64) -> Result<u64, Fault> {
        messages::hidden(&self.reader().await?, queue, now, limit).await
    }

    async fn levels(&self, names: &[String]) -> Result<Vec<i64>, Fault> {
        messages::levels(&self.reader().await?, names).await
    }

    /// Goes the way of every change, so that it also shows whether committers are at work.
    async fn ping(&self) -> Result<(), Fault> {
        self.write(Change::default(), true).await.map(drop)
    }

    async fn close(&self) {
        if let Some(writes) = &self.writes
            && !self.closed.swap(true, Ordering::AcqRel)
        {
            writes.queue.close();
            for committer in writes.committers.lock().await.drain(..) {
                if committer.await.is_err() {
                    tracing::error!("journal: a committer has panicked");
                }
            }
            writes.node.stop();
        }
        self.closed.store(true, Ordering::Release);
        self.pool.close();
    }
}

impl Drop for Postgres {
    /// What was not answered is settled by nobody any more, as after a crash.
    fn drop(&mut self) {
        if let Some(writes) = &mut self.writes {
            writes.node.stop();
            for committer in writes.committers.get_mut().drain(..) {
                committer.abort();
            }
        }
        self.pool.close();
    }
}

fn closed() -> Fault {
    Fault::Unavailable("the journal is closed".to_owned())
}

//! This process among the others: one session that hands out jobs, and by whose advisory lock the others see that it lives.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Object, Pool};
use domain::{Claimed, Lease};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::claim::{self, NODES};
use super::commit::{away, silent, within};
use super::rows::fault;
use crate::Fault;
use crate::journal::Claim;
use crate::wake::{Hint, Wake};

/// How often each node looks after lapsed leases.
const LAPSED_EVERY: Duration = Duration::from_millis(100);
/// How often each node looks after nodes that are gone.
const GONE_EVERY: Duration = Duration::from_secs(1);
/// A node whose session is gone for so long has lost its jobs; one whose connection broke is back before.
const GONE_FOR: Duration = Duration::from_secs(5);
/// Nodes whose session broke have another one within this.
const BACK_WITHIN: Duration = Duration::from_millis(1_500);

/// This process.
pub(super) struct Node {
    session: Arc<Session>,
    lease_micros: i64,
    stop: CancellationToken,
}

/// The session with this node's lock.
struct Session {
    node: i32,
    pool: Pool,
    held: Mutex<Option<Arc<Object>>>,
}

impl Session {
    /// The session; a new one when it broke.
    async fn get(&self) -> Result<Arc<Object>, Fault> {
        let mut held = self.held.lock().await;
        if let Some(open) = held.as_ref().filter(|open| !open.is_closed()) {
            return Ok(Arc::clone(open));
        }
        let client = self.pool.get().await.map_err(away)?;
        // Shared, since the server may not have noticed yet that the session before it broke.
        let taken = within(client.execute("select pg_advisory_lock_shared($1, $2)", &[&NODES, &self.node])).await;
        taken.ok_or_else(silent)?.map_err(|error| fault(&error))?;
        Ok(Arc::clone(held.insert(Arc::new(client))))
    }

    /// Lets go of it; what is under way on it goes on.
    fn end(&self) {
        if let Ok(mut held) = self.held.try_lock()
            && let Some(client) = held.take().and_then(Arc::into_inner)
        {
            drop(Object::take(client));
        }
    }

    /// The answer to what was asked on it; a session that does not answer is not used again.
    async fn answer<T>(&self, asked: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let answer = within(asked).await;
        if answer.is_none() {
            self.held.lock().await.take();
        }
        answer.ok_or_else(silent)?
    }
}

impl Node {
    /// Takes its place: what nodes that are gone had leased is free again.
    pub(super) async fn start(pool: Pool, lease_millis: u64, wake: Arc<dyn Wake>) -> Result<Self, Fault> {
        let lease_micros = claim::micros(Duration::from_millis(lease_millis));
        let [.., a, b, c, d] = *Uuid::now_v7().as_bytes();
        let node = i32::from_be_bytes([a & 0x7f, b, c, d]);
        let session = Arc::new(Session { node, pool, held: Mutex::default() });
        let client = session.get().await?;
        let mut gone = claim::gone(&client, lease_micros).await?;
        if !gone.is_empty() {
            // Those whose session broke a moment ago, as all do in a failover, come back meanwhile.
            tokio::time::sleep(BACK_WITHIN).await;
            let still = claim::gone(&client, lease_micros).await?;
            gone.retain(|node| still.contains(node));
            claim::free_of(&client, &gone).await?;
        }
        claim::free_lapsed(&client).await?;
        let watch = Watch { session: Arc::clone(&session), lease_micros, wake, gone: HashMap::new() };
        let stop = CancellationToken::new();
        tokio::spawn(watch.run(stop.clone()));
        Ok(Self { session, lease_micros, stop })
    }

    pub(super) async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>, Fault> {
        let client = self.session.get().await?;
        self.session.answer(claim::claim(&client, claim, self.session.node, self.lease_micros)).await
    }

    pub(super) async fn renew(&self, leases: &[Lease]) -> Result<Vec<Lease>, Fault> {
        let client = self.session.get().await?;
        self.session.answer(claim::renew(&client, leases, self.lease_micros)).await
    }

    /// Ends its session.
    pub(super) fn stop(&self) {
        self.stop.cancel();
        self.session.end();
    }
}

/// Looks after the leases that nobody will end any more, of this node and of all others.
struct Watch {
    session: Arc<Session>,
    lease_micros: i64,
    wake: Arc<dyn Wake>,
    /// Nodes that were seen to be gone, and since when.
    gone: HashMap<i32, Instant>,
}

impl Watch {
    async fn run(mut self, stop: CancellationToken) {
        let mut looked = Instant::now();
        while stop.run_until_cancelled(tokio::time::sleep(LAPSED_EVERY)).await.is_some() {
            let nodes = looked.elapsed() >= GONE_EVERY;
            if nodes {
                looked = Instant::now();
            }
            match stop.run_until_cancelled(Box::pin(self.step(nodes))).await {
                Some(Ok(queues)) if !queues.is_empty() => self.wake.send(&Hint { head: 0, queues }),
                Some(Err(fault)) => {
                    tracing::debug!(%fault, "journal: lapsed leases were not looked after; the next look does it");
                    stop.run_until_cancelled(tokio::time::sleep(GONE_EVERY)).await;
                }
                _ => {}
            }
        }
    }

    async fn step(&mut self, nodes: bool) -> Result<Vec<String>, Fault> {
        // By the same session that shows this node to the others: it is made anew at once when it breaks.
        let client = self.session.get().await?;
        let mut queues = self.session.answer(claim::free_lapsed(&client)).await?;
        if nodes {
            let gone = self.session.answer(claim::gone(&client, self.lease_micros)).await?;
            self.gone.retain(|node, _| gone.contains(node));
            for node in &gone {
                self.gone.entry(*node).or_insert_with(Instant::now);
            }
            let lost: Vec<i32> =
                self.gone.iter().filter(|(_, since)| since.elapsed() >= GONE_FOR).map(|(node, _)| *node).collect();
            if !lost.is_empty() {
                tracing::warn!(nodes = ?lost, "journal: nodes are gone; their jobs are free again");
                queues.extend(claim::free_of(&client, &lost).await?);
            }
        }
        Ok(queues)
    }
}

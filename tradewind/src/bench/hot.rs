//! One entity that everyone wants to change: the journal port in this process, without servers.
//!
//! The API has no command yet that changes one order more than once, so the clients are tasks that do what
//! `engine::intake` does with a command: wait their turn on their node, load, decide, apply, and again after a conflict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use domain::{Change, EntityWrite, EventDraft, Expect, Kind, Owner};
use drivers::journal::Journal;
use drivers::{Conflict, Fault};
use engine::clock;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::backlog::open;
use super::histogram::Histogram;
use super::load::precise;
use super::progress::Progress;
use super::report::{Bar, Row, latency};
use super::store::Store;
use crate::config::Bench;

const CLIENTS: usize = 64;
/// How long a change may take, conflicts included: as `engine::intake` has it.
const DEADLINE: Duration = Duration::from_secs(10);
const ID: &str = "hot";

/// One process that changes the entity; its clients take turns.
struct Node {
    journal: Arc<dyn Journal>,
    turn: Mutex<()>,
}

/// What one client did.
#[derive(Default)]
struct Done {
    changes: u64,
    late: u64,
    latency: Histogram,
}

/// Clients on two nodes, where two may have the journal open, change one entity for some seconds.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let nodes = if settings.journal.is_some() { 2 } else { 1 };
    let store = Store::make(settings).await?;
    let all = nodes_on(&store, nodes).await?;
    all[0].journal.apply(write(0, Expect::Absent)).await?;
    let progress = Progress::begin(format!("hot: {CLIENTS} clients, {nodes} nodes"));
    let begun = Instant::now();
    let until = begun + Duration::from_secs(settings.seconds.saturating_mul(2));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let node = Arc::clone(&all[client % nodes]);
        clients.spawn(async move { node.change_until(until).await });
    }
    let mut done = Done::default();
    while let Some(one) = clients.join_next().await {
        let one = one??;
        done.changes += one.changes;
        done.late += one.late;
        done.latency.merge(&one.latency);
    }
    let took = begun.elapsed();
    drop(progress);
    let entity = all[0].journal.entity(Kind::Swap, ID).await?.ok_or_else(|| anyhow!("the hot entity is gone"))?;
    ensure!(
        done.late > 0 || entity.version == done.changes + 1,
        "{} changes were answered and the entity's version is {}: a change was lost",
        done.changes,
        entity.version
    );
    for node in all {
        node.journal.close().await;
    }
    let rate = precise(done.changes) / took.as_secs_f64();
    let on = if nodes == 1 { "one node" } else { "two nodes" };
    Ok(Row {
        what: format!("changes of one entity, {CLIENTS} clients on {on}, through the journal port"),
        value: rate,
        unit: "changes/s",
        yardstick: None,
        score: rate,
        bar: Bar::AtLeast(300.0),
        latency: Some(latency(&done.latency)),
        spoilt: (done.late > 0).then(|| format!("{} changes were not made within {DEADLINE:?}", done.late)),
    })
}

async fn nodes_on(store: &Store, count: usize) -> anyhow::Result<Vec<Arc<Node>>> {
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Arc::new(Node { journal: open(store).await?, turn: Mutex::default() }));
    }
    Ok(nodes)
}

impl Node {
    async fn change_until(&self, until: Instant) -> Result<Done, Fault> {
        let mut done = Done::default();
        while Instant::now() < until {
            let asked = Instant::now();
            match tokio::time::timeout(DEADLINE, self.change()).await {
                Ok(changed) => changed?,
                Err(_) => {
                    done.late += 1;
                    continue;
                }
            }
            done.changes += 1;
            done.latency.record(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        Ok(done)
    }

    /// Makes one change, whatever the other node does.
    async fn change(&self) -> Result<(), Fault> {
        let _turn = self.turn.lock().await;
        loop {
            let entity = self.journal.entity(Kind::Swap, ID).await?;
            let version = entity.map_or(0, |entity| entity.version);
            match self.journal.apply(write(version, Expect::Version(version))).await {
                Ok(_) => return Ok(()),
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// The next state of the entity, with its event; of an order's size.
fn write(version: u64, expect: Expect) -> Change {
    let body = format!(r#"{{"bid":{version},"note":"{}"}}"#, "x".repeat(500));
    let event = Some(EventDraft { type_: "swap.changed", body: body.clone() });
    let (id, owner) = (ID.to_owned(), Owner::default());
    let write =
        EntityWrite { kind: Kind::Swap, id, expect, status: "pending", owner, party: None, parent: None, body, event };
    Change { at: clock::now(), entities: vec![write], ..Change::default() }
}

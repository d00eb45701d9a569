//! Everything that runs: the servers, the wires to them, the chain, and the processes on them.

use std::path::Path;
use std::sync::Arc;

use testbed::{Database, Nats, Postgres, Redis};
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;

use super::node::{Node, Role};
use super::wire::{Flow, Wire};
use crate::proof::fronts::Fronts;

/// The lease of jobs, in seconds: a test has no time for the usual 30.
pub(super) const LEASE_SECONDS: u64 = 3;
const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const PROCESSES: [(Role, usize); 3] = [(Role::Api, 2), (Role::Work, 3), (Role::Relay, 2)];

/// Processes that may die, on servers that may.
pub(super) struct World {
    pub(super) nodes: Vec<(Role, Arc<Mutex<Node>>)>,
    /// Of each process, to PostgreSQL.
    pub(super) wires: Vec<Wire>,
    pub(super) redis_wire: Wire,
    pub(super) nats_wire: Wire,
    pub(super) database: Database,
    pub(super) postgres: Arc<Postgres>,
    pub(super) redis: Arc<Redis>,
    pub(super) nats: Arc<Nats>,
}

impl World {
    /// Starts all of it; hints go through NATS or Redis.
    pub(super) async fn begin(folder: &Path, venue: &str, wake_by_nats: bool) -> (Self, Fronts) {
        let (postgres, redis, nats) =
            spawn_blocking(|| (Postgres::start(), Redis::start(), Nats::start())).await.expect("servers");
        let database = postgres.database();
        let (redis_wire, nats_wire) = (Wire::lay(redis.port()).await, Wire::lay(nats.port()).await);
        let to_redis = format!("redis://127.0.0.1:{}", redis_wire.port);
        let to_nats = format!("nats://127.0.0.1:{}", nats_wire.port);
        let (mut nodes, mut wires, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for (role, count) in PROCESSES {
            for number in 1..=count {
                let wire = Wire::lay(postgres.port()).await;
                wires.push(wire.clone());
                let journal = format!("postgres://postgres@127.0.0.1:{}/{}", wire.port, database.name());
                let wake = if wake_by_nats { &to_nats } else { &to_redis };
                let mut arguments = arguments(role, &journal, wake, venue);
                match role {
                    Role::Api => arguments.extend(["--cache".to_owned(), to_redis.clone()]),
                    Role::Work => arguments.extend(["--concurrency".to_owned(), "swap.execute=64".to_owned()]),
                    Role::Relay => arguments.extend(["--export".to_owned(), to_nats.clone()]),
                }
                let (sender, address) = watch::channel(None);
                if role == Role::Api {
                    addresses.push(address);
                }
                let node = Node::new(format!("{}-{number}", role.name()), folder, arguments, sender);
                nodes.push((role, Arc::new(Mutex::new(node))));
            }
        }
        // One after another: the first one makes the tables.
        for (_, node) in &nodes {
            node.lock().await.up("").await;
        }
        let (postgres, redis, nats) = (Arc::new(postgres), Arc::new(redis), Arc::new(nats));
        (Self { nodes, wires, redis_wire, nats_wire, database, postgres, redis, nats }, Fronts::new(addresses))
    }

    /// Lets everything through again.
    pub(super) fn heal(&self) {
        self.wires.iter().chain([&self.redis_wire, &self.nats_wire]).for_each(|wire| wire.set(Flow::Open));
    }

    /// The processes of a role.
    pub(super) fn of(&self, role: Role) -> Vec<Arc<Mutex<Node>>> {
        self.nodes.iter().filter(|(other, _)| *other == role).map(|(_, node)| Arc::clone(node)).collect()
    }

    /// Nothing but the test ended a process.
    pub(super) async fn assert_lives(&self) {
        for (_, node) in &self.nodes {
            node.lock().await.assert_lives();
        }
    }

    /// Asks all processes to stop; how often they would not start because a server was away.
    pub(super) async fn end(nodes: Vec<(Role, Arc<Mutex<Node>>)>) -> u32 {
        let mut refused = 0;
        for (_, node) in nodes {
            let node = Arc::into_inner(node).expect("nobody does anything to it any more").into_inner();
            refused += node.refused;
            let (name, status) = node.terminate().await;
            assert!(status.success(), "stopping {name} gracefully: {status}");
        }
        refused
    }
}

fn arguments(role: Role, journal: &str, wake: &str, venue: &str) -> Vec<String> {
    let lease = format!("{LEASE_SECONDS}s");
    let all = ["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--roles", role.name(), "--journal", journal];
    let more = ["--wake", wake, "--venue", venue, "--secret", SECRET, "--lease", &lease];
    all.iter().chain(&more).map(|text| (*text).to_owned()).collect()
}

//! What happens to the cluster: kills, stops, restarts and cuts, several at once, in an order drawn by the seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drivers::failpoint;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};

use super::node::{Node, Role};
use super::wire::{Flow, Wire};
use super::world::{LEASE_SECONDS, World};
use crate::proof::draw::Draw;
use crate::proof::record::{Record, Span};

/// A point that is not reached in so long by a busy process is missed. A relay waits for the lease of the one before it.
const POINT_PATIENCE: Duration = Duration::from_secs(15);
/// A point missed so often is given up.
const MISSES: u32 = 3;
/// How many things go wrong at the same time.
const AT_ONCE: usize = 3;
const POINT: &str = "kill at a fail point";

/// Everything that goes wrong, and how often in a round.
const KINDS: [(&str, u32); 16] = [
    ("kill api", 1),
    ("kill work", 2),
    ("kill relay", 1),
    (POINT, 7),
    ("stop api", 1),
    ("stop work", 1),
    ("stop relay", 1),
    ("empty redis", 1),
    ("wipe nats", 1),
    ("restart postgres", 1),
    ("cut postgres", 2),
    ("cut redis", 1),
    ("cut nats", 1),
    ("stall postgres", 2),
    ("stall redis", 1),
    ("stall nats", 1),
];

/// How often what happened.
#[derive(Clone, Default)]
pub(super) struct Counts {
    pub(super) kinds: BTreeMap<&'static str, u32>,
    pub(super) points: BTreeMap<&'static str, u32>,
    pub(super) missed: BTreeMap<&'static str, u32>,
    /// Fail points that come next.
    points_left: Vec<&'static str>,
}

impl Counts {
    /// What never happened, of fail points only where the run was to reach each.
    pub(super) fn missing(&self, points: bool) -> Vec<&'static str> {
        let kinds = KINDS.iter().map(|(kind, _)| *kind).filter(|kind| !self.kinds.contains_key(kind));
        let names = failpoint::NAMES.into_iter().filter(|name| points && !self.points.contains_key(name));
        kinds.chain(names).collect()
    }
}

/// Whoever disturbs the cluster.
pub(super) struct Disturber {
    world: Arc<World>,
    counts: Mutex<Counts>,
}

/// For how long, and how.
pub(super) struct Plan<'a> {
    pub(super) time: Duration,
    /// Goes on until every fail point was reached.
    pub(super) every_point: bool,
    /// One thing at a time, and so long until the next: shows what each of them does to callers.
    pub(super) calm: Option<Duration>,
    pub(super) record: &'a Record,
}

impl Disturber {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, counts: Mutex::default() }
    }

    /// Disturbs until the time is over and everything has happened at least once. Ends early when a client is no longer busy:
    /// it has found something wrong, which the caller learns from it.
    pub(super) async fn run(self: Arc<Self>, mut draw: Draw, plan: Plan<'_>, busy: impl Fn() -> bool) -> Counts {
        let begun = Instant::now();
        let at_once = Arc::new(Semaphore::new(if plan.calm.is_some() { 1 } else { AT_ONCE }));
        let (mut going, mut round, mut rounds) = (JoinSet::new(), Vec::new(), 0_u64);
        while busy() && (rounds <= 1 || begun.elapsed() < plan.time || self.owes_points(&plan)) {
            if round.is_empty() {
                round = KINDS.iter().flat_map(|(kind, times)| (0..*times).map(|_| *kind)).collect();
                draw.shuffle(&mut round);
                rounds += 1;
                continue;
            }
            let Some(kind) = round.pop() else { continue };
            let permit = Arc::clone(&at_once).acquire_owned().await.expect("it is never closed");
            plan.record.turn();
            let (this, part) = (Arc::clone(&self), draw.part(round.len() as u64 + 1_000 * rounds));
            going.spawn(async move {
                this.act(kind, part).await;
                drop(permit);
            });
            if let Some(calm) = plan.calm {
                ended(going.join_next().await);
                sleep(calm).await;
                show(kind, &plan.record.turn());
            }
            sleep(Duration::from_millis(draw.between(100, 700))).await;
            while let Some(done) = going.try_join_next() {
                ended(Some(done));
            }
        }
        while let Some(done) = going.join_next().await {
            ended(Some(done));
        }
        self.world.heal();
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether fail points are still to be reached that were not missed too often.
    fn owes_points(&self, plan: &Plan<'_>) -> bool {
        let owed = |counts: &Counts, name| {
            !counts.points.contains_key(name) && counts.missed.get(name).is_none_or(|missed| *missed < MISSES)
        };
        plan.every_point && self.count(|counts| failpoint::NAMES.into_iter().any(|name| owed(counts, name)))
    }

    async fn act(&self, kind: &'static str, mut draw: Draw) {
        let world = &self.world;
        let moment = Duration::from_millis(draw.between(500, 3_000));
        let flow = [Flow::Deaf, Flow::Mute, Flow::Dead][index(&mut draw, 3)];
        let (verb, what) = kind.split_once(' ').expect("two words");
        match (verb, what) {
            ("kill", "api") => self.kill(Role::Api, &mut draw).await,
            ("kill", "work") => self.kill(Role::Work, &mut draw).await,
            ("kill", "relay") => self.kill(Role::Relay, &mut draw).await,
            ("kill", _) => return self.kill_at_a_point(&mut draw).await,
            ("stop", role) => {
                let role = [Role::Api, Role::Work, Role::Relay].into_iter().find(|known| known.name() == role);
                let longer = Duration::from_secs(LEASE_SECONDS) + moment;
                self.one_of(role.expect("a role"), &mut draw).await.stand_still(longer).await;
            }
            ("empty", _) => blocking(&world.redis, testbed::Redis::restart).await,
            ("wipe", _) => blocking(&world.nats, testbed::Nats::restart_wiped).await,
            ("restart", _) => blocking(&world.postgres, testbed::Postgres::restart_immediate).await,
            ("cut", "postgres") => self.wires_of_some(&mut draw).await.iter().for_each(Wire::cut),
            ("cut", "redis") => world.redis_wire.cut(),
            ("cut", _) => world.nats_wire.cut(),
            (_, "postgres") => stall(&self.wires_of_some(&mut draw).await, flow, moment).await,
            (_, "redis") => stall(std::slice::from_ref(&world.redis_wire), flow, moment).await,
            _ => stall(std::slice::from_ref(&world.nats_wire), flow, moment).await,
        }
        self.count(|counts| *counts.kinds.entry(kind).or_default() += 1);
    }

    async fn kill(&self, role: Role, draw: &mut Draw) {
        let mut node = self.one_of(role, draw).await;
        node.kill();
        sleep(Duration::from_millis(draw.between(0, 500))).await;
        node.up("").await;
    }

    /// Has a process kill itself at the next fail point of the round.
    async fn kill_at_a_point(&self, draw: &mut Draw) {
        let name = self.count(|counts| {
            if counts.points_left.is_empty() {
                counts.points_left = failpoint::NAMES.to_vec();
                draw.shuffle(&mut counts.points_left);
            }
            counts.points_left.pop().expect("a fail point")
        });
        let (role, most) = match name.split('.').next() {
            Some("commit") => ([Role::Api, Role::Work][index(draw, 2)], 60),
            Some("relay") => (Role::Relay, 20),
            Some("retry" | "bury") => (Role::Work, 1),
            _ => (Role::Work, 10),
        };
        let armed = format!("{name}={}", draw.between(1, most));
        let died = if role == Role::Relay {
            // Of two relays one sends: the other one is not to be first.
            let [mut node, mut other] = self.relays().await;
            node.kill();
            other.kill();
            node.up(&armed).await;
            let died = node.dies_within(POINT_PATIENCE).await;
            other.up("").await;
            node.up("").await;
            died
        } else {
            let mut node = self.one_of(role, draw).await;
            node.kill();
            node.up(&armed).await;
            let died = node.dies_within(POINT_PATIENCE).await;
            node.up("").await;
            died
        };
        self.count(|counts| {
            if died {
                *counts.kinds.entry(POINT).or_default() += 1;
                *counts.points.entry(name).or_default() += 1;
            } else {
                *counts.missed.entry(name).or_default() += 1;
                counts.points_left.push(name);
            }
        });
    }

    /// A process of a role: one to which nothing happens just now, if there is one.
    async fn one_of(&self, role: Role, draw: &mut Draw) -> OwnedMutexGuard<Node> {
        let mut all = self.world.of(role);
        draw.shuffle(&mut all);
        let free = all.iter().find_map(|node| Arc::clone(node).try_lock_owned().ok());
        match free {
            Some(node) => node,
            None => all.remove(0).lock_owned().await,
        }
    }

    async fn relays(&self) -> [OwnedMutexGuard<Node>; 2] {
        let mut all = self.world.of(Role::Relay).into_iter();
        // Always in this order: nobody waits in a circle.
        [all.next().expect("a relay").lock_owned().await, all.next().expect("another").lock_owned().await]
    }

    /// The wires to PostgreSQL of one process, or of all.
    async fn wires_of_some(&self, draw: &mut Draw) -> Vec<Wire> {
        let all = &self.world.wires;
        if draw.between(0, 3) == 0 { all.clone() } else { vec![all[index(draw, all.len())].clone()] }
    }

    fn count<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn stall(wires: &[Wire], flow: Flow, time: Duration) {
    wires.iter().for_each(|wire| wire.set(flow));
    sleep(time).await;
    wires.iter().for_each(|wire| wire.set(Flow::Open));
}

async fn blocking<S: Send + Sync + 'static>(server: &Arc<S>, act: fn(&S)) {
    let server = Arc::clone(server);
    spawn_blocking(move || act(&server)).await.expect("the server comes up again");
}

/// A disturbance that found something wrong ends the test.
fn ended(done: Option<Result<(), tokio::task::JoinError>>) {
    done.expect("a disturbance").unwrap_or_else(|error| panic!("a disturbance failed: {error}"));
}

fn show(kind: &str, span: &Span) {
    println!(
        "  {kind:<22} no answer for {:>5} ms at most, no order ended for {:>5} ms; {:>4} answers, {:>3} broken off, \
         {:>3} times 503, the last after {:>5} ms",
        span.longest.as_millis(),
        span.longest_idle.as_millis(),
        span.answers,
        span.unheard,
        span.refused,
        span.refused_until.as_millis(),
    );
}

fn index(draw: &mut Draw, count: usize) -> usize {
    usize::try_from(draw.between(0, count as u64 - 1)).expect("an index")
}

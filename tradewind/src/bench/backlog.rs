//! Whether a claim gets dearer with the jobs that wait: the journal port in this process, without servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use domain::{Change, Claimed, JobStep, NewJob, Then};
use drivers::journal::{self, Claim, Journal};
use engine::clock;
use futures_util::future::try_join_all;

use super::load::precise;
use super::progress::Progress;
use super::report::{Bar, Row, median};
use super::rounds::ROUNDS;
use super::store::Store;
use crate::config::{Bench, Scenario};
use crate::serve::plain;

const QUEUE: &str = "bench.backlog";
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// Within all, unless in full.
const REDUCED: u64 = 100_000;
/// Jobs of one change while the backlog is filled, and changes under way.
const FILLED_AT_ONCE: u64 = 1_000;
const FILLERS: usize = 8;
/// Jobs asked for by one claim.
const CLAIMED_AT_ONCE: usize = 100;
/// Claims of a round, for each of `--seconds`: as many with few jobs as with many.
const CLAIMS_A_SECOND: u64 = 50;
const LEASE_MILLIS: u64 = 600_000;

/// A journal with jobs that wait.
struct Backlog {
    journal: Arc<dyn Journal>,
    // After the journal, so that it is dropped later.
    _store: Store,
}

/// Two journals, one with a thousand jobs waiting, one with a million: the rates of their claims in turns.
#[expect(clippy::float_arithmetic, reason = "ratios of measurements, no money")]
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let reduced = settings.scenario == Scenario::All && !settings.full;
    let count = settings.jobs.unwrap_or(if reduced { REDUCED } else { MANY });
    let progress = Progress::begin("backlog");
    let few = Backlog::fill(settings, FEW, &progress).await?;
    let many = Backlog::fill(settings, count, &progress).await?;
    let claims = CLAIMS_A_SECOND * settings.seconds;
    let (mut fews, mut manies, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        progress.say(format!("backlog: round {round} of {ROUNDS}"));
        let with_few = few.rate(claims).await?;
        let with_many = many.rate(claims).await?;
        fews.push(with_few);
        manies.push(with_many);
        ratios.push(with_many / with_few);
    }
    few.journal.close().await;
    many.journal.close().await;
    Ok(Row {
        what: format!("jobs claimed with {count} waiting ÷ with {FEW} (yardstick), {CLAIMED_AT_ONCE} at once"),
        value: median(manies),
        unit: "jobs/s",
        yardstick: Some(median(fews)),
        score: median(ratios),
        bar: Bar::AtLeast(0.8),
        latency: None,
        spoilt: None,
    })
}

/// Opens the journal in a store, as a node of its own.
pub(crate) async fn open(store: &Store) -> anyhow::Result<Arc<dyn Journal>> {
    let options = journal::Options { wake: drivers::wake::local(), lease_millis: LEASE_MILLIS, migrate: true };
    journal::open(&store.journal(), options).await.map_err(plain)
}

impl Backlog {
    async fn fill(settings: &Bench, count: u64, progress: &Progress) -> anyhow::Result<Self> {
        let store = Store::make(settings).await?;
        let journal = open(&store).await?;
        let mut filled = 0;
        while filled < count {
            progress.say(format!("backlog: {filled} of {count} jobs"));
            let mut changes = Vec::new();
            while changes.len() < FILLERS && filled < count {
                let jobs = FILLED_AT_ONCE.min(count - filled);
                filled += jobs;
                let jobs = (0..jobs).map(|_| job()).collect();
                changes.push(journal.apply(Change { at: clock::now(), jobs, ..Change::default() }));
            }
            try_join_all(changes).await?;
        }
        Ok(Self { journal, _store: store })
    }

    /// Jobs claimed per second that claims took. Those claimed are ended, and as many put in their place, off the clock.
    #[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
    async fn rate(&self, claims: u64) -> anyhow::Result<f64> {
        let (mut claimed, mut took) = (0, Duration::ZERO);
        for _ in 0..claims {
            let claim = Claim {
                queue: QUEUE,
                limit: CLAIMED_AT_ONCE,
                per_lane: usize::MAX,
                narrow: Vec::new(),
                now: clock::now(),
            };
            let asked = Instant::now();
            let jobs = self.journal.claim(claim).await?;
            took += asked.elapsed();
            ensure!(!jobs.is_empty(), "a claim found no job although jobs were waiting");
            claimed += jobs.len() as u64;
            try_join_all(jobs.iter().map(|job| self.journal.apply(replace(job)))).await?;
        }
        Ok(precise(claimed) / took.as_secs_f64().max(1e-9))
    }
}

/// As an order's.
fn job() -> NewJob {
    let body = engine::intake::new_id();
    NewJob { queue: QUEUE.into(), group: None, lane: None, run_at: clock::now(), body, dedup: None }
}

fn replace(done: &Claimed) -> Change {
    let step = Some(JobStep { lease: done.lease, then: Then::Finish });
    Change { at: clock::now(), jobs: vec![job()], step, ..Change::default() }
}

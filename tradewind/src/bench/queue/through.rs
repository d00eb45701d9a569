//! Jobs enqueued and finished per second: the journal port in this process, used as the product uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::{Change, JobStep, NewJob, Then};
use drivers::journal::{Claim, Journal};
use engine::clock;
use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use crate::bench::backlog::open;
use crate::bench::load::precise;
use crate::bench::progress::Progress;
use crate::bench::report::{Bar, Row, median};
use crate::bench::rounds::ROUNDS;
use crate::bench::store::Store;
use crate::config::Bench;

const QUEUE: &str = "bench.through";
/// Those who enqueue, each a batch of ten and then the next one when that is on disk.
const PRODUCERS: usize = 32;
const BATCH: u64 = 10;
/// Those who claim; each has so many jobs at most, and finishes every one of them by a change of its own.
const WORKERS: usize = 4;
const CLAIMED_AT_ONCE: usize = 128;
/// Producers wait while more jobs than this wait.
const AHEAD: u64 = 20_000;
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Jobs of a round for each of `--seconds`.
const JOBS_A_SECOND: u64 = 20_000;

/// How far a round is.
struct Round {
    journal: Arc<dyn Journal>,
    count: u64,
    enqueued: AtomicU64,
    finished: AtomicU64,
}

/// From the first job that is enqueued to the last that is finished, both at once.
pub(super) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let count = JOBS_A_SECOND * settings.seconds;
    let progress = Progress::begin("queue: jobs enqueued and finished");
    let mut rates = Vec::new();
    for round in 1..=ROUNDS {
        progress.say(format!("queue: {count} jobs enqueued and finished, round {round} of {ROUNDS}"));
        let store = Store::make(settings).await?;
        let journal = open(&store).await?;
        rates.push(measure(&journal, count).await?);
        journal.close().await;
    }
    let rate = median(rates);
    Ok(Row {
        what: format!(
            "jobs enqueued by {PRODUCERS} callers in tens, and each claimed and finished, through the journal port"
        ),
        value: rate,
        unit: "jobs/s",
        yardstick: None,
        score: rate,
        bar: if settings.journal.is_some() { Bar::None } else { Bar::AtLeast(15_000.0) },
        latency: None,
        spoilt: None,
    })
}

#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
async fn measure(journal: &Arc<dyn Journal>, count: u64) -> anyhow::Result<f64> {
    let round = Round { journal: Arc::clone(journal), count, enqueued: AtomicU64::new(0), finished: AtomicU64::new(0) };
    let round = Arc::new(round);
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..PRODUCERS {
        let round = Arc::clone(&round);
        tasks.spawn(async move { round.produce().await });
    }
    for _ in 0..WORKERS {
        let round = Arc::clone(&round);
        tasks.spawn(async move { round.work().await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(precise(count) / begun.elapsed().as_secs_f64())
}

impl Round {
    async fn produce(&self) -> anyhow::Result<()> {
        while self.enqueued.fetch_add(BATCH, Ordering::Relaxed) < self.count {
            let jobs = (0..BATCH).map(|_| job()).collect();
            self.journal.apply(Change { at: clock::now(), jobs, ..Change::default() }).await?;
            while self.enqueued.load(Ordering::Relaxed) > self.finished.load(Ordering::Relaxed) + AHEAD {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    async fn work(&self) -> anyhow::Result<()> {
        while self.finished.load(Ordering::Relaxed) < self.count {
            let limit = CLAIMED_AT_ONCE;
            let narrow = Vec::new();
            let claim = Claim { queue: QUEUE, limit, per_lane: usize::MAX, narrow, now: clock::now() };
            let claimed = self.journal.claim(claim).await?;
            if claimed.is_empty() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            let finish = |lease| Change {
                at: clock::now(),
                step: Some(JobStep { lease, then: Then::Finish }),
                ..Change::default()
            };
            try_join_all(claimed.iter().map(|one| self.journal.apply(finish(one.lease)))).await?;
            self.finished.fetch_add(claimed.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// As an order's.
fn job() -> NewJob {
    let body = engine::intake::new_id();
    NewJob { queue: QUEUE.into(), group: None, lane: None, run_at: clock::now(), body, dedup: None }
}

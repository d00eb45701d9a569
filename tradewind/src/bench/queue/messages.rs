//! Whether a receive gets dearer with the messages that wait: the journal port in this process, without servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use domain::{Change, MessageStep, NewJob, Received, Settle};
use drivers::journal::{Journal, Receive};
use engine::clock;
use futures_util::future::try_join_all;

use crate::bench::backlog::open;
use crate::bench::load::precise;
use crate::bench::progress::Progress;
use crate::bench::report::{Bar, Row, median};
use crate::bench::rounds::ROUNDS;
use crate::bench::store::Store;
use crate::config::{Bench, Scenario};

/// As the name of a queue's generation.
const QUEUE: &str = "01900000-0000-7000-8000-000000000000";
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// Within all, unless in full.
const REDUCED: u64 = 100_000;
/// Messages of one change while the backlog is filled, and changes under way.
const FILLED_AT_ONCE: u64 = 1_000;
const FILLERS: usize = 8;
/// Messages of one receive: the most that a client of SQS may ask for.
const AT_ONCE: usize = 10;
/// Receives of a round, for each of `--seconds`: as many with few messages as with many.
const RECEIVES_A_SECOND: u64 = 250;
/// Far longer than a round.
const HIDE_MICROS: i64 = 3_600_000_000;
const MOST_MEMORY: f64 = 256.0;

/// How messages are grouped.
#[derive(Clone, Copy)]
enum Groups {
    None,
    One,
    Thousand,
}

impl Groups {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "without groups",
            Self::One => "in one group",
            Self::Thousand => "in 1000 groups",
        }
    }

    fn of(self, number: u64) -> Option<String> {
        match self {
            Self::None => None,
            Self::One => Some("group".to_owned()),
            Self::Thousand => Some(format!("group-{}", number % 1_000)),
        }
    }
}

/// A journal with messages that wait.
struct Backlog {
    journal: Arc<dyn Journal>,
    groups: Groups,
    // After the journal, so that it is dropped later.
    _store: Store,
}

/// For each way of grouping two journals, one with a thousand messages, one with a million: the rates at which they are
/// received and deleted, in turns; then what this process holds in memory.
pub(super) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let reduced = settings.scenario == Scenario::All && !settings.full;
    let count = settings.jobs.unwrap_or(if reduced { REDUCED } else { MANY });
    let mut rows = Vec::new();
    let mut most = 0.0;
    for groups in [Groups::None, Groups::One, Groups::Thousand] {
        let (row, memory) = compare(settings, groups, count).await?;
        rows.push(row);
        most = memory.max(most);
    }
    rows.push(Row {
        what: format!("resident memory with {count} messages waiting, the load included"),
        value: most,
        unit: "MB",
        yardstick: None,
        score: most,
        bar: Bar::AtMost(MOST_MEMORY),
        latency: None,
        spoilt: None,
    });
    Ok(rows)
}

#[expect(clippy::float_arithmetic, reason = "ratios of measurements, no money")]
async fn compare(settings: &Bench, groups: Groups, count: u64) -> anyhow::Result<(Row, f64)> {
    let progress = Progress::begin("queue: messages");
    let few = Backlog::fill(settings, groups, FEW, &progress).await?;
    let many = Backlog::fill(settings, groups, count, &progress).await?;
    let receives = RECEIVES_A_SECOND * settings.seconds;
    let (mut fews, mut manies, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        progress.say(format!("queue: messages {}, round {round} of {ROUNDS}", groups.name()));
        let with_few = few.rate(receives).await?;
        let with_many = many.rate(receives).await?;
        fews.push(with_few);
        manies.push(with_many);
        ratios.push(with_many / with_few);
    }
    let memory = resident()?;
    few.journal.close().await;
    many.journal.close().await;
    let row = Row {
        what: format!(
            "messages {} received and deleted with {count} waiting ÷ with {FEW} (yardstick), {AT_ONCE} at once",
            groups.name()
        ),
        value: median(manies),
        unit: "messages/s",
        yardstick: Some(median(fews)),
        score: median(ratios),
        bar: Bar::AtLeast(0.8),
        latency: None,
        spoilt: None,
    };
    Ok((row, memory))
}

impl Backlog {
    async fn fill(settings: &Bench, groups: Groups, count: u64, progress: &Progress) -> anyhow::Result<Self> {
        let store = Store::make(settings).await?;
        let journal = open(&store).await?;
        let mut filled = 0;
        while filled < count {
            progress.say(format!("queue: {filled} of {count} messages {}", groups.name()));
            let mut changes = Vec::new();
            while changes.len() < FILLERS && filled < count {
                let next = (filled + FILLED_AT_ONCE).min(count);
                let jobs = (filled..next).map(|number| message(groups.of(number))).collect();
                changes.push(journal.apply(Change { at: clock::now(), jobs, ..Change::default() }));
                filled = next;
            }
            try_join_all(changes).await?;
        }
        Ok(Self { journal, groups, _store: store })
    }

    /// Messages received and deleted per second. As many are put in their place, off the clock.
    #[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
    async fn rate(&self, receives: u64) -> anyhow::Result<f64> {
        let (mut through, mut took) = (0, Duration::ZERO);
        for _ in 0..receives {
            let (queue, now) = (QUEUE.to_owned(), clock::now());
            let asked = Instant::now();
            let receive = Receive { queue, limit: AT_ONCE, hide_micros: HIDE_MICROS, call: None, one_each: false, now };
            let received = self.journal.receive(receive).await?;
            ensure!(!received.is_empty(), "a receive found no message although messages were waiting");
            let messages = received.iter().map(delete).collect();
            self.journal.apply(Change { at: clock::now(), messages, ..Change::default() }).await?;
            took += asked.elapsed();
            let jobs = (through..through + received.len() as u64).map(|number| message(self.groups.of(number)));
            let jobs: Vec<NewJob> = jobs.collect();
            through += received.len() as u64;
            self.journal.apply(Change { at: clock::now(), jobs, ..Change::default() }).await?;
        }
        Ok(precise(through) / took.as_secs_f64().max(1e-9))
    }
}

fn message(group: Option<String>) -> NewJob {
    let body = format!(r#"{{"body":"{}","sender":"bench"}}"#, "x".repeat(100));
    NewJob { queue: QUEUE.into(), group, lane: None, run_at: clock::now(), body, dedup: None }
}

fn delete(received: &Received) -> MessageStep {
    let (queue, job, token) = (QUEUE.to_owned(), received.job.id, Some(received.token));
    MessageStep { queue, job, token, late: false, then: Settle::Delete }
}

/// What this process holds in memory, in MB.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
fn resident() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status").context("memory needs Linux")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    Ok(precise(kibibytes.ok_or_else(|| anyhow!("/proc/self/status has no VmRSS"))?) * 1_024.0 / 1_000_000.0)
}

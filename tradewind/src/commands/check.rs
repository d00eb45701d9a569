//! `tradewind check`: verifies a journal's invariants as of one moment, read-only, in memory that does not grow with it
//! (but for a few bytes per entity that is still open). A server may go on writing beside it.

use std::collections::HashMap;
use std::sync::Arc;

use domain::swap::{QUEUE, Status, Swap};
use domain::{Entity, Event, Kind, bid, plan};
use drivers::journal::{Journal, List};
use serde::{Deserialize, Serialize};

use super::line;
use crate::config::Check;
use crate::serve::plain;

/// Rows read at once.
const PAGE: usize = 1_000;
/// Findings printed; the rest are counted.
const SHOWN: usize = 100;

/// Checks, prints counts and findings, and answers 1 when there are findings.
pub(crate) async fn run(settings: Check) -> anyhow::Result<u8> {
    let journal = drivers::journal::open_read_only(&settings.journal).await.map_err(plain)?;
    let mut audit = Audit { journal, counts: Counts::default(), findings: Vec::new() };
    let born = audit.events().await?;
    let jobs = audit.jobs().await?;
    audit.orders(born, &jobs).await?;
    let Audit { counts, findings, .. } = audit;
    if settings.json {
        line(serde_json::to_string(&Report { counts: &counts, findings: &findings })?)?;
    } else {
        line(format_args!(
            "{} events, {} orders ({} final), {} jobs, {} dead jobs",
            counts.events, counts.entities, counts.final_entities, counts.jobs, counts.dead_jobs
        ))?;
        for finding in &findings {
            line(finding)?;
        }
        let verdict = if counts.violations == 0 {
            "every invariant holds".to_owned()
        } else {
            format!("{} violations", counts.violations)
        };
        line(verdict)?;
    }
    Ok(u8::from(counts.violations > 0))
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    counts: &'a Counts,
    findings: &'a [String],
}

/// What there is.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    events: u64,
    entities: u64,
    final_entities: u64,
    jobs: u64,
    dead_jobs: u64,
    violations: u64,
}

struct Audit {
    journal: Arc<dyn Journal>,
    counts: Counts,
    findings: Vec<String>,
}

/// An entity in the middle of its life, as its events tell it so far.
struct Told {
    version: u64,
    status: String,
}

/// The execution jobs of the orders that have any.
#[derive(Default)]
struct Jobs {
    live: HashMap<String, u32>,
    dead: HashMap<String, u32>,
}

/// What every event's body has.
#[derive(Deserialize)]
struct View {
    version: u64,
    status: String,
}

impl Audit {
    fn find(&mut self, finding: String) {
        self.counts.violations += 1;
        if self.findings.len() < SHOWN {
            self.findings.push(finding);
        }
    }

    /// Reads every event once; answers with how many orders were born in them.
    async fn events(&mut self) -> anyhow::Result<u64> {
        let head = self.journal.head().await?;
        let (mut last, mut born) = (head.floor, 0);
        let mut open: HashMap<(Kind, String), Told> = HashMap::new();
        loop {
            let page = self.journal.events(last, None, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for event in page {
                if event.seq != last + 1 {
                    self.find(format!("event {} follows event {last}: seq has a gap", event.seq));
                }
                last = event.seq;
                self.counts.events += 1;
                born += u64::from(event.version == 1 && event.kind == Kind::Swap);
                self.event(event, &mut open, head.floor).await?;
            }
        }
        if last < head.seq {
            self.find(format!("the head says {}, but the last event is {last}", head.seq));
        }
        for ((kind, id), told) in open {
            self.compare(kind, &id, &told).await?;
        }
        Ok(born)
    }

    async fn event(
        &mut self,
        event: Event,
        open: &mut HashMap<(Kind, String), Told>,
        floor: u64,
    ) -> anyhow::Result<()> {
        let Event { seq, kind, id, version, body, .. } = event;
        let Ok(view) = serde_json::from_str::<View>(&body) else {
            self.find(format!("event {seq}: its body is no view of {kind} {id}"));
            return Ok(());
        };
        if view.version != version {
            self.find(format!("event {seq}: {kind} {id} is at version {version}, its body says {}", view.version));
        }
        let before = open.remove(&(kind, id.clone())).map_or(0, |told| told.version);
        // What was born before the oldest event that is held cannot be known.
        if version != before + 1 && !(floor > 0 && before == 0) {
            self.find(format!("event {seq}: version {version} of {kind} {id} follows version {before}, or its end"));
        }
        let told = Told { version, status: view.status };
        if is_final(kind, &told.status) {
            return self.compare(kind, &id, &told).await;
        }
        open.insert((kind, id), told);
        Ok(())
    }

    /// The entity stands as its last event says.
    async fn compare(&mut self, kind: Kind, id: &str, told: &Told) -> anyhow::Result<()> {
        let (version, status) = (told.version, &told.status);
        match self.journal.entity(kind, id).await? {
            None => self.find(format!("{kind} {id} has events and does not exist")),
            Some(entity) if entity.version != version || entity.status != *status => self.find(format!(
                "{kind} {id} is {} at version {}, its last event says {status} at version {version}",
                entity.status, entity.version
            )),
            Some(_) => {}
        }
        Ok(())
    }

    async fn jobs(&mut self) -> anyhow::Result<Jobs> {
        let mut all = Jobs::default();
        let mut last = 0;
        loop {
            let page = self.journal.jobs(QUEUE, last, PAGE).await?;
            let Some(job) = page.last() else { break };
            last = job.id;
            self.counts.jobs += page.len() as u64;
            page.into_iter().for_each(|job| *all.live.entry(job.body).or_default() += 1);
        }
        last = 0;
        loop {
            let page = self.journal.dead_jobs(QUEUE, last, PAGE).await?;
            let Some(dead) = page.last() else { break };
            last = dead.job.id;
            self.counts.dead_jobs += page.len() as u64;
            page.into_iter().for_each(|dead| *all.dead.entry(dead.job.body).or_default() += 1);
        }
        Ok(all)
    }

    /// Reads every order once.
    async fn orders(&mut self, born: u64, jobs: &Jobs) -> anyhow::Result<()> {
        let mut after = None;
        let mut with_jobs = 0;
        loop {
            let page = self.journal.entities(page(after)).await?;
            for entity in &page.entities {
                self.counts.entities += 1;
                with_jobs += usize::from(jobs.live.contains_key(&entity.id));
                self.order(entity, jobs);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if self.counts.entities != born && self.journal.head().await?.floor == 0 {
            self.find(format!("{} orders exist, {born} were born in events", self.counts.entities));
        }
        if with_jobs < jobs.live.len() {
            self.find(format!("{} jobs of {QUEUE} are of no order", jobs.live.len() - with_jobs));
        }
        Ok(())
    }

    fn order(&mut self, entity: &Entity, jobs: &Jobs) {
        let Entity { id, status, .. } = entity;
        let count = |jobs: &HashMap<String, u32>| jobs.get(id).copied().unwrap_or(0);
        let (live, dead) = (count(&jobs.live), count(&jobs.dead));
        let Some(state) = Status::parse(status) else {
            self.find(format!("swap {id} is in no known state: {status}"));
            return;
        };
        self.counts.final_entities += u64::from(state.is_final());
        match state {
            // Whoever sees the price of an order that rests wakes it, more than once perhaps: its jobs take turns, and end when they
            // find nothing to do.
            _ if rests(entity) => {
                let is_underway = matches!(state, Status::Routing | Status::Building | Status::Submitted);
                if is_underway && live + dead == 0 {
                    self.find(format!("swap {id} is {status} and has no job"));
                }
            }
            Status::Open => self.find(format!("swap {id} is {status} and does not rest")),
            Status::Confirmed | Status::Failed if live > 0 => {
                self.find(format!("swap {id} is {status} and has {live} jobs"));
            }
            // A worker finds out at the job's next turn that its order was withdrawn or ran out of time.
            Status::Cancelled | Status::Expired if live > 1 => {
                self.find(format!("swap {id} is {status} and has {live} jobs"));
            }
            Status::Pending | Status::Routing | Status::Building | Status::Submitted if live + dead != 1 => {
                self.find(format!("swap {id} is {status} and has {live} jobs and {dead} dead ones, not one"));
            }
            _ => {}
        }
    }
}

/// Whether the order waits for a price when it does not trade.
fn rests(entity: &Entity) -> bool {
    Swap::from_entity(entity).is_ok_and(|swap| swap.rests())
}

/// Whether nothing follows that state; such entities need not be remembered.
fn is_final(kind: Kind, status: &str) -> bool {
    match kind {
        Kind::Swap => Status::parse(status).is_some_and(Status::is_final),
        Kind::Bid => bid::Status::parse(status).is_some_and(bid::Status::is_final),
        Kind::Plan => plan::Status::parse(status).is_some_and(plan::Status::is_final),
        Kind::Invoice => true,
        _ => false,
    }
}

fn page(after: Option<u64>) -> List {
    List {
        kind: Kind::Swap,
        among: Vec::new(),
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after,
        newest_first: false,
        limit: PAGE,
    }
}

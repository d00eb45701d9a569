//! Decides what becomes of a batch, in memory: each change is checked against what was read and against the changes before
//! it, and those that hold are folded into the rows to write. Pure.

mod settle;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use domain::{Change, EntityWrite, Expect, JobId, JobStep, Key, Kind, NewJob, Owner, Then, Timestamp};

use super::write::{EventRow, Writes};
use crate::journal::Receipt;
use crate::journal::limits::{JOB_SCOPE, within_limits};
use crate::wake::Hint;
use crate::{Conflict, Fault, KeyHeld};

/// The newest numbers given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) seq: u64,
    pub(super) job: u64,
    pub(super) created: u64,
}

/// An entity as it stands, or as the batch leaves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) version: u64,
    pub(super) owner: String,
    /// Written by this batch.
    pub(super) written: Option<Written>,
}

/// What a batch leaves of an entity.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) status: &'static str,
    pub(super) body: String,
    pub(super) at: Timestamp,
    /// Where this batch creates it.
    pub(super) birth: Option<Birth>,
}

/// What an entity keeps from its creation on.
#[derive(Clone, Debug)]
pub(super) struct Birth {
    pub(super) number: u64,
    pub(super) at: Timestamp,
    pub(super) party: Option<Owner>,
    pub(super) parent: Option<String>,
}

/// A key as it stands.
#[derive(Clone, Debug)]
pub(super) struct StandingKey {
    pub(super) fingerprint: Option<[u8; 32]>,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) expires_at: Option<i64>,
    pub(super) written: bool,
}

/// A leased job as it stands.
#[derive(Clone, Debug)]
pub(super) struct StandingJob {
    pub(super) queue: String,
    pub(super) group: Option<String>,
    pub(super) token: u64,
    /// Whether the lease has not lapsed.
    pub(super) live: bool,
}

/// A message as it stands, or as the batch leaves it; it is taken out when the batch deletes it.
#[derive(Clone, Debug)]
pub(super) struct StandingMessage {
    pub(super) queue: String,
    pub(super) group: Option<String>,
    pub(super) run_at: i64,
    pub(super) token: u64,
    /// Hidden or shown by this batch.
    pub(super) written: bool,
}

/// A level as it stands, or as the batch leaves it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StandingLevel {
    pub(super) value: i64,
    pub(super) written: bool,
}

/// All that a batch touches, as it stands; then, as the batch leaves it.
#[derive(Default)]
pub(super) struct Standings {
    pub(super) counters: Counters,
    pub(super) entities: HashMap<(Kind, String), Standing>,
    pub(super) keys: HashMap<(String, String), StandingKey>,
    pub(super) jobs: HashMap<JobId, StandingJob>,
    pub(super) messages: HashMap<JobId, StandingMessage>,
    pub(super) levels: HashMap<String, StandingLevel>,
}

/// What became of a batch.
pub(super) struct Folded {
    /// One answer per change.
    pub(super) answers: Vec<Result<Receipt, Fault>>,
    pub(super) writes: Writes,
    /// What to tell once it is committed.
    pub(super) hint: Hint,
}

/// Folds a batch.
pub(super) fn fold<'a>(standings: Standings, changes: impl Iterator<Item = &'a Change>) -> Folded {
    let before = standings.counters;
    let mut fold = Fold { standings, writes: Writes::default(), queues: BTreeSet::new() };
    let answers: Vec<_> = changes.map(|change| fold.apply(change)).collect();
    let Fold { standings, mut writes, queues } = fold;
    let counters = standings.counters;
    writes.finish(standings);
    let head = if counters.seq > before.seq { counters.seq } else { 0 };
    Folded { answers, writes, hint: Hint { head, queues: queues.into_iter().collect() } }
}

struct Fold {
    standings: Standings,
    writes: Writes,
    queues: BTreeSet<String>,
}

impl Fold {
    /// Checks everything first; from then on nothing fails.
    fn apply(&mut self, change: &Change) -> Result<Receipt, Fault> {
        within_limits(change).map_err(Fault::Broken)?;
        no_zero_bytes(change)?;
        if let Some(step) = &change.step {
            self.check_lease(step)?;
        }
        self.check_given(change)?;
        let levels = self.levels_after(change)?;
        self.check_messages(change)?;
        for key in &change.keys {
            self.check_key(key, change.at)?;
        }
        self.check_entities(change).map_err(Fault::Conflict)?;
        let mut receipt = Receipt::default();
        for write in &change.entities {
            self.write_entity(write, change.at, &mut receipt);
        }
        for key in &change.keys {
            let expires_at = key.expires_at.map(|at| at.0);
            self.take_key(
                (key.scope.clone(), key.key.clone()),
                StandingKey {
                    fingerprint: key.fingerprint,
                    kind: key.kind.as_str().to_owned(),
                    id: key.id.clone(),
                    version: key.version,
                    expires_at,
                    written: true,
                },
            );
        }
        if let Some(step) = &change.step {
            self.step(step, change.at);
        }
        for step in &change.messages {
            self.settle(step, change.at);
        }
        for (name, value) in levels {
            self.standings.levels.insert(name.to_owned(), StandingLevel { value, written: true });
        }
        for job in &change.jobs {
            let id = self.enqueue(job, change.at);
            receipt.jobs.push(id);
        }
        Ok(receipt)
    }

    fn check_lease(&self, step: &JobStep) -> Result<(), Fault> {
        let valid = |job: &StandingJob| job.live && job.token == step.lease.token;
        if self.standings.jobs.get(&step.lease.job).is_some_and(valid) {
            return Ok(());
        }
        Err(Fault::Conflict(Conflict::StaleLease(step.lease.job)))
    }

    fn check_key(&self, key: &Key, at: Timestamp) -> Result<(), Fault> {
        let name = (key.scope.clone(), key.key.clone());
        let Some(held) = self.standings.keys.get(&name).filter(|held| held.expires_at.is_none_or(|end| end > at.0))
        else {
            return Ok(());
        };
        let kind = Kind::parse(&held.kind).ok_or_else(|| Fault::Broken(format!("no kind is named {:?}", held.kind)))?;
        Err(Fault::Conflict(Conflict::Key(KeyHeld {
            scope: name.0,
            key: name.1,
            fingerprint: held.fingerprint,
            kind,
            id: held.id.clone(),
            version: held.version,
        })))
    }

    /// The same entity may stand in a change more than once: each write expects what the one before it leaves.
    fn check_entities(&self, change: &Change) -> Result<(), Conflict> {
        let mut here: HashMap<(Kind, &str), u64> = HashMap::new();
        for write in &change.entities {
            let (kind, id) = (write.kind, write.id.as_str());
            let stands = || self.standings.entities.get(&(kind, id.to_owned())).map_or(0, |found| found.version);
            let version = here.get(&(kind, id)).copied().unwrap_or_else(stands);
            match write.expect {
                Expect::Absent if version > 0 => return Err(Conflict::Exists { kind, id: id.to_owned() }),
                Expect::Version(expected) if version != expected || version == 0 => {
                    return Err(Conflict::Version { kind, id: id.to_owned() });
                }
                _ => {}
            }
            if change.entities.len() > 1 {
                here.insert((kind, id), write.expect.next_version());
            }
        }
        Ok(())
    }

    fn write_entity(&mut self, write: &EntityWrite, at: Timestamp, receipt: &mut Receipt) {
        let counters = &mut self.standings.counters;
        let standing = self.standings.entities.entry((write.kind, write.id.clone())).or_default();
        let birth = match write.expect {
            Expect::Absent => {
                counters.created += 1;
                write.owner.as_str().clone_into(&mut standing.owner);
                let (party, parent) = (write.party.clone(), write.parent.clone());
                Some(Birth { number: counters.created, at, party, parent })
            }
            Expect::Version(_) => standing.written.take().and_then(|written| written.birth),
        };
        standing.version = write.expect.next_version();
        standing.written = Some(Written { status: write.status, body: write.body.clone(), at, birth });
        if let Some(draft) = &write.event {
            counters.seq += 1;
            receipt.seq = counters.seq;
            self.writes.events.push(EventRow {
                seq: counters.seq.cast_signed(),
                kind: write.kind.as_str(),
                id: write.id.clone(),
                version: standing.version.cast_signed(),
                type_: draft.type_,
                owner: standing.owner.clone(),
                party: write.party.clone(),
                body: draft.body.clone(),
                at: at.0,
            });
        }
    }

    fn take_key(&mut self, name: (String, String), key: StandingKey) {
        self.standings.keys.insert(name, key);
    }

    fn enqueue(&mut self, job: &NewJob, at: Timestamp) -> JobId {
        if let Some(dedup) = &job.dedup {
            let name = (dedup_scope(&job.queue), dedup.key.clone());
            let earlier = self.standings.keys.get(&name).filter(|held| held.expires_at.is_some_and(|end| end > at.0));
            if let Some(earlier) = earlier {
                return earlier.version;
            }
            let version = self.standings.counters.job + 1;
            let expires_at = Some(at.0.saturating_add(dedup.window_micros));
            let key = StandingKey {
                fingerprint: None,
                kind: "job".to_owned(),
                id: String::new(),
                version,
                expires_at,
                written: true,
            };
            self.take_key(name, key);
        }
        self.standings.counters.job += 1;
        let id = self.standings.counters.job;
        self.writes.job(id, job);
        if job.run_at <= at {
            self.queues.insert(job.queue.to_string());
        }
        id
    }

    /// What becomes of a job whose lease was seen to be valid.
    fn step(&mut self, step: &JobStep, at: Timestamp) {
        let id = step.lease.job;
        if step.then == Then::Hold {
            return;
        }
        let Some(job) = self.standings.jobs.remove(&id) else { return };
        let group_goes_on = match &step.then {
            Then::Hold => return,
            Then::Finish => {
                self.writes.ended.push(id.cast_signed());
                true
            }
            Then::Bury { why, park } => {
                self.writes.bury(id, why, at, *park);
                !park
            }
            Then::Retry { run_at, error } => {
                self.writes.give_back(id, *run_at, 0, Some(error));
                self.told_if_due(&job.queue, *run_at, at);
                return;
            }
            Then::Wait { run_at } => {
                self.writes.give_back(id, *run_at, 1, None);
                self.told_if_due(&job.queue, *run_at, at);
                return;
            }
        };
        if let Some(group) = job.group {
            if group_goes_on {
                self.queues.insert(job.queue.clone());
            }
            self.writes.group(&job.queue, &group);
        }
    }

    fn told_if_due(&mut self, queue: &str, run_at: Timestamp, at: Timestamp) {
        if run_at <= at {
            self.queues.insert(queue.to_owned());
        }
    }
}

/// The scope of the keys that de-duplicate a queue's jobs.
pub(super) fn dedup_scope(queue: &str) -> String {
    format!("{JOB_SCOPE}{queue}")
}

/// PostgreSQL's texts hold every character but U+0000.
fn no_zero_bytes(change: &Change) -> Result<(), Fault> {
    let entities = change.entities.iter().flat_map(|write| {
        let event = write.event.as_ref().map_or("", |event| event.body.as_str());
        [write.id.as_str(), write.body.as_str(), write.parent.as_deref().unwrap_or(""), event]
    });
    let keys = change.keys.iter().flat_map(|key| [key.scope.as_str(), key.key.as_str(), key.id.as_str()]);
    let jobs = change.jobs.iter().flat_map(|job| {
        let dedup = job.dedup.as_ref().map_or("", |dedup| dedup.key.as_str());
        let (group, lane) = (job.group.as_deref().unwrap_or(""), job.lane.as_deref().unwrap_or(""));
        [&*job.queue, job.body.as_str(), group, lane, dedup]
    });
    let given = change.given.iter().map(|given| given.id.as_str());
    let levels = change.levels.iter().map(|level| level.name.as_str());
    if entities.chain(keys).chain(jobs).chain(given).chain(levels).any(|text| text.contains('\0')) {
        return Err(Fault::Broken("a text with a zero byte".to_owned()));
    }
    if change.entities.iter().any(|write| is_searched(write.kind) && escapes_zero(&write.body)) {
        return Err(Fault::Broken("a body with an escaped zero byte".to_owned()));
    }
    Ok(())
}

/// Whether statements, views or indexes look into the bodies of that kind: one body that PostgreSQL cannot read would fail
/// them for all. Other bodies, such as those with the answers of webhooks' endpoints, only have to be kept.
const fn is_searched(kind: Kind) -> bool {
    matches!(kind, Kind::Deal | Kind::Bid | Kind::Invoice | Kind::ShopOrder | Kind::Queue)
}

/// Whether JSON has U+0000 in a text, which is always escaped there. A backslash before it that is itself escaped makes it plain.
fn escapes_zero(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        before.is_multiple_of(2)
    })
}

//! What every endpoint was sent, held against what the journal has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use domain::{Kind, Timestamp};

use super::receivers::{Arrival, Behaviour};
use super::sellers::Change;
use super::{Endpoint, disturbed};

/// The type of the event that says that an endpoint was disabled.
const DISABLED: &str = "webhook.endpoint.disabled";
/// Events read at once.
const PAGE: usize = 1_000;

/// Every event of a deal in the journal.
pub(super) async fn committed(folder: &Path) -> Vec<Change> {
    let url = format!("sqlite:{}", folder.join("tradewind.db").display());
    let journal = drivers::journal::open_read_only(&url).await.expect("the journal");
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = journal.events(after, None, PAGE).await.expect("events");
        let Some(last) = page.last() else { return all };
        after = last.seq;
        all.extend(page.into_iter().filter(|event| event.kind == Kind::Deal).map(|event| (event.id, event.version)));
    }
}

/// What an endpoint has not taken of the changes.
pub(super) fn missing<'a>(endpoint: &Endpoint, changes: &'a [Change]) -> impl Iterator<Item = &'a Change> + use<'a> {
    let taken = endpoint.receiver.arrivals().into_iter().filter(|arrival| arrival.taken);
    let taken: HashSet<Change> = taken.map(|arrival| (arrival.entity, arrival.version)).collect();
    changes.iter().filter(move |change| !taken.contains(*change))
}

/// What does not hold.
pub(super) fn judge(endpoints: &[Endpoint], changes: &[Change], committed: &[Change]) -> Vec<String> {
    let mut findings = Vec::new();
    let (told, held): (BTreeSet<_>, BTreeSet<_>) = (changes.iter().collect(), committed.iter().collect());
    if told.len() != changes.len() || held.len() != committed.len() || told != held {
        findings.push(format!(
            "{} changes were acknowledged ({} distinct), {} events are in the journal ({} distinct)",
            changes.len(),
            told.len(),
            committed.len(),
            held.len()
        ));
    }
    let mut everywhere: HashSet<String> = HashSet::new();
    for endpoint in endpoints {
        let (behaviour, arrivals) = (endpoint.receiver.behaviour, endpoint.receiver.arrivals());
        findings.extend(endpoint.receiver.findings());
        if behaviour.takes_everything() {
            findings.extend(missing(endpoint, committed).map(|change| format!("{behaviour:?} never got {change:?}")));
        }
        let ids = ids(&arrivals);
        for (event, ids) in &ids {
            if ids.len() > 1 {
                findings.push(format!("{behaviour:?} got {event:?} under {} ids", ids.len()));
            }
        }
        let own: HashSet<String> = ids.into_values().flatten().map(str::to_owned).collect();
        let events: HashSet<_> = arrivals.iter().map(event).collect();
        if own.len() != events.len() {
            findings.push(format!("{behaviour:?} got {} events under {} ids", events.len(), own.len()));
        }
        findings.extend(own.iter().filter(|id| everywhere.contains(*id)).map(|id| format!("two endpoints got {id}")));
        everywhere.extend(own);
        let disabled = arrivals.iter().filter(|arrival| arrival.type_ == DISABLED).map(|arrival| &arrival.id);
        let disabled = disabled.collect::<BTreeSet<_>>().len();
        let wanted = usize::from(endpoint.pattern == "*");
        if behaviour == Behaviour::Fast && disabled != wanted {
            findings.push(format!("{} was told {disabled} times of the one that was disabled", endpoint.pattern));
        }
    }
    findings
}

/// What an event is about: its type, and the version of the entity.
fn event(arrival: &Arrival) -> (&str, &str, u64) {
    (&arrival.type_, &arrival.entity, arrival.version)
}

/// Under which ids each event came.
fn ids(arrivals: &[Arrival]) -> HashMap<(&str, &str, u64), BTreeSet<&str>> {
    let mut ids: HashMap<_, BTreeSet<&str>> = HashMap::new();
    for arrival in arrivals {
        ids.entry(event(arrival)).or_default().insert(&arrival.id);
    }
    ids
}

/// Prints what everyone was sent, and how soon the healthy ones were.
pub(super) fn tell(endpoints: &[Endpoint], down: &[(Timestamp, Timestamp)]) {
    let mut kinds: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    let (mut calm, mut all) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        let arrivals = endpoint.receiver.arrivals();
        let kind = kinds.entry(format!("{:?}", endpoint.receiver.behaviour)).or_default();
        let distinct: HashSet<_> = arrivals.iter().map(|arrival| &arrival.id).collect();
        *kind = (kind.0 + 1, kind.1 + arrivals.len(), kind.2 + arrivals.len() - distinct.len());
        if endpoint.receiver.behaviour != Behaviour::Fast {
            continue;
        }
        let mut seen = HashSet::new();
        for arrival in arrivals.iter().filter(|arrival| seen.insert(arrival.id.as_str())) {
            let age = arrival.at.as_millis() - arrival.event_at.as_millis();
            all.push(age);
            if !disturbed(down, arrival.event_at) {
                calm.push(age);
            }
        }
    }
    for (kind, (endpoints, arrivals, again)) in kinds {
        println!("  {endpoints:>2} × {kind:<12} {arrivals:>6} requests, {again} of them again");
    }
    for (when, mut ages) in [("while the server was up", calm), ("in all", all)] {
        ages.sort_unstable();
        let at = |permille: usize| ages.get(ages.len().saturating_sub(1) * permille / 1_000).copied().unwrap_or(0);
        println!(
            "  decision → arrival at the fast ones, {when}: p50 {} ms, p99 {} ms, longest {} ms ({} events)",
            at(500),
            at(990),
            at(1_000),
            ages.len()
        );
    }
}

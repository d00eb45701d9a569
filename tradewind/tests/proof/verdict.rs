//! What must hold when all is over: the clients' record, the events, the export and the chain's ledger tell one story.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::seen::{Log, Seen, is_final};
use super::traders::{NUMBERS, Post, Wish};

/// One execution in the chain's ledger.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Execution {
    id: String,
    order_id: String,
    build: u64,
    account: String,
    amount_in: String,
    amount_out: String,
}

/// Everything that anybody remembers.
pub(crate) struct Evidence {
    pub(crate) posts: Vec<Post>,
    /// Every account's events from the first to the last.
    pub(crate) logs: Vec<Log>,
    /// What subscribers saw that were there all the time.
    pub(crate) followed: Vec<Log>,
    pub(crate) ledger: Vec<Execution>,
    /// Whole copies of the log, and where they were found.
    pub(crate) copies: Vec<(&'static str, Vec<Seen>)>,
}

/// An order as its events tell it.
struct Order<'a> {
    account: &'static str,
    events: Vec<&'a Seen>,
    /// Its public view at its end.
    last: Value,
}

/// Judges; keeps what does not hold.
struct Court<'a> {
    evidence: &'a Evidence,
    orders: BTreeMap<&'a str, Order<'a>>,
    findings: Vec<String>,
}

/// How many orders ended in which state, and everything that does not hold.
pub(crate) fn judge(evidence: &Evidence) -> (BTreeMap<String, usize>, Vec<String>) {
    let mut orders: BTreeMap<&str, Order<'_>> = BTreeMap::new();
    for log in &evidence.logs {
        for event in &log.events {
            let new = || Order { account: log.account, events: Vec::new(), last: Value::Null };
            let order = orders.entry(&event.id).or_insert_with(new);
            order.events.push(event);
            if let Some(end) = &event.end {
                order.last = serde_json::from_str(end).expect("JSON");
            }
        }
    }
    let mut court = Court { evidence, orders, findings: Vec::new() };
    court.events_are_gap_free();
    court.orders_end_once();
    court.the_ledger_agrees();
    court.acknowledged_orders_exist();
    court.subscribers_missed_nothing();
    court.copies_are_whole();
    let mut ends = BTreeMap::new();
    for order in court.orders.values() {
        *ends.entry(order.status().to_owned()).or_default() += 1;
    }
    (ends, court.findings)
}

impl Order<'_> {
    fn status(&self) -> &str {
        self.last["status"].as_str().unwrap_or("?")
    }

    /// The number that its client gave it, in the last digits of its amount.
    fn number(&self) -> Option<u64> {
        let view = &self.last;
        let fixed = if view["mode"] == "exactOut" { "outputDecimals" } else { "inputDecimals" };
        let units = units(&view["amount"], &view[fixed])?;
        u64::try_from(units % NUMBERS).ok()
    }
}

impl Court<'_> {
    fn hold(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(finding());
        }
    }

    /// Invariant 3, globally.
    fn events_are_gap_free(&mut self) {
        let mut all: Vec<u64> = self.evidence.logs.iter().flat_map(|log| log.events.iter().map(|e| e.seq)).collect();
        all.sort_unstable();
        for (seen, expected) in all.iter().zip(1..) {
            if *seen != expected {
                return self.hold(false, || format!("event {expected} is missing or {seen} is there twice"));
            }
        }
    }

    /// Invariant 3, per order; invariant 2: one end, and nothing after it.
    fn orders_end_once(&mut self) {
        let mut findings = Vec::new();
        for (id, order) in &self.orders {
            let versions: Vec<u64> = order.events.iter().map(|event| event.version).collect();
            if versions != (1..=versions.len() as u64).collect::<Vec<_>>() {
                findings.push(format!("order {id} has versions {versions:?}"));
            }
            let ends = order.events.iter().filter(|event| is_final(&event.type_)).count();
            let last = order.events.last().map_or("", |event| &event.type_);
            if ends != 1 || !is_final(last) || last.strip_prefix("swap.") != Some(order.status()) {
                findings
                    .push(format!("order {id} ended {ends} times; its last event is {last}, it is {}", order.status()));
            }
        }
        self.findings.append(&mut findings);
    }

    /// Invariant 2: executed once when confirmed, as its fill says, and never otherwise.
    fn the_ledger_agrees(&mut self) {
        let mut by_order: HashMap<&str, Vec<&Execution>> = HashMap::new();
        for execution in &self.evidence.ledger {
            by_order.entry(&execution.order_id).or_default().push(execution);
        }
        let mut findings = Vec::new();
        for (id, order) in &self.orders {
            let executions = by_order.remove(id).unwrap_or_default();
            let expected = usize::from(order.status() == "confirmed");
            if executions.len() != expected {
                let count = executions.len();
                findings.push(format!("order {id} was executed {count} times: {executions:?}; it is {}", order.last));
            } else if let [execution] = executions[..]
                && let Some(finding) = differs(order, execution)
            {
                findings.push(format!("order {id}: {finding}: {execution:?}, {}", order.last));
            }
        }
        findings.extend(by_order.keys().map(|id| format!("order {id} was executed and does not exist")));
        self.findings.append(&mut findings);
    }

    /// Invariant 1, and: one key, one order.
    fn acknowledged_orders_exist(&mut self) {
        let mut by_number: HashMap<u64, Vec<&str>> = HashMap::new();
        let mut findings = Vec::new();
        for (id, order) in &self.orders {
            match order.number() {
                Some(number) => by_number.entry(number).or_default().push(id),
                None => findings.push(format!("order {id} has no amount of ours: {}", order.last)),
            }
        }
        for post in &self.evidence.posts {
            let made = by_number.remove(&post.number).unwrap_or_default();
            let acknowledged: Vec<&str> = post.id.as_deref().into_iter().collect();
            if made != acknowledged {
                findings.push(format!("{post:?} made the orders {made:?}"));
                continue;
            }
            let Some(order) = made.first().and_then(|id| self.orders.get(id)) else {
                // Its time was over before the server heard of it.
                if post.wish != Wish::Brief || !post.refused.as_ref().is_some_and(|r| r.contains("EXPIRE_TIME_IN_PAST"))
                {
                    findings.push(format!("{post:?} was refused"));
                }
                continue;
            };
            findings.extend(kept_word(post, order).map(|finding| format!("{post:?} is {}: {finding}", order.status())));
        }
        findings.extend(by_number.values().map(|ids| format!("nobody posted the orders {ids:?}")));
        self.findings.append(&mut findings);
    }

    /// Invariant 4.
    fn subscribers_missed_nothing(&mut self) {
        let mut findings = Vec::new();
        for seen in &self.evidence.followed {
            let full = self.evidence.logs.iter().find(|log| log.account == seen.account).expect("its account's log");
            let wanted = |event: &&Seen| seen.ids.as_ref().is_none_or(|ids| ids.contains(&event.id));
            let expected = full.events.iter().filter(|event| event.seq > seen.start).filter(wanted);
            let mut pairs = expected.clone().zip(&seen.events);
            if let Some((expected, event)) = pairs.find(|(expected, event)| !expected.is(event)) {
                findings.push(format!("a subscriber of {} saw {event:?} instead of {expected:?}", seen.account));
            } else if expected.clone().count() != seen.events.len() {
                let (should, did) = (expected.count(), seen.events.len());
                findings.push(format!("a subscriber of {} saw {did} events of {should}", seen.account));
            }
        }
        self.findings.append(&mut findings);
    }

    /// Every copy of the log has every event once, in order, as the subscribers saw it.
    fn copies_are_whole(&mut self) {
        let seen: HashMap<u64, &Seen> =
            self.evidence.logs.iter().flat_map(|log| log.events.iter().map(|event| (event.seq, event))).collect();
        let mut findings = Vec::new();
        for (name, copy) in &self.evidence.copies {
            let numbered = copy.iter().zip(1..);
            let same = |(event, number): &(&Seen, u64)| {
                event.seq == *number && seen.get(number).is_some_and(|seen| seen.is(event))
            };
            if let Some((event, number)) = numbered.into_iter().find(|pair| !same(pair)) {
                findings.push(format!("{name} has {event:?} where event {number} belongs: {:?}", seen.get(&number)));
            }
            if copy.len() != seen.len() {
                findings.push(format!("{name} has {} of {} events", copy.len(), seen.len()));
            }
        }
        self.findings.append(&mut findings);
    }
}

/// How many orders failed for which reason.
pub(crate) fn failures(evidence: &Evidence) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for event in evidence.logs.iter().flat_map(|log| &log.events).filter(|event| event.type_ == "swap.failed") {
        let view: Value = event.end.as_deref().map_or(Value::Null, |end| serde_json::from_str(end).expect("JSON"));
        *all.entry(view["failure"]["code"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
    }
    all
}

/// What the order's state says against what its client was told.
fn kept_word(post: &Post, order: &Order<'_>) -> Option<&'static str> {
    let status = order.status();
    let told_otherwise = post.told.as_deref().is_some_and(|told| told != status);
    if order.account != post.account {
        Some("it is somebody else's")
    } else if told_otherwise {
        Some("its client was told otherwise")
    } else if post.withdrawn.unwrap_or(false) != (status == "cancelled") {
        Some("its cancellation was answered otherwise")
    } else if post.wish == Wish::Impossible && status != "failed" {
        Some("nobody can have executed it")
    } else if status == "expired" && post.wish != Wish::Brief {
        Some("it had no expiry")
    } else {
        None
    }
}

/// How an execution differs from what the confirmed order says of it.
fn differs(order: &Order<'_>, execution: &Execution) -> Option<&'static str> {
    let view = &order.last;
    let paid = units(&view["fill"]["amountIn"], &view["inputDecimals"]).map(|units| units.to_string());
    let received = units(&view["fill"]["amountOut"], &view["outputDecimals"]).map(|units| units.to_string());
    if view["transaction"]["id"] != execution.id.as_str() || view["transaction"]["build"] != execution.build {
        Some("another transaction was executed")
    } else if execution.account != order.account {
        Some("another account paid")
    } else if paid.as_ref() != Some(&execution.amount_in) || received.as_ref() != Some(&execution.amount_out) {
        Some("other amounts were exchanged")
    } else {
        None
    }
}

/// Base units of decimal text.
fn units(text: &Value, decimals: &Value) -> Option<u128> {
    let (text, decimals) = (text.as_str()?, usize::try_from(decimals.as_u64()?).ok()?);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// Numbers that were given out twice would hide two orders behind one.
pub(crate) fn distinct(posts: &[Post]) -> bool {
    let numbers: HashSet<u64> = posts.iter().map(|post| post.number).collect();
    numbers.len() == posts.len() && numbers.iter().all(|number| u128::from(*number) < NUMBERS)
}

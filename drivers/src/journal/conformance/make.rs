//! Small changes and questions for the cases.

use domain::{
    Audience, Change, Claimed, Dedup, Entity, EntityWrite, EventDraft, Expect, JobStep, Key, Kind, Lease, MessageStep,
    NewJob, Owner, Received, Settle, Then, Timestamp,
};

use crate::journal::{Claim, Journal, List, Receive};
use crate::{Conflict, Fault};

pub(super) const AT: Timestamp = Timestamp(1_000_000);
pub(super) const Q: &str = "work";

pub(super) fn owner(name: &str) -> Owner {
    Owner::parse(name).unwrap()
}

/// A write with an event; the body names the id.
pub(super) fn write(id: &str, expect: Expect, status: &'static str) -> EntityWrite {
    EntityWrite {
        kind: Kind::Swap,
        id: id.to_owned(),
        expect,
        status,
        owner: owner("alice"),
        party: None,
        parent: None,
        body: format!(r#"{{"id":"{id}","status":"{status}"}}"#),
        event: Some(EventDraft { type_: "swap.changed", body: format!(r#"{{"status":"{status}"}}"#) }),
    }
}

pub(super) fn change(writes: Vec<EntityWrite>) -> Change {
    Change { at: AT, entities: writes, ..Change::default() }
}

pub(super) fn create(id: &str) -> Change {
    change(vec![write(id, Expect::Absent, "new")])
}

pub(super) fn update(id: &str, version: u64, status: &'static str) -> Change {
    change(vec![write(id, Expect::Version(version), status)])
}

pub(super) fn key(scope: &str, name: &str, id: &str, expires_at: Option<i64>) -> Key {
    Key {
        scope: scope.to_owned(),
        key: name.to_owned(),
        fingerprint: Some([7; 32]),
        kind: Kind::Swap,
        id: id.to_owned(),
        version: 1,
        expires_at: expires_at.map(Timestamp),
    }
}

/// A job that is due at [`AT`].
pub(super) fn job(body: &str) -> NewJob {
    NewJob { queue: Q.into(), group: None, lane: None, run_at: AT, body: body.to_owned(), dedup: None }
}

pub(super) fn grouped(group: &str, body: &str) -> NewJob {
    NewJob { group: Some(group.to_owned()), ..job(body) }
}

pub(super) fn laned(lane: &str, body: &str) -> NewJob {
    NewJob { lane: Some(lane.to_owned()), ..job(body) }
}

pub(super) fn deduplicated(name: &str, window_micros: i64, body: &str) -> NewJob {
    NewJob { dedup: Some(Dedup { key: name.to_owned(), window_micros }), ..job(body) }
}

pub(super) fn enqueue(jobs: Vec<NewJob>) -> Change {
    Change { at: AT, jobs, ..Change::default() }
}

pub(super) fn step(lease: Lease, then: Then) -> Change {
    Change { at: AT, step: Some(JobStep { lease, then }), ..Change::default() }
}

pub(super) fn retry(run_at: i64) -> Then {
    Then::Retry { run_at: Timestamp(run_at), error: "no luck".to_owned() }
}

pub(super) fn bury(park: bool) -> Then {
    Then::Bury { why: "hopeless".to_owned(), park }
}

/// Claims at [`AT`].
pub(super) async fn claim(journal: &dyn Journal, limit: usize) -> Vec<Claimed> {
    claim_at(journal, limit, AT).await
}

pub(super) async fn claim_at(journal: &dyn Journal, limit: usize, now: Timestamp) -> Vec<Claimed> {
    journal.claim(Claim { queue: Q, limit, per_lane: 1_000, narrow: Vec::new(), now }).await.unwrap()
}

/// Claims the one job that there is.
pub(super) async fn claim_one(journal: &dyn Journal) -> Claimed {
    let mut claimed = claim(journal, 10).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

/// Asks for messages at `now`, to be hidden for 100 microseconds.
pub(super) fn ask(limit: usize, now: i64) -> Receive {
    Receive { queue: Q.to_owned(), limit, hide_micros: 100, call: None, one_each: false, now: Timestamp(now) }
}

pub(super) async fn receive(journal: &dyn Journal, limit: usize, now: i64) -> Vec<Received> {
    journal.receive(ask(limit, now)).await.unwrap()
}

/// What was received, by its bodies.
pub(super) fn texts(received: &[Received]) -> Vec<&str> {
    received.iter().map(|received| received.job.body.as_str()).collect()
}

/// Speaks of the hand-out, which has to be in time.
pub(super) fn of(received: &Received, then: Settle) -> MessageStep {
    let (queue, job, token) = (received.job.queue.clone(), received.job.id, Some(received.token));
    MessageStep { queue, job, token, late: false, then }
}

/// Settles messages at `at`.
pub(super) fn settle(at: i64, messages: Vec<MessageStep>) -> Change {
    Change { at: Timestamp(at), messages, ..Change::default() }
}

pub(super) async fn delete(journal: &dyn Journal, at: i64, received: &[Received]) {
    let steps = received.iter().map(|received| of(received, Settle::Delete)).collect();
    journal.apply(settle(at, steps)).await.unwrap();
}

pub(super) async fn show_at(journal: &dyn Journal, at: i64, received: &Received, run_at: i64) {
    journal.apply(settle(at, vec![of(received, Settle::ShowAt(Timestamp(run_at)))])).await.unwrap();
}

pub(super) fn bodies(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|claimed| claimed.job.body.as_str()).collect()
}

pub(super) async fn swap(journal: &dyn Journal, id: &str) -> Option<Entity> {
    journal.entity(Kind::Swap, id).await.unwrap()
}

pub(super) fn list() -> List {
    List {
        kind: Kind::Swap,
        among: Vec::new(),
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: 100,
    }
}

pub(super) async fn ids(journal: &dyn Journal, list: List) -> Vec<String> {
    journal.entities(list).await.unwrap().entities.into_iter().map(|entity| entity.id).collect()
}

pub(super) fn is_version_conflict<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::Conflict(Conflict::Version { .. })))
}

pub(super) fn is_stale<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::Conflict(Conflict::StaleLease(_))))
}

pub(super) fn is_broken<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::Broken(_)))
}

/// What an account sees that nobody authorised.
pub(super) fn audience(name: &str) -> Audience {
    Audience { account: owner(name), sellers: Vec::new().into() }
}

//! Cases: one change at a time.

use domain::{Change, EntityWrite, Event, EventDraft, Expect, Kind, Timestamp};

use super::make::{AT, audience, change, create, is_broken, is_version_conflict, job, key, owner, swap, update, write};
use super::{Harness, LONG};
use crate::journal::Receipt;
use crate::{Conflict, Fault};

pub(super) async fn created_entity_reads_back(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.apply(create("a")).await, Ok(Receipt { seq: 1, jobs: vec![] }));
    let found = swap(&*journal, "a").await.unwrap();
    assert_eq!((found.kind, found.id.as_str(), found.version), (Kind::Swap, "a", 1));
    assert_eq!((found.status.as_str(), found.owner.as_str()), ("new", "alice"));
    assert_eq!(found.body, r#"{"id":"a","status":"new"}"#);
    assert_eq!((found.created_at, found.updated_at), (AT, AT));
    assert_eq!(swap(&*journal, "b").await, None);
    let events = journal.history(Kind::Swap, "a", 0, 10).await.unwrap();
    let told = Event {
        seq: 1,
        kind: Kind::Swap,
        id: "a".to_owned(),
        version: 1,
        type_: "swap.changed".to_owned(),
        owner: owner("alice"),
        party: None,
        body: r#"{"status":"new"}"#.to_owned(),
        at: AT,
    };
    assert_eq!(events, [told]);
}

pub(super) async fn update_raises_the_version_and_keeps_the_birth(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    journal.apply(create("b")).await.unwrap();
    let born = swap(&*journal, "a").await.unwrap();
    let later = Timestamp(AT.0 + 5);
    journal.apply(Change { at: later, ..update("a", 1, "done") }).await.unwrap();
    let found = swap(&*journal, "a").await.unwrap();
    assert_eq!((found.version, found.status.as_str(), found.updated_at), (2, "done", later));
    assert_eq!((found.created_seq, found.created_at), (born.created_seq, born.created_at));
    assert_eq!(found.body, r#"{"id":"a","status":"done"}"#);
    assert_eq!(swap(&*journal, "b").await.unwrap().version, 1);
}

pub(super) async fn update_of_another_version_conflicts(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    for wrong in [0, 2, 7] {
        let expected = Conflict::Version { kind: Kind::Swap, id: "a".to_owned() };
        assert_eq!(journal.apply(update("a", wrong, "done")).await, Err(Fault::Conflict(expected)));
    }
    assert_eq!(swap(&*journal, "a").await.unwrap().status, "new");
    assert_eq!(journal.head().await.unwrap().seq, 1);
}

pub(super) async fn update_of_nothing_conflicts(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert!(is_version_conflict(&journal.apply(update("a", 1, "done")).await));
    assert_eq!(swap(&*journal, "a").await, None);
}

pub(super) async fn second_creation_conflicts(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    let expected = Conflict::Exists { kind: Kind::Swap, id: "a".to_owned() };
    assert_eq!(journal.apply(create("a")).await, Err(Fault::Conflict(expected)));
    assert_eq!(journal.apply(create("b")).await.unwrap().seq, 2);
}

pub(super) async fn two_entities_change_together_or_not_at_all(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let both = || change(vec![write("a", Expect::Absent, "new"), write("b", Expect::Absent, "new")]);
    assert_eq!(journal.apply(both()).await.unwrap().seq, 2);
    let half = change(vec![write("a", Expect::Version(1), "done"), write("b", Expect::Version(9), "done")]);
    assert!(is_version_conflict(&journal.apply(half).await));
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 1);
    let half = change(vec![write("c", Expect::Absent, "new"), write("b", Expect::Absent, "new")]);
    assert!(matches!(journal.apply(half).await, Err(Fault::Conflict(Conflict::Exists { .. }))));
    assert_eq!(swap(&*journal, "c").await, None);
    assert_eq!(journal.events(0, None, 10).await.unwrap().len(), 2);
    assert_eq!(journal.apply(create("c")).await.unwrap().seq, 3);
}

pub(super) async fn one_entity_may_change_twice_in_one_change(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let twice = change(vec![write("a", Expect::Absent, "new"), write("a", Expect::Version(1), "done")]);
    assert_eq!(journal.apply(twice).await.unwrap().seq, 2);
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 2);
    let wrong = change(vec![write("a", Expect::Version(2), "new"), write("a", Expect::Version(2), "done")]);
    assert!(is_version_conflict(&journal.apply(wrong).await));
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 2);
}

pub(super) async fn failed_change_leaves_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    let failing = Change { jobs: vec![job("x")], keys: vec![key("s", "k", "a", None)], ..update("a", 5, "done") };
    assert!(is_version_conflict(&journal.apply(failing).await));
    assert_eq!(journal.head().await.unwrap().seq, 1);
    assert_eq!(journal.events(0, None, 10).await.unwrap().len(), 1);
    assert_eq!(journal.jobs(super::make::Q, 0, 10).await.unwrap(), []);
    assert_eq!(journal.key("s", "k", AT).await.unwrap(), None);
    assert_eq!(super::make::claim(&*journal, 10).await, []);
}

pub(super) async fn bookkeeping_makes_no_events(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let quiet = EntityWrite { event: None, ..write("a", Expect::Absent, "new") };
    assert_eq!(journal.apply(change(vec![quiet])).await.unwrap().seq, 0);
    assert_eq!(journal.head().await.unwrap().seq, 0);
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 1);
    assert_eq!(journal.apply(update("a", 1, "done")).await.unwrap().seq, 1);
    let events = journal.history(Kind::Swap, "a", 0, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [2]);
}

pub(super) async fn empty_change_is_applied(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.apply(Change::default()).await, Ok(Receipt::default()));
}

pub(super) async fn entity_keeps_its_owner(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    let foreign = EntityWrite { owner: owner("mallory"), ..write("a", Expect::Version(1), "done") };
    journal.apply(change(vec![foreign])).await.unwrap();
    let found = swap(&*journal, "a").await.unwrap();
    assert_eq!((found.version, found.owner), (2, owner("alice")));
    assert_eq!(journal.events(0, Some(&audience("mallory")), 10).await.unwrap(), []);
    assert_eq!(journal.events(0, Some(&audience("alice")), 10).await.unwrap().len(), 2);
}

pub(super) async fn kinds_are_apart(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    assert_eq!(journal.entity(Kind::Relay, "a").await.unwrap(), None);
    let relay = EntityWrite { kind: Kind::Relay, event: None, ..write("a", Expect::Absent, "on") };
    journal.apply(change(vec![relay])).await.unwrap();
    assert_eq!(journal.entity(Kind::Relay, "a").await.unwrap().unwrap().status, "on");
    assert_eq!(swap(&*journal, "a").await.unwrap().status, "new");
}

pub(super) async fn event_bodies_have_a_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let with = |size: usize| {
        let event = Some(EventDraft { type_: "swap.changed", body: "x".repeat(size) });
        change(vec![EntityWrite { event, ..write("a", Expect::Absent, "new") }])
    };
    assert!(is_broken(&journal.apply(with(Event::BODY_LIMIT + 1)).await));
    assert_eq!(swap(&*journal, "a").await, None);
    journal.apply(with(Event::BODY_LIMIT)).await.unwrap();
    assert_eq!(journal.events(0, None, 1).await.unwrap()[0].body.len(), Event::BODY_LIMIT);
}

pub(super) async fn ids_have_a_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert!(is_broken(&journal.apply(create(&"i".repeat(65))).await));
    assert!(is_broken(&journal.apply(create("")).await));
    journal.apply(create(&"i".repeat(64))).await.unwrap();
    assert!(is_broken(&journal.apply(update("a", u64::MAX, "done")).await));
}

pub(super) async fn texts_are_kept_to_the_byte(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let body = "{\"text\":\"\u{1F600} \\u0000 ' \\\" \u{e4}\"}".to_owned();
    let event = Some(EventDraft { type_: "swap.changed", body: body.clone() });
    let strange = EntityWrite { body: body.clone(), event, ..write("it's; -- \u{e4}", Expect::Absent, "new") };
    journal.apply(change(vec![strange])).await.unwrap();
    assert_eq!(swap(&*journal, "it's; -- \u{e4}").await.unwrap().body, body);
    assert_eq!(journal.events(0, None, 1).await.unwrap()[0].body, body);
}

pub(super) async fn texts_that_no_row_can_hold_find_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    assert_eq!(swap(&*journal, "a\0").await, None);
    assert_eq!(journal.history(Kind::Swap, "a\0", 0, 10).await, Ok(vec![]));
    let fields = vec![("id", "a\0".to_owned())];
    let page = journal.entities(crate::journal::List { fields, ..super::make::list() }).await.unwrap();
    assert_eq!(page.entities, []);
}

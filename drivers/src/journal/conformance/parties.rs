//! Cases: what an entity concerns and what it hangs on; who sees which events.

use domain::{Audience, Change, EntityWrite, EventDraft, Expect, Kind, Owner};

use super::make::{audience, change, is_broken, list, owner, write};
use super::{Harness, LONG};
use crate::journal::Journal;

/// A new entity of `kind` that is `of` someone and concerns another.
fn concerning(kind: Kind, id: &str, of: &str, party: Option<&str>, parent: Option<&str>) -> Change {
    change(vec![EntityWrite {
        kind,
        owner: owner(of),
        party: party.map(owner),
        parent: parent.map(ToOwned::to_owned),
        event: (!kind.is_bookkeeping()).then(|| EventDraft { type_: "some.thing", body: "{}".to_owned() }),
        ..write(id, Expect::Absent, "new")
    }])
}

async fn seen(journal: &dyn Journal, after: u64, audience: &Audience, limit: usize) -> Vec<u64> {
    let events = journal.events(after, Some(audience), limit).await.unwrap();
    assert!(events.iter().all(|event| audience.sees_event(event)));
    events.into_iter().map(|event| event.seq).collect()
}

pub(super) async fn party_and_parent_read_back(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(concerning(Kind::Bid, "a", "bob", Some("alice"), Some("d1"))).await.unwrap();
    journal.apply(concerning(Kind::Bid, "b", "bob", None, None)).await.unwrap();
    for (id, party, parent) in [("a", Some(owner("alice")), Some("d1")), ("b", None, None)] {
        let found = journal.entity(Kind::Bid, id).await.unwrap().unwrap();
        assert_eq!((&found.party, found.parent.as_deref()), (&party, parent));
        let listed = journal.entities(crate::journal::List { kind: Kind::Bid, ..list() }).await.unwrap().entities;
        assert!(listed.contains(&found));
        assert_eq!(journal.history(Kind::Bid, id, 0, 10).await.unwrap()[0].party, party);
    }
    let long = "x".repeat(65);
    assert!(is_broken(&journal.apply(concerning(Kind::Bid, "c", "bob", None, Some(&long))).await));
}

pub(super) async fn entity_keeps_its_party_and_an_event_has_its_own(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(concerning(Kind::Bid, "a", "bob", Some("alice"), Some("d1"))).await.unwrap();
    let later = |version, party: Option<&str>| {
        let mut change = concerning(Kind::Bid, "a", "bob", party, Some("d2"));
        change.entities[0].expect = Expect::Version(version);
        change
    };
    journal.apply(later(1, Some("carol"))).await.unwrap();
    journal.apply(later(2, None)).await.unwrap();
    let found = journal.entity(Kind::Bid, "a").await.unwrap().unwrap();
    assert_eq!((found.version, found.party, found.parent.as_deref()), (3, Some(owner("alice")), Some("d1")));
    let events = journal.history(Kind::Bid, "a", 0, 10).await.unwrap();
    let parties: Vec<_> = events.into_iter().map(|event| event.party).collect();
    assert_eq!(parties, [Some(owner("alice")), Some(owner("carol")), None]);
    // In one change, on top of its creation.
    let mut twice = concerning(Kind::Bid, "z", "bob", Some("alice"), Some("d1"));
    let mut second = concerning(Kind::Bid, "z", "bob", Some("carol"), None);
    second.entities[0].expect = Expect::Version(1);
    twice.entities.append(&mut second.entities);
    journal.apply(twice).await.unwrap();
    let found = journal.entity(Kind::Bid, "z").await.unwrap().unwrap();
    assert_eq!((found.version, found.party, found.parent.as_deref()), (2, Some(owner("alice")), Some("d1")));
}

pub(super) async fn audience_sees_its_own_what_concerns_it_and_deals_of_its_sellers(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for (n, (kind, of, party)) in [
        (Kind::Swap, "me", None),
        (Kind::Deal, "s1", None),
        (Kind::Deal, "s2", None),
        (Kind::Deal, "s3", None),
        (Kind::Swap, "s1", None),
        (Kind::Bid, "other", Some("me")),
        (Kind::Bid, "me", Some("s1")),
        (Kind::Bid, "me", Some("me")),
        (Kind::Bid, "other", Some("s1")),
        (Kind::Deal, "s1", Some("me")),
        (Kind::Deal, "me", None),
        (Kind::Deal, "s3", Some("me")),
    ]
    .into_iter()
    .enumerate()
    {
        journal.apply(concerning(kind, &format!("n{n}"), of, party, None)).await.unwrap();
    }
    let sellers =
        |names: &[&str]| Audience { account: owner("me"), sellers: names.iter().copied().map(owner).collect() };
    let all = [1, 2, 3, 6, 7, 8, 10, 11, 12];
    for limit in [1, 2, 3, 100] {
        let mut found = Vec::new();
        loop {
            let page = seen(&*journal, found.last().copied().unwrap_or(0), &sellers(&["me", "s1", "s2"]), limit).await;
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, all);
    }
    assert_eq!(seen(&*journal, 0, &sellers(&[]), 100).await, [1, 6, 7, 8, 10, 11, 12]);
    assert_eq!(seen(&*journal, 7, &sellers(&["s3"]), 100).await, [8, 10, 11, 12]);
    assert_eq!(seen(&*journal, 0, &audience("nobody"), 100).await, [0; 0]);
}

pub(super) async fn audience_of_a_thousand_sellers_misses_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let name = |n: usize| format!("s{n:04}");
    // One seller has most of the deals, the others one each now and then.
    let mut writes = Vec::new();
    for n in 0..1_500_usize {
        let of = if n.is_multiple_of(3) { name(n) } else { name(7) };
        writes.append(&mut concerning(Kind::Deal, &format!("n{n}"), &of, None, None).entities);
    }
    journal.apply(change(writes)).await.unwrap();
    let sellers: Vec<Owner> = (0..1_000).map(|n| owner(&name(n))).collect();
    let audience = Audience { account: owner("me"), sellers: sellers.into() };
    let expected: Vec<u64> = (0..1_500_u64).filter(|n| !n.is_multiple_of(3) || *n < 1_000).map(|n| n + 1).collect();
    for limit in [70, 400] {
        let mut found = Vec::new();
        while let page @ [_, ..] = &*seen(&*journal, found.last().copied().unwrap_or(0), &audience, limit).await {
            assert!(page.len() <= limit);
            found.extend(page);
        }
        assert_eq!(found, expected);
    }
}

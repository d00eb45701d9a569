//! Cases: pages of entities.

use domain::{EntityWrite, Expect, Kind};

use super::make::{change, create, ids, list, owner, update, write};
use super::{Harness, LONG};
use crate::journal::{Among, Journal, List, Page};

/// Twelve entities: owners in turn of two, states in turn of three.
async fn twelve(journal: &dyn Journal) {
    for n in 0..12_usize {
        let status = ["new", "done", "failed"][n % 3];
        let body = format!(r#"{{"colour":"{}","size":{n}}}"#, ["red", "blue"][n / 6]);
        let write = EntityWrite {
            owner: owner(["alice", "bob"][n % 2]),
            body,
            ..write(&format!("n{n:02}"), Expect::Absent, status)
        };
        journal.apply(change(vec![write])).await.unwrap();
    }
}

/// All pages of a list, each of at most `limit`.
async fn pages(journal: &dyn Journal, mut list: List) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = journal.entities(list.clone()).await.unwrap();
        assert!(page.entities.len() <= list.limit);
        all.extend(page.entities.iter().map(|entity| entity.id.clone()));
        let Some(next) = page.next else { return all };
        list.after = Some(next);
    }
}

fn named(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|n| format!("n{n:02}")).collect()
}

pub(super) async fn lists_page_in_both_directions(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    twelve(&*journal).await;
    let forth: Vec<usize> = (0..12).collect();
    let back: Vec<usize> = (0..12).rev().collect();
    for limit in [1, 5, 12, 100] {
        assert_eq!(pages(&*journal, List { limit, ..list() }).await, named(&forth));
        assert_eq!(pages(&*journal, List { limit, newest_first: true, ..list() }).await, named(&back));
    }
    assert_eq!(ids(&*journal, List { kind: Kind::Relay, ..list() }).await, named(&[]));
}

pub(super) async fn the_last_page_says_so(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.entities(list()).await.unwrap(), Page::default());
    twelve(&*journal).await;
    for (limit, more) in [(5, true), (11, true), (12, false), (13, false)] {
        for newest_first in [true, false] {
            let page = journal.entities(List { limit, newest_first, ..list() }).await.unwrap();
            assert_eq!(page.next, page.entities.last().map(|last| last.created_seq).filter(|_| more), "{limit}");
        }
    }
}

pub(super) async fn lists_filter_by_owner_and_status(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    twelve(&*journal).await;
    let bob = || List { among: vec![Among::Owner(owner("bob"))], limit: 2, ..list() };
    let states = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(pages(&*journal, bob()).await, named(&[1, 3, 5, 7, 9, 11]));
    assert_eq!(pages(&*journal, List { newest_first: true, ..bob() }).await, named(&[11, 9, 7, 5, 3, 1]));
    assert_eq!(pages(&*journal, List { statuses: states(&["done"]), ..bob() }).await, named(&[1, 7]));
    let two = states(&["failed", "new"]);
    assert_eq!(pages(&*journal, List { statuses: two.clone(), ..bob() }).await, named(&[3, 5, 9, 11]));
    let back = List { statuses: two.clone(), newest_first: true, limit: 3, ..list() };
    assert_eq!(pages(&*journal, back).await, named(&[11, 9, 8, 6, 5, 3, 2, 0]));
    assert_eq!(pages(&*journal, List { statuses: states(&["no"]), ..list() }).await, named(&[]));
    let twice = states(&["done", "done"]);
    assert_eq!(pages(&*journal, List { statuses: twice, ..list() }).await, named(&[1, 4, 7, 10]));
}

pub(super) async fn lists_filter_by_fields(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    twelve(&*journal).await;
    let blue = |limit| List { fields: vec![("colour", "blue".to_owned())], limit, ..list() };
    assert_eq!(pages(&*journal, blue(4)).await, named(&[6, 7, 8, 9, 10, 11]));
    let bob = List { among: vec![Among::Owner(owner("bob"))], statuses: vec!["done".to_owned()], ..blue(4) };
    assert_eq!(pages(&*journal, bob).await, named(&[7]));
    let none = List { fields: vec![("colour", "blue".to_owned()), ("shape", "round".to_owned())], ..list() };
    assert_eq!(pages(&*journal, none).await, named(&[]));
}

pub(super) async fn lists_keep_their_order_over_changes(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    twelve(&*journal).await;
    let before: Vec<u64> =
        journal.entities(list()).await.unwrap().entities.iter().map(|entity| entity.created_seq).collect();
    assert!(before.is_sorted_by(|a, b| a < b), "{before:?}");
    for n in [3, 0, 11] {
        let write = EntityWrite { owner: owner("bob"), ..write(&format!("n{n:02}"), Expect::Version(1), "over") };
        journal.apply(change(vec![write])).await.unwrap();
    }
    let after: Vec<u64> =
        journal.entities(list()).await.unwrap().entities.iter().map(|entity| entity.created_seq).collect();
    assert_eq!(after, before);
    assert_eq!(ids(&*journal, List { statuses: vec!["over".to_owned()], ..list() }).await, named(&[0, 3, 11]));
    assert_eq!(ids(&*journal, List { statuses: vec!["new".to_owned()], ..list() }).await, named(&[6, 9]));
}

pub(super) async fn creation_numbers_rise_over_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    twelve(&*journal).await;
    journal.apply(update("n05", 1, "over")).await.unwrap();
    let last = journal.entities(List { newest_first: true, limit: 1, ..list() }).await.unwrap().entities.remove(0);
    drop(journal);
    let journal = harness.open(LONG).await;
    journal.apply(create("later")).await.unwrap();
    let found = journal.entities(List { after: Some(last.created_seq), ..list() }).await.unwrap().entities;
    assert_eq!(found.iter().map(|entity| entity.id.as_str()).collect::<Vec<_>>(), ["later"]);
    assert!(found[0].created_seq > last.created_seq);
}

//! Cases: keys.

use domain::{Change, Key, Kind, Timestamp};

use super::make::{AT, create, is_broken, key, swap};
use super::{Harness, LONG};
use crate::journal::Journal;
use crate::{Conflict, Fault, KeyHeld};

async fn take(journal: &dyn Journal, at: i64, key: Key) -> Result<(), Fault> {
    let change = Change { at: Timestamp(at), keys: vec![key.clone()], ..create(&key.id) };
    journal.apply(change).await.map(drop)
}

fn held(id: &str) -> KeyHeld {
    KeyHeld {
        scope: "s".to_owned(),
        key: "k".to_owned(),
        fingerprint: Some([7; 32]),
        kind: Kind::Swap,
        id: id.to_owned(),
        version: 1,
    }
}

pub(super) async fn key_reads_back(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.key("s", "k", AT).await, Ok(None));
    take(&*journal, 0, key("s", "k", "a", Some(50))).await.unwrap();
    assert_eq!(journal.key("s", "k", Timestamp(49)).await, Ok(Some(held("a"))));
    let bare = Key { fingerprint: None, version: 3, ..key("s", "bare", "b", None) };
    take(&*journal, 0, bare).await.unwrap();
    let expected = KeyHeld { key: "bare".to_owned(), fingerprint: None, version: 3, ..held("b") };
    assert_eq!(journal.key("s", "bare", AT).await, Ok(Some(expected)));
}

pub(super) async fn key_in_use_names_the_winner(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    take(&*journal, 0, key("s", "k", "a", None)).await.unwrap();
    let other = Key { fingerprint: Some([9; 32]), ..key("s", "k", "b", None) };
    assert_eq!(take(&*journal, 1, other).await, Err(Fault::Conflict(Conflict::Key(held("a")))));
    // The replay of a creation meets its key before its id.
    assert_eq!(take(&*journal, 1, key("s", "k", "a", None)).await, Err(Fault::Conflict(Conflict::Key(held("a")))));
}

pub(super) async fn key_in_use_leaves_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    take(&*journal, 0, key("s", "k", "a", None)).await.unwrap();
    let two = Change { keys: vec![key("s", "free", "b", None), key("s", "k", "b", None)], ..create("b") };
    assert!(matches!(journal.apply(two).await, Err(Fault::Conflict(Conflict::Key(_)))));
    assert_eq!(journal.key("s", "free", AT).await, Ok(None));
    assert_eq!(swap(&*journal, "b").await, None);
    assert_eq!(journal.head().await.unwrap().seq, 1);
}

pub(super) async fn key_ends_at_its_expiry(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    take(&*journal, 0, key("s", "k", "a", Some(100))).await.unwrap();
    assert!(take(&*journal, 99, key("s", "k", "b", Some(300))).await.is_err());
    assert_eq!(journal.key("s", "k", Timestamp(100)).await, Ok(None));
    take(&*journal, 100, key("s", "k", "b", Some(300))).await.unwrap();
    assert_eq!(journal.key("s", "k", Timestamp(299)).await, Ok(Some(held("b"))));
    assert!(take(&*journal, 299, key("s", "k", "c", None)).await.is_err());
}

pub(super) async fn key_without_expiry_stays(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    take(&*journal, 0, key("s", "k", "a", None)).await.unwrap();
    assert!(take(&*journal, i64::MAX, key("s", "k", "b", None)).await.is_err());
    assert_eq!(journal.sweep(Timestamp(i64::MAX), 100).await, Ok(0));
    assert_eq!(journal.key("s", "k", Timestamp(i64::MAX)).await, Ok(Some(held("a"))));
}

pub(super) async fn scopes_are_apart(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    take(&*journal, 0, key("s", "k", "a", None)).await.unwrap();
    take(&*journal, 0, key("t", "k", "b", None)).await.unwrap();
    take(&*journal, 0, key("s", "K", "c", None)).await.unwrap();
    assert_eq!(journal.key("s", "k", AT).await, Ok(Some(held("a"))));
    assert_eq!(journal.key("t", "k", AT).await.unwrap().unwrap().id, "b");
}

pub(super) async fn sweep_deletes_what_has_expired(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    for n in 1..=10 {
        take(&*journal, 0, key("s", &format!("k{n}"), &format!("a{n}"), Some(n * 10))).await.unwrap();
    }
    assert_eq!(journal.sweep(Timestamp(70), 4).await, Ok(4));
    assert_eq!(journal.sweep(Timestamp(70), 4).await, Ok(3));
    assert_eq!(journal.sweep(Timestamp(70), 4).await, Ok(0));
    for n in 1..=10 {
        let found = journal.key("s", &format!("k{n}"), Timestamp(0)).await.unwrap();
        assert_eq!(found.is_some(), n > 7, "{n}");
    }
    assert_eq!(swap(&*journal, "a1").await.unwrap().version, 1);
}

pub(super) async fn keys_have_a_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert!(is_broken(&take(&*journal, 0, key("s", &"k".repeat(256), "a", None)).await));
    take(&*journal, 0, key("s", &"k".repeat(255), "a", None)).await.unwrap();
    let twice = Change { keys: vec![key("s", "x", "b", None), key("s", "x", "b", None)], ..create("b") };
    assert!(is_broken(&journal.apply(twice).await));
    assert_eq!(swap(&*journal, "b").await, None);
}

pub(super) async fn keys_survive_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    take(&*journal, 0, key("s", "k", "a", None)).await.unwrap();
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(journal.key("s", "k", AT).await, Ok(Some(held("a"))));
    assert!(take(&*journal, 1, key("s", "k", "b", None)).await.is_err());
}

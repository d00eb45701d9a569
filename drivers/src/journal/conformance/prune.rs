//! Cases: bookkeeping that is old enough is deleted.

use domain::{Change, EntityWrite, Expect, Kind, Timestamp};

use super::make::{change, create, list, swap, update, write};
use super::{Harness, LONG};
use crate::journal::{Journal, List};

const DONE: &[&str] = &["done", "dead"];

/// Bookkeeping made at these instants, numbered on, in this state.
async fn made(journal: &dyn Journal, status: &'static str, instants: &[i64]) {
    for at in instants {
        let id = format!("{status}{at}");
        let write = EntityWrite { kind: Kind::Delivery, event: None, ..write(&id, Expect::Absent, status) };
        journal.apply(Change { at: Timestamp(*at), ..change(vec![write]) }).await.unwrap();
    }
}

async fn left(journal: &dyn Journal) -> Vec<String> {
    let page = journal.entities(List { kind: Kind::Delivery, ..list() }).await.unwrap();
    page.entities.into_iter().map(|entity| entity.id).collect()
}

pub(super) async fn old_bookkeeping_is_deleted(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(create("a")).await.unwrap();
    journal.apply(update("a", 1, "done")).await.unwrap();
    made(&*journal, "done", &[1, 2, 3]).await;
    made(&*journal, "waiting", &[1, 2]).await;
    made(&*journal, "dead", &[1, 5]).await;
    assert_eq!(journal.prune(Kind::Delivery, DONE, Timestamp(1), 100).await, Ok(0));
    assert_eq!(journal.prune(Kind::Delivery, &[], Timestamp(9), 100).await, Ok(0));
    assert_eq!(journal.prune(Kind::Delivery, DONE, Timestamp(3), 100).await, Ok(3));
    assert_eq!(left(&*journal).await, ["done3", "waiting1", "waiting2", "dead5"]);
    assert_eq!(journal.entity(Kind::Delivery, "done1").await, Ok(None));
    assert_eq!(journal.prune(Kind::Delivery, DONE, Timestamp(3), 100).await, Ok(0));
    // Nothing of another kind, and what was deleted may be made again.
    assert_eq!(swap(&*journal, "a").await.unwrap().version, 2);
    made(&*journal, "done", &[1]).await;
    assert_eq!(left(&*journal).await.last().unwrap(), "done1");
}

pub(super) async fn pruning_keeps_its_limit_and_stops_at_the_first_younger(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    made(&*journal, "done", &[1, 2, 9, 3, 4]).await;
    made(&*journal, "dead", &[5, 6, 7]).await;
    for (limit, deleted) in [(0, 0), (1, 1), (2, 2), (2, 1), (2, 0)] {
        assert_eq!(journal.prune(Kind::Delivery, DONE, Timestamp(7), limit).await, Ok(deleted));
    }
    assert_eq!(left(&*journal).await, ["done9", "done3", "done4", "dead7"]);
}

pub(super) async fn creation_numbers_rise_though_the_newest_is_deleted(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    made(&*journal, "done", &[1, 2, 3]).await;
    let newest = journal.entity(Kind::Delivery, "done3").await.unwrap().unwrap().created_seq;
    assert_eq!(journal.prune(Kind::Delivery, DONE, Timestamp(9), 100).await, Ok(3));
    drop(journal);
    let journal = harness.open(LONG).await;
    made(&*journal, "done", &[4]).await;
    assert!(journal.entity(Kind::Delivery, "done4").await.unwrap().unwrap().created_seq > newest);
}

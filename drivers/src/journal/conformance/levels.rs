//! Cases: levels are never negative, however many take from them.

use std::sync::Arc;

use domain::{Change, LevelMove};
use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::make::{AT, Q, create, enqueue, is_broken, is_version_conflict, job, swap, update};
use super::{Harness, LONG};
use crate::journal::{Journal, Receipt};
use crate::{Conflict, Fault};

fn moves(moves: &[(&str, i64)]) -> Change {
    let levels =
        moves.iter().map(|(name, add)| LevelMove { name: (*name).to_owned(), add: *add, most: None }).collect();
    Change { at: AT, levels, ..Change::default() }
}

/// The same, with where each level may stand at most.
fn bounded(moves: &[(&str, i64, Option<i64>)]) -> Change {
    let bounded =
        |(name, add, most): &(&str, i64, Option<i64>)| LevelMove { name: (*name).to_owned(), add: *add, most: *most };
    Change { at: AT, levels: moves.iter().map(bounded).collect(), ..Change::default() }
}

async fn level(journal: &dyn Journal, name: &str) -> i64 {
    journal.levels(&[name.to_owned()]).await.unwrap()[0]
}

fn refused(name: &str, at: i64) -> Result<Receipt, Fault> {
    Err(Fault::Conflict(Conflict::Level { name: name.to_owned(), at }))
}

pub(super) async fn level_moves_within_its_bounds(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.apply(moves(&[("s", -1)])).await, refused("s", 0));
    journal.apply(moves(&[("s", 10)])).await.unwrap();
    assert_eq!(journal.apply(moves(&[("s", -11)])).await, refused("s", 10));
    journal.apply(moves(&[("s", -10)])).await.unwrap();
    assert_eq!(level(&*journal, "s").await, 0);
    journal.apply(moves(&[("s", LevelMove::HIGHEST)])).await.unwrap();
    for over in [1, i64::MAX] {
        assert_eq!(journal.apply(moves(&[("s", over)])).await, refused("s", LevelMove::HIGHEST));
    }
    assert_eq!(journal.apply(moves(&[("s", i64::MIN)])).await, refused("s", LevelMove::HIGHEST));
    assert_eq!(level(&*journal, "s").await, LevelMove::HIGHEST);
}

pub(super) async fn moves_of_one_level_add_up(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("s", -3), ("t", 2), ("s", 5), ("s", -1)])).await.unwrap();
    assert_eq!((level(&*journal, "s").await, level(&*journal, "t").await), (1, 2));
    assert_eq!(journal.apply(moves(&[("s", -1), ("s", -1)])).await, refused("s", 1));
    assert_eq!(journal.apply(moves(&[("s", i64::MAX), ("s", i64::MAX)])).await, refused("s", 1));
    journal.apply(moves(&[("s", i64::MAX), ("s", -i64::MAX)])).await.unwrap();
    assert_eq!(level(&*journal, "s").await, 1);
}

pub(super) async fn refused_level_leaves_nothing(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("a", 5), ("b", 1)])).await.unwrap();
    let sale = Change { jobs: vec![job("x")], ..create("a") };
    let sale = Change { levels: moves(&[("a", -1), ("b", -2), ("c", 4)]).levels, ..sale };
    assert_eq!(journal.apply(sale).await, refused("b", 1));
    assert_eq!((level(&*journal, "a").await, level(&*journal, "b").await, level(&*journal, "c").await), (5, 1, 0));
    assert_eq!((swap(&*journal, "a").await, journal.jobs(Q, 0, 10).await), (None, Ok(vec![])));
}

pub(super) async fn failed_change_moves_no_level(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("a", 5)])).await.unwrap();
    let failing = Change { levels: moves(&[("a", -1)]).levels, ..update("absent", 1, "done") };
    assert!(is_version_conflict(&journal.apply(failing).await));
    assert_eq!(level(&*journal, "a").await, 5);
}

pub(super) async fn levels_read_in_the_order_of_their_names(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("a", 1), ("b", 2)])).await.unwrap();
    let names = ["b", "none", "a", "b", "\0"].map(str::to_owned);
    assert_eq!(journal.levels(&names).await, Ok(vec![2, 0, 1, 2, 0]));
    assert_eq!(journal.levels(&[]).await, Ok(vec![]));
}

pub(super) async fn names_of_levels_have_a_limit(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let longest = "n".repeat(255);
    journal.apply(moves(&[(&longest, 1)])).await.unwrap();
    assert_eq!(level(&*journal, &longest).await, 1);
    assert!(is_broken(&journal.apply(moves(&[(&"n".repeat(256), 1)])).await));
    assert!(is_broken(&journal.apply(moves(&[("", 1)])).await));
    assert!(is_broken(&journal.levels(&vec![longest; 1_001]).await));
}

pub(super) async fn sixty_four_takers_of_ten_get_ten(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("stock", 10)])).await.unwrap();
    let mut takers = JoinSet::new();
    for taker in 0..64 {
        let journal = Arc::clone(&journal);
        takers.spawn(async move {
            let sale = Change { levels: moves(&[("stock", -1), ("sold", 1)]).levels, ..create(&taker.to_string()) };
            match journal.apply(sale).await {
                Ok(_) => 1,
                answer => {
                    assert_eq!(answer, refused("stock", 0));
                    0
                }
            }
        });
    }
    assert_eq!(takers.join_all().await.into_iter().sum::<i64>(), 10);
    assert_eq!((level(&*journal, "stock").await, level(&*journal, "sold").await), (0, 10));
    assert_eq!(journal.head().await.unwrap().seq, 10);
}

/// Asked all at once by one caller, so that many share a transaction.
pub(super) async fn takers_of_one_batch_get_no_more_than_there_is(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("stock", 10)])).await.unwrap();
    let asked: Vec<i64> = (0..64).map(|n| if n % 16 == 15 { 2 } else { -1 }).collect();
    let answers = join_all(asked.iter().map(|add| journal.apply(moves(&[("stock", *add)])))).await;
    let moved: i64 = asked.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(add, _)| add).sum();
    assert_eq!(level(&*journal, "stock").await, 10 + moved);
    // What is put back is there for whoever comes after it.
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4 + 16);
    assert!(answers.iter().filter(|answer| answer.is_err()).all(|answer| *answer == refused("stock", 0)));
    journal.apply(enqueue(vec![job("x")])).await.unwrap();
}

pub(super) async fn levels_survive_reopening(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    journal.apply(moves(&[("a", 7)])).await.unwrap();
    drop(journal);
    let journal = harness.open(LONG).await;
    assert_eq!(level(&*journal, "a").await, 7);
    assert_eq!(journal.apply(moves(&[("a", -8)])).await, refused("a", 7));
}

pub(super) async fn level_stays_below_what_a_move_allows(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    assert_eq!(journal.apply(bounded(&[("s", 6, Some(5))])).await, refused("s", 0));
    journal.apply(bounded(&[("s", 5, Some(5))])).await.unwrap();
    assert_eq!(journal.apply(bounded(&[("s", 1, Some(5))])).await, refused("s", 5));
    // The bound is the move's, not the level's; of two the lower counts, for both together.
    journal.apply(bounded(&[("s", 3, None)])).await.unwrap();
    assert_eq!(journal.apply(bounded(&[("s", 1, Some(9)), ("s", 1, None)])).await, refused("s", 8));
    assert_eq!(journal.apply(bounded(&[("s", 1, Some(90)), ("s", 1, Some(9))])).await, refused("s", 8));
    journal.apply(bounded(&[("s", 1, Some(9)), ("s", 1, None), ("s", -1, Some(90))])).await.unwrap();
    assert_eq!(level(&*journal, "s").await, 9);
    // What is given back is judged by where it leads too, and without a bound never refused for being high.
    assert_eq!(journal.apply(bounded(&[("s", -1, Some(7))])).await, refused("s", 9));
    journal.apply(bounded(&[("s", -1, None)])).await.unwrap();
    for beyond in [Some(-1), Some(i64::MIN)] {
        assert_eq!(journal.apply(bounded(&[("t", 0, beyond)])).await, refused("t", 0));
    }
    assert_eq!(journal.apply(bounded(&[("s", LevelMove::HIGHEST, Some(i64::MAX))])).await, refused("s", 8));
}

pub(super) async fn takers_up_to_a_bound_never_pass_it(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let mut takers = JoinSet::new();
    for taker in 0..64 {
        let journal = Arc::clone(&journal);
        takers.spawn(async move {
            let order = Change { levels: bounded(&[("day", 3, Some(31))]).levels, ..create(&taker.to_string()) };
            match journal.apply(order).await {
                Ok(_) => 1,
                answer => {
                    assert_eq!(answer, refused("day", 30));
                    0
                }
            }
        });
    }
    assert_eq!(takers.join_all().await.into_iter().sum::<i64>(), 10);
    // All at once by one caller, so that many share a transaction; what is given back among them is there to be taken.
    let changes = (0..64).map(|n| if n % 16 == 15 { moves(&[("day", -6)]) } else { bounded(&[("day", 3, Some(31))]) });
    let answers = join_all(changes.map(|change| journal.apply(change))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4 + 6);
    assert_eq!((level(&*journal, "day").await, journal.head().await.unwrap().seq), (24, 10));
}

pub(super) async fn dropped_levels_are_those_between_two_names(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    let names = ["day:2026-01-01:b", "day:2026-01-01:B", "day:2026-01-02:a", "day:2026-01-03", "day-2", "dAy:2025"];
    journal.apply(moves(&names.map(|name| (name, 1)))).await.unwrap();
    for (limit, dropped) in [(0, 0), (1, 1), (10, 1), (10, 0)] {
        assert_eq!(journal.drop_levels("day:", "day:2026-01-02", limit).await, Ok(dropped));
    }
    assert_eq!(journal.levels(&names.map(str::to_owned)).await, Ok(vec![0, 0, 1, 1, 1, 1]));
    // As if nobody had ever moved it.
    assert_eq!(journal.apply(moves(&[(names[0], -1)])).await, refused(names[0], 0));
    journal.apply(bounded(&[(names[0], 2, Some(2))])).await.unwrap();
    assert_eq!(level(&*journal, names[0]).await, 2);
}

//! Cases: lists of shop orders by a number, and by customer.

use std::ops::RangeInclusive;

use domain::{Change, EntityWrite, Expect, Kind, Timestamp};

use super::make::{change, list, owner, write};
use super::{Harness, LONG};
use crate::journal::{Among, Journal, List, Rank, Ranked};

/// Sixty orders of two shops and three customers: few totals, so that many are equal; times that do not follow the order of
/// creation.
async fn sixty(journal: &dyn Journal) {
    for n in 0..60_usize {
        let write = EntityWrite {
            kind: Kind::ShopOrder,
            owner: owner(shop(n)),
            body: format!(r#"{{"customerKey":"c{}","total":{}}}"#, n % 3, total(n)),
            event: None,
            ..write(&n.to_string(), Expect::Absent, status(n))
        };
        journal.apply(Change { at: Timestamp(time(n)), ..change(vec![write]) }).await.unwrap();
    }
}

fn shop(n: usize) -> &'static str {
    if n.is_multiple_of(5) { "bob" } else { "alice" }
}

fn status(n: usize) -> &'static str {
    ["pending", "completed", "deleted", "cancelled"][n % 4]
}

fn total(n: usize) -> i64 {
    if n == 59 { (1 << 53) - 1 } else { i64::try_from(n * 7 % 4).unwrap() * 100 }
}

fn time(n: usize) -> i64 {
    1_000_000 + i64::try_from(n ^ 5).unwrap()
}

fn number(by: Rank, n: usize) -> i64 {
    match by {
        Rank::CreatedAt => time(n),
        Rank::Total => total(n),
    }
}

/// All pages of alice's orders by that number, each of at most `limit`.
async fn pages(journal: &dyn Journal, base: &List, by: Rank, within: RangeInclusive<i64>) -> Vec<usize> {
    let (mut all, mut after, mut rank) = (Vec::new(), None, None);
    loop {
        let ranked = Ranked { owner: owner("alice"), by, within: within.clone(), after: rank };
        let page = journal.entities(List { among: vec![Among::Ranked(ranked)], after, ..base.clone() }).await.unwrap();
        assert!(page.entities.len() <= base.limit);
        assert_eq!(page.next.is_some(), page.rank.is_some());
        all.extend(page.entities.iter().map(|entity| entity.id.parse::<usize>().unwrap()));
        (after, rank) = (page.next, page.rank);
        if after.is_none() {
            return all;
        }
    }
}

pub(super) async fn shop_orders_are_listed_by_a_number(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    sixty(&*journal).await;
    let states = vec!["pending".to_owned(), "completed".to_owned(), "cancelled".to_owned()];
    for by in [Rank::CreatedAt, Rank::Total] {
        for within in [i64::MIN..=i64::MAX, 100..=200, 0..=0, 1_000_010..=1_000_040, 300..=i64::MAX, 7..=8] {
            for statuses in [Vec::new(), states.clone()] {
                for newest_first in [false, true] {
                    let wanted = |n: &usize| {
                        shop(*n) == "alice"
                            && within.contains(&number(by, *n))
                            && (statuses.is_empty() || status(*n) != "deleted")
                    };
                    let mut expected: Vec<usize> = (0..60).filter(wanted).collect();
                    expected.sort_by_key(|n| (number(by, *n), *n));
                    if newest_first {
                        expected.reverse();
                    }
                    for limit in [1, 7, 100] {
                        let base =
                            List { kind: Kind::ShopOrder, statuses: statuses.clone(), newest_first, limit, ..list() };
                        let found = pages(&*journal, &base, by, within.clone()).await;
                        assert_eq!(found, expected, "{by:?} {within:?} {statuses:?} {newest_first} {limit}");
                    }
                }
            }
        }
    }
    let both = List {
        kind: Kind::ShopOrder,
        fields: vec![("customerKey", "c1".to_owned())],
        ranges: vec![("total", 100..=100)],
        limit: 3,
        ..list()
    };
    let found = pages(&*journal, &both, Rank::CreatedAt, i64::MIN..=i64::MAX).await;
    let mut expected: Vec<usize> = (0..60).filter(|n| shop(*n) == "alice" && n % 3 == 1 && total(*n) == 100).collect();
    expected.sort_by_key(|n| time(*n));
    assert_eq!(found, expected);
}

pub(super) async fn shop_orders_are_listed_by_customer(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    sixty(&*journal).await;
    let of = |customer: &str| List {
        kind: Kind::ShopOrder,
        among: vec![Among::Customer(customer.to_owned())],
        statuses: vec!["pending".to_owned(), "completed".to_owned()],
        newest_first: true,
        limit: 4,
        ..list()
    };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = journal.entities(List { after, ..of("c2") }).await.unwrap();
        found.extend(page.entities.iter().map(|entity| entity.id.parse::<usize>().unwrap()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<usize> = (0..60).rev().filter(|n| n % 3 == 2 && n % 4 < 2).collect();
    assert_eq!(found, expected);
    assert!(journal.entities(of("c9")).await.unwrap().entities.is_empty());
}

//! Cases: lists of what belongs together by one index or several.

use domain::{EntityWrite, Expect, Kind};

use super::make::{change, list, owner, write};
use super::{Harness, LONG};
use crate::journal::{Among, Journal, List};

const SELLERS: usize = 7;

/// Sixty deals of seven sellers, of whom one has most; every fifth concerns `carol`, every fourth hangs on `d4`.
async fn sixty(journal: &dyn Journal) {
    let writes = (0..60_usize).map(|n| EntityWrite {
        kind: Kind::Deal,
        owner: seller(n),
        party: (n.is_multiple_of(5)).then(|| owner("carol")),
        parent: (n.is_multiple_of(4)).then(|| "d4".to_owned()),
        body: format!(
            r#"{{"currency":"{}","totalPrice":{},"deep":{{"size":{}}}}}"#,
            currency(n),
            price(n),
            if n.is_multiple_of(2) { format!("\"{n}\"") } else { n.to_string() }
        ),
        event: None,
        ..write(&n.to_string(), Expect::Absent, status(n))
    });
    journal.apply(change(writes.collect())).await.unwrap();
}

fn seller(n: usize) -> domain::Owner {
    owner(&format!("s{}", if n.is_multiple_of(3) { n % SELLERS } else { 1 }))
}

const fn status(n: usize) -> &'static str {
    ["available", "reserved", "sold"][n % 3]
}

const fn currency(n: usize) -> &'static str {
    ["GBP", "EUR"][n % 2]
}

/// Some are negative, one is the largest that there may be.
fn price(n: usize) -> i64 {
    if n == 59 { (1 << 53) - 1 } else { i64::try_from(n).unwrap() * 10 - 100 }
}

fn deals() -> List {
    List { kind: Kind::Deal, ..list() }
}

fn of_sellers(numbers: impl IntoIterator<Item = usize>) -> Vec<Among> {
    numbers.into_iter().map(|n| Among::Owner(owner(&format!("s{n}")))).collect()
}

/// All pages of the list in both directions and of several lengths are those deals that `wanted` says.
async fn lists(journal: &dyn Journal, list: &List, wanted: impl Fn(usize) -> bool) {
    for newest_first in [false, true] {
        let mut expected: Vec<String> = (0..60).filter(|n| wanted(*n)).map(|n| n.to_string()).collect();
        if newest_first {
            expected.reverse();
        }
        for limit in [1, 4, 60] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = List { newest_first, limit, after, ..list.clone() };
                let page = journal.entities(page).await.unwrap();
                assert!(page.entities.len() <= limit);
                found.extend(page.entities.into_iter().map(|entity| entity.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{list:?} newest first: {newest_first}, limit {limit}");
        }
    }
}

pub(super) async fn lists_of_several_owners_are_one(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    sixty(&*journal).await;
    for numbers in [vec![1], vec![0, 2], vec![0, 1, 2, 3, 4, 5, 6], vec![3, 40, 41, 42]] {
        let list = List { among: of_sellers(numbers.clone()), ..deals() };
        let wanted = |n: usize| numbers.iter().any(|s| seller(n) == owner(&format!("s{s}")));
        lists(&*journal, &list, wanted).await;
    }
    // A thousand, of whom hardly any has something.
    let list = List { among: of_sellers(1..1_001), ..deals() };
    lists(&*journal, &list, |n| seller(n) != owner("s0")).await;
    // Twice the same is once.
    let list = List { among: of_sellers([2, 2]), ..deals() };
    lists(&*journal, &list, |n| seller(n) == owner("s2")).await;
}

pub(super) async fn lists_go_by_party_and_parent(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    sixty(&*journal).await;
    let (party, parent) = (Among::Party(owner("carol")), Among::Parent("d4".to_owned()));
    lists(&*journal, &List { among: vec![party.clone()], ..deals() }, |n| n.is_multiple_of(5)).await;
    lists(&*journal, &List { among: vec![parent.clone()], ..deals() }, |n| n.is_multiple_of(4)).await;
    let sold = vec!["sold".to_owned(), "reserved".to_owned()];
    let list = List { among: vec![parent.clone()], statuses: sold, ..deals() };
    lists(&*journal, &list, |n| n.is_multiple_of(4) && !n.is_multiple_of(3)).await;
    let both = List { among: vec![Among::Owner(owner("nobody")), party], ..deals() };
    lists(&*journal, &both, |n| n.is_multiple_of(5)).await;
    let zero = List { among: vec![parent, Among::Parent("\0d4".to_owned())], ..deals() };
    lists(&*journal, &zero, |n| n.is_multiple_of(4)).await;
    for kind in [Kind::Bid, Kind::Swap] {
        let none = List { kind, among: vec![Among::Parent("d4".to_owned())], ..deals() };
        lists(&*journal, &none, |_| false).await;
    }
}

pub(super) async fn lists_filter_by_ranges(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    sixty(&*journal).await;
    let all = List { ranges: vec![("totalPrice", -50..=200)], ..deals() };
    lists(&*journal, &all, |n| (-50..=200).contains(&price(n))).await;
    let some = List {
        among: of_sellers([0, 1, 2, 5]),
        statuses: vec!["available".to_owned(), "sold".to_owned()],
        fields: vec![("currency", "GBP".to_owned())],
        ranges: vec![("totalPrice", 0..=i64::MAX)],
        ..deals()
    };
    let sellers = ["s0", "s1", "s2", "s5"].map(owner);
    let wanted = |n: usize| sellers.contains(&seller(n)) && n % 3 != 1 && n.is_multiple_of(2) && price(n) >= 0;
    lists(&*journal, &some, wanted).await;
    let largest = List { ranges: vec![("totalPrice", (1 << 53) - 1..=i64::MAX)], ..deals() };
    lists(&*journal, &largest, |n| n == 59).await;
    // A text is no number, and neither is what is not there.
    let deep = List { ranges: vec![("deep.size", i64::MIN..=i64::MAX)], ..deals() };
    lists(&*journal, &deep, |n| n % 2 == 1).await;
    lists(&*journal, &List { ranges: vec![("width", i64::MIN..=i64::MAX)], ..deals() }, |_| false).await;
    let status = List { ranges: vec![("deep.size", 3..=9)], statuses: vec!["sold".to_owned()], ..deals() };
    lists(&*journal, &status, |n| [5].contains(&n)).await;
}

pub(super) async fn lists_of_owners_keep_up_with_changes(harness: &dyn Harness) {
    let journal = harness.open(LONG).await;
    sixty(&*journal).await;
    for n in [3_usize, 30, 58] {
        let write = EntityWrite {
            kind: Kind::Deal,
            owner: seller(n),
            body: r#"{"currency":"USD","totalPrice":7}"#.to_owned(),
            event: None,
            ..write(&n.to_string(), Expect::Version(1), "withdrawn")
        };
        journal.apply(change(vec![write])).await.unwrap();
    }
    let dollars = List {
        among: of_sellers(0..7),
        statuses: vec!["withdrawn".to_owned()],
        fields: vec![("currency", "USD".to_owned())],
        ranges: vec![("totalPrice", 7..=7)],
        ..deals()
    };
    lists(&*journal, &dollars, |n| [3, 30, 58].contains(&n)).await;
    // What concerned carol and hung on d4 still does.
    lists(&*journal, &List { among: vec![Among::Party(owner("carol"))], ..deals() }, |n| n.is_multiple_of(5)).await;
}

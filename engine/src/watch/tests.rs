//! The book of waiting orders: who crosses, who sleeps, and how little is done for the others.

use std::sync::Arc;

use domain::Timestamp;
use domain::amount::Decimal;

use super::book::{Book, Pair};
use super::rate::Rate;

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn pair() -> Pair {
    Pair { input: "SOL".into(), output: "USDC".into() }
}

/// USDC in its base units for one SOL.
fn rate(price: u128) -> Rate {
    let (sol, usdc) = (Decimal { units: 1_000_000_000, decimals: 9 }, Decimal { units: price, decimals: 6 });
    Rate::of(sol, usdc).expect("a rate")
}

fn body(side: &str, price: &str) -> String {
    format!(
        r#"{{"side":"{side}","inputToken":"SOL","inputDecimals":9,"outputToken":"USDC","outputDecimals":6,"limitPrice":"{price}"}}"#
    )
}

fn open(book: &Book, id: &str, side: &str, price: &str) {
    book.told(id, 1, ("swap.open", &body(side, price)), NOW);
}

fn woken(book: &Book, price: u128, now: Timestamp, most: usize) -> Vec<Arc<str>> {
    book.cross(&pair(), &rate(price), now, most).into_iter().map(|wake| wake.id).collect()
}

fn ids(woken: &[Arc<str>]) -> Vec<&str> {
    woken.iter().map(|id| &**id).collect()
}

#[test]
fn those_that_cross_are_woken_the_best_price_first_and_of_one_price_as_they_came() {
    let book = Book::default();
    for (id, side, price) in [
        ("c", "sell", "150"),
        ("a", "sell", "149"),
        ("d", "sell", "151"),
        ("b", "sell", "150"),
        ("far", "buy", "0.006"),
        ("near", "buy", "0.0067"),
    ] {
        open(&book, id, side, price);
    }
    assert_eq!(book.pairs(), [pair()]);
    assert_eq!(ids(&woken(&book, 150_000_000, NOW, 100)), ["a", "c", "b", "near"]);
    assert_eq!(woken(&book, 150_000_000, NOW, 100), Vec::<Arc<str>>::new(), "they sleep");
    assert_eq!(ids(&woken(&book, 170_000_000, NOW, 3)), ["a", "c", "b"], "the price is better, and three are enough");
    assert_eq!(ids(&woken(&book, 170_000_000, NOW, 100)), ["d", "near", "far"]);
}

#[test]
fn who_is_woken_in_vain_sleeps_for_a_growing_while() {
    let book = Book::default();
    open(&book, "a", "sell", "150");
    let mut now = NOW;
    for (tries, least, most) in [(1, 800, 1_200), (2, 1_600, 2_400), (3, 3_200, 4_800), (4, 6_400, 9_600)] {
        assert_eq!(ids(&woken(&book, 150_000_000, now, 10)), ["a"], "{tries}");
        let asleep = now.plus_millis(least - 1);
        book.rouse(asleep, 10);
        assert_eq!(ids(&woken(&book, 150_000_000, asleep, 10)), [""; 0], "{tries}");
        now = now.plus_millis(most + 1);
        book.rouse(now, 10);
    }
}

#[test]
fn a_hundred_thousand_waiting_orders_cost_nothing_in_a_beat() {
    let book = Book::default();
    for number in 0..100_000_u32 {
        // From 200.00 USDC up; the market is at 150.
        open(&book, &number.to_string(), "sell", &format!("{}.{:02}", 200 + number / 100, number % 100));
    }
    let (waiting, begun) = book.counts();
    assert_eq!(waiting, 100_000);
    let mut now = NOW;
    for _ in 0..1_000 {
        now = now.plus_millis(400);
        book.rouse(now, 256);
        assert_eq!(book.pairs(), [pair()]);
        assert_eq!(woken(&book, 150_000_000, now, 256), Vec::<Arc<str>>::new());
    }
    assert_eq!(book.counts().1, begun, "no order is looked at while none crosses");
    // Of those that cross, each is looked at once, and the others are not.
    assert_eq!(woken(&book, 200_090_000, now, 256).len(), 14);
    assert_eq!(book.counts().1, begun + 14);
    assert_eq!(woken(&book, 1_500_000_000, now, 256).len(), 256, "no more than that in a beat");
    // Those fourteen were roused, because the price is better.
    assert_eq!(book.counts().1, begun + 14 + 14 + 256);
}

#[test]
fn what_is_gone_is_woken_no_more_whatever_is_told_late() {
    let book = Book::default();
    open(&book, "a", "sell", "150");
    book.told("a", 2, ("swap.cancelled", ""), NOW);
    assert_eq!((book.counts().0, book.pairs()), (0, Vec::new()));
    book.begin_load();
    book.told("b", 2, ("swap.cancelled", ""), NOW);
    open(&book, "b", "sell", "150");
    open(&book, "c", "sell", "150");
    book.end_load();
    assert!(!book.is_stale());
    assert_eq!(ids(&woken(&book, 150_000_000, NOW, 10)), ["c"], "what was read late is no news");
    book.miss();
    assert!(book.is_stale());
}

#[test]
fn the_amount_that_is_asked_for_finds_its_size() {
    let book = Book::default();
    open(&book, "a", "sell", "150");
    assert_eq!(book.probe(&pair()), Some(1_000_000_000));
    // Fine enough in both tokens, and no larger than that needs.
    for (paid, received, next) in [
        (1_000_000_000, 150_000_000, 100_000_000),
        (100_000_000, 15_000_000, 10_000_000),
        (10_000_000, 1_500_000, 1_000_000),
        (1_000_000, 150_000, 1_000_000),
        (1_000_000, 9_000, 10_000_000),
    ] {
        assert!(book.probed(&pair(), Some((paid, received))).is_some());
        assert_eq!(book.probe(&pair()), Some(next), "{paid} {received}");
    }
    // Without an answer it is asked for less and less often.
    let mut beats = Vec::new();
    for _ in 0..3 {
        assert_eq!(book.probed(&pair(), None), None);
        beats.push((1..).find(|_| !book.pairs().is_empty()).expect("its turn"));
    }
    assert_eq!(beats, [2, 3, 4]);
}

//! What the decisions do to a bid, its deal, its events and its jobs.

use serde_json::Value;

use super::decide::{LONGEST_LIFE_MICROS, MOST_VERSIONS};
use super::*;
use crate::deal::{self, Deal, Draft, Item, Post, Price, Terms};
use crate::money::{Currency, Minor};
use crate::{Change, Entity, Expect, JobStep, Lease, Owner, Then, Timestamp};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn owner(name: &str) -> Owner {
    Owner::parse(name).unwrap()
}

fn minor(units: i64) -> Minor {
    Minor::new(units).unwrap()
}

fn terms(price: i64) -> Terms {
    terms_in("EUR", price)
}

fn terms_in(currency: &str, price: i64) -> Terms {
    let items = vec![Item { id: "1".to_owned(), name: "Chair".to_owned(), price: minor(price) }];
    let price = Price::Computed { discount: None, stated: None };
    Terms::new(Draft { name: "Chair".to_owned(), currency: Currency::parse(currency).unwrap(), items, price }).unwrap()
}

fn posted() -> Deal {
    deal::post(Post { id: "d".to_owned(), seller: owner("acme"), terms: terms(1_000), sold: false }, NOW).unwrap().deal
}

fn offered(deal: &Deal, expires_at: Option<Timestamp>) -> Choice {
    let (buyer, amount) = (owner("bob"), minor(900));
    offer(deal, Offer { id: id(&deal.id, &buyer, 1), buyer, amount, expires_at }, NOW).unwrap()
}

fn price(amount: i64) -> Counter {
    Counter { amount: minor(amount), expires_at: None }
}

fn stored(change: &Change) -> Entity {
    let write = &change.entities[0];
    Entity {
        kind: write.kind,
        id: write.id.clone(),
        version: write.expect.next_version(),
        status: write.status.to_owned(),
        owner: write.owner.clone(),
        party: write.party.clone(),
        parent: write.parent.clone(),
        body: write.body.clone(),
        created_seq: 1,
        created_at: NOW,
        updated_at: change.at,
    }
}

fn step() -> JobStep {
    JobStep { lease: Lease { job: 1, token: 1 }, then: Then::Finish }
}

#[test]
fn a_price_goes_to_and_fro_until_it_is_taken() {
    let (deal, acme, bob) = (posted(), owner("acme"), owner("bob"));
    let choice = offered(&deal, None);
    insta::assert_snapshot!("offered", choice.change.entities[0].event.as_ref().unwrap().body);
    assert_eq!(Bid::from_entity(&stored(&choice.change)).unwrap(), choice.bid);
    assert_eq!(counter(&choice.bid, &deal, &bob, price(1), NOW).unwrap_err().code, "NOT_YOUR_TURN");
    assert_eq!(accept(&choice.bid, &deal, &bob, NOW).unwrap_err().code, "NOT_YOUR_TURN");
    assert_eq!(decline(&choice.bid, &bob, NOW).unwrap_err().code, "NOT_YOUR_TURN");

    let bid = counter(&choice.bid, &deal, &acme, price(980), NOW).unwrap().bid;
    assert_eq!((bid.status, bid.status.turn(), bid.amount), (Status::Countered, Some(Side::Buyer), minor(980)));
    assert_eq!(accept(&bid, &deal, &acme, NOW).unwrap_err().code, "NOT_YOUR_TURN");
    let bid = counter(&bid, &deal, &bob, price(940), NOW).unwrap().bid;
    assert_eq!((bid.status, bid.version), (Status::Offered, 3));

    let accepted = accept(&bid, &deal, &acme, NOW).unwrap();
    insta::assert_snapshot!("accepted", accepted.change.entities[0].event.as_ref().unwrap().body);
    assert_eq!(
        (accepted.deal.status, accepted.change.entities[1].expect),
        (deal::Status::Reserved, Expect::Version(1))
    );
    let reservation = accepted.deal.reservation.clone().unwrap();
    assert_eq!((reservation.bid_id, reservation.buyer, reservation.amount), (bid.id, bob.clone(), minor(940)));
    assert_eq!(retract(&accepted.bid, &bob, NOW).unwrap_err().code, "WRONG_STATE");
    assert_eq!(release(&accepted.bid, NOW).unwrap().bid.status, Status::Declined);
}

#[test]
fn of_two_bids_one_is_accepted() {
    let (deal, acme) = (posted(), owner("acme"));
    let first = offered(&deal, None).bid;
    let other =
        offer(&deal, Offer { id: "o".to_owned(), buyer: owner("eve"), amount: minor(1), expires_at: None }, NOW);
    let reserved = accept(&first, &deal, &acme, NOW).unwrap().deal;
    assert_eq!(accept(&other.unwrap().bid, &reserved, &acme, NOW).unwrap_err().code, "DEAL_NOT_AVAILABLE");
    let late = Offer { id: "l".to_owned(), buyer: owner("eve"), amount: minor(1), expires_at: None };
    assert_eq!(offer(&reserved, late, NOW).unwrap_err().code, "DEAL_NOT_AVAILABLE");
}

#[test]
fn a_price_is_for_the_terms_that_stood_when_it_was_named() {
    let (deal, acme) = (posted(), owner("acme"));
    let bid = offered(&deal, None).bid;
    let same = deal::update(&deal, terms(1_000), NOW).unwrap().deal;
    assert!(accept(&bid, &same, &acme, NOW).is_ok(), "the same terms again");
    let changed = deal::update(&deal, terms_in("KWD", 5), NOW).unwrap().deal;
    assert_eq!(accept(&bid, &changed, &acme, NOW).unwrap_err().code, "DEAL_CHANGED");
    let bid = counter(&bid, &changed, &acme, price(4), NOW).unwrap().bid;
    assert_eq!(bid.currency.code(), "KWD", "a price is in the currency of the terms that it is for");
    assert!(accept(&bid, &changed, &owner("bob"), NOW).is_ok());
}

#[test]
fn a_bid_is_countered_so_often_and_lives_so_long() {
    let deal = posted();
    let far = NOW.plus_micros(LONGEST_LIFE_MICROS + 1);
    let endless = Offer { id: "n".to_owned(), buyer: owner("eve"), amount: minor(1), expires_at: Some(far) };
    assert_eq!(offer(&deal, endless, NOW).unwrap_err().code, "EXPIRE_TIME_TOO_LATE");
    let mut bid = offered(&deal, None).bid;
    let sides = [owner("acme"), owner("bob")];
    for by in sides.iter().cycle().take(usize::try_from(MOST_VERSIONS).unwrap() - 1) {
        bid = counter(&bid, &deal, by, price(4), NOW).unwrap().bid;
    }
    assert_eq!(counter(&bid, &deal, &sides[1], price(4), NOW).unwrap_err().code, "TOO_MANY_COUNTERS");
}

#[test]
fn a_bid_of_before_a_withdrawal_is_closed_even_when_the_deal_came_back() {
    let deal = posted();
    let bid = offered(&deal, None).bid;
    assert_eq!(close(&bid, &deal, NOW).unwrap(), None);
    let withdrawn = deal::withdraw(&deal, NOW).unwrap().deal;
    let back = deal::relist(&withdrawn, NOW).unwrap().deal;
    for deal in [&withdrawn, &back] {
        assert_eq!(close(&bid, deal, NOW).unwrap().unwrap().bid.status, Status::Declined);
        assert_eq!(accept(&bid, deal, &owner("acme"), NOW).unwrap_err().code, "DEAL_NOT_AVAILABLE");
    }
    let newer = Offer { id: "n".to_owned(), buyer: owner("eve"), amount: minor(1), expires_at: None };
    assert_eq!(close(&offer(&back, newer, NOW).unwrap().bid, &back, NOW).unwrap(), None);
}

#[test]
fn an_expired_bid_is_not_accepted_and_a_new_time_replaces_the_old() {
    let (deal, acme) = (posted(), owner("acme"));
    let (soon, later) = (NOW.plus_millis(10), NOW.plus_millis(99));
    let choice = offered(&deal, Some(soon));
    assert_eq!(
        choice.change.jobs.iter().map(|j| (j.queue.as_ref(), j.run_at)).collect::<Vec<_>>(),
        [(QUEUE_CLOSE, NOW), (QUEUE_EXPIRE, soon)]
    );
    assert_eq!(accept(&choice.bid, &deal, &acme, soon).unwrap_err().code, "BID_EXPIRED");
    assert_eq!(expire(&choice.bid, step(), NOW).unwrap(), None);
    let expired = expire(&choice.bid, step(), soon).unwrap().unwrap();
    assert_eq!((expired.bid.status, expired.change.step), (Status::Expired, Some(step())));
    assert_eq!(expire(&expired.bid, step(), soon).unwrap_err().code, "WRONG_STATE");

    let countered = counter(&choice.bid, &deal, &acme, Counter { amount: minor(1), expires_at: Some(later) }, NOW);
    assert_eq!(expire(&countered.unwrap().bid, step(), soon).unwrap(), None);
}

#[test]
fn bad_offers_are_refused() {
    let deal = posted();
    let at = |buyer: &str, amount: i64, expires_at| {
        let made = Offer { id: "x".to_owned(), buyer: owner(buyer), amount: minor(amount), expires_at };
        offer(&deal, made, NOW).map(|_| ()).map_err(|r| (r.code, r.pointer))
    };
    assert_eq!(at("acme", 1, None), Err(("OWN_DEAL", None)));
    assert_eq!(at("bob", 0, None), Err(("AMOUNT_NOT_POSITIVE", Some("/amount".into()))));
    assert_eq!(at("bob", 1, Some(NOW)), Err(("EXPIRE_TIME_IN_PAST", Some("/expiresAt".into()))));
    assert_eq!(at("bob", 1, Some(NOW.plus_millis(1))), Ok(()));
}

#[test]
fn jobs_say_what_they_are_about() {
    for close in [
        Close::Deal { id: "d".to_owned(), after: None },
        Close::Deal { id: "d".to_owned(), after: Some(7) },
        Close::Bid { id: "b".to_owned() },
    ] {
        assert_eq!(Close::parse(&close.job("d", NOW).body), Some(close));
    }
    assert_eq!(Close::parse("nonsense d"), None);
    let body: Value = serde_json::from_str(&offered(&posted(), None).bid.view_json()).unwrap();
    assert_eq!((&body["awaits"], &body["currency"]), (&"seller".into(), &"EUR".into()));
}

//! Streams are judged by who may see what: at once when it changes, and without a gap or a double.

use std::collections::{HashMap, HashSet};

use domain::bid::Counter;
use domain::deal::{Draft, Item, Post, Price, Terms};
use domain::money::{Currency, Minor};

use super::*;
use crate::intake::Taken;

fn watch(account: &str) -> Watch {
    Watch { account: Some(owner(account)), ..Watch::default() }
}

async fn follow(engine: &Engine, account: &str, after: Option<u64>) -> Follower {
    Follower::open(&engine.hub, watch(account), after).await.expect("a follower")
}

async fn post(engine: &Engine, seller: &str) -> Taken {
    let item = Item { id: new_id(), name: "a lamp".to_owned(), price: Minor::new(500).expect("small") };
    let terms = Terms::new(Draft {
        name: "lamps".to_owned(),
        currency: Currency::parse("GBP").expect("a currency"),
        items: vec![item],
        price: Price::Computed { discount: None, stated: None },
    });
    let post = Post { id: new_id(), seller: owner(seller), terms: terms.expect("terms"), sold: false };
    engine.intake.post_deal(post, None).await.expect("posted")
}

async fn authorise(engine: &Engine, seller: &str, buyer: &str) {
    engine.intake.authorise(&owner(seller), &owner(buyer), None).await.expect("authorised");
}

async fn revoke(engine: &Engine, seller: &str, buyer: &str) {
    engine.intake.revoke_authorisation(&owner(seller), &owner(buyer), None).await.expect("revoked");
}

/// Something of its own, so that a stream has something to come to.
async fn mark(engine: &Engine, account: &str) -> String {
    let place = Place { account: owner(account), ..place() };
    engine.intake.place(place, None).await.expect("taken").id
}

/// The types up to the mark, which is not among them.
async fn until_mark(follower: &mut Follower, mark: &str) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    loop {
        let event = next(follower).await;
        if event.id == mark {
            return seen;
        }
        seen.push((event.type_, event.owner.to_string()));
    }
}

fn named(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(type_, of)| ((*type_).to_owned(), (*of).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_hears_of_a_sellers_deals_from_the_grant_to_the_revocation() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let mut live = follow(&engine, "buyer", None).await;
    post(&engine, "s1").await;
    authorise(&engine, "s1", "buyer").await;
    post(&engine, "s1").await;
    post(&engine, "s2").await;
    authorise(&engine, "s2", "other").await;
    let first = mark(&engine, "buyer").await;
    let granted = [("authorisation.granted", "s1"), ("deal.created", "s1")];
    assert_eq!(until_mark(&mut live, &first).await, named(&granted));
    // History is judged by what holds now.
    let mut again = follow(&engine, "buyer", Some(0)).await;
    let all = [("deal.created", "s1"), ("authorisation.granted", "s1"), ("deal.created", "s1")];
    assert_eq!(until_mark(&mut again, &first).await, named(&all));

    revoke(&engine, "s1", "buyer").await;
    post(&engine, "s1").await;
    mark(&engine, "s1").await;
    let second = mark(&engine, "buyer").await;
    for follower in [&mut live, &mut again] {
        assert_eq!(until_mark(follower, &second).await, named(&[("authorisation.revoked", "s1")]));
    }
    let mut after = follow(&engine, "buyer", Some(0)).await;
    let rest = [("authorisation.granted", "s1"), ("swap.pending", "buyer"), ("authorisation.revoked", "s1")];
    assert_eq!(until_mark(&mut after, &second).await, named(&rest));
    drop((live, again, after));
    // Whoever comes when nobody was there knows what happened meanwhile.
    authorise(&engine, "s2", "buyer").await;
    let mut late = follow(&engine, "buyer", None).await;
    post(&engine, "s1").await;
    post(&engine, "s2").await;
    let third = mark(&engine, "buyer").await;
    assert_eq!(until_mark(&mut late, &third).await, named(&[("deal.created", "s2")]));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_hears_of_bids_for_its_deals_and_others_do_not() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    for buyer in ["buyer", "other"] {
        authorise(&engine, "seller", buyer).await;
    }
    let mut followers = Vec::new();
    for account in ["seller", "buyer", "other"] {
        followers.push((account, follow(&engine, account, None).await));
    }
    let deal = post(&engine, "seller").await;
    let terms = Counter { amount: Minor::new(400).expect("small"), expires_at: None };
    engine.intake.offer_bid(&owner("buyer"), &deal.id, terms, None).await.expect("offered");
    for (account, follower) in &mut followers {
        let mark = mark(&engine, account).await;
        let mut expected = vec![("deal.created", "seller")];
        expected.extend((*account != "other").then_some(("bid.offered", "buyer")));
        assert_eq!(until_mark(follower, &mark).await, named(&expected), "{account}");
    }
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_deal_is_followed_by_those_who_may_see_it() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let deal = post(&engine, "seller").await;
    let entity = async |account: &str| {
        Follower::entity(&engine.hub, Some(owner(account)), Kind::Deal, &deal.id).await.expect("a follower")
    };
    let mut stranger = entity("buyer").await;
    assert!(futures_util::FutureExt::now_or_never(stranger.next()).is_none());
    authorise(&engine, "seller", "buyer").await;
    let mut early = entity("buyer").await;
    assert_eq!(next(&mut early).await.version, 1);
    let target = || crate::intake::Target { id: &deal.id, version: None };
    engine.intake.withdraw_deal(&owner("seller"), target(), None).await.expect("withdrawn");
    for follower in [&mut stranger, &mut early] {
        assert_eq!(next(follower).await.version, 2);
    }
    revoke(&engine, "seller", "buyer").await;
    engine.intake.relist_deal(&owner("seller"), target(), None).await.expect("relisted");
    let mut late = entity("buyer").await;
    let mut own = entity("seller").await;
    assert_eq!([next(&mut own).await.version, next(&mut own).await.version, next(&mut own).await.version], [1, 2, 3]);
    for follower in [&mut stranger, &mut early, &mut late] {
        assert!(futures_util::FutureExt::now_or_never(follower.next()).is_none());
    }
    engine.stop(PATIENCE).await;
}

/// What the log says that a buyer was told, each event judged by the authorisations before it.
async fn by_the_log(engine: &Engine, buyer: &str) -> Vec<u64> {
    let (mut told, mut sellers, mut last) = (Vec::new(), HashSet::new(), 0);
    while let page @ [_, ..] = &*engine.journal.events(last, None, 1_000).await.expect("events") {
        last = page.last().expect("a last one").seq;
        for event in page {
            let concerns = event.party.as_ref().is_some_and(|party| party.as_str() == buyer);
            if concerns && event.kind == Kind::Authorisation {
                let stands = event.type_ == "authorisation.granted";
                if stands {
                    sellers.insert(event.owner.clone())
                } else {
                    sellers.remove(&event.owner)
                };
            }
            let authorised = event.kind == Kind::Deal && sellers.contains(&event.owner);
            if concerns || authorised || event.owner.as_str() == buyer {
                told.push(event.seq);
            }
        }
    }
    told
}

/// One seller is authorised all the time, one never, others now and then, while all of them post.
async fn post_and_change_minds(engine: &Engine, rounds: usize) {
    let mut posting = tokio::task::JoinSet::new();
    let intake = &engine.intake;
    for n in 0..4_usize {
        let intake = Arc::clone(intake);
        posting.spawn(async move {
            let seller = owner(&format!("s{n}"));
            for round in 0..rounds {
                let buyer = owner("buyer");
                match (n, round % 4) {
                    (2 | 3, 0) => drop(intake.authorise(&seller, &buyer, None).await.expect("authorised")),
                    (2 | 3, 2) => drop(intake.revoke_authorisation(&seller, &buyer, None).await.expect("revoked")),
                    _ => {}
                }
                let item = Item { id: new_id(), name: "a lamp".to_owned(), price: Minor::ZERO };
                let price = Price::Computed { discount: None, stated: None };
                let currency = Currency::parse("GBP").expect("a currency");
                let draft = Draft { name: "lamps".to_owned(), currency, items: vec![item], price };
                let terms = Terms::new(draft).expect("terms");
                let post = Post { id: new_id(), seller: seller.clone(), terms, sold: false };
                intake.post_deal(post, None).await.expect("posted");
            }
        });
    }
    posting.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_stream_is_what_the_log_says_while_minds_change() {
    let site = Site::new();
    let engine = Arc::new(site.engine("paper?pace=instant", 0).await);
    authorise(&engine, "s0", "buyer").await;
    let mut live = follow(&engine, "buyer", Some(0)).await;
    assert_eq!(next(&mut live).await.seq, 1);
    let writer = Arc::clone(&engine);
    let writing = tokio::spawn(async move {
        post_and_change_minds(&writer, 100).await;
        mark(&writer, "buyer").await
    });
    let mut seen = vec![1];
    loop {
        let event = next(&mut live).await;
        seen.push(event.seq);
        if event.kind == Kind::Swap {
            break;
        }
    }
    writing.await.expect("no panic");
    assert_eq!(seen, by_the_log(&engine, "buyer").await);
    engine.stop(PATIENCE).await;
}

/// Resumed again and again, it misses nothing that was to be seen all the time, shows nothing that never was, and repeats
/// nothing; in between it is judged by the moment of reading.
#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_stream_misses_and_repeats_nothing_while_minds_change() {
    let site = Site::new();
    let engine = Arc::new(site.engine("paper?pace=instant", 0).await);
    authorise(&engine, "s0", "buyer").await;
    let writer = Arc::clone(&engine);
    let writing = tokio::spawn(async move {
        post_and_change_minds(&writer, 100).await;
        mark(&writer, "buyer").await
    });
    let mut seen: Vec<Event> = Vec::new();
    while seen.last().is_none_or(|event| event.kind != Kind::Swap) {
        let position = seen.last().map_or(0, |event| event.seq);
        let mut follower = follow(&engine, "buyer", Some(position)).await;
        for _ in 0..7 {
            let event = next(&mut follower).await;
            let end = event.kind == Kind::Swap;
            seen.push(event);
            if end {
                break;
            }
        }
    }
    writing.await.expect("no panic");
    assert!(seen.is_sorted_by(|a, b| a.seq < b.seq));
    let mut deals: HashMap<&str, usize> = HashMap::new();
    let mut authorisations = 0;
    for event in &seen {
        match event.kind {
            Kind::Deal => *deals.entry(event.owner.as_str()).or_default() += 1,
            Kind::Authorisation => authorisations += 1,
            _ => {}
        }
    }
    assert_eq!((deals["s0"], deals.get("s1"), authorisations), (100, None, 1 + 2 * 50));
    engine.stop(PATIENCE).await;
}

//! Deals and bids on two engines at once, and through a stop in the middle of a job.

use std::sync::Arc;

use domain::bid::{self, Bid, Counter, QUEUE_CLOSE};
use domain::deal::{Deal, Draft, Item, Post, Price, Status, Terms};
use domain::invoice::Invoice;
use domain::money::{Currency, Minor};
use domain::token::Registry;
use domain::{Kind, Owner};
use drivers::journal::{self, Among, Journal, List, Options};
use drivers::{cache, venue, wake};
use futures_util::future::join_all;

use super::{Engine, PATIENCE, Parts, Settings, Site, clock, owner, until};
use crate::Concurrency;
use crate::intake::{IntakeError, Target, new_id};

pub(super) fn deal(seller: &Owner) -> Post {
    let items = vec![Item { id: new_id(), name: "Chair".to_owned(), price: minor(10_000) }];
    let (currency, price) =
        (Currency::parse("GBP").expect("a currency"), Price::Computed { discount: None, stated: None });
    let terms = Terms::new(Draft { name: "A chair".to_owned(), currency, items, price }).expect("terms");
    Post { id: new_id(), seller: seller.clone(), terms, sold: false }
}

fn minor(units: i64) -> Minor {
    Minor::new(units).expect("an amount")
}

fn any(id: &str) -> Target<'_> {
    Target { id, version: None }
}

fn price(units: i64) -> Counter {
    Counter { amount: minor(units), expires_at: None }
}

/// As a process of its own has it: its own connections to everything.
async fn engine(journal_url: &str) -> Engine {
    let wake = wake::open("postgres", journal_url).await.expect("a wake");
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal: journal::open(journal_url, options).await.expect("a journal"),
        wake,
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings: Settings::default(),
    })
}

/// Posts a deal of `acme`'s for which so many buyers have made a bid each; answers with its id and theirs.
async fn with_bids(engine: &Engine, buyers: usize) -> (String, Vec<String>) {
    let acme = owner("acme");
    let id = engine.intake.post_deal(deal(&acme), None).await.expect("posted").id;
    let bids = join_all((0..buyers).map(async |n| {
        let buyer = owner(&format!("buyer-{n}"));
        engine.intake.authorise(&acme, &buyer, None).await.expect("authorised");
        engine.intake.offer_bid(&buyer, &id, price(1_000 + n as i64), None).await.expect("offered").id
    }));
    let bids = bids.await;
    (id, bids)
}

async fn all(journal: &dyn Journal, kind: Kind, among: Among, statuses: &[&str]) -> Vec<domain::Entity> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = journal.entities(List {
            kind,
            among: vec![among.clone()],
            statuses: statuses.iter().map(|status| (*status).to_owned()).collect(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after,
            newest_first: false,
            limit: 100,
        });
        let page = page.await.expect("a page");
        found.extend(page.entities);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_bids_accepted_at_once_by_two_engines_exactly_one_is() {
    let database = testbed::database();
    let (one, other) = (engine(&database.url).await, engine(&database.url).await);
    let acme = owner("acme");
    let (id, bids) = with_bids(&one, 64).await;
    // Every bid by both, so that they meet over bids, too.
    let calls = bids.iter().flat_map(|bid| [(&one, bid), (&other, bid)]);
    let answers = join_all(calls.map(|(engine, bid)| engine.intake.accept_bid(&acme, any(bid), None))).await;
    let accepted: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(accepted.len(), 1, "{accepted:?}");
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let IntakeError::Refused(refusal) = refused else { panic!("{refused}") };
        assert!(matches!(refusal.code, "DEAL_NOT_AVAILABLE" | "WRONG_STATE"), "{refusal}");
    }
    let row = other.journal.entity(Kind::Deal, &id).await.expect("reads").expect("is there");
    let reserved = Deal::from_entity(&row).expect("reads back");
    assert_eq!(reserved.status, Status::Reserved);
    assert_eq!(reserved.reservation.expect("a reservation").bid_id, accepted[0].id);
    let found = all(one.journal.as_ref(), Kind::Bid, Among::Parent(id.clone()), &["accepted"]).await;
    assert_eq!(found.iter().map(|bid| &bid.id).collect::<Vec<_>>(), [&accepted[0].id]);

    // Sold by both at once: one sale, one invoice; the others' bids are declined by whichever gets to it.
    let sales = join_all([&one, &other].map(|engine| engine.intake.sell_deal(&acme, any(&id), None, None))).await;
    assert_eq!(sales.iter().flatten().count(), 1, "{sales:?}");
    until("the end of the other bids", async || {
        all(one.journal.as_ref(), Kind::Bid, Among::Parent(id.clone()), &["declined"]).await.len() == 63
    })
    .await;
    one.stop(PATIENCE).await;
    other.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_number_one_sellers_invoices_without_gaps() {
    let database = testbed::database();
    let (one, other) = (engine(&database.url).await, engine(&database.url).await);
    let (acme, bob) = (owner("acme"), owner("bob"));
    one.intake.authorise(&acme, &bob, None).await.expect("authorised");
    let deals = join_all((0..30).map(|_| one.intake.post_deal(deal(&acme), None))).await;
    let ids: Vec<String> = deals.into_iter().map(|taken| taken.expect("posted").id).collect();
    let sales = ids.iter().enumerate().map(|(n, id)| {
        let engine = if n % 2 == 0 { &one } else { &other };
        engine.intake.sell_deal(&acme, any(id), Some(&bob), None)
    });
    for sale in join_all(sales).await {
        sale.expect("sold");
    }
    let invoices = all(one.journal.as_ref(), Kind::Invoice, Among::Party(bob), &[]).await;
    let numbers = invoices.iter().map(|row| Invoice::from_entity(row).expect("reads back").number);
    assert_eq!(numbers.collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>(), "in the order of their sales");
    one.stop(PATIENCE).await;
    other.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_between_two_pages_of_bids_to_decline_loses_and_repeats_none() {
    let site = Site::new();
    // Nobody works on that queue: the withdrawal is all that happens.
    let engine = engine_closing(&site, 0).await;
    let (id, bids) = with_bids(&engine, 250).await;
    engine.intake.withdraw_deal(&owner("acme"), any(&id), None).await.expect("withdrawn");
    let events = engine.journal.head().await.expect("a head").seq;
    engine.stop(PATIENCE).await;

    // Stopped as soon as the first page is done, until all are.
    let mut rounds = 0;
    loop {
        let engine = engine_closing(&site, 1).await;
        let before = engine.journal.head().await.expect("a head").seq;
        let done = async || {
            let depth = engine.journal.depth(QUEUE_CLOSE, clock::now()).await.expect("a depth");
            let open = all(engine.journal.as_ref(), Kind::Bid, Among::Parent(id.clone()), &["offered"]).await;
            open.is_empty() && depth.ready + depth.leased + depth.waiting == 0
        };
        until("a page", async || engine.journal.head().await.expect("a head").seq > before || done().await).await;
        let finished = done().await;
        engine.stop(PATIENCE).await;
        rounds += 1;
        if finished {
            break;
        }
        assert!(rounds < 300, "it goes on for ever");
    }
    let engine = engine_closing(&site, 0).await;
    assert_eq!(engine.journal.head().await.expect("a head").seq - events, bids.len() as u64);
    for id in &bids {
        let row = engine.journal.entity(Kind::Bid, id).await.expect("reads").expect("is there");
        let bid = Bid::from_entity(&row).expect("reads back");
        assert_eq!((bid.status, bid.version), (bid::Status::Declined, 2));
    }
    assert!(engine.journal.dead_jobs(QUEUE_CLOSE, 0, 1).await.expect("reads").is_empty());
    engine.stop(PATIENCE).await;
}

async fn engine_closing(site: &Site, at_once: usize) -> Engine {
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal: site.journal().await,
        wake: Arc::clone(&site.wake),
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings: Settings { concurrency: Concurrency::from([(QUEUE_CLOSE, at_once)]), ..Settings::default() },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_has_one_open_bid_for_a_deal_even_when_it_makes_many_at_once() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let (acme, bob) = (owner("acme"), owner("bob"));
    let id = engine.intake.post_deal(deal(&acme), None).await.expect("posted").id;
    engine.intake.authorise(&acme, &bob, None).await.expect("authorised");
    for round in 1..=bid::MOST_BIDS {
        let offers = join_all((0..4).map(|n| engine.intake.offer_bid(&bob, &id, price(1 + n), None))).await;
        let taken: Vec<_> = offers.iter().flatten().collect();
        assert_eq!(taken.len(), 1, "round {round}: {offers:?}");
        assert!(offers.iter().filter_map(|o| o.as_ref().err()).all(|e| e.to_string().starts_with("BID_OPEN")));
        engine.intake.retract_bid(&bob, any(&taken[0].id), None).await.expect("retracted");
    }
    let refused = engine.intake.offer_bid(&bob, &id, price(1), None).await.expect_err("the last was the last");
    assert!(refused.to_string().starts_with("TOO_MANY_BIDS"), "{refused}");
    engine.stop(PATIENCE).await;
}

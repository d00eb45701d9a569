//! Two engines on one PostgreSQL, woken through it: they relay to one JetStream stream, and hear of each other's
//! rights, limits and trading state.

use std::sync::Arc;

use domain::token::Registry;
use drivers::journal::{self, Options};
use drivers::{cache, export, venue, wake};

use domain::risk::{State, Terms};

use super::risk::{code, limit, limits_and_orders_at_once, turn};
use super::{Engine, PATIENCE, Parts, Settings, at_once, clock, owner, place, until};
use crate::Roles;

/// An engine as a process of its own has it: its own connections to everything.
async fn engine(journal_url: &str, export_url: Option<&str>, roles: Roles) -> Engine {
    let wake = wake::open("postgres", journal_url).await.expect("a wake");
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let journal = journal::open(journal_url, options).await.expect("a journal");
    let epoch = journal.head().await.expect("a head").epoch;
    let mut exports = Vec::new();
    if let Some(url) = export_url {
        exports.push((url.to_owned(), export::open(url, epoch).await.expect("an export")));
    }
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal,
        wake,
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
        exports,
        tokens,
        settings: Settings { roles, concurrency: at_once(0), ..Settings::default() },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_on_one_postgres_go_on_exporting_whoever_stops_and_whatever_is_wiped() {
    let (database, server) = (testbed::database(), testbed::Nats::start());
    let url = server.url();
    let start = async || engine(&database.url, Some(&url), Roles::ALL).await;
    let (one, other) = (start().await, start().await);
    let epoch = one.journal.head().await.expect("a head").epoch;
    let orders = async |engine: &Engine| {
        for _ in 0..10 {
            engine.intake.place(place(), None).await.expect("taken");
        }
    };
    let reached = async |seq| match export::open(&url, epoch).await {
        Ok(outside) => outside.position().await == Ok(Some(seq)),
        Err(_) => false,
    };
    orders(&one).await;
    orders(&other).await;
    until("the export", async || reached(20).await).await;
    server.restart_wiped();
    orders(&other).await;
    until("the export again", async || reached(30).await).await;
    one.stop(PATIENCE).await;
    orders(&other).await;
    until("the export by the other", async || reached(40).await).await;
    let row = "select count(*), min(body::jsonb ->> 'position') from entity where kind = 'relay' and id <> 'webhooks'";
    until("the position", async || database.run(row) == "1|40").await;
    other.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_says_of_a_buyer_counts_for_the_other_whatever_it_does() {
    let database = testbed::database();
    let one = engine(&database.url, None, Roles::ALL).await;
    let other = engine(&database.url, None, Roles { api: false, work: true, relay: false }).await;
    let sellers = async || {
        let audience = other.access.audience(&owner("buyer")).await.expect("an audience");
        audience.sellers.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(sellers().await, [""; 0]);
    for _ in 0..5 {
        one.intake.authorise(&owner("seller"), &owner("buyer"), None).await.expect("authorised");
        until("it is heard", async || sellers().await == ["seller"]).await;
        one.intake.revoke_authorisation(&owner("seller"), &owner("buyer"), None).await.expect("revoked");
        until("that it was taken back is heard", async || sellers().await.is_empty()).await;
    }
    one.stop(PATIENCE).await;
    other.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_the_trading_state_hold_wherever_they_were_set() {
    let database = testbed::database();
    let one = Arc::new(engine(&database.url, None, Roles::ALL).await);
    let other = Arc::new(engine(&database.url, None, Roles { api: false, work: true, relay: false }).await);
    other.intake.place(place(), None).await.expect("taken");
    for (state, expected) in [(State::Halted, "TRADING_HALTED"), (State::Active, ""), (State::Halted, "TRADING_HALTED")]
    {
        turn(&one, state).await;
        until("the news of the state", async || match other.intake.place(place(), None).await {
            Ok(_) => expected.is_empty(),
            refused => code(refused) == expected,
        })
        .await;
        until("the workers know", async || other.risk.lets(&place().ask) == expected.is_empty()).await;
    }
    turn(&other, State::Active).await;
    limit(&other, "alice", Terms { max_order: Some(0), ..Terms::default() }).await;
    // From the second time on it does not even take that long: what an order was judged by is looked at with it.
    assert_eq!(code(one.intake.place(place(), None).await), "NOTIONAL_EXCEEDS_MAX_PER_ORDER");
    limits_and_orders_at_once(&one, &other).await;
    one.stop(PATIENCE).await;
    other.stop(PATIENCE).await;
}

//! Keys: known from memory, forgotten the moment they change, on this node and on all others.

use std::sync::Arc;

use domain::key::{Create, Env, Material, Presented, Role};
use domain::token::Registry;
use domain::{Kind, Owner, Timestamp};
use drivers::journal::{self, Options};
use drivers::{cache, venue, wake};

use super::{Engine, PATIENCE, Parts, Settings, Site, at_once, clock, owner, until};
use crate::access::Recalled;
use crate::intake::{Issued, Requester, entropy};

/// One of several engines on a PostgreSQL.
async fn node(url: &str, cache: &str) -> Engine {
    let wake = wake::open("postgres", url).await.expect("a wake");
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal: journal::open(url, options).await.expect("a journal"),
        wake,
        cache: cache::open(cache).await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings: Settings { concurrency: at_once(0), ..Settings::default() },
    })
}

/// A key's text and id.
async fn key(engine: &Engine, role: Role, expires_at: Option<Timestamp>) -> (String, String) {
    let material = Material::New(Env::default(), entropy().expect("random bytes"));
    let create = Create { account: owner("acme"), role, scopes: None, name: None, expires_at, material };
    let made = engine.intake.create_key(create, Requester::Operator(Owner::default()), None).await;
    let Issued { taken, text, .. } = made.expect("a key");
    (text.expect("its text"), taken.id)
}

async fn good(engine: &Engine, text: &str) -> bool {
    engine.access.principal(text, clock::now()).await.expect("an answer").is_some()
}

fn from_memory(engine: &Engine, text: &str) -> Option<bool> {
    match engine.access.recall(&Presented::parse(text).expect("a key"), clock::now()) {
        Recalled::Known(known) => Some(known.is_some()),
        Recalled::Unknown { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_memory_knows_of_a_key_ends_with_the_key() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    assert!(engine.access.is_open().await.expect("an answer"));
    let (admin, _) = key(&engine, Role::Admin, None).await;
    assert!(!engine.access.is_open().await.expect("an answer"));
    let (text, id) = key(&engine, Role::Trader, None).await;
    assert_eq!(from_memory(&engine, &text), None);
    assert!(good(&engine, &text).await && good(&engine, &admin).await);
    assert_eq!(from_memory(&engine, &text), Some(true));
    // The same id with another secret.
    let mut other = Presented::parse(&text).expect("a key");
    other.hash[31] ^= 1;
    assert!(matches!(engine.access.recall(&other, clock::now()), Recalled::Known(None)));

    let mut changes = engine.access.changes();
    changes.borrow_and_update();
    engine.intake.revoke_key(None, &id, &owner("acme"), None).await.expect("revoked");
    assert!(changes.has_changed().expect("open"), "streams look again");
    assert_eq!(from_memory(&engine, &text), None);
    assert!(!good(&engine, &text).await);
    assert_eq!((from_memory(&engine, &text), from_memory(&engine, &admin)), (Some(false), Some(true)));

    let end = clock::now().plus_millis(100);
    let (short, _) = key(&engine, Role::Trader, Some(end)).await;
    let holder = engine.access.principal(&short, clock::now()).await.expect("an answer").expect("good");
    assert!(engine.access.may_stay(Some(&holder), end.plus_micros(-1)).await.expect("an answer"));
    assert!(!engine.access.may_stay(Some(&holder), end).await.expect("an answer"));
    assert!(engine.access.principal(&short, end).await.expect("an answer").is_none());
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_written_once_a_minute() {
    let site = Site::new();
    let engine = site.engine("paper?pace=instant", 0).await;
    let (text, id) = key(&engine, Role::Admin, None).await;
    let now = clock::now();
    let used = async |at| engine.access.principal(&text, at).await.expect("an answer").expect("good");
    used(now).await;
    until("the note", async || engine.access.last_used(&id).await == Ok(Some(now))).await;
    for seconds in [1, 30, 59] {
        used(now.plus_millis(1_000 * seconds)).await;
    }
    let later = now.plus_millis(61_000);
    used(later).await;
    until("the next note", async || engine.access.last_used(&id).await == Ok(Some(later))).await;
    let noted = engine.journal.entity(Kind::KeyUse, &id).await.expect("read").expect("noted");
    assert_eq!(noted.version, 2);
    assert_eq!(engine.journal.head().await.expect("a head").seq, 1, "it is nobody's news");
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_engine_revokes_is_good_with_none() {
    let database = testbed::database();
    let nodes = [node(&database.url, "memory").await, node(&database.url, "none").await];
    for node in &nodes {
        assert!(node.access.is_open().await.expect("an answer"));
    }
    key(&nodes[0], Role::Admin, None).await;
    until("the closing", async || !nodes[1].access.is_open().await.expect("an answer")).await;
    for (one, other) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
        let (text, id) = key(one, Role::Trader, None).await;
        assert!(good(one, &text).await && good(other, &text).await, "what is not known is looked up");
        until("both to know it", async || {
            // Hearing of the key's making voids what was looked up before.
            let _ = (good(one, &text).await, good(other, &text).await);
            from_memory(one, &text) == Some(true) && from_memory(other, &text) == Some(true)
        })
        .await;
        let holder = other.access.principal(&text, clock::now()).await.expect("an answer");
        let mut changes = other.access.changes();
        changes.borrow_and_update();
        one.intake.revoke_key(None, &id, &owner("acme"), None).await.expect("revoked");
        assert!(!good(one, &text).await);
        tokio::time::timeout(PATIENCE, changes.changed()).await.expect("the word of it in time").expect("open");
        assert!(!good(other, &text).await);
        assert!(!other.access.may_stay(holder.as_deref(), clock::now()).await.expect("an answer"));
    }
    for node in nodes {
        node.stop(PATIENCE).await;
    }
}

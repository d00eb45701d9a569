//! Parts of the product in engines of their own, and what the readiness check says of each.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Event;
use domain::swap::{QUEUE, Status};
use domain::token::Registry;
use drivers::export::Export;
use drivers::journal::Journal;
use drivers::{Fault, cache, venue};

use super::{PATIENCE, Site, at_once, place, until, until_final};
use crate::{Engine, Parts, Roles, Settings, clock};

const NONE: Roles = Roles { api: false, work: false, relay: false };

impl Site {
    /// An engine in these roles on a journal that others have open too.
    async fn part(&self, roles: Roles, journal: &Arc<dyn Journal>, exports: Vec<(String, Arc<dyn Export>)>) -> Engine {
        let tokens = Arc::new(Registry::default());
        Engine::start(Parts {
            journal: Arc::clone(journal),
            wake: Arc::clone(&self.wake),
            cache: cache::open("none").await.expect("a cache"),
            limit: None,
            venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
            exports,
            tokens,
            settings: Settings { roles, concurrency: at_once(4), ..Settings::default() },
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_its_part_and_no_other() {
    let site = Site::new();
    let (exports, path) = (site.export().await, site.dir.path().join("events.jsonl"));
    let exported = || std::fs::read_to_string(&path).unwrap_or_default().lines().count();
    let journal = site.journal().await;
    let api = site.part(Roles { api: true, ..NONE }, &journal, exports.clone()).await;
    let taken = api.intake.place(place(), None).await.expect("taken");

    // A relay brings outside what there is, which is one event: nobody works.
    let relay = site.part(Roles { relay: true, ..NONE }, &journal, exports).await;
    until("the export", async || exported() == 1).await;
    let depth = journal.depth(QUEUE, clock::now()).await.expect("a depth");
    assert_eq!((depth.ready, depth.leased, journal.head().await.expect("a head").seq), (1, 0, 1));

    let work = site.part(Roles { work: true, ..NONE }, &journal, Vec::new()).await;
    assert_eq!(until_final(&api, &taken.id).await.status, Status::Confirmed);
    until("the export", async || exported() == 5).await;
    for engine in [api, work, relay] {
        engine.stop(PATIENCE).await;
    }
}

/// An export that is not there.
struct Away {
    hangs: bool,
}

#[async_trait]
impl Export for Away {
    async fn position(&self) -> Result<Option<u64>, Fault> {
        Err(Fault::Unavailable("away".to_owned()))
    }

    async fn send(&self, _: &[Event]) -> Result<(), Fault> {
        Err(Fault::Unavailable("away".to_owned()))
    }

    async fn ping(&self) -> Result<(), Fault> {
        if self.hangs { std::future::pending().await } else { self.send(&[]).await }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_that_do_not_answer_are_named_without_their_address() {
    let site = Site::new();
    let journal = site.journal().await;
    let exports = || -> Vec<(String, Arc<dyn Export>)> {
        let export = |hangs| -> Arc<dyn Export> { Arc::new(Away { hangs }) };
        vec![("nats://me:secret@host".to_owned(), export(false)), ("file:x".to_owned(), export(true))]
    };
    let api = Roles { api: true, ..NONE };
    let relay = Roles { relay: true, ..NONE };
    let asked = async |roles| {
        let engine = site.part(roles, &journal, exports()).await;
        let checks = engine.ready.checks().await;
        checks.iter().map(|check| (check.port.clone(), check.answers, check.needed)).collect::<Vec<_>>()
    };
    let check = |port: &str, answers, needed| (port.to_owned(), answers, needed);
    let ours = vec![check("journal", true, true), check("wake", true, false), check("cache", true, false)];
    assert_eq!(asked(api).await, ours);
    let both = vec![check("export nats", false, true), check("export file", false, true)];
    assert_eq!(asked(relay).await, [ours.clone(), both].concat());
    // Who also takes orders takes them without an export.
    let both = vec![check("export nats", false, false), check("export file", false, false)];
    assert_eq!(asked(Roles::ALL).await, [ours, both].concat());
    journal.close().await;
    assert!(!asked(api).await[0].1, "a closed journal does not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_probes_ask_once() {
    let site = Site::new();
    let engine = site.part(Roles::ALL, &site.journal().await, Vec::new()).await;
    let checks = futures_util::future::join_all((0..50).map(|_| engine.ready.checks())).await;
    assert!(checks.iter().all(|check| Arc::ptr_eq(check, &checks[0])));
    engine.stop(PATIENCE).await;
}

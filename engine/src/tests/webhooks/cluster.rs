//! Two engines on one PostgreSQL.

use drivers::journal::{self, Options};
use drivers::wake;

use super::*;

async fn on_postgres(url: &str) -> Engine {
    let wake = wake::open("postgres", url).await.expect("a wake");
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let tokens = Arc::new(Registry::default());
    Engine::start(Parts {
        journal: journal::open(url, options).await.expect("a journal"),
        wake,
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant&seed=1", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings: settings(&[100]),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_make_one_delivery_of_each_event_and_one_goes_on_when_the_other_stops() {
    let database = testbed::database();
    let (one, other) = (on_postgres(&database.url).await, on_postgres(&database.url).await);
    let receiver = Receiver::start(200).await;
    let id = endpoint(&one, &receiver, &["*"]).await;
    orders(&one, 20).await;
    orders(&other, 20).await;
    until_done(&other, &id, 200).await;
    one.stop(PATIENCE).await;
    orders(&other, 20).await;
    let all = until_done(&other, &id, 300).await;
    assert!(all.iter().all(|delivery| delivery.status == Status::Delivered));
    let ids: HashSet<_> = receiver.got().into_iter().map(|got| got.id).collect();
    assert_eq!(ids.len(), 300);
    other.stop(PATIENCE).await;
}

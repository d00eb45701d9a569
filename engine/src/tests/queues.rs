//! Queues of messages: each case on one engine over SQLite, and on two over one PostgreSQL, where the second has to see what the
//! first did.

mod life;
mod messages;
mod moves;
mod races;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::queue::{Incoming, Outgoing, QUEUE_MOVE, Refusal, Rests, Wanted, arn};
use domain::token::Registry;
use domain::{Kind, Owner};
use drivers::journal::{self, Journal, Options};
use drivers::wake::Wake;
use drivers::{cache, venue, wake};

use super::{Engine, PATIENCE, Parts, Settings, Site, clock, owner, until};
use crate::Concurrency;
use crate::queues::{QueueError, Queues, Wish};

const NO_REST: Rests = Rests { name_micros: 0, purge_micros: 0 };

fn settings(movers: usize, rests: Rests) -> Settings {
    let mut settings = Settings { concurrency: Concurrency::from([(QUEUE_MOVE, movers)]), ..Settings::default() };
    settings.queues.rests = rests;
    settings
}

fn engine(journal: Arc<dyn Journal>, wake: Arc<dyn Wake>, cache: Arc<dyn cache::Cache>, settings: Settings) -> Engine {
    let tokens = Arc::new(Registry::default());
    let venues = venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues");
    Engine::start(Parts { journal, wake, cache, limit: None, venues, exports: Vec::new(), tokens, settings })
}

async fn on_sqlite(site: &Site, settings: Settings) -> Engine {
    let cache = cache::open("memory").await.expect("a cache");
    engine(site.journal().await, Arc::clone(&site.wake), cache, settings)
}

async fn on_postgres(url: &str, settings: Settings) -> Engine {
    let wake = wake::open("postgres", url).await.expect("a wake");
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let journal = journal::open(url, options).await.expect("a journal");
    engine(journal, wake, cache::open("memory").await.expect("a cache"), settings)
}

/// Two ways to the same queues of an account.
struct Nodes<'a> {
    one: &'a Engine,
    other: &'a Engine,
    account: Owner,
}

impl Nodes<'_> {
    fn queues(&self) -> [&Queues; 2] {
        [&self.one.queues, &self.other.queues]
    }

    async fn make(&self, name: &str, attributes: &[(&str, &str)]) {
        let mut wanted = wanted(attributes);
        if name.ends_with(".fifo") {
            wanted.insert("FifoQueue".to_owned(), "true".to_owned());
        }
        self.one.queues.create(&self.account, name, wanted, BTreeMap::new()).await.expect("made");
    }

    /// Sends a message; answers with its id.
    async fn send(&self, name: &str, message: Outgoing) -> String {
        let sent = self.one.queues.send(&self.account, name, vec![message]).await.expect("sent");
        sent.into_iter().next().expect("an answer").expect("taken").message_id
    }

    async fn receive(&self, name: &str, wish: Wish) -> Vec<Incoming> {
        self.other.queues.receive(&self.account, name, wish).await.expect("received")
    }

    /// What is received for an hour, as texts, within some seconds.
    async fn texts(&self, name: &str) -> Vec<String> {
        let received = self.receive(name, ten(3_600, 5)).await;
        received.into_iter().map(|one| one.message.body).collect()
    }

    async fn delete(&self, name: &str, handle: &str) -> Result<(), QueueError> {
        let answers = self.other.queues.delete_messages(&self.account, name, &[handle.to_owned()]).await;
        answers.expect("answered").pop().expect("an answer")
    }

    fn redrive(&self, to: &str, max_receives: u32) -> String {
        let arn = arn::of(&self.account, to);
        format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":{max_receives}}}")
    }
}

fn wanted(attributes: &[(&str, &str)]) -> Wanted {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn text(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), ..Outgoing::default() }
}

fn ordered(group: &str, body: &str) -> Outgoing {
    Outgoing { group: Some(group.to_owned()), dedup: Some(body.to_owned()), ..text(body) }
}

/// Up to ten messages, hidden and waited for so many seconds.
fn ten(visibility: i64, wait: i64) -> Wish {
    Wish { max: 10, visibility: Some(visibility), wait: Some(wait), ..Wish::default() }
}

fn refused<T: std::fmt::Debug>(result: Result<T, QueueError>) -> Refusal {
    match result {
        Err(QueueError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Every case, each with an account of its own.
async fn all(one: &Engine, other: &Engine) {
    let nodes = |name| Nodes { one, other, account: owner(name) };
    life::queues_are_made_found_listed_changed_and_deleted(&nodes("life")).await;
    life::a_purged_queue_is_empty_at_once_and_forgets_duplicates(&nodes("purge")).await;
    life::a_paused_queue_hands_out_nothing(&nodes("pause")).await;
    messages::a_batch_is_taken_but_for_what_is_refused(&nodes("batch")).await;
    messages::a_group_is_received_in_order_by_one_at_a_time(&nodes("group")).await;
    messages::handles_are_good_for_one_hand_out(&nodes("handles")).await;
    messages::a_call_with_a_name_is_answered_again(&nodes("call")).await;
    messages::who_waits_is_woken(&nodes("wait")).await;
    messages::what_is_received_too_often_becomes_a_dead_letter(&nodes("dead")).await;
    moves::dead_letters_are_moved_back_as_new_messages(&nodes("moves")).await;
    moves::a_move_that_cannot_go_on_says_why(&nodes("failing")).await;
    moves::a_move_is_cancelled(&nodes("cancel")).await;
    races::many_receivers_get_every_message_once_and_every_group_in_order(&nodes("many")).await;
    races::nothing_is_sent_into_a_purged_generation(&nodes("purges")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_work_on_sqlite() {
    let site = Site::new();
    let engine = on_sqlite(&site, settings(4, NO_REST)).await;
    all(&engine, &engine).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_work_on_two_nodes_of_one_postgres() {
    let database = testbed::database();
    let one = on_postgres(&database.url, settings(4, NO_REST)).await;
    let other = on_postgres(&database.url, settings(4, NO_REST)).await;
    all(&one, &other).await;
    one.stop(PATIENCE).await;
    other.stop(PATIENCE).await;
}

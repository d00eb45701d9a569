//! Queues held to a model: lists that are gone through from end to end, beside the journal, with a clock that is drawn.

mod draw;
mod naive;

use std::sync::Arc;

use domain::queue::{Outgoing, Refusal, Wanted, arn};
use domain::{Owner, Timestamp};
use drivers::journal::{self, Options};
use drivers::wake;
use tokio_util::sync::CancellationToken;

use self::draw::Draw;
use self::naive::{Model, Rules, Settled};
use super::receive::{Wish, understand};
use super::{Parts, QueueError, Queues, Settings};
use crate::observe::Metrics;

const STEPS: u32 = 400;
/// A receiver forgets what it has in hand beyond so many hand-outs.
const IN_HAND: usize = 12;

/// A hand-out: what the model and the queue call the same message.
#[derive(Clone)]
struct HandOut {
    handle: String,
    message: usize,
    token: u64,
    received_at: i64,
}

async fn queues(url: &str) -> Queues {
    let wake = wake::local();
    let options = Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    Queues::new(Parts {
        journal: journal::open(url, options).await.expect("a journal"),
        wake,
        metrics: Arc::new(Metrics::default()),
        settings: Settings::default(),
        resting: CancellationToken::new(),
    })
}

fn wanted(attributes: &[(&str, &str)]) -> Wanted {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// One queue, its dead-letter queue, their model, and who plays with them.
struct Game<'a> {
    queues: &'a Queues,
    account: Owner,
    names: [String; 2],
    fifo: bool,
    model: Model,
    draw: Draw,
    now: i64,
    in_hand: Vec<HandOut>,
    ids: Vec<String>,
}

impl<'a> Game<'a> {
    async fn new(queues: &'a Queues, fifo: bool, by_group: bool, seed: u64) -> Game<'a> {
        let account = Owner::default();
        let ending = if fifo { ".fifo" } else { "" };
        let names = [format!("m{seed}{ending}"), format!("dead{seed}{ending}")];
        let type_ = if fifo { vec![("FifoQueue", "true")] } else { Vec::new() };
        let mut dead = vec![("MessageRetentionPeriod", "1209600")];
        dead.extend(&type_);
        queues.create(&account, &names[1], wanted(&dead), Default::default()).await.expect("a dead-letter queue");
        let redrive = format!("{{\"deadLetterTargetArn\":\"{}\",\"maxReceiveCount\":3}}", arn::of(&account, &names[1]));
        let mut attributes =
            vec![("VisibilityTimeout", "5"), ("MessageRetentionPeriod", "60"), ("RedrivePolicy", redrive.as_str())];
        attributes.extend(&type_);
        if by_group {
            attributes.push(("DeduplicationScope", "messageGroup"));
        }
        queues.create(&account, &names[0], wanted(&attributes), Default::default()).await.expect("a queue");
        let rules = Rules { fifo, by_group, retention: 60_000_000, max_receives: 3 };
        let (draw, now) = (Draw::new(seed), crate::clock::now().0);
        let (in_hand, ids) = (Vec::new(), Vec::new());
        Game { queues, account, names, fifo, model: Model::new(rules), draw, now, in_hand, ids }
    }

    async fn step(&mut self) {
        match self.draw.below(20) {
            0..7 => self.send().await,
            7..13 => self.receive().await,
            13..16 => self.delete().await,
            16..18 => self.change_visibility().await,
            _ => {}
        }
        let longer = if self.draw.below(40) == 0 { 100_000_000 } else { 2_500_000 };
        self.now += i64::try_from(self.draw.below(longer)).expect("a few seconds") + 1;
    }

    async fn send(&mut self) {
        let count = self.draw.below(4) + 1;
        let mut messages = Vec::new();
        for _ in 0..count {
            let (group, dedup, text) = (self.draw.below(4), self.draw.below(60), self.draw.below(1_000));
            messages.push(Outgoing {
                body: format!("text {text}"),
                group: self.fifo.then(|| format!("g{group}")),
                dedup: self.fifo.then(|| format!("d{dedup}")),
                ..Outgoing::default()
            });
        }
        let sent = self.queues.send_at(&self.account, &self.names[0], &messages, Timestamp(self.now)).await;
        let sent = sent.expect("sent").into_iter().map(|sent| sent.expect("taken").message_id);
        for (id, message) in sent.collect::<Vec<_>>().into_iter().zip(messages) {
            let index = self.model.send(message, self.now);
            if index == self.ids.len() {
                assert!(!self.ids.contains(&id), "a new message has a new id");
                self.ids.push(id);
            } else {
                assert_eq!(self.ids[index], id, "a duplicate is answered with the first one's id");
            }
        }
    }

    async fn receive(&mut self) {
        let (max, zero) = (i64::try_from(self.draw.below(5)).expect("small") + 1, self.draw.below(8) == 0);
        let wish = Wish { max, visibility: zero.then_some(0), ..Wish::default() };
        let queue = self.queues.find(&self.account, &self.names[0]).await.expect("is there");
        let (look, _) = understand(&queue, &wish).expect("a wish that can be granted");
        let expected = self.model.receive(look.limit, look.hide_micros, self.now);
        let mut received = self.queues.look(&queue, &look, Timestamp(self.now)).await.expect("received");
        // A look that goes through many that are too old or dead leaves the rest, and says so; the next one goes on behind them.
        while futures_util::FutureExt::now_or_never(self.queues.litter.notified()).is_some() {
            received = self.queues.look(&queue, &look, Timestamp(self.now)).await.expect("received");
        }
        let found: Vec<_> = received.iter().map(|one| (one.message_id.clone(), one.receive_count)).collect();
        let wanted: Vec<_> = expected.iter().map(|one| (self.ids[one.message].clone(), one.count)).collect();
        assert_eq!(found, wanted, "what is received, in order");
        for (one, expected) in received.iter().zip(expected) {
            assert_eq!(one.message.body, self.model.text(expected.message));
            let (handle, message, token) = (one.handle.clone(), expected.message, expected.token);
            self.in_hand.push(HandOut { handle, message, token, received_at: self.now });
        }
        let forgotten = self.in_hand.len().saturating_sub(IN_HAND);
        self.in_hand.drain(..forgotten);
    }

    async fn delete(&mut self) {
        let chosen = self.choose();
        let handles: Vec<String> = chosen.iter().map(|one| one.handle.clone()).collect();
        let answers = self.queues.delete_at(&self.account, &self.names[0], &handles, Timestamp(self.now)).await;
        for (answer, one) in answers.expect("answered").into_iter().zip(chosen) {
            match self.model.delete(one.message, one.token, self.now) {
                Settled::Late => assert_eq!(answer, Err(QueueError::Refused(Refusal::expired(&one.handle)))),
                Settled::Done | Settled::Gone => assert_eq!(answer, Ok(())),
            }
        }
    }

    async fn change_visibility(&mut self) {
        let chosen = self.choose();
        let seconds: Vec<i64> = chosen.iter().map(|_| i64::try_from(self.draw.below(9)).expect("small")).collect();
        let wanted: Vec<_> = chosen.iter().zip(&seconds).map(|(one, seconds)| (one.handle.clone(), *seconds)).collect();
        let now = Timestamp(self.now);
        let answers = self.queues.change_visibility_at(&self.account, &self.names[0], &wanted, now).await;
        for ((answer, one), seconds) in answers.expect("answered").into_iter().zip(chosen).zip(seconds) {
            assert!(self.now - one.received_at < 43_200_000_000, "no test is that long");
            match self.model.show_at(one.message, one.token, self.now + seconds * 1_000_000, self.now) {
                Settled::Done => assert_eq!(answer, Ok(())),
                Settled::Late => assert_eq!(answer, Err(QueueError::Refused(Refusal::MessageNotInflight))),
                Settled::Gone => {
                    assert_eq!(answer, Err(QueueError::Refused(Refusal::not_available(&one.handle))));
                }
            }
        }
    }

    /// Hand-outs of different messages, old ones too.
    fn choose(&mut self) -> Vec<HandOut> {
        let mut chosen: Vec<HandOut> = Vec::new();
        for _ in 0..self.draw.below(3) + 1 {
            let Some(last) = self.in_hand.len().checked_sub(1) else { break };
            let at = usize::try_from(self.draw.below(last as u64 + 1)).expect("small");
            if chosen.iter().all(|one| one.message != self.in_hand[at].message) {
                chosen.push(self.in_hand[at].clone());
            }
        }
        chosen
    }

    /// The dead letters lie in their queue, in the order in which they died, under their own ids.
    async fn end(&self) {
        let queue = self.queues.find(&self.account, &self.names[1]).await.expect("is there");
        let jobs = self.queues.journal.jobs(queue.generation(), 0, 1_000).await.expect("jobs");
        let read = |body: &str| serde_json::from_str::<domain::queue::Message>(body).expect("a message");
        let found: Vec<_> = jobs.iter().map(|job| read(&job.body).message_id.expect("its own id")).collect();
        let wanted: Vec<_> = self.model.dead.iter().map(|message| self.ids[*message].clone()).collect();
        assert_eq!(found, wanted, "dead letters");
        if self.fifo {
            let dedup: Vec<_> = jobs.iter().map(|job| read(&job.body).dedup.expect("one")).collect();
            assert_eq!(dedup, found, "a dead letter is known by its id");
        }
        let queue = self.queues.find(&self.account, &self.names[0]).await.expect("is there");
        let left = self.queues.journal.jobs(queue.generation(), 0, 1_000).await.expect("jobs");
        assert_eq!(left.len(), self.model.count(), "messages left");
    }
}

async fn play(url: &str, seeds: u64) {
    let queues = queues(url).await;
    let (mut dead, mut received) = (0, 0);
    for seed in 0..seeds {
        let (fifo, by_group) = (seed % 3 != 0, seed % 3 == 2);
        let mut game = Game::new(&queues, fifo, by_group, seed).await;
        for step in 0..STEPS {
            let played = std::panic::AssertUnwindSafe(game.step());
            if let Err(panic) = futures_util::FutureExt::catch_unwind(played).await {
                eprintln!("seed {seed}, step {step}");
                std::panic::resume_unwind(panic);
            }
        }
        game.end().await;
        dead += game.model.dead.len();
        received += game.model.received;
    }
    assert!(dead > 5 && received > 100, "the games were about something: {dead} dead, {received} received");
    queues.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_on_sqlite_do_as_the_model_does() {
    let folder = tempfile::tempdir().expect("a folder");
    play(&format!("sqlite:{}/t.db", folder.path().display()), 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_on_postgres_do_as_the_model_does() {
    let database = testbed::database();
    play(&database.url, 3).await;
}

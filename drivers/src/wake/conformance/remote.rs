//! What drivers between processes show beyond it: servers that go and come back, joined messages, strangers, bad input.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::drivers::{pair_at, prefix};
use super::{DEADLINE, Pair, hint, reaches, woken};
use crate::wake::remote::{Heard, Link};
use crate::wake::{self, nats, postgres, redis};

/// Long enough for a server that has just started again on a busy machine, with every port's wait before its next attempt.
const RECOVERY: Duration = Duration::from_secs(60);

/// A private server that may be taken away.
enum Server {
    Postgres(testbed::Postgres, testbed::Database),
    Redis(testbed::Redis),
    Nats(testbed::Nats),
}

impl Server {
    fn all() -> Vec<Self> {
        let postgres = testbed::Postgres::start();
        let database = postgres.database();
        let (redis, nats) = (testbed::Redis::start(), testbed::Nats::start());
        vec![Self::Postgres(postgres, database), Self::Redis(redis), Self::Nats(nats)]
    }

    fn url(&self) -> String {
        match self {
            Self::Postgres(_, database) => database.url.clone(),
            Self::Redis(server) => server.url(),
            Self::Nats(server) => server.url(),
        }
    }

    async fn pair(&self) -> Pair {
        pair_at(&self.url(), "sqlite:x").await
    }

    fn kill(&self) {
        match self {
            Self::Postgres(server, _) => server.kill(),
            Self::Redis(server) => server.kill(),
            Self::Nats(server) => server.kill(),
        }
    }

    fn restart(&self) {
        match self {
            Self::Postgres(server, _) => server.restart(),
            Self::Redis(server) => server.restart(),
            Self::Nats(server) => server.restart_wiped(),
        }
    }

    fn pause(&self) {
        match self {
            Self::Postgres(server, _) => server.pause(),
            Self::Redis(server) => server.pause(),
            Self::Nats(server) => server.pause(),
        }
    }

    fn resume(&self) {
        match self {
            Self::Postgres(server, _) => server.resume(),
            Self::Redis(server) => server.resume(),
            Self::Nats(server) => server.resume(),
        }
    }
}

/// Sends ever greater heads until one is heard: hints may be lost, but not all of them for ever.
async fn works(pair: &Pair) {
    let mut head = pair.there.head();
    let begun = Instant::now();
    let before = *head.borrow_and_update();
    for number in before.max(1_000_000) + 1.. {
        assert!(begun.elapsed() < RECOVERY, "no hint came through");
        pair.here.send(&hint(number, &[]));
        let heard = timeout(Duration::from_millis(20), head.wait_for(|head| *head > before)).await;
        if heard.is_ok() {
            return;
        }
    }
}

/// Waits until both ports say that hints get through, or that they do not.
async fn answers(pair: &Pair, well: bool) {
    let begun = Instant::now();
    while pair.here.ping().await.is_ok() != well || pair.there.ping().await.is_ok() != well {
        assert!(begun.elapsed() < RECOVERY, "the ports do not notice");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_gone_blocks_nobody_and_may_come_back() {
    for server in Server::all() {
        let pair = server.pair().await;
        works(&pair).await;
        server.kill();
        // Nothing of this waits: the call is no async one. What waits for the server stays one message.
        for number in 1..=20_000 {
            pair.here.send(&hint(number, &[&format!("queue-{number}")]));
        }
        let mut own = pair.here.head();
        reaches(&mut own, 20_000).await;
        answers(&pair, false).await;
        server.restart();
        works(&pair).await;
        answers(&pair, true).await;
        works(&Pair { here: pair.there, there: pair.here }).await;
    }
}

#[tokio::test]
async fn a_server_that_stands_still_blocks_nobody_and_may_go_on() {
    for server in Server::all() {
        let pair = server.pair().await;
        works(&pair).await;
        server.pause();
        let own = pair.here.queue("q");
        for number in 1..=20_000 {
            pair.here.send(&hint(number, &["q"]));
        }
        woken(&own).await;
        answers(&pair, false).await;
        server.resume();
        works(&pair).await;
        answers(&pair, true).await;
    }
}

#[tokio::test]
async fn everyone_is_woken_when_a_lost_server_is_back() {
    for server in Server::all() {
        let pair = server.pair().await;
        let (mut head, queue) = (pair.there.head(), pair.there.queue("q"));
        works(&pair).await;
        let newest = *head.borrow_and_update();
        server.kill();
        server.restart();
        // Nobody sends: what was sent meanwhile is lost.
        timeout(RECOVERY, queue.notified()).await.expect("the queue is looked at");
        timeout(RECOVERY, head.changed()).await.expect("the log is looked at").expect("the port lives");
        assert!(*head.borrow() >= newest);
    }
}

/// Each technology's link to a new installation on the shared servers; the database lives as long as it is used.
async fn links(name: &str) -> (Vec<Box<dyn Link>>, testbed::Database) {
    let database = testbed::database();
    let postgres = postgres::link(&database.url).expect("an address");
    let redis = redis::link(&testbed::redis(), name).expect("an address");
    let nats = nats::link(&testbed::nats(), name).await.expect("a server");
    (vec![Box::new(postgres), Box::new(redis), Box::new(nats)], database)
}

#[tokio::test]
async fn a_burst_goes_out_as_a_few_messages() {
    let name = prefix();
    let (links, database) = links(&name).await;
    let urls = [database.url.clone(), testbed::redis(), testbed::nats()];
    let journal = format!("postgres://h/{name}");
    for (url, link) in urls.iter().zip(links) {
        let mut raw = link.listener().await.unwrap();
        let port = wake::open(url, &journal).await.unwrap();
        // This runs on one thread: no message can leave before the last hint is there.
        for number in 1..=10_000 {
            port.send(&hint(number, &["q", &format!("other-{}", number % 10)]));
        }
        let mut messages = 0;
        loop {
            match timeout(DEADLINE, raw.hear()).await.expect("a message").unwrap() {
                Heard::Gap => {}
                Heard::Text(text) => {
                    messages += 1;
                    assert!(text.len() < 8_000);
                    if text.contains("\"head\":10000") {
                        break;
                    }
                }
            }
        }
        assert_eq!(messages, 1, "{}", link.name());
    }
}

#[tokio::test]
async fn strange_messages_are_passed_over() {
    let (links, database) = links(&prefix()).await;
    for link in links {
        let mut speaker = link.speaker().await.unwrap();
        let port = wake::remote::open(link).await.unwrap();
        let mut head = port.head();
        let texts = [
            "",
            "nonsense",
            "[]",
            "{\"head\":\"7\"}",
            "{\"from\":\"x\",\"head\":-1}",
            "{\"from\":\"x\",\"head\":5,\"more\":1}",
        ];
        for text in texts {
            speaker.say(text.to_owned()).await.unwrap();
        }
        reaches(&mut head, 5).await;
        assert_eq!(*head.borrow(), 5);
    }
    drop(database);
}

#[tokio::test]
async fn installations_do_not_wake_each_other() {
    let (first, second) = (testbed::database(), testbed::database());
    let at = |url: String, other: bool| if other { format!("{url}?prefix={}", prefix()) } else { url };
    let journal = format!("postgres://h/{}", prefix());
    let cases = [
        (first.url.clone(), second.url.clone()),
        (testbed::redis(), at(testbed::redis(), true)),
        (testbed::nats(), at(testbed::nats(), true)),
    ];
    for (ours, theirs) in cases {
        let pair = pair_at(&ours, &journal).await;
        let stranger = wake::open(&theirs, &journal).await.unwrap();
        stranger.send(&hint(77, &["q"]));
        let mut head = pair.there.head();
        pair.here.send(&hint(1, &[]));
        reaches(&mut head, 1).await;
        let silence = timeout(Duration::from_millis(50), head.changed()).await;
        assert!(silence.is_err() && *head.borrow() == 1, "a hint of another installation");
    }
}

#[tokio::test]
async fn bad_input_is_one_line_that_says_what_to_do() {
    let gone = testbed::Redis::start();
    let nobody = gone.port();
    drop(gone);
    let guarded = testbed::Nats::start_guarded("alice", "secret");
    let postgres = testbed::Postgres::start();
    let database = postgres.database();
    database.run("create role guarded login password 'secret'");
    let named = |user: &str| database.url.replace("postgres@", user);
    let cases = [
        ("nowhere".to_owned(), "expected local, postgres"),
        ("postgres".to_owned(), "say --wake local"),
        ("redis://".to_owned(), "host is missing"),
        ("redis://127.0.0.1?prefix=a.b".to_owned(), "letters, digits"),
        ("nats://127.0.0.1?stream=X".to_owned(), "no parameter"),
        (format!("redis://127.0.0.1:{nobody}"), "start the server or correct the address"),
        (format!("nats://127.0.0.1:{nobody}"), "start the server or correct the address"),
        (format!("postgres://postgres@127.0.0.1:{nobody}/x"), "start the server or correct the URL"),
        (format!("redis://:wrong@{}", &testbed::redis()[8..]), "correct the name and the password"),
        (format!("nats://alice:wrong@127.0.0.1:{}", guarded.port()), "correct the name and the password"),
        (named("guarded:wrong@"), "correct the name and the password"),
        (format!("{}x", database.url), "create the database"),
        ("postgres://postgres@127.0.0.1:x/y".to_owned(), "correct the URL"),
    ];
    for (url, advice) in cases {
        let said = wake::open(&url, "sqlite:x").await.map(drop).expect_err(&url).to_string();
        assert!(said.contains(advice) && said.contains("--wake ") && !said.contains('\n'), "{url}: {said}");
        assert!(!said.contains("wrong@") && !said.contains("wrong "), "a secret is shown: {said}");
    }
    let right = [format!("nats://alice:secret@127.0.0.1:{}", guarded.port()), named("guarded:secret@")];
    for url in right {
        works(&pair_at(&url, "sqlite:x").await).await;
    }
}

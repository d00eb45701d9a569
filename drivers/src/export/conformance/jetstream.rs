//! The suite on JetStream, and what that has to show beyond it: a stream that was wiped, restored or emptied.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::{self, Context};

use super::{Arc, EPOCH, Export, Fault, Harness, async_trait, event, events, suite};
use crate::export;

/// How long a server that has just started again may take to answer.
const RECOVERY: Duration = Duration::from_secs(60);

/// A stream of its own on a server.
struct Streams {
    server: String,
    name: String,
}

impl Streams {
    fn new(server: String) -> Self {
        Self { server, name: format!("test-{}", uuid::Uuid::now_v7().simple()) }
    }

    fn url(&self) -> String {
        format!("{}?stream={name}&subject={name}", self.server, name = self.name)
    }

    async fn context(&self) -> Context {
        jetstream::new(async_nats::connect(&self.server).await.unwrap())
    }

    async fn message(&self, sequence: u64) -> jetstream::message::StreamMessage {
        let stream = self.context().await.get_stream(&self.name).await.unwrap();
        stream.get_raw_message(sequence).await.unwrap()
    }
}

#[async_trait]
impl Harness for Streams {
    async fn open_at(&self, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
        export::open(&self.url(), epoch).await
    }

    async fn sent(&self) -> Vec<u64> {
        let stream = self.context().await.get_stream(&self.name).await.unwrap();
        let state = stream.get_info().await.unwrap().state;
        let mut sent = Vec::new();
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
            sent.push(body["seq"].as_u64().unwrap());
        }
        sent
    }
}

suite!(Streams::new(testbed::nats()));

/// The relay's part: asks for the position until it is told, then sends what lies beyond it.
async fn catch_up(export: &dyn Export, to: u64) {
    let begun = std::time::Instant::now();
    loop {
        let done = match export.position().await {
            Ok(Some(position)) => export.send(&events(position + 1..=to)).await,
            Ok(None) => panic!("its end is there"),
            Err(fault) => Err(fault),
        };
        match done {
            Ok(()) => return,
            Err(fault) => assert!(begun.elapsed() < RECOVERY, "{fault}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_message_has_its_subject_headers_and_body() {
    let streams = Streams::new(testbed::nats());
    streams.open().await.send(&events([7])).await.unwrap();
    let message = streams.message(1).await;
    assert_eq!(message.subject.as_str(), format!("{}.swap.pending", streams.name));
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
    assert_eq!(header("Nats-Msg-Id").as_deref(), Some("7"));
    assert_eq!(header("Tradewind-Position").as_deref(), Some("9223372036854775807-7"));
    assert_eq!(header("Tradewind-Owner").as_deref(), Some("alice"));
    let body = std::str::from_utf8(&message.payload).unwrap();
    assert!(body.starts_with(r#"{"seq":7,"position":"9223372036854775807-7","kind":"swap","#), "{body}");
    assert!(body.ends_with(r#""data":{"n":7, "text":"a\nb"}}"#), "{body}");
}

#[tokio::test]
async fn the_stream_is_named_and_limited_as_documented() {
    let server = testbed::Nats::start();
    export::open(&server.url(), EPOCH).await.unwrap().send(&events([1])).await.unwrap();
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let config = context.get_stream("TRADEWIND_EVENTS").await.unwrap().get_info().await.unwrap().config;
    assert_eq!(config.subjects, ["tradewind.>"]);
    assert_eq!(config.discard, jetstream::stream::DiscardPolicy::New);
    assert_eq!((config.max_messages, config.max_bytes, config.max_age), (-1, -1, Duration::ZERO));
    assert_eq!(config.num_replicas, 1);
}

#[tokio::test]
async fn a_wiped_store_gets_everything_again() {
    let server = testbed::Nats::start();
    let streams = Streams::new(server.url());
    let export = streams.open().await;
    export.send(&events(1..=300)).await.unwrap();
    server.restart_wiped();
    // What would follow the lost ones is not taken in their place.
    assert!(export.send(&events(301..=310)).await.is_err());
    catch_up(&*export, 310).await;
    assert_eq!(streams.sent().await, (1..=310).collect::<Vec<_>>());
}

/// Copies a folder and all in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        let into = to.join(path.file_name().unwrap());
        if kind.is_dir() { copy(&path, &into) } else { std::fs::copy(&path, &into).map(drop).unwrap() }
    }
}

#[tokio::test]
async fn a_restored_store_gets_what_it_lacks() {
    let server = testbed::Nats::start();
    let streams = Streams::new(server.url());
    let export = streams.open().await;
    let saved = tempfile::tempdir().unwrap();
    let copied: PathBuf = saved.path().join("store");
    export.send(&events(1..=100)).await.unwrap();
    server.restart_changed(|store| copy(store, &copied));
    catch_up(&*export, 250).await;
    server.restart_changed(|store| {
        std::fs::remove_dir_all(store).unwrap();
        copy(&copied, store);
    });
    assert!(export.send(&events(251..=260)).await.is_err());
    catch_up(&*export, 260).await;
    assert_eq!(streams.sent().await, (1..=260).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_killed_server_loses_and_doubles_nothing() {
    let server = testbed::Nats::start();
    let streams = Streams::new(server.url());
    let export = streams.open().await;
    let sending = Arc::clone(&export);
    let sender = tokio::spawn(async move { sending.send(&events(1..=5_000)).await });
    // Somewhere in the middle, or before or behind it: each is to be right.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let server = tokio::task::spawn_blocking(move || {
        server.kill();
        server.restart();
        server
    });
    let server = server.await.unwrap();
    let _ = sender.await.unwrap();
    catch_up(&*export, 5_000).await;
    assert_eq!(streams.sent().await, (1..=5_000).collect::<Vec<_>>());
    drop(server);
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_no_gap_and_no_double() {
    let streams = Streams::new(testbed::nats());
    let export = streams.open().await;
    for micros in [0, 200, 1_000, 3_000] {
        let page = events(1..=1_000);
        let _ = tokio::time::timeout(Duration::from_micros(micros), export.send(&page)).await;
    }
    catch_up(&*export, 1_000).await;
    assert_eq!(streams.sent().await, (1..=1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_who_send_at_once_do_not_mix() {
    let streams = Streams::new(testbed::nats());
    let (one, other) = (streams.open().await, streams.open().await);
    tokio::join!(catch_up(&*one, 2_000), catch_up(&*other, 2_000));
    assert_eq!(streams.sent().await, (1..=2_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn where_an_emptied_stream_ends_is_for_the_relay_to_say() {
    let streams = Streams::new(testbed::nats());
    let export = streams.open().await;
    export.send(&events(1..=5)).await.unwrap();
    let stream = streams.context().await.get_stream(&streams.name).await.unwrap();
    stream.purge().await.unwrap();
    assert_eq!(export.position().await, Ok(None));
    export.send(&events(6..=8)).await.unwrap();
    assert_eq!(streams.sent().await, [6, 7, 8]);
    assert_eq!(streams.open().await.position().await, Ok(Some(8)));
}

#[tokio::test]
async fn bad_input_is_one_line_that_says_what_to_do() {
    let without = testbed::Nats::start_without_jetstream();
    let shared = Streams::new(testbed::nats());
    let context = shared.context().await;
    let (name, other) = (&shared.name, format!("other-{}", shared.name));
    drop(shared.open().await);
    let config = jetstream::stream::Config { name: other.clone(), subjects: vec![other.clone()], ..Default::default() };
    context.create_stream(config).await.unwrap();
    let server = &shared.server;
    let cases = [
        (without.url(), "start nats-server with -js"),
        ("nats://127.0.0.1:1".to_owned(), "start the server or correct the address"),
        (format!("{server}?stream=a.b"), "letters, digits"),
        (format!("{server}?replicas=9"), "from 1 to 5"),
        (format!("{server}?prefix=x"), "no parameter \"prefix\", there are stream"),
        (format!("{server}?stream=new-{name}&subject={name}"), "another stream takes these subjects"),
        (format!("{server}?stream={other}&subject={name}"), "name another ?stream="),
        ("kafka://host".to_owned(), "expected file:<path> or nats://"),
    ];
    for (url, advice) in cases {
        let said = export::open(&url, EPOCH).await.map(drop).expect_err(&url).to_string();
        assert!(said.contains(advice) && said.contains("--export ") && !said.contains('\n'), "{url}: {said}");
    }
    context.publish(format!("{name}.strange"), "{}".into()).await.unwrap().await.unwrap();
    let said = shared.open_at(EPOCH).await.map(drop).expect_err("a strange message").to_string();
    assert!(said.contains("no exported event"), "{said}");
}

#[tokio::test]
async fn a_type_that_is_no_subject_is_a_bug() {
    let export = Streams::new(testbed::nats()).open().await;
    for type_ in ["", "swap.", "swap.*", "swap pending"] {
        let strange = domain::Event { type_: type_.to_owned(), ..event(1) };
        assert!(matches!(export.send(&[strange]).await, Err(Fault::Broken(_))), "{type_}");
    }
}

//! The log as it lies elsewhere: in the JetStream stream, and in the journal itself.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::{self, stream::Stream};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use crate::proof::PATIENCE;
use crate::proof::seen::Seen;

const PAUSE: Duration = Duration::from_millis(50);
const PAGE: usize = 1_000;

/// What the stream holds, when it has as many events as there are: each where it appeared first, and how many came again.
pub(super) async fn streamed(url: &str, events: usize) -> (Vec<Seen>, usize) {
    let client = async_nats::connect(url).await.expect("NATS");
    let context = jetstream::new(client);
    let begun = Instant::now();
    loop {
        let stream = context.get_stream("TRADEWIND_EVENTS").await;
        let held = stream.as_ref().map_or(0, |stream| stream.cached_info().state.messages);
        let complete = usize::try_from(held).is_ok_and(|held| held >= events);
        if let Ok(stream) = stream
            && complete
        {
            let (all, again) = read(&stream, held).await;
            if all.len() >= events {
                return (all, again);
            }
        }
        assert!(begun.elapsed() < PATIENCE, "the stream stops at {held} messages, there are {events} events");
        sleep(PAUSE).await;
    }
}

async fn read(stream: &Stream, held: u64) -> (Vec<Seen>, usize) {
    let config = pull::OrderedConfig { deliver_policy: DeliverPolicy::All, ..pull::OrderedConfig::default() };
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let mut messages = consumer.messages().await.expect("messages");
    let (mut all, mut again, mut known) = (Vec::new(), 0, HashSet::new());
    for _ in 0..held {
        let message = timeout(PATIENCE, messages.next()).await.expect("a message in time").expect("a message");
        let message = message.expect("a message");
        let seen = Seen::of_export(std::str::from_utf8(&message.payload).expect("text"));
        assert_eq!(
            message.headers.as_ref().and_then(|all| all.get("Nats-Msg-Id")).map(AsRef::as_ref),
            Some(seen.seq.to_string().as_str())
        );
        // The order is that of first appearance.
        if known.insert(seen.seq) {
            all.push(seen);
        } else {
            again += 1;
        }
    }
    (all, again)
}

/// The journal, read beside the processes.
pub(super) async fn journal(url: &str) -> Vec<Seen> {
    let journal = drivers::journal::open_read_only(url).await.expect("the journal");
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let after = all.last().map_or(0, |seen| seen.seq);
        let page = journal.events(after, None, PAGE).await.expect("events");
        if page.is_empty() {
            let jobs = journal.jobs("swap.execute", 0, 10).await.expect("jobs");
            assert!(jobs.is_empty(), "every order is final, and there are jobs: {jobs:?}");
            return all;
        }
        all.extend(page.iter().map(Seen::of_journal));
    }
}

//! The subscribers: they follow an account's events, and resume where they were whenever the stream breaks.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::draw::Draw;
use super::life::{Address, url};

/// Nothing, not even a heartbeat, for so long: the connection is dead.
const SILENCE: Duration = Duration::from_secs(40);
/// How long the server may be away.
const PATIENCE: Duration = Duration::from_secs(120);

/// One event as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) type_: String,
    pub(super) data: Value,
}

/// What a subscriber saw.
pub(super) struct Log {
    pub(super) account: &'static str,
    /// The position it began after.
    pub(super) start: u64,
    pub(super) events: Vec<Seen>,
    /// How often it resumed.
    pub(super) resumed: u32,
}

/// The last order of an account, once it is known: its end is the end of the account's log.
pub(super) type Last = watch::Receiver<Option<String>>;

/// A subscriber to be.
pub(super) struct Follower {
    pub(super) client: Client,
    pub(super) address: Address,
    pub(super) account: &'static str,
    /// Where to begin; none is the present.
    pub(super) position: Option<String>,
    /// Hangs up by itself now and then.
    pub(super) restless: Option<Draw>,
    pub(super) last: Last,
}

/// Parts of the stream between two empty lines.
#[derive(Default)]
struct Frame {
    event: String,
    id: String,
    data: String,
}

impl Follower {
    /// Follows until it has seen the end of the account's last order.
    pub(super) async fn run(mut self) -> Log {
        let mut log = Log { account: self.account, start: 0, events: Vec::new(), resumed: 0 };
        let mut begun = false;
        loop {
            let base = url(&self.address, PATIENCE).await;
            let place = match &self.position {
                Some(position) if !begun => format!("{base}/v1/events?after={position}"),
                _ => format!("{base}/v1/events"),
            };
            // Without the client's own timeout, which counts a whole answer; silence is watched below.
            let mut request = self.client.get(place).header("x-account", self.account);
            request = request.timeout(Duration::from_secs(3_600));
            if let Some(position) = self.position.as_ref().filter(|_| begun) {
                request = request.header("last-event-id", position);
            }
            let Ok(response) = request.send().await else {
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            let status = response.status();
            if status.is_server_error() {
                sleep(Duration::from_millis(10)).await;
                continue;
            }
            assert!(status.is_success(), "following {} from {:?}: {status}", self.account, self.position);
            if self.read(response, &mut log, &mut begun).await {
                return log;
            }
            log.resumed += 1;
        }
    }

    /// Reads one stream until it breaks, or to the end of all: true.
    async fn read(&mut self, mut response: reqwest::Response, log: &mut Log, begun: &mut bool) -> bool {
        let mut rest = Vec::new();
        let mut until_hang_up = self.restless.as_mut().map(|draw| draw.between(1, 120));
        loop {
            let mut last = self.last.clone();
            let chunk = tokio::select! {
                chunk = timeout(SILENCE, response.chunk()) => chunk,
                // The end may have been seen before it was known to be the end.
                Ok(()) = last.changed() => { self.last = last; if self.at_end(log) { return true; } continue; }
            };
            let Ok(Ok(Some(chunk))) = chunk else { return false };
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
                let text: Vec<u8> = rest.drain(..end + 2).collect();
                let frame = Frame::parse(std::str::from_utf8(&text).expect("text"));
                let hang_up = frame.event == "error";
                if !self.take(&frame, log, begun) {
                    continue;
                }
                if self.at_end(log) {
                    return true;
                }
                let tired = until_hang_up.as_mut().is_some_and(|left| {
                    *left -= 1;
                    *left == 0
                });
                if tired || hang_up {
                    return false;
                }
            }
        }
    }

    /// Takes a frame in; false when it tells of nothing.
    fn take(&mut self, frame: &Frame, log: &mut Log, begun: &mut bool) -> bool {
        if !frame.id.is_empty() {
            if !*begun {
                (*begun, log.start) = (true, seq(&frame.id));
            }
            self.position = Some(frame.id.clone());
        }
        if frame.data.is_empty() {
            return false;
        }
        if frame.event == "error" {
            return true;
        }
        let event: Value = serde_json::from_str(&frame.data).unwrap_or_else(|e| panic!("{e}: {:?}", frame.data));
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("no {name} in {event}")).to_owned();
        assert_eq!(text("seq"), frame.id, "an event and its frame differ");
        assert_eq!(text("type"), frame.event, "an event and its frame differ");
        assert_eq!(text("owner"), self.account, "an event of somebody else");
        let version = event["version"].as_u64().expect("a version");
        let seen =
            Seen { seq: seq(&frame.id), id: text("id"), version, type_: text("type"), data: event["data"].clone() };
        log.events.push(seen);
        true
    }

    fn at_end(&self, log: &Log) -> bool {
        let last = self.last.borrow();
        let Some(last) = last.as_ref() else { return false };
        log.events.iter().rev().any(|event| event.id == *last && is_final(&event.type_))
    }
}

/// The number in `epoch-seq`.
fn seq(position: &str) -> u64 {
    let number = position.split_once('-').and_then(|(_, seq)| seq.parse().ok());
    number.unwrap_or_else(|| panic!("{position:?} is no position"))
}

/// Whether an event of that type ends its order.
pub(super) fn is_final(type_: &str) -> bool {
    ["swap.confirmed", "swap.failed", "swap.cancelled", "swap.expired"].contains(&type_)
}

impl Frame {
    fn parse(text: &str) -> Self {
        let mut frame = Self::default();
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut frame.event),
                Some(("id", value)) => value.clone_into(&mut frame.id),
                Some(("data", value)) => frame.data.push_str(value),
                _ => {}
            }
        }
        frame
    }
}

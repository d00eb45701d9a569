//! The subscribers: they follow an account's events, and resume where they were whenever the stream breaks.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::time::{sleep, timeout};

use super::draw::Draw;
use super::fronts::Fronts;
use super::record::Record;
use super::seen::{Last, Log, Seen, is_final, seq};

/// Nothing, not even a heartbeat, for so long: the connection is dead.
const SILENCE: Duration = Duration::from_secs(40);
/// How long the server may be away.
const PATIENCE: Duration = Duration::from_secs(120);

/// A subscriber to be.
pub(crate) struct Follower {
    pub(crate) client: Client,
    pub(crate) fronts: Fronts,
    /// Which server comes next, where there are several.
    pub(crate) turn: usize,
    pub(crate) account: &'static str,
    /// Where to begin; none is the present.
    pub(crate) position: Option<String>,
    /// Hangs up by itself now and then.
    pub(crate) restless: Option<Draw>,
    pub(crate) last: Last,
    pub(crate) record: Arc<Record>,
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
    pub(crate) async fn run(mut self) -> Log {
        let mut log = Log::new(self.account);
        let mut begun = false;
        loop {
            let base = self.fronts.url(self.turn, PATIENCE).await;
            self.turn += 1;
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
                Ok(()) = last.changed() => { self.last = last; if log.ends(&self.last) { return true; } continue; }
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
                if log.ends(&self.last) {
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
        let seen = Seen::of_envelope(&frame.data, self.account);
        assert_eq!((seen.seq, &seen.type_), (seq(&frame.id), &frame.event), "an event and its frame differ");
        if is_final(&seen.type_) {
            self.record.note_end();
        }
        log.events.push(seen);
        true
    }
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

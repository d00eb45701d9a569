//! Subscribers over WebSockets: on one socket one subscription to everything of an account and one to a few of its orders,
//! which resume at the other server, each at its own position, whenever the socket breaks.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::proof::PATIENCE;
use crate::proof::draw::Draw;
use crate::proof::fronts::Fronts;
use crate::proof::seen::{Last, Log, Seen, seq};

/// A server that says nothing for so long, not even a heartbeat, is gone.
const SILENCE: Duration = Duration::from_secs(20);
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);
/// How many orders the second subscription is about.
const FEW: usize = 12;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A subscriber to be.
pub(super) struct Listener {
    fronts: Fronts,
    turn: usize,
    /// Hangs up by itself now and then.
    restless: Draw,
    last: Last,
    /// Everything, then a few orders.
    logs: [Log; 2],
    /// Where each subscription stands, as the server wrote it.
    positions: [Option<String>; 2],
}

/// Why one socket is over.
enum Over {
    /// All was seen.
    Ended,
    Broken,
}

impl Listener {
    pub(super) fn new(fronts: Fronts, turn: usize, account: &'static str, restless: Draw, last: Last) -> Self {
        let logs = [Log::new(account), Log::new(account)];
        Self { fronts, turn, restless, last, logs, positions: [None, None] }
    }

    /// Follows until it has seen the end of the account's last order.
    pub(super) async fn run(mut self) -> Vec<Log> {
        loop {
            let base = self.fronts.url(self.turn, PATIENCE).await;
            self.turn += 1;
            let opened = timeout(CONNECTED_WITHIN, connect(&base, self.logs[0].account)).await;
            let Ok(Some(mut socket)) = opened else {
                sleep(PAUSE).await;
                continue;
            };
            match self.read(&mut socket).await {
                Over::Ended => return self.logs.into(),
                Over::Broken => self.logs.iter_mut().for_each(|log| log.resumed += 1),
            }
        }
    }

    /// Reads one socket until it breaks, or to the end of all.
    async fn read(&mut self, socket: &mut Socket) -> Over {
        let mut until_hang_up = self.restless.between(20, 400);
        if !self.subscribe(socket, 0).await || (self.logs[1].ids.is_some() && !self.subscribe(socket, 1).await) {
            return Over::Broken;
        }
        let mut silent_since = Instant::now();
        loop {
            let mut last = self.last.clone();
            let message = tokio::select! {
                message = socket.next() => message,
                () = sleep_until(silent_since + SILENCE) => return Over::Broken,
                // The end may have been seen before it was known to be the end.
                Ok(()) = last.changed() => { self.last = last; if self.at_end() { return Over::Ended; } continue; }
            };
            let Some(Ok(message)) = message else { return Over::Broken };
            silent_since = Instant::now();
            let Message::Text(text) = message else { continue };
            if !self.take(&text) {
                return Over::Broken;
            }
            if self.logs[1].ids.is_none() && self.choose() && !self.subscribe(socket, 1).await {
                return Over::Broken;
            }
            if self.at_end() {
                return Over::Ended;
            }
            until_hang_up -= 1;
            if until_hang_up == 0 {
                return Over::Broken;
            }
        }
    }

    async fn subscribe(&self, socket: &mut Socket, which: usize) -> bool {
        let mut ask = json!({"op": "subscribe", "id": which, "kinds": ["swap"]});
        if let Some(position) = &self.positions[which] {
            ask["after"] = json!(position);
        }
        if let Some(ids) = &self.logs[which].ids {
            ask["ids"] = json!(ids);
        }
        let sent = timeout(CONNECTED_WITHIN, socket.send(Message::text(ask.to_string()))).await;
        matches!(sent, Ok(Ok(())))
    }

    /// Takes a message in; false when the server ends the socket or a subscription.
    fn take(&mut self, text: &str) -> bool {
        let message: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let which =
            |name: &str| message[name].as_u64().and_then(|id| usize::try_from(id).ok()).expect("a subscription");
        match message["op"].as_str() {
            Some("subscribed") => {
                let (which, from) = (which("id"), message["from"].as_str().expect("a position"));
                match &self.positions[which] {
                    Some(position) => assert_eq!(position, from, "resumed elsewhere"),
                    None => {
                        self.logs[which].start = seq(from);
                        self.positions[which] = Some(from.to_owned());
                    }
                }
                true
            }
            Some("event") => {
                let which = which("sub");
                self.positions[which] = message["seq"].as_str().map(str::to_owned);
                let seen = Seen::of_envelope(text, self.logs[which].account);
                self.logs[which].events.push(seen);
                true
            }
            Some("heartbeat") => true,
            Some("error") => {
                let code = message["code"].as_str().unwrap_or_default();
                assert!(["slow_consumer", "shutting_down", "unavailable"].contains(&code), "the socket said {text}");
                false
            }
            _ => panic!("the socket said {text}"),
        }
    }

    /// Chooses a few orders to follow from where everything began.
    fn choose(&mut self) -> bool {
        let [all, few] = &mut self.logs;
        let ids: HashSet<String> = all.events.iter().map(|event| event.id.clone()).collect();
        if ids.len() < FEW {
            return false;
        }
        few.start = all.start;
        few.ids = Some(ids.into_iter().take(FEW).collect());
        let epoch = self.positions[0].as_ref().and_then(|position| position.split_once('-')).expect("a position").0;
        self.positions[1] = Some(format!("{epoch}-{}", few.start));
        true
    }

    fn at_end(&self) -> bool {
        let [all, few] = &self.logs;
        all.ends(&self.last) && few.ids.iter().flatten().all(|id| few.has_end_of(id))
    }
}

async fn connect(base: &str, account: &str) -> Option<Socket> {
    let mut request = format!("{}/v1/stream", base.replacen("http", "ws", 1)).into_client_request().expect("a request");
    request.headers_mut().insert("x-account", account.parse().expect("a header"));
    connect_async(request).await.ok().map(|(socket, _)| socket)
}

//! `GET /v1/stream`: the same events over a WebSocket, many subscriptions at once.

mod ask;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use domain::Owner;
use engine::follow::Item;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};

use crate::account::{Account, CameIn};
use crate::envelope;
use crate::events::HEARTBEAT;
use crate::gate;
use crate::pass::Pass;
use crate::position::Position;
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::schema::Acting;
use crate::sockets::{self, MESSAGE_LIMIT, Seat, ends};
use ask::Ask;
use subscriptions::{News, Subscriptions};

/// A socket without a subscription is closed after this long.
const IDLE: Duration = Duration::from_secs(10);
/// Events sent in one go when they are there already.
const BATCH: usize = 64;

/// Follows events over a WebSocket.
///
/// The client sends `{"op":"subscribe","id":1,"kinds":["swap"],"ids":[],"after":"epoch-seq"}`, `{"op":"unsubscribe",
/// "id":1}`, `{"op":"ping"}`; `id` is the client's own name for the subscription. The server sends `subscribed`, `event`
/// (an envelope as in `/v1/events`), `heartbeat` with the head of the log every 15 s, `unsubscribed`, `pong`, `error`.
/// A client that is too slow gets `slow_consumer` with the position to resume from, and close code 4008; one whose key is
/// revoked or expires gets `unauthorized` and 4401. A page of another origin needs a ticket. At most 64 subscriptions and
/// 16 KiB per message.
#[utoipa::path(get, path = "/v1/stream", tag = "streams",
    params(
        ("ticket" = Option<String>, Query, description = "A one-time ticket instead of a key; see `/v1/stream-tickets`."),
        Acting),
    responses(
        (status = 101, description = "The socket is open."),
        (status = 426, description = "Not a WebSocket handshake: `UPGRADE_REQUIRED`."),
        (status = 503, description = "Too many streams: `TOO_MANY_SOCKETS`.")))]
pub(crate) async fn connect(
    State(app): State<Arc<App>>,
    Account(account): Account,
    CameIn(caller): CameIn,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::new(codes::UPGRADE_REQUIRED, "connect with a WebSocket client"))?;
    if !gate::shows_ticket(&uri) && !is_of_this_origin(&headers) {
        let detail = "a page of another origin needs a ticket: see /v1/stream-tickets";
        return Err(Problem::new(codes::ORIGIN_NOT_ALLOWED, detail));
    }
    let seat = Seat::take(&app)?;
    let epoch = app.engine.journal.head().await?.epoch;
    let subscriptions = Subscriptions::new(epoch);
    let (pass, idle_until) = (Pass::of(&app, caller), Instant::now() + IDLE);
    let session = Session { app, account, pass, epoch, subscriptions, idle_until };
    Ok(sockets::limited(upgrade).on_upgrade(async move |socket| {
        session.run(socket).await;
        drop(seat);
    }))
}

/// Whether no browser sent it, or one that shows a page of this server: other pages may not use what it holds.
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    // Behind a proxy the scheme is not known here; host and port are the client's own words.
    let origin = text(header::ORIGIN).and_then(|origin| Some(origin.split_once("://")?.1));
    origin.is_some_and(|origin| text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(origin)))
}

struct Session {
    app: Arc<App>,
    account: Owner,
    pass: Pass,
    epoch: u64,
    subscriptions: Subscriptions,
    idle_until: Instant,
}

/// How a session ends: a last frame, a close code and its reason. None when the client has gone.
type End = Option<(Option<String>, u16, &'static str)>;

impl Session {
    async fn run(mut self, mut socket: WebSocket) {
        let stop = self.app.settings.stop.clone();
        let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        let end = loop {
            let idle = self.subscriptions.is_empty();
            let turn = tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.answer(&mut socket, message).await,
                    _ => Err(None),
                },
                Some(news) = self.subscriptions.next(), if !idle => self.tell(&mut socket, news).await,
                _ = heartbeat.tick() => {
                    let head = self.position(self.app.engine.hub.head());
                    self.send(&mut socket, vec![format!("{{\"op\":\"heartbeat\",\"head\":\"{head}\"}}")]).await
                }
                () = sleep_until(self.idle_until), if idle => {
                    Err(Some((Some(error(None, "idle", "no subscription", None)), ends::POLICY, "no subscription")))
                }
                () = self.pass.over() => {
                    let last = error(None, "unauthorized", "the key is not good any more", Some(self.resume()));
                    Err(Some((Some(last), ends::UNAUTHORIZED, "the key is not good any more")))
                }
                () = stop.cancelled() => {
                    let resume = self.resume();
                    let last = error(None, "shutting_down", "the server stops or restarts", Some(resume));
                    Err(Some((Some(last), ends::RESTART, "resume")))
                }
            };
            if let Err(end) = turn {
                break end;
            }
        };
        if let Some((last, code, reason)) = end {
            sockets::end(socket, last, code, reason).await;
        }
    }

    /// Does what the client asks.
    async fn answer(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        let bytes = match message {
            Message::Text(text) => text,
            Message::Binary(_) => {
                return self.send(socket, vec![error(None, "malformed_json", "send text frames", None)]).await;
            }
            // The library answers pings and closes itself.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(None),
        };
        if bytes.len() > MESSAGE_LIMIT {
            let last = error(None, "message_too_big", "a message has at most 16 KiB", None);
            return Err(Some((Some(last), ends::TOO_BIG, "message too big")));
        }
        let reply = match Ask::parse(bytes.as_bytes()) {
            Ok(ask) => self.obey(ask).await,
            Err(problem) => refusal(None, &problem),
        };
        self.send(socket, vec![reply]).await
    }

    async fn obey(&mut self, ask: Ask) -> String {
        match ask {
            Ask::Ping => "{\"op\":\"pong\"}".to_owned(),
            Ask::Unsubscribe { id } => {
                if !self.subscriptions.remove(&id) {
                    return error(Some(&id), "not_subscribed", "there is no such subscription", None);
                }
                self.idle_until = Instant::now() + IDLE;
                format!("{{\"op\":\"unsubscribed\",\"id\":{id}}}")
            }
            Ask::Subscribe(wish) => {
                let id = wish.id.clone();
                let engine = &self.app.engine;
                match self.subscriptions.add(wish, engine, &self.account).await {
                    Ok(from) => {
                        let (head, from) = (self.position(engine.hub.head().max(from)), self.position(from));
                        format!("{{\"op\":\"subscribed\",\"id\":{id},\"head\":\"{head}\",\"from\":\"{from}\"}}")
                    }
                    Err(problem) => refusal(Some(&id), &problem),
                }
            }
        }
    }

    /// Sends an event, and those that are there already.
    async fn tell(&mut self, socket: &mut WebSocket, first: News) -> Result<(), End> {
        let (mut frames, mut events) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some((id, news)) = next {
            match news {
                Ok(Item::Event(event)) => {
                    let fields = envelope::fields(self.epoch, &event);
                    let fields = std::str::from_utf8(fields).unwrap_or_default();
                    frames.push(format!("{{\"op\":\"event\",\"sub\":{id},{fields}}}"));
                    events.push((id, event.event.seq));
                }
                Ok(Item::Lagged { resume }) => {
                    let resume = self.position(resume);
                    frames.push(error(Some(&id), "slow_consumer", "resume from there", Some(resume)));
                    self.send_events(socket, frames, events).await?;
                    return Err(Some((None, ends::SLOW, "slow consumer")));
                }
                Err(fault) => {
                    tracing::error!(%fault, "a subscription failed");
                    self.send_events(socket, frames, events).await?;
                    let last = error(Some(&id), "unavailable", "the journal does not answer", Some(self.resume()));
                    return Err(Some((Some(last), ends::FAILED, "unavailable")));
                }
            }
            let room = frames.len() < BATCH;
            next = if room { self.subscriptions.next().now_or_never().flatten() } else { None };
        }
        self.send_events(socket, frames, events).await
    }

    /// Sends frames; a client that does not take them is told where to resume, if it ever reads that far.
    async fn send(&mut self, socket: &mut WebSocket, frames: Vec<String>) -> Result<(), End> {
        self.send_events(socket, frames, Vec::new()).await
    }

    /// The same with frames of which the first are those of `events`, one each. Only what went into the connection
    /// counts as delivered: it stands before the last frame, which tells where to resume.
    async fn send_events(
        &mut self,
        socket: &mut WebSocket,
        frames: Vec<String>,
        events: Vec<(Arc<str>, u64)>,
    ) -> Result<(), End> {
        let sent = sockets::send_all(socket, frames, self.app.settings.send_within()).await;
        let taken = sent.as_ref().map_or_else(|gone| gone.taken, |()| events.len());
        for (id, seq) in events.iter().take(taken) {
            self.subscriptions.delivered(id, *seq);
        }
        sent.map_err(|_| {
            let last = error(None, "slow_consumer", "resume from there", Some(self.resume()));
            Some((Some(last), ends::SLOW, "slow consumer"))
        })
    }

    /// A position from which nothing is missed by any subscription.
    fn resume(&self) -> Position {
        self.position(self.subscriptions.oldest().unwrap_or_else(|| self.app.engine.hub.head()))
    }

    const fn position(&self, seq: u64) -> Position {
        Position { epoch: self.epoch, seq }
    }
}

/// An error frame; about the subscription `id`, if it is about one.
fn error(id: Option<&str>, code: &str, message: &str, resume: Option<Position>) -> String {
    let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
    let resume = resume.map(|position| format!(",\"resume\":\"{position}\"")).unwrap_or_default();
    let message = serde_json::Value::from(message);
    format!("{{\"op\":\"error\",{id}\"code\":\"{code}\",\"message\":{message}{resume}}}")
}

/// A problem as an error frame.
fn refusal(id: Option<&str>, problem: &Problem) -> String {
    let mut frame = error(id, &problem.code().to_lowercase(), problem.detail(), None);
    if let Some(oldest) = problem.oldest() {
        frame.pop();
        frame.push_str(&format!(",\"oldest\":\"{oldest}\"}}"));
    }
    frame
}

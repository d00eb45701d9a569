//! The facade's sockets: by a first message (M), by path or by query (E). History first, then live, one last frame.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::{Kind, Owner};
use drivers::Fault;
use engine::follow::{Follower, Item};
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt};
use tokio::time::{Instant, interval_at, sleep_until};

use super::{Refused, e, m, text};
use crate::account::{Account, CameIn};
use crate::body::{Object, Text};
use crate::pass::Pass;
use crate::query::Query;
use crate::routes::App;
use crate::sockets::{self, Gone, MESSAGE_LIMIT, Seat, ends};
use crate::swaps::is_id;

/// Orders that one M socket may follow in its life.
const MOST_ORDERS: usize = 1_024;
/// Keeps proxies from closing silent sockets.
const PING: Duration = Duration::from_secs(30);
/// A socket on which nothing was said, either way, for this long is closed.
const IDLE: Duration = Duration::from_secs(600);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET /api/orders/ws/{orderId}`: E's frames.
pub(super) async fn by_path(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    caller: CameIn,
    upgrade: Upgrade,
) -> Response {
    open(app, caller, &headers, upgrade, async move |visit, socket| visit.follow_one(socket, &id).await)
}

/// `GET /api/orders/execute?orderId=`: E's frames.
pub(super) async fn by_query(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    caller: CameIn,
    upgrade: Upgrade,
) -> Response {
    let id = Query::parse(&uri).ok().and_then(|mut query| query.one("orderId")).filter(|id| !id.is_empty());
    open(app, caller, &headers, upgrade, async move |visit, socket| match id {
        Some(id) => visit.follow_one(socket, &id).await,
        None => sockets::end(socket, None, ends::POLICY, "Missing orderId").await,
    })
}

/// `GET /api/orders/ws`: M's frames of the orders that the client names.
pub(super) async fn by_message(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    caller: CameIn,
    upgrade: Upgrade,
) -> Response {
    open(app, caller, &headers, upgrade, async move |visit, socket| visit.follow_many(socket).await)
}

fn open<F, W>(app: Arc<App>, CameIn(caller): CameIn, headers: &HeaderMap, upgrade: Upgrade, run: F) -> Response
where
    F: FnOnce(Visit, WebSocket) -> W + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let Ok(upgrade) = upgrade else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let account = match Account::asked(caller.as_ref(), headers) {
        Ok(Account(account)) => account,
        Err(problem) => return Refused::new(StatusCode::BAD_REQUEST, problem.detail()).into_response(),
    };
    let Ok(seat) = Seat::take(&app) else {
        return Refused::unavailable("Too many sockets").into_response();
    };
    let visit = Visit { pass: Pass::of(&app, caller), app, account };
    sockets::limited(upgrade).on_upgrade(async move |socket| {
        run(visit, socket).await;
        drop(seat);
    })
}

/// Who is looking.
struct Visit {
    app: Arc<App>,
    account: Owner,
    pass: Pass,
}

impl Visit {
    /// How long the client may take to take what is sent.
    fn within(&self) -> Duration {
        self.app.settings.send_within()
    }

    /// The order's history and then its events, if it is the visitor's.
    async fn follower(&self, id: &str) -> Result<Option<Follower>, Fault> {
        let engine = &self.app.engine;
        let entity = if is_id(id) { engine.journal.entity(Kind::Swap, id).await? } else { None };
        if entity.is_none_or(|entity| entity.owner != self.account) {
            return Ok(None);
        }
        Follower::entity(&engine.hub, Some(self.account.clone()), Kind::Swap, id).await.map(Some)
    }

    async fn follow_one(mut self, mut socket: WebSocket, id: &str) {
        let (last, code, reason) = match self.follower(id).await {
            Ok(Some(follower)) => match self.tell_one(&mut socket, follower).await {
                Ok((code, reason)) => (None, code, reason),
                Err(Gone { .. }) => return,
            },
            Ok(None) => (Some(e::unknown(id)), ends::POLICY, "Order not found"),
            Err(fault) => {
                tracing::error!(%fault, "a socket failed");
                (None, ends::FAILED, "unavailable")
            }
        };
        sockets::end(socket, last, code, reason).await;
    }

    /// Sends E's frames until the last, then waits for the client to go. What the client says is ignored.
    async fn tell_one(&mut self, socket: &mut WebSocket, mut follower: Follower) -> Result<(u16, &'static str), Gone> {
        let mut ping = interval_at(Instant::now() + PING, PING);
        let (mut over, mut idle_until) = (false, Instant::now() + IDLE);
        loop {
            tokio::select! {
                said = socket.recv() => match said {
                    Some(Ok(_)) => {}
                    _ => return Err(Gone { taken: 0 }),
                },
                item = follower.next(), if !over => match item {
                    Ok(Item::Event(event)) => {
                        let (frames, last) = e::frames(&event.event);
                        sockets::send_all(socket, frames, self.within()).await?;
                        (over, idle_until) = (last, Instant::now() + IDLE);
                    }
                    Ok(Item::Lagged { .. }) => return Ok((ends::SLOW, "slow consumer")),
                    Err(fault) => {
                        tracing::error!(%fault, "a socket failed");
                        return Ok((ends::FAILED, "unavailable"));
                    }
                },
                _ = ping.tick() => sockets::send(socket, Message::Ping(Default::default()), self.within()).await?,
                () = sleep_until(idle_until) => return Ok((ends::DONE, "idle")),
                () = self.app.settings.stop.cancelled() => return Ok((ends::RESTART, "restart")),
                () = self.pass.over() => return Ok((ends::UNAUTHORIZED, "the key is not good any more")),
            }
        }
    }

    async fn follow_many(mut self, mut socket: WebSocket) {
        if let Ok((code, reason)) = self.tell_many(&mut socket).await {
            sockets::end(socket, None, code, reason).await;
        }
    }

    /// Follows every order that the client names, and sends M's frames.
    async fn tell_many(&mut self, socket: &mut WebSocket) -> Result<(u16, &'static str), Gone> {
        let mut ping = interval_at(Instant::now() + PING, PING);
        let mut idle_until = Instant::now() + IDLE;
        let mut orders = Orders { followed: HashSet::new(), news: SelectAll::new() };
        loop {
            let frame = tokio::select! {
                said = socket.recv() => match said {
                    Some(Ok(Message::Text(said))) => self.answer(&said, &mut orders).await,
                    Some(Ok(Message::Binary(_))) => INVALID.to_owned(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    _ => return Err(Gone { taken: 0 }),
                },
                Some(item) = orders.news.next() => match item {
                    Ok(Item::Event(event)) => match m::frame(&event.event).0 {
                        Some(frame) => frame,
                        None => continue,
                    },
                    Ok(Item::Lagged { .. }) => return Ok((ends::SLOW, "slow consumer")),
                    Err(fault) => {
                        tracing::error!(%fault, "a socket failed");
                        return Ok((ends::FAILED, "unavailable"));
                    }
                },
                _ = ping.tick() => {
                    sockets::send(socket, Message::Ping(Default::default()), self.within()).await?;
                    continue;
                }
                () = sleep_until(idle_until) => return Ok((ends::DONE, "idle")),
                () = self.app.settings.stop.cancelled() => return Ok((ends::RESTART, "restart")),
                () = self.pass.over() => return Ok((ends::UNAUTHORIZED, "the key is not good any more")),
            };
            sockets::send(socket, Message::text(frame), self.within()).await?;
            idle_until = Instant::now() + IDLE;
        }
    }

    /// Answers the client's message; from then on the order it names is followed.
    async fn answer(&self, said: &str, orders: &mut Orders) -> String {
        if said.len() > MESSAGE_LIMIT {
            return INVALID.to_owned();
        }
        let id = match named(said) {
            Ok(Some(id)) => id,
            Ok(None) => return r#"{"error":"orderId required"}"#.to_owned(),
            Err(()) => return INVALID.to_owned(),
        };
        let connected = || format!(r#"{{"orderId":{},"status":"connected"}}"#, text(&id));
        if orders.followed.contains(&id) {
            return connected();
        }
        if orders.followed.len() == MOST_ORDERS {
            return r#"{"error":"too many orders on one socket"}"#.to_owned();
        }
        match self.follower(&id).await {
            Ok(Some(follower)) => {
                let connected = connected();
                orders.followed.insert(id);
                orders.news.push(until_last(follower).boxed());
                connected
            }
            Ok(None) => r#"{"error":"order not found"}"#.to_owned(),
            Err(fault) => {
                tracing::error!(%fault, "a socket failed");
                r#"{"error":"unavailable, try again"}"#.to_owned()
            }
        }
    }
}

const INVALID: &str = r#"{"error":"invalid json"}"#;

/// The orders that one M socket follows.
struct Orders {
    followed: HashSet<String>,
    news: SelectAll<BoxStream<'static, Result<Item, Fault>>>,
}

/// An order's events up to the one after which there are no more.
fn until_last(follower: Follower) -> impl futures_util::Stream<Item = Result<Item, Fault>> {
    stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        let item = follower.next().await;
        let goes_on = matches!(&item, Ok(Item::Event(event)) if !m::frame(&event.event).1);
        Some((item, goes_on.then_some(follower)))
    })
}

/// The order id in a client's message: an error for what is no JSON or null, none for a message without one. An id that
/// is no text is as good as an unknown one.
fn named(said: &str) -> Result<Option<String>, ()> {
    let object = Object::loose(said).map_err(|_| ())?;
    if said.trim() == "null" {
        return Err(());
    }
    let raw = object.0.iter().rev().find(|(key, _)| key == "orderId").map(|(_, raw)| raw.get());
    let Some(raw) = raw.filter(|raw| !super::decimal::is_falsy(Some(raw))) else {
        return Ok(None);
    };
    Ok(Some(serde_json::from_str(raw).map_or_else(|_| raw.to_owned(), |Text(id)| id.into_owned())))
}

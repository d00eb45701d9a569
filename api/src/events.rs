//! `GET /v1/events`: server-sent events, from any position in the log, then live.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::Kind;
use engine::follow::{Follower, Item};
use engine::hub::Watch;
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use crate::account::{Account, CameIn};
use crate::envelope;
use crate::gate;
use crate::pass::Pass;
use crate::position::{self, Position};
use crate::problem::Problem;
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, EntityId, EventKind, StreamedEvent};
use crate::sockets::Seat;
use crate::swaps::is_id;

/// A sign of life when nothing happens, so that dead connections are noticed and proxies keep live ones.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// The kinds that have events.
const KINDS: &str = "swap, deal, bid, invoice, authorisation, key, webhook.endpoint";
/// The most ids in one filter.
const MAX_IDS: usize = 256;

/// Follows events as server-sent events.
///
/// Without a position it starts now. `Last-Event-ID` (which browsers send when they reconnect) wins over `after`. Each
/// event has its type as `event`, its position as `id`, and an envelope as `data`. A client that is too slow gets a
/// last event `error` with the position to resume from, and so does one whose key is revoked or expires.
#[utoipa::path(get, path = "/v1/events", tag = "streams",
    params(
        ("after" = Option<String>, Query, pattern = "^(oldest|[0-9]+-[0-9]+)$", example = json!("1-42"), description = "Resume after this position (`epoch-seq`), or `oldest`."),
        ("kind" = Option<Vec<EventKind>>, Query, description = "Only of these kinds; repeatable or comma-separated."),
        ("id" = Option<Vec<EntityId>>, Query, example = json!(["0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01"]), description = "Only about these entities; repeatable or comma-separated."),
        ("Last-Event-ID" = Option<String>, Header, pattern = "^(oldest|[0-9]+-[0-9]+)$", description = "As `after`."),
        ("ticket" = Option<String>, Query, description = "A one-time ticket instead of a key; see `/v1/stream-tickets`."),
        Acting),
    responses(
        (status = 200, description = "An endless stream of events.", body = StreamedEvent,
            content_type = "text/event-stream"),
        (status = 410, description = "The position is no longer held, `oldest` is: `POSITION_GONE`."),
        (status = 503, description = "Too many streams: `TOO_MANY_SOCKETS`.")))]
pub(crate) async fn follow(
    State(app): State<Arc<App>>,
    Account(account): Account,
    CameIn(caller): CameIn,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let (kinds, ids, after) = (query.list("kind"), query.list("id"), query.one("after"));
    // The gate took it.
    let _ = query.one(gate::PARAMETER);
    let kinds = followed(&kinds);
    if kinds.is_none() {
        query.fault("kind", format!("expected some of {KINDS}"));
    }
    if !are_ids(&ids) {
        query.fault("id", format!("expected at most {MAX_IDS} ids"));
    }
    query.finish()?;
    let seat = Seat::take(&app)?;
    let head = app.engine.journal.head().await?;
    let last = headers.get("last-event-id").map(|v| v.to_str().unwrap_or("?").to_owned());
    let after = last.or(after).map(|text| position::resume(&text, &head)).transpose()?;
    let watch = Watch { account: Some(account), kinds: kinds.unwrap_or_default(), ids };
    let follower = Follower::open(&app.engine.hub, watch, after).await?;

    let (pass, stop) = (Pass::of(&app, caller), app.settings.stop.clone());
    let reader = Reader { follower, epoch: head.epoch, stop, pass, stage: Stage::Opening, _seat: seat };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let chunks = stream::unfold(reader, async |mut reader| {
        let chunk = reader.chunk().await?;
        Some((Ok::<_, Infallible>(chunk), reader))
    });
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// The kinds of those names, if all of them have events.
pub(crate) fn followed(names: &[String]) -> Option<Vec<Kind>> {
    names.iter().map(|name| Kind::parse(name).filter(|kind| !kind.is_bookkeeping())).collect()
}

/// Whether these are ids, and not too many for one filter.
pub(crate) fn are_ids(ids: &[String]) -> bool {
    ids.len() <= MAX_IDS && ids.iter().all(|id| is_id(id))
}

struct Reader {
    follower: Follower,
    epoch: u64,
    stop: CancellationToken,
    pass: Pass,
    stage: Stage,
    _seat: Seat,
}

#[derive(PartialEq)]
enum Stage {
    Opening,
    Open,
    Ended,
}

impl Reader {
    /// What to write next; none at the end.
    async fn chunk(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Ended => return None,
            Stage::Opening => {
                self.stage = Stage::Open;
                let position = self.position(self.follower.position());
                return Some(format!("retry: 2000\nid: {position}\n: follow\n\n").into());
            }
            Stage::Open => {}
        }
        let item = tokio::select! {
            item = tokio::time::timeout(HEARTBEAT, self.follower.next()) => item,
            () = self.pass.over() => return Some(self.end("unauthorized", self.follower.position())),
            () = self.stop.cancelled() => return Some(self.end("shutting_down", self.follower.position())),
        };
        Some(match item {
            Ok(Ok(Item::Event(event))) => {
                let fields = envelope::fields(self.epoch, &event);
                let position = self.position(event.event.seq);
                let mut text = Vec::with_capacity(fields.len() + 128);
                let _ = write!(text, "event: {}\nid: {position}\ndata: {{", event.event.type_);
                text.extend_from_slice(fields);
                text.extend_from_slice(b"}\n\n");
                text.into()
            }
            Ok(Ok(Item::Lagged { resume })) => self.end("slow_consumer", resume),
            Ok(Err(fault)) => {
                tracing::error!(%fault, "a stream of events failed");
                self.end("unavailable", self.follower.position())
            }
            // Also moves the client's position past events that it does not see.
            Err(_) => format!(": heartbeat\nid: {}\n\n", self.position(self.follower.position())).into(),
        })
    }

    fn end(&mut self, code: &str, resume: u64) -> Bytes {
        self.stage = Stage::Ended;
        let resume = self.position(resume);
        format!("event: error\nid: {resume}\ndata: {{\"code\":\"{code}\",\"resume\":\"{resume}\"}}\n\n").into()
    }

    const fn position(&self, seq: u64) -> Position {
        Position { epoch: self.epoch, seq }
    }
}

//! Swap orders over HTTP: place, read, list, follow back, cancel.

mod command;
mod list;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::swap::{Status, Swap};
use domain::{Entity, Kind, Owner};
use engine::cached::View;
use engine::follow::{Follower, Item};
use engine::intake::{RequestKey, Taken};
use tokio::time::{Instant, timeout_at};

use crate::account::Account;
use crate::body::JsonBytes;
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, AfterVersion, History, Keyed, SwapRequest, SwapView, UnlessKnown};
use crate::{idempotency, seen};

pub(crate) use list::{__path_list, list};

/// The longest `?wait=`, in seconds.
const LONGEST_WAIT: u64 = 30;

/// Places an order.
///
/// The answer means that the order is on disk; it is then executed, or, with a limit price, it rests as `open` until that price
/// is there. `?wait=` answers when the order is final or rests for
/// its price, or with its present state when that many seconds have passed. Amounts are decimal text of whole tokens.
#[utoipa::path(post, path = "/v1/swaps", tag = "swaps", request_body = SwapRequest,
    params(
        ("wait" = Option<u64>, Query, minimum = 0, maximum = 30, description = "Wait at most so many seconds (0 to 30) for the final state."),
        Acting, Keyed),
    responses(
        (status = 202, description = "Accepted: on disk, not final yet.", body = SwapView),
        (status = 200, description = "Accepted, and final within `wait`.", body = SwapView),
        (status = 422, description = "Refused: `UNKNOWN_TOKEN`, `SAME_TOKEN`, `AMOUNT_MALFORMED`, `AMOUNT_NOT_POSITIVE`, \
            `AMOUNT_TOO_PRECISE`, `AMOUNT_TOO_LARGE`, `SLIPPAGE_OUT_OF_RANGE`, `UNKNOWN_CHOICE`, \
            `OUT_OF_RANGE`, `CLIENT_ORDER_ID_MALFORMED`, `LIMIT_PRICE_MALFORMED`, `LIMIT_PRICE_OUT_OF_RANGE`, \
            `UNSUPPORTED_TIME_IN_FORCE`, `EXPIRE_TIME_REQUIRED`, `EXPIRE_TIME_MALFORMED` or `EXPIRE_TIME_IN_PAST`; by the account's \
            limits: `TOKEN_NOT_ALLOWED`, `NOTIONAL_EXCEEDS_MAX_PER_ORDER` or `NOTIONAL_UNKNOWN`."),
        (status = 409, description = "The client order id is taken: `DUPLICATE_CLIENT_ORDER_ID`. The day's limit has no room for \
            it: `DAILY_LIMIT`. The installation does not trade it now: `TRADING_HALTED`, `TRADING_STATE_REDUCING`.")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Manner { wait, key }: Manner,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let place = command::parse(&body, account.clone(), &app.engine.tokens)?;
    let request = key.map(|key| RequestKey {
        scope: format!("swaps.create:{account}"),
        key,
        fingerprint: idempotency::fingerprint(&place),
    });
    let taken = app.engine.intake.place(place, request).await?;
    Ok(settle(&app, account, taken, wait).await)
}

/// Reads an order.
#[utoipa::path(get, path = "/v1/swaps/{id}", tag = "swaps",
    params(
        ("id" = String, Path, description = "The order's id."),
        Acting, UnlessKnown),
    responses(
        (status = 200, description = "The order; its ETag is its version.", body = SwapView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "No such order of this account; malformed ids too: `SWAP_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = owned(&app, &account, &id).await?;
    let tag = etag(view.version);
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok((StatusCode::OK, [(header::ETAG, tag)], json(view.body())).into_response())
}

/// The history of an order: every change, with all quotes of each routing and why one was chosen.
#[utoipa::path(get, path = "/v1/swaps/{id}/events", tag = "swaps",
    params(
        ("id" = String, Path, description = "The order's id."),
        AfterVersion, Acting),
    responses(
        (status = 200, description = "Its events, oldest first, at most 1,000.", body = History),
        (status = 404, description = "No such order of this account; malformed ids too: `SWAP_NOT_FOUND`.")))]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    owned(&app, &account, &id).await?;
    seen::history(&app, Kind::Swap, &id, &uri).await
}

/// Cancels an order that is pending, open or routing; cancelling it again answers with it again.
#[utoipa::path(post, path = "/v1/swaps/{id}/cancel", tag = "swaps",
    params(
        ("id" = String, Path, description = "The order's id."),
        Acting, Keyed),
    responses(
        (status = 200, description = "Cancelled.", body = SwapView),
        (status = 404, description = "No such order of this account; malformed ids too: `SWAP_NOT_FOUND`."),
        (status = 409, description = "A venue is chosen already, or the order is final: `NOT_CANCELLABLE`.")))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_id(&id) {
        return Err(unknown());
    }
    let request = idempotency::key(&headers)?.map(|key| RequestKey {
        scope: format!("swaps.cancel:{account}"),
        key,
        fingerprint: command::cancel_fingerprint(&id),
    });
    let taken = app.engine.intake.cancel(&account, &id, request).await?;
    Ok(answer(StatusCode::OK, taken))
}

/// Answers at once, or follows the order until it is final or the wait is over.
async fn settle(app: &App, account: Owner, taken: Taken, wait: Duration) -> Response {
    let Taken { id, mut version, mut view, replayed } = taken;
    let mut status = StatusCode::ACCEPTED;
    if !wait.is_zero() {
        // The request's own deadline comes after the wait, so that the caller hears of the order.
        let longest = Duration::from_millis(app.settings.request_deadline_millis / 10 * 9);
        let until = Instant::now() + wait.min(longest);
        // The order is on disk: when it cannot be followed just now, the caller still hears that it was taken.
        let Ok(mut follower) = Follower::entity(&app.engine.hub, Some(account), Kind::Swap, &id).await else {
            return answer(status, Taken { id, version, view, replayed });
        };
        while let Ok(Ok(Item::Event(event))) = timeout_at(until, follower.next()).await {
            let event = &event.event;
            (version, view) = (event.version, domain::view::of_event(&event.body));
            match status_of(&event.type_) {
                Some(ended) if ended.is_final() => {
                    status = StatusCode::OK;
                    break;
                }
                // It rests for its price, and may for long.
                Some(Status::Open) => break,
                _ => {}
            }
        }
    }
    answer(status, Taken { id, version, view, replayed })
}

/// The state that an event of this type tells of, if its name says so.
fn status_of(type_: &str) -> Option<Status> {
    Status::parse(type_.strip_prefix("swap.")?)
}

fn answer(status: StatusCode, taken: Taken) -> Response {
    let mut response = (status, [(header::ETAG, etag(taken.version))], json(taken.view)).into_response();
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(format!("/v1/swaps/{}", taken.id)).map(|at| (header::LOCATION, at)));
    if taken.replayed {
        headers.insert(HeaderName::from_static(idempotency::REPLAYED), HeaderValue::from_static("true"));
    }
    response
}

/// How a request for an order wants to be treated; reads the headers where they are, without copying them.
pub(crate) struct Manner {
    wait: Duration,
    key: Option<String>,
}

impl FromRequestParts<Arc<App>> for Manner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self { wait: wait(&parts.uri, &parts.headers)?, key: idempotency::key(&parts.headers)? })
    }
}

/// How long the caller wants to wait: `?wait=`, or `Prefer: wait=` (RFC 7240).
fn wait(uri: &Uri, headers: &HeaderMap) -> Result<Duration, Problem> {
    let mut query = Query::parse(uri)?;
    let asked = query.integer("wait", 0, LONGEST_WAIT);
    query.finish()?;
    let preferred = || {
        let prefer = headers.get("prefer")?.to_str().ok()?;
        let seconds = prefer.split([',', ';']).find_map(|part| part.trim().strip_prefix("wait="))?;
        seconds.parse::<u64>().ok().map(|s| s.min(LONGEST_WAIT))
    };
    Ok(Duration::from_secs(asked.or_else(preferred).unwrap_or(0)))
}

/// The public view of the order of that id, if it is the account's.
async fn owned(app: &App, account: &Owner, id: &str) -> Result<View, Problem> {
    if !is_id(id) {
        return Err(unknown());
    }
    let view = app.engine.cached.view(Kind::Swap, id).await?;
    view.filter(|view| view.is_of(account)).ok_or_else(unknown)
}

fn swap(entity: &Entity) -> Result<Swap, Problem> {
    let broken = |e: serde_json::Error| drivers::Fault::Broken(format!("swap {}: {e}", entity.id));
    Ok(Swap::from_entity(entity).map_err(broken)?)
}

fn unknown() -> Problem {
    Problem::new(codes::SWAP_NOT_FOUND, "there is no such order")
}

/// Whether a text is a UUID in its usual form: anything else is nobody's id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        })
}

pub(crate) fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// RFC 9110: `If-None-Match` compares weakly; `*` matches whatever exists.
pub(crate) fn matches(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else {
        return false;
    };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// JSON text as a body.
pub(crate) fn json(text: impl Into<Body>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text.into())
}

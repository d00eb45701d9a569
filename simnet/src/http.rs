//! The HTTP front: a world as a process of its own, which outlives the servers that trade in it.

use std::future::{Future, IntoFuture as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::chain::Chain;
use crate::fronts;
use crate::{Clock, LookUp, Quote, Refused, SLOT_MILLIS, World, base58, wire};

/// Bodies are no longer than this.
const BODY_BYTES: usize = 64 * 1024;

/// Longer than a stalled quote takes.
const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// The most requests under way; quotes wait most of their time.
const REQUESTS_LIMIT: usize = 4_096;

/// The most executions on a page of the ledger.
const PAGE_LIMIT: usize = 10_000;

/// How often a chain looks whether a slot has begun.
const TICK_MILLIS: u64 = 50;

/// A world and the clock it lives by.
struct Front {
    world: Arc<World>,
    clock: Arc<Clock>,
    room: Semaphore,
}

type Shared = State<Arc<Front>>;
type Body = Result<Bytes, BytesRejection>;
type Answer<T> = Result<Json<T>, Problem>;

/// A refusal with its status.
struct Problem(StatusCode, &'static str, String);

/// Serves the world until `stop`, and moves it on every slot though nobody asks.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    world: Arc<World>,
    clock: Arc<Clock>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let serving = axum::serve(listener, router(Arc::clone(&world), Arc::clone(&clock))).with_graceful_shutdown(stop);
    let ticking = async {
        loop {
            sleep(Duration::from_millis(SLOT_MILLIS)).await;
            world.advance(clock.now());
        }
    };
    tokio::select! {
        result = serving.into_future() => result,
        () = ticking => Ok(()),
    }
}

/// Serves the world and the chain beside it until `stop`, and moves both on every slot though nobody asks.
///
/// # Errors
/// The listener fails.
pub async fn serve_chain(
    listener: TcpListener,
    chain: Arc<Chain>,
    clock: Arc<Clock>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let more = fronts::routes(Arc::clone(&chain), Arc::clone(&clock));
    let router = routed(Arc::clone(chain.world()), Arc::clone(&clock), more);
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
    let ticking = async {
        loop {
            sleep(Duration::from_millis(TICK_MILLIS)).await;
            chain.advance(clock.now());
            chain.world().advance(clock.now());
        }
    };
    tokio::select! {
        result = serving.into_future() => result,
        () = ticking => Ok(()),
    }
}

/// Every route of the world.
pub fn router(world: Arc<World>, clock: Arc<Clock>) -> Router {
    routed(world, clock, Router::new())
}

/// The world's routes and `more`, all within the same limits.
fn routed(world: Arc<World>, clock: Arc<Clock>, more: Router) -> Router {
    let front = Arc::new(Front { world, clock, room: Semaphore::new(REQUESTS_LIMIT) });
    Router::<Arc<Front>>::new()
        .route("/quote", post(quote))
        .route("/blockhash", get(blockhash))
        .route("/transactions", post(submit))
        .route("/transactions/status", post(look_up))
        .route("/ledger", get(ledger))
        .route("/wallets/{account}", get(wallet))
        .route("/health", get(health))
        .merge(more.with_state(()))
        .fallback(async || Problem(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing here".to_owned()))
        .method_not_allowed_fallback(async || {
            Problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "not with this method".to_owned())
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&front), limits))
        .with_state(front)
}

/// Bounds the requests under way and the time of each, the reading of its body included.
async fn limits(State(front): Shared, request: Request, next: Next) -> Response {
    let Ok(_room) = front.room.try_acquire() else {
        return Problem(StatusCode::SERVICE_UNAVAILABLE, "FULL", "too many requests are under way".to_owned())
            .into_response();
    };
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES) {
        let message = format!("a body has at most {BODY_BYTES} bytes");
        return Problem(StatusCode::PAYLOAD_TOO_LARGE, "UNREADABLE_BODY", message).into_response();
    }
    let late = |_| {
        Problem(StatusCode::REQUEST_TIMEOUT, "DEADLINE_EXCEEDED", "the request took too long".to_owned())
            .into_response()
    };
    timeout(REQUEST_DEADLINE, next.run(request)).await.unwrap_or_else(late)
}

async fn quote(State(front): Shared, body: Body) -> Answer<Arc<Quote>> {
    let asked: wire::Ask = read(body)?;
    let ask = asked.as_world();
    let delay = front.world.quote_delay(&ask, front.clock.now());
    if delay > 0 {
        sleep(Duration::from_millis(delay)).await;
    }
    Ok(Json(front.world.quote(&ask, front.clock.now())?))
}

async fn blockhash(State(front): Shared) -> Json<wire::Blockhash> {
    Json(front.world.blockhash(front.clock.now()).into())
}

async fn submit(State(front): Shared, body: Body) -> Answer<wire::Submitted> {
    let submission: wire::Submission = read(body)?;
    let id = front.world.submit(&submission.transaction, front.clock.now())?;
    Ok(Json(wire::Submitted { id: base58::encode(&id) }))
}

async fn look_up(State(front): Shared, body: Body) -> Answer<wire::Statuses> {
    let wire::LookUps { transactions } = read(body)?;
    if transactions.len() > wire::LOOK_UP_LIMIT {
        let message = format!("at most {} transactions at once", wire::LOOK_UP_LIMIT);
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, "TOO_MANY", message));
    }
    let asked: Vec<_> =
        transactions.iter().map(|t| LookUp { id: &t.id, expires_at_height: t.expires_at_height }).collect();
    let outcomes = front.world.look_up(&asked, front.clock.now());
    Ok(Json(wire::Statuses { statuses: outcomes.into_iter().map(Into::into).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageOf {
    #[serde(default)]
    after: usize,
    limit: Option<usize>,
}

async fn ledger(State(front): Shared, page: Result<Query<PageOf>, QueryRejection>) -> Answer<wire::LedgerPage> {
    let Query(PageOf { after, limit }) = page.map_err(|e| malformed(&e.body_text()))?;
    let limit = limit.unwrap_or(1_000).min(PAGE_LIMIT);
    let (records, total) = front.world.records(after, limit, front.clock.now());
    let executions = records.into_iter().zip(after + 1..).map(|(record, index)| wire::Execution {
        index,
        id: base58::encode(&record.id),
        order_id: record.order.into(),
        build: record.build,
        account: record.account.into(),
        amount_in: record.amount_in,
        amount_out: record.amount_out,
        slot: record.slot,
    });
    Ok(Json(wire::LedgerPage { executions: executions.collect(), total }))
}

async fn wallet(State(front): Shared, Path(account): Path<String>) -> Answer<wire::Wallet> {
    if account.len() > 64 {
        return Err(malformed("an account has at most 64 characters"));
    }
    let balances = front.world.balances(&account, front.clock.now());
    let balance = |held: crate::Balance| wire::Balance {
        symbol: held.symbol.as_ref().to_owned(),
        decimals: held.decimals,
        amount: held.amount.map(|units| units.to_string()),
    };
    Ok(Json(wire::Wallet {
        address: front.world.wallets().address(&account),
        account,
        balances: balances.into_iter().map(balance).collect(),
    }))
}

async fn health(State(front): Shared) -> Json<wire::Health> {
    let head = front.world.head(front.clock.now());
    Json(wire::Health { status: "ok".to_owned(), slot: head.slot, finalised: head.finalised })
}

fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let body = body.map_err(|e| Problem(e.status(), "UNREADABLE_BODY", e.body_text()))?;
    serde_json::from_slice(&body).map_err(|e| malformed(&e.to_string()))
}

fn malformed(message: &str) -> Problem {
    Problem(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST", message.to_owned())
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::Malformed(_) => StatusCode::BAD_REQUEST,
            Refused::NoRoute(_) | Refused::BadSignature | Refused::BlockhashUnknown | Refused::BlockhashExpired => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Refused::VenueFailed | Refused::Full => StatusCode::SERVICE_UNAVAILABLE,
            Refused::AnswerLost => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, refused.code(), refused.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, Json(wire::Problem { code: code.to_owned(), message })).into_response()
    }
}

#[cfg(test)]
mod tests;

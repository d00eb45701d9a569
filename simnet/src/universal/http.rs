//! The venue's HTTP API, as its documents have it, and its ledger beside it.
//!
//! Errors have a stable word and a sentence: `{"error", "message"}`. Any key is good; one that is none is refused. What the
//! original answers to `GET /prices/latest` is not documented: ours is a list of tokens with their prices as decimal text.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use super::{Fate, Order, QuoteRequest, Refused, Rfq, TOKENS, Twist};
use crate::Clock;
use crate::faults::{Fault, Faults, Front};
use crate::fronts::TookEffect;

/// Where the API is in the process.
pub const BASE: &str = "/universal/api/v1";
/// How long a merchant takes that is late, in milliseconds: forty slots.
const LATE_MILLIS: u64 = 16_000;
/// The most fills on a page of the ledger.
const PAGE_LIMIT: usize = 10_000;

/// The venue with all that it lives by.
#[derive(Clone)]
pub struct Desk {
    /// The venue.
    pub rfq: Arc<Rfq>,
    /// Its clock.
    pub clock: Arc<Clock>,
    /// What goes wrong on command.
    pub faults: Arc<Faults>,
    /// How long a merchant takes to fill an order, in milliseconds.
    pub fill_millis: u64,
}

type Body = Result<Bytes, BytesRejection>;

/// The API's routes, below [`BASE`].
pub fn routes<S>(desk: Desk) -> Router<S> {
    Router::new()
        .route("/quote", post(quote))
        .route("/order", post(order))
        .route("/orders", get(orders))
        .route("/prices/latest", get(prices))
        .with_state(desk)
}

/// What was filled: `/universal/ledger`.
pub fn records<S>(desk: Desk) -> Router<S> {
    Router::new().route("/universal/ledger", get(ledger)).with_state(desk)
}

/// Serves the venue alone.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, desk: Desk) -> std::io::Result<()> {
    axum::serve(listener, Router::new().nest(BASE, routes(desk.clone())).merge(records(desk))).await
}

impl Desk {
    fn strikes(&self, fault: Fault) -> bool {
        self.faults.strikes(Front::Universal, fault)
    }

    fn twist(&self) -> Twist {
        match () {
            () if self.strikes(Fault::StaleQuote) => Twist::Stale,
            () if self.strikes(Fault::WrongMint) => Twist::OtherToken,
            () => Twist::None,
        }
    }

    fn fate(&self) -> Fate {
        match () {
            () if self.strikes(Fault::Dropped) => Fate::Dropped,
            () if self.strikes(Fault::Late) => Fate::Filled(LATE_MILLIS),
            () if self.strikes(Fault::ShortOutput) => Fate::Short(self.fill_millis),
            () => Fate::Filled(self.fill_millis),
        }
    }
}

async fn quote(State(desk): State<Desk>, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    authorised(&headers)?;
    let request: QuoteRequest = read(body)?;
    Ok(Json(desk.rfq.quote(&request, desk.clock.now(), desk.twist())?).into_response())
}

async fn order(State(desk): State<Desk>, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    authorised(&headers)?;
    let order: Order = read(body)?;
    let mut response = Json(desk.rfq.order(&order, desk.clock.now(), desk.fate())?).into_response();
    response.extensions_mut().insert(TookEffect);
    Ok(response)
}

#[derive(Deserialize)]
struct Which {
    order_id: String,
}

async fn orders(
    State(desk): State<Desk>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refused> {
    authorised(&headers)?;
    let Query(Which { order_id }) = which.map_err(|error| Refused::Malformed(error.body_text()))?;
    let data: Vec<_> = desk.rfq.status(&order_id, desk.clock.now()).into_iter().collect();
    Ok(Json(json!({"data": data})).into_response())
}

async fn prices() -> Response {
    let price = |token: &super::Token| json!({"token": token.name, "price": token.dollars()});
    Json(json!({"data": TOKENS.iter().map(price).collect::<Vec<_>>()})).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageOf {
    #[serde(default)]
    after: usize,
    limit: Option<usize>,
}

async fn ledger(State(desk): State<Desk>, page: Result<Query<PageOf>, QueryRejection>) -> Result<Response, Refused> {
    let Query(PageOf { after, limit }) = page.map_err(|error| Refused::Malformed(error.body_text()))?;
    let (fills, total) = desk.rfq.ledger(after, limit.unwrap_or(1_000).min(PAGE_LIMIT), desk.clock.now());
    Ok(Json(json!({"fills": fills, "total": total})).into_response())
}

/// Without a key, or with one.
fn authorised(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(()) };
    let key = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    if key.is_some_and(|key| !key.trim().is_empty()) { Ok(()) } else { Err(Refused::Unauthorised) }
}

fn read<T: for<'a> Deserialize<'a>>(body: Body) -> Result<T, Refused> {
    let body = body.map_err(|error| Refused::Malformed(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| Refused::Malformed(error.to_string()))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unauthorised => StatusCode::UNAUTHORIZED,
            Self::Full => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, Json(json!({"error": self.code(), "message": self.to_string()}))).into_response()
    }
}

//! The aggregator's API: quotes and swaps of the first version, orders of the second, prices.
//!
//! A quote is the router's over the pools of both exchanges, to the unit. It carries a seal; one that comes back changed is
//! refused, as a client must echo it verbatim.

mod order;
mod price;
mod quote;
mod swap;

pub(super) use self::order::Orders;
pub(super) use self::quote::stale;
pub(super) use self::swap::{another_mint, short};

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Fronts;

pub(super) fn routes() -> Router<Arc<Fronts>> {
    Router::new()
        .route("/swap/v1/quote", get(quote::quote))
        .route("/swap/v1/swap", post(swap::swap))
        .route("/swap/v1/swap-instructions", post(swap::instructions))
        .route("/swap/v1/program-id-to-label", get(quote::labels))
        .route("/swap/v2/order", get(order::order))
        .route("/swap/v2/execute", post(order::execute))
        .route("/price/v3", get(price::prices))
}

type Answer = Result<Json<Value>, Problem>;

/// A refusal as the aggregator words it.
#[derive(Debug)]
pub(super) struct Problem {
    code: &'static str,
    message: String,
}

impl Problem {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new("INVALID_REQUEST", message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": self.message, "errorCode": self.code});
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

//! The dex facade: market orders in two dialects, M and E, told apart by their bodies and their sockets.
//!
//! `e` and `m` know how each dialect reads a body and words a frame; `execute` and `sockets` are what they share.

mod decimal;
mod e;
mod execute;
mod facts;
mod m;
mod sockets;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::routes::App;

/// The facade's routes below `mount` (empty for its own listener).
pub(crate) fn routes(mount: &'static str) -> Router<Arc<App>> {
    let path = |rest: &str| format!("{mount}{rest}");
    let execute = async move |State(app), request| execute::execute(app, mount, request).await;
    let router = Router::new()
        .route(&path("/"), get(online).fallback(not_found))
        .route(&path("/api/orders/execute"), get(sockets::by_query).post(execute).fallback(not_found))
        .route(&path("/api/orders/ws"), get(sockets::by_message).fallback(not_found))
        .route(&path("/api/orders/ws/{order_id}"), get(sockets::by_path).fallback(not_found))
        .route(&path("/{*rest}"), any(not_found));
    if mount.is_empty() { router } else { router.route(mount, get(online).fallback(not_found)) }
}

async fn online() -> Response {
    json(StatusCode::OK, r#"{"status":"online","service":"Order Execution Engine"}"#.to_owned())
}

/// An unknown route in the words of both original systems.
async fn not_found(method: Method, uri: Uri) -> Response {
    let url = uri.path_and_query().map_or("/", |p| p.as_str());
    let message = text(&format!("Route {method}:{url} not found"));
    json(StatusCode::NOT_FOUND, format!(r#"{{"message":{message},"error":"Not Found","statusCode":404}}"#))
}

/// A refusal in the words of the systems themselves.
fn refused(status: StatusCode, error: &str) -> Response {
    json(status, format!(r#"{{"error":{}}}"#, text(error)))
}

fn json(status: StatusCode, body: String) -> Response {
    let content = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, content)], body).into_response()
}

/// Text as JSON.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

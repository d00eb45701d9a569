//! The dex facade: market and limit orders in two dialects, M and E, told apart by their bodies and their sockets.
//!
//! `e` and `m` know how each dialect reads a body and words a frame; `execute` and `sockets` are what they share.

pub(super) mod decimal;
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
use domain::key::Scope;

use super::Facade;
use crate::problem::Problem;
use crate::routes::App;

/// Where the facade is mounted beside the native API.
pub(crate) const MOUNT: &str = "/dex";

/// The facade below `mount`, as the layer around all routes knows it.
pub(crate) const fn facade(mount: &'static str) -> Facade {
    Facade { name: "dex", mount, needs, scopes: &[Scope::SwapsRead, Scope::SwapsWrite], signed: None, failure }
}

/// Orders are placed with POST and followed with GET. That it is online anyone may know.
fn needs(method: &Method, path: &str) -> Option<Scope> {
    match *method {
        _ if !path.contains("/api/") => None,
        Method::POST => Some(Scope::SwapsWrite),
        _ => Some(Scope::SwapsRead),
    }
}

/// A request that failed outside of its handler (it panicked, or took too long), as the systems' framework says it.
fn failure(problem: &Problem, _: Option<&HeaderValue>) -> Response {
    let status = problem.status();
    let (error, message) = (text(status.canonical_reason().unwrap_or("Error")), text(problem.detail()));
    let number = status.as_u16();
    Refused(status, format!(r#"{{"statusCode":{number},"error":{error},"message":{message}}}"#)).into_response()
}

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

/// A refusal: its status and its body as JSON.
struct Refused(StatusCode, String);

impl Refused {
    /// In the words of the systems themselves.
    fn new(status: StatusCode, error: &str) -> Self {
        Self(status, format!(r#"{{"error":{}}}"#, text(error)))
    }

    /// In the words of their framework.
    fn fastify(status: StatusCode, code: &str, error: &str, message: &str) -> Self {
        let (number, message) = (status.as_u16(), text(message));
        Self(status, format!(r#"{{"statusCode":{number},"code":"{code}","error":"{error}","message":{message}}}"#))
    }

    /// The server cannot do it now.
    fn unavailable(message: &str) -> Self {
        let message = text(message);
        let body = format!(r#"{{"statusCode":503,"error":"Service Unavailable","message":{message}}}"#);
        Self(StatusCode::SERVICE_UNAVAILABLE, body)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json(self.0, self.1);
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

fn json(status: StatusCode, body: String) -> Response {
    let content = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, content)], body).into_response()
}

/// Text as JSON.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! The universal facade: firm quotes of the venue `Universal`, and orders for quotes that their traders signed there.
//!
//! `zod` says what is wrong with a body as the original's validator does, `schema` has what bodies must be; `quotes` asks the
//! venue and passes its answer on, `orders` makes an order of a signed quote, `health` has the probes, `trace` the id that every
//! answer carries.

mod health;
mod orders;
mod quotes;
mod schema;
mod trace;
mod zod;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use domain::key::Scope;
use serde_json::Value;

use self::zod::Issues;
use super::Facade;
use crate::problem::Problem;
use crate::routes::App;

/// Where the facade is mounted beside the native API.
pub(crate) const MOUNT: &str = "/universal";

/// The facade below `mount`, as the layer around all routes knows it.
pub(crate) const fn facade(mount: &'static str) -> Facade {
    Facade { name: "universal", mount, needs, scopes: &[Scope::SwapsRead, Scope::SwapsWrite], signed: None, failure }
}

/// Orders are placed with POST; quotes change nothing. Whether it lives anyone may know.
fn needs(method: &Method, path: &str) -> Option<Scope> {
    match *method {
        _ if path.ends_with("/quote") => Some(Scope::SwapsRead),
        Method::POST if path.ends_with("/order") => Some(Scope::SwapsWrite),
        _ if path.ends_with("/order/{id}") => Some(Scope::SwapsRead),
        _ => None,
    }
}

/// A failure outside of the handlers, in the envelope.
fn failure(problem: &Problem, _: Option<&HeaderValue>) -> Response {
    Refused::new(problem.status(), problem.detail()).into_response()
}

/// The facade's routes below `mount` (empty for its own listener).
pub(crate) fn routes(mount: &'static str) -> Router<Arc<App>> {
    let path = |rest: &str| format!("{mount}{rest}");
    let router = Router::new()
        .route(&path("/health"), get(health::both).fallback(nothing))
        .route(&path("/health/live"), get(health::live).fallback(nothing))
        .route(&path("/health/ready"), get(health::ready).fallback(nothing))
        .route(&path("/quote"), get(quotes::fixed).post(quotes::asked).fallback(nothing))
        .route(&path("/order"), post(orders::create).fallback(nothing))
        .route(&path("/order/{id}"), get(orders::read).fallback(nothing))
        .route(&path("/"), any(nothing))
        .route(&path("/{*rest}"), any(nothing));
    let router = if mount.is_empty() { router } else { router.route(mount, any(nothing)) };
    router.layer(from_fn(trace::carry))
}

/// An unknown route.
async fn nothing(uri: Uri) -> Response {
    let path = Value::from(uri.path());
    json(StatusCode::NOT_FOUND, format!(r#"{{"success":false,"error":"Route not found","path":{path}}}"#))
}

/// A refusal: its status and its body as JSON.
#[derive(Debug)]
struct Refused(StatusCode, String);

impl Refused {
    /// In the envelope.
    fn new(status: StatusCode, error: &str) -> Self {
        Self(status, format!(r#"{{"success":false,"error":{}}}"#, Value::from(error)))
    }

    /// With all that is wrong with a body.
    fn invalid(error: &str, issues: Issues) -> Self {
        let (error, details) = (Value::from(error), Value::Array(issues.0));
        Self(StatusCode::BAD_REQUEST, format!(r#"{{"success":false,"error":{error},"details":{details}}}"#))
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status(), problem.detail())
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

/// Something good, in the envelope.
fn success(data: &str) -> Response {
    json(StatusCode::OK, format!(r#"{{"success":true,"data":{data}}}"#))
}

fn json(status: StatusCode, body: String) -> Response {
    let content = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, content)], body).into_response()
}

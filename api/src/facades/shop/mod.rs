//! The shop facade: orders that are queued, then taken; a cache and a queue to look at; documented in Swagger 2.0.
//!
//! `ajv` reads what clients send as the original's validator does, `body` as its framework; `orders` queues commands, `reads`
//! shows what became of them, `upkeep` has the routes about cache, queue and handler, `documentation` the Swagger page,
//! `headers` what every answer carries.
//!
//! Amounts are US dollars: the original knows no currency, and an order needs one. They arrive as JSON numbers and are read
//! as exact decimals; more than two decimals are refused. An order that our rules refuse is refused with the recorded 400
//! before it is queued, so that a 201 is an order unless the queue is purged.

mod ajv;
mod body;
mod documentation;
mod headers;
mod orders;
mod reads;
mod upkeep;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, put};
use domain::key::Scope;
use domain::money::Currency;

use super::Facade;
use crate::problem::Problem;
use crate::routes::App;

/// Where the facade is mounted beside the native API.
pub(crate) const MOUNT: &str = "/shop";
/// The currency of its amounts.
const CURRENCY: &str = "USD";
/// How often the original looks at its queue. Ours is told when there is something; clients only show the number.
const PROCESSING_INTERVAL_MILLIS: u64 = 1_000;

/// The facade below `mount`, as the layer around all routes knows it.
pub(crate) const fn facade(mount: &'static str) -> Facade {
    Facade { name: "shop", mount, needs, scopes: &[Scope::ShopRead, Scope::ShopWrite], signed: None, failure }
}

/// What deletes for everyone is the operator's. What lists the cache's keys shows ids of every account's things, and so is
/// the operator's too.
fn needs(method: &Method, path: &str) -> Option<Scope> {
    let ends = |end: &str| path.ends_with(end);
    match *method {
        Method::OPTIONS => None,
        _ if ends("/cache/clear") || ends("/sqs/purge") || ends("/cache/keys") => Some(Scope::Admin),
        Method::POST | Method::PUT | Method::DELETE if path.contains("/api/orders") => Some(Scope::ShopWrite),
        _ if path.contains("/api/orders") || ends("/stats") || ends("/handler/status") => Some(Scope::ShopRead),
        _ => None,
    }
}

/// A failure outside of the handlers, as the original's framework says it.
fn failure(problem: &Problem, _: Option<&HeaderValue>) -> Response {
    let mut response = Refused::plain(problem.status(), problem.detail()).into_response();
    headers::add(&mut response);
    response
}

/// The facade's routes below `mount` (empty for its own listener).
pub(crate) fn routes(mount: &'static str) -> Router<Arc<App>> {
    let path = |rest: &str| format!("{mount}{rest}");
    let document = async move |sent| documentation::json(mount, &sent);
    let router = Router::new()
        .route(&path("/api/orders"), get(reads::list).post(orders::create).fallback(others))
        .route(&path("/api/orders/{id}"), get(reads::one).delete(orders::delete).fallback(others))
        .route(&path("/api/orders/{id}/status"), put(orders::update).fallback(others))
        .route(&path("/health"), get(upkeep::health).fallback(others))
        .route(&path("/cache/stats"), get(upkeep::cache_stats).fallback(others))
        .route(&path("/cache/keys"), get(upkeep::cache_keys).fallback(others))
        .route(&path("/cache/clear"), delete(upkeep::cache_clear).fallback(others))
        .route(&path("/sqs/stats"), get(upkeep::queue_stats).fallback(others))
        .route(&path("/sqs/purge"), delete(upkeep::queue_purge).fallback(others))
        .route(&path("/handler/status"), get(upkeep::handler_status).fallback(others))
        .route(&path("/handler/stats"), get(upkeep::handler_stats).fallback(others))
        .route(&path("/documentation/json"), get(document).fallback(others))
        .route(&path("/{*rest}"), any(others))
        .merge(documentation::pages(mount));
    let router = if mount.is_empty() { router.route("/", any(others)) } else { router.route(mount, any(others)) };
    router.layer(map_response(headers::on))
}

/// A preflight, or an unknown route.
async fn others(method: Method, uri: Uri, sent: axum::http::HeaderMap) -> Response {
    if method == Method::OPTIONS {
        return headers::preflight(&sent);
    }
    let url = uri.path_and_query().map_or("/", |url| url.as_str());
    let message = text(&format!("Route {method}:{url} not found"));
    json(StatusCode::NOT_FOUND, format!(r#"{{"message":{message},"error":"Not Found","statusCode":404}}"#))
}

/// An order's id in the path.
struct Id(String);

impl FromRequestParts<Arc<App>> for Id {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let id = Path::<String>::from_request_parts(parts, app).await;
        let message = format!("'{}' is not a valid url component", parts.uri.path());
        id.map(|Path(id)| Self(id)).map_err(|_| Refused::fastify(StatusCode::BAD_REQUEST, "FST_ERR_BAD_URL", &message))
    }
}

/// Dollars. Of the codes that the domain knows this is one.
fn currency() -> Option<Currency> {
    Currency::parse(CURRENCY)
}

/// A refusal: its status and its body as JSON.
struct Refused(StatusCode, String);

impl Refused {
    /// In the words of the system itself.
    fn new(status: StatusCode, error: &str) -> Self {
        Self(status, format!(r#"{{"error":{}}}"#, text(error)))
    }

    /// What the schema of the answer leaves of a refused body.
    fn bad_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad Request")
    }

    /// There is no such order, or it is another's.
    fn no_such_order() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Order not found")
    }

    /// The server failed at `what`; the operator's log says why.
    fn failed(what: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, what)
    }

    /// In the words of its framework.
    fn plain(status: StatusCode, message: &str) -> Self {
        let (number, message) = (status.as_u16(), text(message));
        let error = text(status.canonical_reason().unwrap_or("Error"));
        Self(status, format!(r#"{{"statusCode":{number},"error":{error},"message":{message}}}"#))
    }

    /// The same with its code.
    fn fastify(status: StatusCode, code: &str, message: &str) -> Self {
        let (number, message) = (status.as_u16(), text(message));
        let error = text(status.canonical_reason().unwrap_or("Error"));
        Self(status, format!(r#"{{"statusCode":{number},"code":"{code}","error":{error},"message":{message}}}"#))
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

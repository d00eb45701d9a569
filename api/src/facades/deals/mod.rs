//! The deals facade: sellers post and change deals, buyers list those of the sellers that authorised them.
//!
//! `read` has the bodies, which `zod` checks in the original's words; `write` and `list` are the two sides. A status on output
//! is `available` or `sold`: a reserved deal shows as `available`, a withdrawn one as `sold`, and to put the one that shows
//! changes neither. A deal's `cursor` and `deliverySequence` are the number under which the journal made it.

mod date;
mod list;
mod number;
mod read;
mod write;
mod zod;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use domain::Owner;
use domain::key::Scope;
use engine::intake::IntakeError;

use super::Facade;
use crate::gate::Visitor;
use crate::problem::{Problem, codes};
use crate::routes::App;

/// Where the facade is mounted beside the native API.
pub(crate) const MOUNT: &str = "/deals";

/// The facade below `mount`, as the layer around all routes knows it.
pub(crate) const fn facade(mount: &'static str) -> Facade {
    Facade { name: "deals", mount, needs, scopes: &[Scope::DealsRead, Scope::DealsWrite], signed: None, failure }
}

/// The facade's routes below `mount` (empty for its own listener).
pub(crate) fn routes(mount: &'static str) -> Router<Arc<App>> {
    let router = Router::new()
        .route(&format!("{mount}/deal"), get(list::page).post(write::create).put(write::update).fallback(nothing))
        .route(&format!("{mount}/{{*rest}}"), any(nothing));
    if mount.is_empty() { router.route("/", any(nothing)) } else { router.route(mount, any(nothing)) }
}

/// Sellers write, buyers read; what is not there needs no key.
fn needs(method: &Method, path: &str) -> Option<Scope> {
    if !path.ends_with("/deal") {
        return None;
    }
    match *method {
        Method::POST | Method::PUT => Some(Scope::DealsWrite),
        Method::GET | Method::HEAD => Some(Scope::DealsRead),
        _ => None,
    }
}

/// A failure outside of the handlers, as the original's framework says it.
fn failure(problem: &Problem, _: Option<&HeaderValue>) -> Response {
    match problem.status() {
        // To a seller's routes a buyer's key is none.
        StatusCode::UNAUTHORIZED => Refused::unauthorized().into_response(),
        StatusCode::FORBIDDEN if problem.code() == codes::SCOPE_MISSING.code => Refused::unauthorized().into_response(),
        status => Refused::new(status, problem.detail()).into_response(),
    }
}

/// Whose key came. This facade always needs one, or a server that lets everyone in on one account.
struct Holder(Owner);

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refused> {
        let visitor = parts.extensions.get::<Visitor>();
        visitor.map(|visitor| Self(visitor.account.clone())).ok_or_else(Refused::unauthorized)
    }
}

/// An unknown route.
async fn nothing(method: Method, uri: Uri) -> Refused {
    let url = uri.path_and_query().map_or("/", |url| url.as_str());
    Refused::new(StatusCode::NOT_FOUND, &format!("Cannot {method} {url}"))
}

/// A refusal: its status and its body as JSON.
struct Refused(StatusCode, String);

impl Refused {
    /// In the words of the framework: what is wrong, and the status twice.
    fn new(status: StatusCode, message: &str) -> Self {
        let message = serde_json::Value::from(message);
        let (number, name) = (status.as_u16(), status.canonical_reason().unwrap_or("Error"));
        Self(status, format!(r#"{{"message":{message},"error":"{name}","statusCode":{number}}}"#))
    }

    fn unauthorized() -> Self {
        Self(StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized","statusCode":401}"#.to_owned())
    }

    /// It is not there, or another's.
    fn no_such_deal() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Deal not found")
    }

    /// The bare list of what is wrong with a body.
    fn issues(issues: &zod::Issues) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, issues.json())
    }
}

impl From<IntakeError> for Refused {
    fn from(error: IntakeError) -> Self {
        let mut issues = zod::Issues::default();
        match error {
            IntakeError::NotFound => return Self::no_such_deal(),
            IntakeError::Refused(refusal) if refusal.code == "DEAL_NOT_FOUND" => return Self::no_such_deal(),
            // What a body's terms cannot be was said before: what is left is a state from which they cannot be had.
            IntakeError::Refused(refusal) => read::refused(&mut issues, &refusal, "status"),
            IntakeError::KeyReused => {
                issues.custom(&zod::Path::default(), "Idempotency-Key was used with another request");
            }
            // Logs what it hides from the caller.
            other => return Problem::from(other).into(),
        }
        Self::issues(&issues)
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

fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let content = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, content)], body.into()).into_response()
}

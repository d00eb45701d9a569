//! What happens around every request: its id, who sent it, its limits, its deadline, caught panics, metrics, and the form of problems.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::limits::{Counted, Who};
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::{csv, gate};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes ids for requests that bring none: a part for the process, a part that counts.
pub(crate) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let [.., a, b, c, d] = *uuid::Uuid::now_v7().as_bytes();
        Self { process: u32::from_be_bytes([a, b, c, d]), next: AtomicU64::new(1) }
    }
}

impl RequestIds {
    /// The id that the request brings if it is a sane one, else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let sane = |v: &&HeaderValue| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
            (1..=128).contains(&v.len()) && v.as_bytes().iter().copied().all(plain)
        };
        if let Some(given) = headers.get(REQUEST_ID).filter(sane) {
            return given.clone();
        }
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:08x}-{count:x}", self.process);
        HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
    }
}

/// The one layer: everything that all requests have in common, in one place and one allocation.
pub(crate) async fn edge(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.request_ids.of(request.headers());
    let method = method_name(request.method());
    let uri = request.uri().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();

    let (mut parts, mut body) = request.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
    let entered = gate::enter(&app, &parts, &mut body).await;
    let limited = app.limits.as_ref().and_then(|limits| {
        let who = Who::asks(&app, &parts, entered.as_ref().ok().and_then(Option::as_ref))?;
        Some((limits, if entered.is_ok() { who } else { who.nobody() }))
    });
    let counted = match limited {
        Some((limits, who)) => Some(limits.count(who).await),
        None => None,
    };
    let mut response = match counted.as_ref().and_then(Counted::refusal) {
        Some((policy, problem)) => {
            app.engine.metrics.rate_limited(policy);
            problem.into_response()
        }
        None => match entered {
            Ok(caller) => {
                if let Some(caller) = caller {
                    parts.extensions.insert(caller);
                }
                csv::answer(&app, (parts, body), route.as_ref().map(MatchedPath::as_str), next).await
            }
            Err(problem) => problem.into_response(),
        },
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = if let Some(facade) = app.facade(uri.path()) {
            let mut response = (facade.failure)(&problem, content_type.as_ref());
            problem.say_when(response.headers_mut());
            response
        } else {
            problem.render(id.to_str().unwrap_or_default(), uri.path())
        };
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.headers_mut().extend(allow.map(|methods| (header::ALLOW, methods)));
    }
    let headers = response.headers_mut();
    if let Some(counted) = counted {
        counted.say(headers);
    }
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    app.engine.metrics.http_request(method, route, response.status().as_u16(), started.elapsed().as_secs_f64());
    response
}

/// The handler's answer, or that it failed or took too long.
pub(crate) async fn handle(app: &App, path: &str, request: Request, next: Next) -> Response {
    let deadline = Duration::from_millis(app.settings.request_deadline_millis);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(deadline, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(path, "a handler panicked");
            Problem::new(codes::INTERNAL, "the server failed; the operator's log says why").into_response()
        }
        Err(_) => Problem::new(codes::DEADLINE, "the request was not done in time").into_response(),
    }
}

/// A fixed set, so that callers cannot make up metrics.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

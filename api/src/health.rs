//! Whether the process lives, whether it can work, and its metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::routes::App;
use crate::schema::{Check, Readiness};

/// `ok`, as long as the process answers at all.
#[utoipa::path(get, path = "/health/live", operation_id = "healthLive", tag = "operation",
    responses((status = 200, description = "The process answers.", body = String, content_type = "text/plain", example = json!("ok"))))]
pub(crate) async fn live() -> &'static str {
    "ok"
}

/// Whether the process can do its work: what it needs answers within a second, and it is not stopping.
///
/// Everything it is connected with is asked at once, at most twice a second however often this is called. Without what
/// is not `needed` it goes on, only slower or later: then it is `degraded`.
#[utoipa::path(get, path = "/health/ready", operation_id = "healthReady", tag = "operation", responses(
    (status = 200, description = "Everything needed answers.", body = Readiness),
    (status = 503, description = "Something needed does not answer, or the server is stopping.", body = Readiness)))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let checks = app.engine.ready.checks().await;
    let answers = |only_needed: bool| checks.iter().all(|c| c.answers || (only_needed && !c.needed));
    let (status, word) = match () {
        () if app.settings.leaving.is_cancelled() || app.settings.stop.is_cancelled() => {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping")
        }
        () if answers(false) => (StatusCode::OK, "ready"),
        () if answers(true) => (StatusCode::OK, "degraded"),
        () => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let checks = checks.iter().map(|check| Check {
        name: check.port.clone(),
        status: if check.answers { "ok" } else { "fail" },
        needed: check.needed,
        millis: check.millis,
    });
    let mut response = (status, Json(Readiness { status: word, checks: checks.collect() })).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", operation_id = "metricsRead", tag = "operation",
    responses((status = 200, description = "OpenMetrics text.", body = String, content_type = "application/openmetrics-text",
        example = json!("# TYPE tradewind_head gauge\ntradewind_head 42\n# EOF\n"))))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let content = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content)], app.engine.metrics.render()).into_response()
}

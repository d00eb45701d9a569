//! Whether the process lives, whether it can work, and its metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use crate::routes::App;
use crate::schema::{Check, Readiness};

/// A check that takes longer has failed.
const CHECK_WITHIN: Duration = Duration::from_secs(1);
/// How long a check's result is good: probes must not become load.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The last look at what the server needs.
#[derive(Default)]
pub(crate) struct Ready {
    // Held while looking, so that many probes at once make one look.
    journal: Mutex<Option<(Instant, Check)>>,
}

/// `ok`, as long as the process answers at all.
#[utoipa::path(get, path = "/health/live", tag = "operation",
    responses((status = 200, description = "The process answers.", body = String, content_type = "text/plain")))]
pub(crate) async fn live() -> &'static str {
    "ok"
}

/// Whether orders can be taken: the journal writes within a second, and the server is not stopping.
#[utoipa::path(get, path = "/health/ready", tag = "operation", responses(
    (status = 200, description = "Everything needed answers.", body = Readiness),
    (status = 503, description = "Something needed does not answer, or the server is stopping.", body = Readiness)))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let journal = journal(&app).await;
    let stopping = app.settings.stop.is_cancelled();
    let (status, word) = match (stopping, journal.status) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, "ok") => (StatusCode::OK, "ready"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (status, Json(Readiness { status: word, checks: vec![journal] })).into_response()
}

async fn journal(app: &App) -> Check {
    let mut last = app.ready.journal.lock().await;
    if let Some((at, check)) = last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR) {
        let _ = at;
        return check.clone();
    }
    let started = Instant::now();
    let result = tokio::time::timeout(CHECK_WITHIN, app.engine.journal.ping()).await;
    if let Ok(Err(fault)) = &result {
        tracing::warn!(%fault, "the journal is not ready");
    }
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = if matches!(result, Ok(Ok(()))) { "ok" } else { "fail" };
    let check = Check { name: "journal", status, millis };
    *last = Some((Instant::now(), check.clone()));
    check
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "OpenMetrics text.", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let content = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content)], app.engine.metrics.render()).into_response()
}

//! `GET /v1/stream`: the same events over a WebSocket, many subscriptions at once.
use std::sync::Arc;
use axum::extract::State;
use crate::routes::App;
/// stub
#[utoipa::path(get, path = "/v1/stream", tag = "streams")]
pub(crate) async fn connect(State(_app): State<Arc<App>>) {}

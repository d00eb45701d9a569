//! The dex facade: market orders in two dialects, M and E.
use std::sync::Arc;
use axum::Router;
use crate::routes::App;
pub(crate) fn routes(_mount: &'static str) -> Router<Arc<App>> { Router::new() }

//! The Swagger 2.0 document of the original's routes and schemas, and the page that shows it without asking any other server.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::routes::App;

static RECORDED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("swagger.json")).unwrap_or_default());

/// The document, with the host, scheme and mount point by which the request came.
pub(super) fn json(mount: &str, sent: &HeaderMap) -> Response {
    let mut document = RECORDED.clone();
    let header = |name: &str| sent.get(name).and_then(|value| value.to_str().ok());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".:-_[]".contains(&b);
    if let Some(host) = header(header::HOST.as_str()).filter(|host| host.bytes().all(plain)) {
        document["host"] = host.into();
    }
    let proxied = header("x-forwarded-proto").map(|scheme| scheme.split(',').next().unwrap_or(scheme).trim());
    if proxied == Some("https") {
        document["schemes"] = serde_json::json!(["https"]);
    }
    if !mount.is_empty() {
        document["basePath"] = mount.into();
    }
    super::json(StatusCode::OK, document.to_string())
}

/// Swagger UI.
pub(super) fn pages(mount: &'static str) -> Router<Arc<App>> {
    let document = format!("{mount}/documentation/json");
    SwaggerUi::new(format!("{mount}/documentation")).config(Config::new([document])).into()
}

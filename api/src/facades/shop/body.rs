//! Bodies as the original's framework takes them: by their content type, before anything is validated.

use axum::extract::Request;
use axum::http::StatusCode;
use bytes::Bytes;

use super::Refused;
use crate::body;
use crate::problem::Problem;
use crate::routes::App;

const NOT_JSON: &str = "Body is not valid JSON but content-type is set to 'application/json'";
const EMPTY: &str = "Body cannot be empty when content-type is set to 'application/json'";

/// What came with a request.
pub(super) enum Body {
    /// None.
    Nothing,
    /// JSON, whatever it is of.
    Json(Bytes),
    /// A text, which is no object.
    Text,
}

impl Body {
    /// The JSON as text; nothing and a text are none.
    pub(super) fn json(&self) -> Option<&str> {
        match self {
            // It was read as UTF-8 before.
            Self::Json(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Nothing | Self::Text => None,
        }
    }
}

/// Reads a body.
///
/// # Errors
/// In the framework's words: 400 for what is called JSON and is none, 408, 413, 415.
pub(super) async fn read(app: &App, request: Request) -> Result<Body, Refused> {
    let media = body::media_type(request.headers()).map(str::to_ascii_lowercase);
    let bytes = body::read(request, app.settings.body_limit).await.map_err(|problem| unread(&problem))?;
    match media.as_deref() {
        None if bytes.is_empty() => Ok(Body::Nothing),
        Some("application/json") if bytes.is_empty() => {
            Err(Refused::fastify(StatusCode::BAD_REQUEST, "FST_ERR_CTP_EMPTY_JSON_BODY", EMPTY))
        }
        Some("application/json") if is_json(&bytes) => Ok(Body::Json(bytes)),
        Some("application/json") => {
            Err(Refused::fastify(StatusCode::BAD_REQUEST, "FST_ERR_CTP_INVALID_JSON_BODY", NOT_JSON))
        }
        Some("text/plain") => Ok(Body::Text),
        other => {
            let message = format!("Unsupported Media Type: {}", other.unwrap_or("undefined"));
            Err(Refused::fastify(StatusCode::UNSUPPORTED_MEDIA_TYPE, "FST_ERR_CTP_INVALID_MEDIA_TYPE", &message))
        }
    }
}

fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok())
}

/// A body that did not arrive.
fn unread(problem: &Problem) -> Refused {
    let status = problem.status();
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refused::fastify(status, "FST_ERR_CTP_BODY_TOO_LARGE", "Request body is too large")
        }
        StatusCode::REQUEST_TIMEOUT => Refused::fastify(status, "FST_ERR_REQUEST_TIMEOUT", problem.detail()),
        _ => {
            let message = "Request body size did not match Content-Length";
            Refused::fastify(StatusCode::BAD_REQUEST, "FST_ERR_CTP_INVALID_CONTENT_LENGTH", message)
        }
    }
}

//! Faults of a front: what its callers get instead of an answer, or of a good one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::seal::UNEXPECTED;
use crate::faults::{Fault, Faults, Front};

/// How long a front that does not answer takes not to.
const SILENCE: Duration = Duration::from_secs(10);

/// Answers are no longer than this.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Put into the extensions of an answer whose loss would leave its caller in doubt: it did something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TookEffect;

/// Lets a request through to its handler, and spoils one or the other as told.
pub(super) async fn judge(
    State((front, faults)): State<(Front, Arc<Faults>)>,
    request: Request,
    next: Next,
) -> Response {
    let strikes = |fault| faults.strikes(front, fault);
    if strikes(Fault::RateLimited) {
        return rate_limited();
    }
    if strikes(Fault::Error500) {
        let body = json!({"error": "Internal server error", "message": "the front failed, as it was told to"});
        return (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(body)).into_response();
    }
    if strikes(Fault::Timeout) {
        sleep(SILENCE).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    // An order to the venue that quotes on request is known by its path.
    let ordered = front == Front::Universal && request.uri().path().ends_with("/order");
    let response = next.run(request).await;
    if (ordered || response.extensions().get::<TookEffect>().is_some()) && strikes(Fault::AnswerLost) {
        return lost();
    }
    if strikes(Fault::Html) {
        let page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>";
        return ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    }
    let [truncated, numbers, fields] = [Fault::Truncated, Fault::NumberAmounts, Fault::UnknownFields].map(strikes);
    if !(truncated || numbers || fields) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, ANSWER_BYTES).await else { return lost() };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(spoiled(&bytes, truncated, numbers, fields)))
}

fn spoiled(bytes: &Bytes, truncated: bool, numbers: bool, fields: bool) -> Vec<u8> {
    let mut text = bytes.to_vec();
    if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        if numbers {
            amounts_to_numbers(&mut value);
        }
        if fields {
            add_fields(&mut value);
        }
        text = value.to_string().into_bytes();
    }
    if truncated {
        text.truncate(text.len() / 2);
    }
    text
}

/// Every text that is an amount becomes a number.
fn amounts_to_numbers(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(amounts_to_numbers),
        Value::Object(fields) => fields.values_mut().for_each(amounts_to_numbers),
        Value::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            if let Ok(number) = text.parse::<u64>() {
                *value = number.into();
            }
        }
        _ => {}
    }
}

/// Every object has one field more.
fn add_fields(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(add_fields),
        Value::Object(fields) => {
            fields.values_mut().for_each(add_fields);
            fields.insert(UNEXPECTED.to_owned(), json!({"since": 1, "values": [null, "x"]}));
        }
        _ => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "the header names a time of the wall's clock")]
fn rate_limited() -> Response {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    let body = json!({"error": "Too many requests", "message": "Rate limit exceeded"});
    let mut response = (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
    headers.insert("x-ratelimit-reset", HeaderValue::from(now.as_secs() + 1));
    response
}

/// The connection ends before a byte of the answer is written.
fn lost() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let body = futures_util::stream::once(std::future::ready(Err::<Bytes, _>(broken)));
    Response::new(Body::from_stream(body))
}

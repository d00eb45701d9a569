//! `POST` and `PUT /deal`: what sellers send.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::deal::{Post, recorded};
use drivers::Fault;
use engine::intake::{RequestKey, Taken, new_id};
use serde_json::value::RawValue;

use super::{Holder, Refused, json, read};
use crate::body;
use crate::idempotency;
use crate::problem::Problem;
use crate::routes::App;

/// Stores a new deal.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Holder(seller): Holder,
    request: Request,
) -> Result<Response, Refused> {
    let key = idempotency::key(request.headers())?;
    let bytes = Sent::receive(&app, request).await?;
    let sent = read::create(bytes.json()?).map_err(|issues| Refused::issues(&issues))?;
    let request = key.map(|key| RequestKey {
        scope: format!("recorded.deals.create:{seller}"),
        key,
        fingerprint: sent.fingerprint,
    });
    let post = Post { id: new_id(), seller, terms: sent.terms, sold: sent.status == recorded::Status::Sold };
    let taken = app.engine.intake.post_deal(post, request).await?;
    answer(StatusCode::CREATED, recorded::created(&taken.view), &taken)
}

/// Puts a whole deal in place of one that the seller has.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Holder(seller): Holder,
    request: Request,
) -> Result<Response, Refused> {
    let key = idempotency::key(request.headers())?;
    let bytes = Sent::receive(&app, request).await?;
    let (which, sent) = read::update(bytes.json()?, seller.as_str()).map_err(|issues| Refused::issues(&issues))?;
    // A deal of another seller, or one that is to become another's, is not this one's to change.
    if which.seller != seller.as_str() {
        return Err(Refused::no_such_deal());
    }
    let request = key.map(|key| RequestKey {
        scope: format!("recorded.deals.update:{seller}"),
        key,
        fingerprint: sent.fingerprint,
    });
    let taken = app.engine.intake.put_deal(&seller, &which.id, (sent.terms, sent.status), request).await?;
    answer(StatusCode::OK, recorded::updated(&taken.view), &taken)
}

fn answer(status: StatusCode, body: Result<String, serde_json::Error>, taken: &Taken) -> Result<Response, Refused> {
    let body = body.map_err(|error| Problem::from(Fault::Broken(format!("deal {}: {error}", taken.id))))?;
    let mut response = json(status, body).into_response();
    if taken.replayed {
        response.headers_mut().insert(idempotency::REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// A body as it came.
struct Sent {
    is_json: bool,
    bytes: Bytes,
}

impl Sent {
    async fn receive(app: &App, request: Request) -> Result<Self, Refused> {
        let is_json = is_json(request.headers());
        let bytes = body::read(request, app.settings.body_limit).await?;
        Ok(Self { is_json, bytes })
    }

    /// The JSON to check. A form, an empty body and what is neither are an empty object, as the original's parsers leave it.
    ///
    /// # Errors
    /// 400: it is called JSON and is none, or is neither object nor list.
    fn json(&self) -> Result<&str, Refused> {
        if !self.is_json || self.bytes.is_empty() {
            return Ok("{}");
        }
        let bad = |message: &str| Refused::new(StatusCode::BAD_REQUEST, message);
        let text = std::str::from_utf8(&self.bytes).map_err(|_| bad("the body is not UTF-8"))?;
        serde_json::from_str::<&RawValue>(text).map_err(|error| bad(&error.to_string()))?;
        match text.trim_ascii().chars().next() {
            Some('{' | '[') => Ok(text),
            first => Err(bad(&format!(
                "Unexpected token '{}', the body is neither an object nor an array",
                first.unwrap_or(' ')
            ))),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    body::media_type(headers).is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
}

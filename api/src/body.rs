//! Request bodies: strict JSON objects, borrowed from the bytes, without ever making a float of a number.

mod form;
pub(crate) mod loose;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use crate::problem::{Problem, codes};
use crate::routes::App;

pub(crate) use form::Form;

/// Deeper nesting is refused before anything is parsed.
const MAX_DEPTH: u32 = 32;
/// More fields are refused: no request has so many.
const MAX_FIELDS: usize = 64;
/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);
/// So much of a body that is too large is read all the same and thrown away: a sender that is still writing when the connection
/// closes does not hear why.
const DRAINED: usize = 1024 * 1024;
/// How long that may take.
const DRAINED_WITHIN: Duration = Duration::from_secs(2);
/// How long a large body waits for others to have arrived.
const ROOM_WITHIN: Duration = Duration::from_secs(2);

/// The bytes of an `application/json` body within the size limit.
pub(crate) struct JsonBytes(pub(crate) Bytes);

impl FromRequest<Arc<App>> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send the body as content-type: application/json, not encoded";
            return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        read(request, app.settings.body_limit).await.map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|v| v == "identity");
    plain && media_type(headers).is_some_and(|t| t.eq_ignore_ascii_case("application/json"))
}

/// The media type without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}

/// Reads a body of at most `limit` bytes; one that says it is larger is refused unread.
pub(crate) async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    collect(&parts.headers, body, limit).await
}

/// Reads a body that may be far larger than those of the native API: only so many of them arrive at once. Whoever works on
/// one that is large keeps its room until that is done.
///
/// # Errors
/// 503 when there is no room within `ROOM_WITHIN`; what [`read`] says.
pub(crate) async fn read_large<'a>(
    app: &'a App,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<(Bytes, Option<SemaphorePermit<'a>>), Problem> {
    if is_small(app, headers) {
        return Ok((collect(headers, body, limit).await?, None));
    }
    let busy = || Problem::new(codes::BUSY, "too many large bodies arrive at once; try again");
    let room = timeout(ROOM_WITHIN, app.large_bodies.acquire()).await;
    let room = room.ok().and_then(Result::ok).ok_or_else(busy)?;
    let bytes = collect(headers, body, limit).await?;
    let large = bytes.len() > app.settings.body_limit;
    Ok((bytes, large.then_some(room)))
}

/// Whether the body says that it is no larger than those of the native API.
pub(crate) fn is_small(app: &App, headers: &HeaderMap) -> bool {
    length(headers).is_some_and(|length| length <= app.settings.body_limit as u64)
}

/// How long the body says it is.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(codes::BODY_TOO_LARGE, format!("a body has at most {limit} bytes"));
    let arrived = match length(headers).is_some_and(|length| length > limit as u64) {
        true => Err(too_large()),
        false => match timeout(ARRIVES_WITHIN, Limited::new(&mut body, limit).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => {
                return Err(Problem::new(codes::MALFORMED_REQUEST, "the body ended early or is malformed"));
            }
            Err(_) => return Err(Problem::new(codes::REQUEST_TIMEOUT, "the body did not arrive in time")),
        },
    };
    if arrived.is_err() {
        let _ = timeout(DRAINED_WITHIN, drain(body)).await;
    }
    arrived
}

/// Throws away what comes, up to `DRAINED` bytes.
async fn drain(mut body: Body) {
    let mut seen = 0;
    while seen < DRAINED
        && let Some(Ok(frame)) = body.frame().await
    {
        seen += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// The same, or no body at all.
pub(crate) struct PerhapsJson(pub(crate) Option<Bytes>);

impl FromRequest<Arc<App>> for PerhapsJson {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let body = read(request, app.settings.body_limit).await?;
        if !body.is_empty() && !is_json {
            let detail = "send the body as content-type: application/json, not encoded";
            return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        Ok(Self(Some(body).filter(|body| !body.is_empty())))
    }
}

/// A JSON object whose values are still text.
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Deserialize<'a> for Object<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'a> Visitor<'a> for Fields {
            type Value = Object<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Object<'a>, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((Text(key), value)) = map.next_entry::<Text<'a>, &'a RawValue>()? {
                    if fields.len() == MAX_FIELDS {
                        return Err(A::Error::custom("too many fields"));
                    }
                    fields.push((key, value));
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// A JSON string, borrowed when it has no escapes.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'a> Deserialize<'a> for Text<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Chars;

        impl<'a> Visitor<'a> for Chars {
            type Value = Text<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Chars)
    }
}

//! Request bodies: strict JSON objects, borrowed from the bytes, without ever making a float of a number.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::problem::{At, FieldError, Known, Problem, codes};
use crate::routes::App;

/// Deeper nesting is refused before anything is parsed.
const MAX_DEPTH: u32 = 32;
/// More fields are refused: no request has so many.
const MAX_FIELDS: usize = 64;
/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

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
    let too_large = || Problem::new(codes::BODY_TOO_LARGE, format!("a body has at most {limit} bytes"));
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if length.and_then(|l| l.parse::<u64>().ok()).is_some_and(|l| l > limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(ARRIVES_WITHIN, Limited::new(request.into_body(), limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(codes::MALFORMED_REQUEST, "the body ended early or is malformed")),
        Err(_) => Err(Problem::new(codes::REQUEST_TIMEOUT, "the body did not arrive in time")),
    }
}

/// A JSON object whose values are still text.
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The fields as any reader would see them, doubles included; JSON that is no object has none.
    ///
    /// # Errors
    /// Not JSON.
    pub(crate) fn loose(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).or_else(|_| {
            // Whatever else it is, it must be JSON to its end.
            serde_json::from_str::<&RawValue>(text).map(|_| Self(Vec::new()))
        })
    }
}

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

/// An object being read field by field: faults are collected, and what nobody asked for is refused at the end.
pub(crate) struct Form<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The faults so far; the checks of values add theirs.
    pub(crate) errors: Vec<FieldError>,
}

impl<'a> Form<'a> {
    /// Reads one object and nothing after it.
    ///
    /// # Errors
    /// Not UTF-8, too deep, not JSON, not an object, a field twice: all 400.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(Problem::new(codes::INVALID_UTF8, "JSON is UTF-8"));
        };
        if text.trim_ascii().is_empty() {
            return Err(Problem::new(codes::BODY_EMPTY, "expected a JSON object"));
        }
        if depth(text) > MAX_DEPTH {
            return Err(Problem::new(codes::BODY_TOO_DEEP, format!("at most {MAX_DEPTH} levels")));
        }
        let Object(fields) = serde_json::from_str(text).map_err(|e| match e.classify() {
            Category::Data => Problem::new(codes::BODY_NOT_OBJECT, format!("expected a JSON object: {e}")),
            _ => Problem::new(codes::MALFORMED_JSON, e.to_string()),
        })?;
        let twice = fields.iter().enumerate().find(|(i, (key, _))| fields[..*i].iter().any(|(k, _)| k == key));
        if let Some((_, (key, _))) = twice {
            return Err(Problem::at(At::field(key), codes::DUPLICATE_FIELD, "the field stands there twice"));
        }
        Ok(Self { fields, errors: Vec::new() })
    }

    /// The text of a field. `null` is as good as absent.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        let raw = self.take(name)?;
        match serde_json::from_str(raw) {
            Ok(Text(text)) => Some(text),
            Err(_) if raw.starts_with('"') => self.fault(name, codes::WRONG_TYPE, "the text has a broken escape"),
            Err(_) => self.fault(name, codes::WRONG_TYPE, "expected text"),
        }
    }

    /// The text of an amount, whose form is not checked yet: a JSON number is refused, because readers make floats of it.
    pub(crate) fn amount(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        let number = |raw: &str| raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if self.peek(name).is_some_and(number) {
            self.take(name);
            return self.fault(name, codes::AMOUNT_NOT_TEXT, "send the amount as text, such as \"12.5\"");
        }
        self.text(name)
    }

    /// An integer: digits, perhaps a sign, nothing else. What does not fit into 64 bits is the nearest that does.
    pub(crate) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let raw = self.take(name)?;
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return self.fault(name, codes::NOT_AN_INTEGER, "expected an integer without fraction or exponent");
        }
        Some(raw.parse().unwrap_or(if raw.starts_with('-') { i64::MIN } else { i64::MAX }))
    }

    /// A text or a number as it stands, at most `longest` bytes: what the client calls something.
    pub(crate) fn reference(&mut self, name: &'static str, longest: usize) -> Option<&'a str> {
        let raw = self.take(name)?;
        let scalar = raw.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
        if !scalar || raw.len() > longest {
            return self.fault(name, codes::WRONG_TYPE, "expected a short text or a number");
        }
        Some(raw)
    }

    /// A list of texts; absent is empty.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let Some(raw) = self.take(name) else {
            return Vec::new();
        };
        let read = serde_json::from_str::<Vec<Text<'_>>>(raw);
        let texts = read.map(|texts| texts.into_iter().map(|Text(text)| text.into_owned()).collect());
        texts.unwrap_or_else(|_| self.fault(name, codes::WRONG_TYPE, "expected a list of texts").unwrap_or_default())
    }

    /// Notes that a field's value is wrong.
    pub(crate) fn fault<T>(&mut self, name: &str, known: Known, detail: &'static str) -> Option<T> {
        self.errors.push(FieldError::new(At::field(name), known, detail));
        None
    }

    /// Every field was asked for and nothing was wrong.
    ///
    /// # Errors
    /// All faults at once.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.fields {
            let detail = "no such field here";
            self.errors.push(FieldError::new(At::field(name), codes::UNKNOWN_FIELD, detail));
        }
        Problem::of(self.errors).map_or(Ok(()), Err)
    }

    fn peek(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, raw)| raw.get())
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let index = self.fields.iter().position(|(key, _)| key == name)?;
        let raw = self.fields.swap_remove(index).1.get();
        (raw != "null").then_some(raw)
    }
}

/// How deep brackets nest outside of texts.
fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_u32, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

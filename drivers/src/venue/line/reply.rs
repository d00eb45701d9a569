//! What comes back on a line: an answer, a refusal, or trouble.

use std::error::Error as _;
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use hyper::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::webhook::retry_after;

/// The most characters of a server's own words in a message.
const SAID: usize = 300;
/// How long a server is left alone that said 429 and not for how long.
const REST: Duration = Duration::from_secs(1);

/// What a server that works said.
#[derive(Debug)]
pub(in crate::venue) enum Reply<T> {
    /// A status of success, with its body as it came and as it was read.
    Said {
        /// Verbatim.
        text: String,
        /// What of it is understood.
        value: T,
    },
    /// A refusal: a status from 400 to 499 other than 429.
    Refused {
        /// The status.
        status: u16,
        /// The body, if it is JSON; else null.
        body: serde_json::Value,
    },
}

/// Why an exchange brought nothing.
pub(super) enum Trouble {
    /// The server, or the way to it: this may be over soon.
    Failed(String),
    /// It answered, and nothing can be done with the answer.
    Odd(String),
    /// It wants to be left alone for so long.
    Rests(Duration),
}

/// How long a 429 wants us to wait: `Retry-After`, or `x-ratelimit-reset` in Unix seconds by the answer's own clock.
pub(super) fn rest(headers: &HeaderMap) -> Duration {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if headers.contains_key(RETRY_AFTER)
        && let Some(wait) = retry_after::read(headers, i64::MAX)
    {
        return wait;
    }
    let Some(reset) = text("x-ratelimit-reset").and_then(|reset| reset.parse::<u64>().ok()) else { return REST };
    let date = text(DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok());
    let now = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok()).map(|since| since.as_secs());
    match now {
        Some(now) if reset >= now => Duration::from_secs(reset - now).max(REST / 10),
        // A small number counts from now.
        _ if reset < 3_600 => Duration::from_secs(reset),
        _ => REST,
    }
}

pub(super) fn read<T: DeserializeOwned>(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Reply<T>, Trouble> {
    if status.is_server_error() {
        return Err(Trouble::Failed(format!("it answered {status}{}", words(body))));
    }
    if status.is_client_error() {
        let body = serde_json::from_slice(body).unwrap_or_default();
        return Ok(Reply::Refused { status: status.as_u16(), body });
    }
    if !status.is_success() {
        return Err(Trouble::Odd(format!("it answered {status}, which is no answer to this")));
    }
    let text = std::str::from_utf8(body).map_err(|_| Trouble::Odd("its answer is no text".to_owned()))?;
    match serde_json::from_str(text) {
        Ok(value) => Ok(Reply::Said { text: text.to_owned(), value }),
        Err(error) => {
            let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("no content type");
            let what = match error.classify() {
                serde_json::error::Category::Eof => "its answer is cut off",
                serde_json::error::Category::Data => "its answer is not what was asked for",
                _ => "its answer is no JSON",
            };
            Err(Trouble::Odd(format!("{what} ({kind}, {} bytes): {}", body.len(), short(&error.to_string()))))
        }
    }
}

/// What a refusal says for people: the first of the usual fields that is text.
pub(in crate::venue) fn said(body: &serde_json::Value) -> Option<String> {
    let fields = ["error", "message", "errorMessage", "msg", "errorCode", "code"];
    fields.iter().find_map(|field| body.get(field)?.as_str().filter(|text| !text.is_empty())).map(short)
}

fn words(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    said(&body).map(|said| format!(": {said}")).unwrap_or_default()
}

/// The beginning of foreign words, on one line.
pub(in crate::venue) fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID).collect()
}

/// The innermost cause: "connection refused" says more than "client error". None of them names the URL.
pub(super) fn cause(error: &hyper_util::client::legacy::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    short(&text)
}

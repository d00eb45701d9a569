//! What all commands on deals, bids and buyers share: an idempotency key, a version that they must find, an answer.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Owner;
use engine::intake::{RequestKey, Taken, Target};
use sha2::{Digest, Sha256};

use crate::idempotency;
use crate::problem::{At, Problem, codes};
use crate::routes::App;
use crate::swaps::{etag, json};

/// The header that says which version a command is for.
const IF_MATCH: &str = "if-match";

/// How a command came, apart from what it says.
pub(crate) struct Command {
    key: Option<String>,
    condition: Option<Condition>,
}

/// RFC 9110, `If-Match`.
enum Condition {
    /// `*`: whatever is there.
    Any,
    /// A strong tag of ours.
    Version(u64),
    /// A tag that nothing has: weak, or of another server.
    Never,
}

impl FromRequestParts<Arc<App>> for Command {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self { key: idempotency::key(&parts.headers)?, condition: condition(&parts.headers)? })
    }
}

fn condition(headers: &HeaderMap) -> Result<Option<Condition>, Problem> {
    let mut given = headers.get_all(IF_MATCH).iter();
    let (Some(value), more) = (given.next(), given.next()) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if more.is_some() || text.contains(',') {
        let detail = "name one version, as the ETag said it";
        return Err(Problem::at(At::Header(IF_MATCH), codes::INVALID_IF_MATCH, detail));
    }
    if text == "*" {
        return Ok(Some(Condition::Any));
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    Ok(Some(version.map_or(Condition::Never, Condition::Version)))
}

impl Command {
    /// What it is about, at the version that the caller knows.
    pub(crate) fn target<'a>(&self, id: &'a str) -> Target<'a> {
        let version = match self.condition {
            None | Some(Condition::Any) => None,
            Some(Condition::Version(version)) => Some(version),
            // No entity has it.
            Some(Condition::Never) => Some(0),
        };
        Target { id, version }
    }

    /// Refuses a command that does not say which version it is for.
    ///
    /// # Errors
    /// 428.
    pub(crate) fn must_name_version(&self) -> Result<(), Problem> {
        if self.condition.is_some() {
            return Ok(());
        }
        let detail = "send If-Match with the ETag of what you read, so that nobody's change is overwritten unseen";
        Err(Problem::at(At::Header(IF_MATCH), codes::IF_MATCH_REQUIRED, detail))
    }

    /// Its idempotency key, if it has one. `what` is the route, `words` are all that the command says, defaults filled in: the
    /// same said otherwise is the same command.
    pub(crate) fn request(&self, what: &'static str, account: &Owner, words: &[&str]) -> Option<RequestKey> {
        let key = self.key.clone()?;
        let mut digest = Sha256::new();
        let condition = match self.condition {
            None | Some(Condition::Any) => u64::MAX,
            Some(Condition::Version(version)) => version,
            Some(Condition::Never) => 0,
        };
        digest.update(condition.to_be_bytes());
        for word in [what].iter().chain(words) {
            digest.update((word.len() as u64).to_be_bytes());
            digest.update(word.as_bytes());
        }
        Some(RequestKey { scope: format!("{what}:{account}"), key, fingerprint: digest.finalize().into() })
    }
}

/// Answers with what a command led to; `folder` is the path below which it is read by its id.
pub(crate) fn answer(status: StatusCode, folder: &str, taken: Taken) -> Response {
    let mut response = (status, [(header::ETAG, etag(taken.version))], json(taken.view)).into_response();
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(format!("{folder}/{}", taken.id)).map(|at| (header::LOCATION, at)));
    if taken.replayed {
        headers.insert(HeaderName::from_static(idempotency::REPLAYED), HeaderValue::from_static("true"));
    }
    response
}

//! What went wrong, as RFC 9457 problem documents. Only this crate knows statuses.

pub(crate) mod codes;

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Refusal;
use drivers::Fault;
use engine::intake::IntakeError;
use serde::Serialize;

pub(crate) use codes::Known;

/// The registered type of a refusal by a limit on requests.
pub(crate) const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// A refused or failed request. The layer around all routes turns it into the document, because only it knows the
/// request's id.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Parts>);

/// Boxed, so that a result that may be a problem stays small.
#[derive(Clone, Debug)]
struct Parts {
    known: Known,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    oldest: Option<String>,
    existing: Option<String>,
    violated: Option<&'static str>,
    retry_after: Option<u64>,
}

/// One fault of the request and where it stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldError {
    #[serde(flatten)]
    at: At,
    code: &'static str,
    detail: Cow<'static, str>,
    #[serde(skip)]
    status: u16,
}

/// Where in the request a fault stands.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum At {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a query parameter.
    Parameter(String),
    /// The name of a header.
    Header(&'static str),
}

impl At {
    /// The field of that name at the top of the body.
    pub(crate) fn field(name: &str) -> Self {
        // RFC 6901: `~` and `/` inside a name are escaped.
        Self::Pointer(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
    }

    /// The query parameter of that name.
    pub(crate) fn parameter(name: &str) -> Self {
        Self::Parameter(name.to_owned())
    }
}

impl FieldError {
    pub(crate) fn new(at: At, known: Known, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { at, code: known.code, detail: detail.into(), status: known.status }
    }

    /// The code that programs read.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }
}

impl Problem {
    pub(crate) fn new(known: Known, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        let retry_after = (known.status == 503).then_some(1);
        let (errors, oldest, existing, violated) = (Vec::new(), None, None, None);
        Self(Box::new(Parts { known, detail, errors, oldest, existing, violated, retry_after }))
    }

    /// A problem of one place in the request.
    pub(crate) fn at(at: At, known: Known, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        let error = FieldError::new(at, known, detail.clone());
        let mut problem = Self::new(known, detail);
        problem.0.errors.push(error);
        problem
    }

    /// A problem of several places: malformed ones decide the status over well-formed but refused ones. None if there
    /// is no error.
    pub(crate) fn of(errors: Vec<FieldError>) -> Option<Self> {
        let first = errors.iter().min_by_key(|e| e.status)?;
        let known = codes::of(first.code).unwrap_or(codes::REFUSED);
        let detail = match errors.len() {
            1 => first.detail.clone(),
            faults => format!("{} (one of {faults} faults; see errors)", first.detail).into(),
        };
        let mut problem = Self::new(known, detail);
        problem.0.errors = errors;
        Some(problem)
    }

    /// The oldest position that can still be resumed from.
    pub(crate) fn with_oldest(mut self, position: String) -> Self {
        self.0.oldest = Some(position);
        self
    }

    /// The policy that a request was one too many for, and after how many seconds another is allowed.
    pub(crate) fn with_violated(mut self, policy: &'static str, retry_after: u64) -> Self {
        (self.0.violated, self.0.retry_after) = (Some(policy), Some(retry_after.max(1)));
        self
    }

    /// The code that programs read.
    pub(crate) fn code(&self) -> &'static str {
        self.0.known.code
    }

    /// For people.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The oldest position held, in a problem about positions.
    pub(crate) fn oldest(&self) -> Option<&str> {
        self.0.oldest.as_deref()
    }

    /// The whole document.
    pub(crate) fn render(&self, request_id: &str, path: &str) -> Response {
        let Parts { known, detail, errors, oldest, existing, violated, .. } = &*self.0;
        let document = Document {
            type_: match violated {
                Some(_) => QUOTA_EXCEEDED.to_owned(),
                None => format!("/problems#{}", known.code),
            },
            title: known.title,
            status: known.status,
            detail,
            code: known.code,
            instance: path,
            errors,
            oldest: oldest.as_deref(),
            existing: existing.as_deref(),
            violated_policies: violated.as_slice(),
            request_id,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let content = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status(), [(header::CONTENT_TYPE, content)], body).into_response();
        self.say_when(response.headers_mut());
        response
    }

    /// Says after how many seconds to ask again, if that is known.
    pub(crate) fn say_when(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.known.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "type")]
    type_: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    instance: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    existing: Option<&'a str>,
    #[serde(rename = "violated-policies", skip_serializing_if = "<[_]>::is_empty")]
    violated_policies: &'a [&'static str],
    request_id: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The driver's own words go to the log, once, and never to the caller.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        tracing::error!(%fault, "a request failed");
        match fault {
            Fault::Busy => Self::new(codes::BUSY, "the server has more work than it can take; try again in a moment"),
            Fault::Conflict(_) | Fault::Unavailable(_) => {
                Self::new(codes::UNAVAILABLE, "the journal does not answer; nothing was acknowledged; try again")
            }
            Fault::Broken(_) => Self::new(codes::INTERNAL, "the server failed; the operator's log says why"),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let known = codes::of(refusal.code).unwrap_or(Known { code: refusal.code, ..codes::REFUSED });
        match refusal.pointer {
            Some(pointer) => Self::at(At::Pointer(pointer.into_owned()), known, refusal.message),
            None => Self::new(known, refusal.message),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Refused(refusal) => refusal.into(),
            IntakeError::NotFound => Self::new(codes::SWAP_NOT_FOUND, "there is no such order"),
            IntakeError::KeyReused => {
                let detail = "the key was used with another request";
                Self::at(At::Header("idempotency-key"), codes::IDEMPOTENCY_KEY_REUSED, detail)
            }
            IntakeError::Duplicate { code, pointer, id } => {
                let known = codes::of(code).unwrap_or(Known { code, ..codes::DUPLICATE_CLIENT_ORDER_ID });
                let detail = "another order of this account has it";
                let mut problem = Self::at(At::Pointer(pointer.to_owned()), known, detail);
                problem.0.existing = Some(id);
                problem
            }
            IntakeError::Fault(fault) => fault.into(),
            IntakeError::Timeout => Self::new(codes::DEADLINE, "not done in time; ask again with the same key"),
        }
    }
}

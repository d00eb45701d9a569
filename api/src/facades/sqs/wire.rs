//! The two protocols: which one a request speaks, and answers and errors in its words.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::{Refused, code};
use super::operation::{Input, Operation};
use super::{query, xml};
use crate::body::media_type;

/// Names the operation in AWS JSON: `AmazonSQS.SendMessage`.
const TARGET: &str = "x-amz-target";
/// What stands before it there.
const SERVICE: &str = "AmazonSQS.";
const JSON: &str = "application/x-amz-json-1.0";
const FORM: &str = "application/x-www-form-urlencoded";
/// The code that older clients know an error by.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// In which words a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// AWS JSON 1.0.
    Json,
    /// Forms in, XML out.
    Query,
}

impl Wire {
    /// By the type of its content: what is no JSON is a form, perhaps in the URL.
    pub(super) fn of(content_type: Option<&str>) -> Self {
        match content_type.filter(|value| value.starts_with("application/x-amz-json")) {
            Some(_) => Self::Json,
            None => Self::Query,
        }
    }

    /// Keeps pages of other sites out where nobody has to show anything: a browser sends forms for them without asking first,
    /// and says so in these headers; no client of SQS sends them. Whoever shows a key or a signature was asked about.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn check_origin(self, headers: &HeaderMap) -> Result<(), Refused> {
        let shown = headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key");
        let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        if self == Self::Json || shown || !(elsewhere || headers.contains_key(header::ORIGIN)) {
            return Ok(());
        }
        Err(Refused::new(code::ACCESS_DENIED, "Access to the resource is denied."))
    }

    /// What is asked for. A form that names no queue is about the one whose URL it was sent to.
    ///
    /// # Errors
    /// `InvalidAction`, `MissingAction`'s relative `SerializationException`, and those of forms.
    pub(super) fn read<'a>(
        self,
        Parts { method, uri, headers, .. }: &Parts,
        mount: &str,
        body: &'a [u8],
    ) -> Result<(Operation, Input<'a>), Refused> {
        let named = |name: Option<&str>| {
            let name = name.ok_or_else(|| Refused::new(code::INVALID_ACTION, "The request names no operation."))?;
            let why = || Refused::new(code::INVALID_ACTION, format!("There is no operation {name} here."));
            Operation::parse(name).ok_or_else(why)
        };
        match self {
            Self::Json => {
                if *method != Method::POST {
                    return Err(Refused::new(code::INVALID_ACTION, "AWS JSON is sent with POST."));
                }
                let target = headers.get(TARGET).and_then(|value| value.to_str().ok());
                let operation = named(target.and_then(|target| target.strip_prefix(SERVICE)))?;
                Ok((operation, Input::Json(body)))
            }
            Self::Query => {
                if ![Method::GET, Method::POST].contains(method) {
                    return Err(Refused::new(code::INVALID_ACTION, "A form is sent with POST, or GET."));
                }
                let is_form = media_type(headers).is_none_or(|kind| kind.eq_ignore_ascii_case(FORM));
                let body = if is_form { std::str::from_utf8(body) } else { Ok("") };
                let body = body.map_err(|_| Refused::new(code::SERIALIZATION, "The request is not UTF-8."))?;
                let form = [uri.query().unwrap_or_default(), body].join("&");
                let (action, mut value) = query::read(&form)?;
                let queue = uri.path().strip_prefix(mount).filter(|path| path.len() > 1);
                if let (Some(fields), Some(path)) = (value.as_object_mut(), queue) {
                    fields.entry("QueueUrl").or_insert_with(|| path.into());
                }
                Ok((named(action.as_deref())?, Input::Form(value)))
            }
        }
    }

    /// What an operation answers.
    pub(super) fn answer(self, operation: Operation, id: &str, result: &impl Serialize) -> Response {
        let failed = || self.refusal(&Refused::new(code::INTERNAL_FAILURE, "The answer cannot be written."), id);
        match self {
            Self::Json => {
                let Ok(body) = serde_json::to_vec(result) else { return failed() };
                // AWS says nothing at all where there is nothing to say.
                let body = if body == b"null" { Vec::new() } else { body };
                respond(StatusCode::OK, JSON, id, body)
            }
            Self::Query => {
                let Ok(result) = serde_json::to_value(result) else { return failed() };
                respond(StatusCode::OK, "text/xml", id, xml::answer(operation.name(), &result, id).into_bytes())
            }
        }
    }

    /// Why it is refused.
    pub(super) fn refusal(self, refused: &Refused, id: &str) -> Response {
        let Refused { code, message } = refused;
        let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::Json => {
                let body = serde_json::json!({ "__type": code.kind, "message": message }).to_string();
                let mut response = respond(status, JSON, id, body.into_bytes());
                let fault = if code.sender { "Sender" } else { "Receiver" };
                let legacy = HeaderValue::try_from(format!("{};{fault}", code.query));
                response.headers_mut().extend(legacy.map(|value| (QUERY_ERROR, value)));
                response
            }
            Self::Query => respond(status, "text/xml", id, xml::refusal(refused, id).into_bytes()),
        }
    }
}

fn respond(status: StatusCode, kind: &'static str, id: &str, body: Vec<u8>) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response();
    response.headers_mut().extend(HeaderValue::try_from(id).map(|id| (REQUEST_ID, id)));
    response
}

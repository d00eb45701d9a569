//! The rules say no: a stable code, a sentence for the caller, and where in the request the reason stands.

use std::borrow::Cow;

use thiserror::Error;

/// A decision not to do something. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// Stable, upper-case, for programs: `UNKNOWN_TOKEN`.
    pub code: &'static str,
    /// For people; may change.
    pub message: String,
    /// The field at fault as a JSON pointer (RFC 6901): `/amount`.
    pub pointer: Option<Cow<'static, str>>,
}

impl Refusal {
    /// A refusal of the whole request.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: None }
    }

    /// A refusal of one field.
    #[must_use]
    pub fn at(pointer: impl Into<Cow<'static, str>>, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: Some(pointer.into()) }
    }
}

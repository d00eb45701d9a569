//! Query strings: known parameters only, each at most once unless it is a list.

use axum::extract::Query as AxumQuery;
use axum::http::Uri;

use crate::problem::{At, FieldError, Problem, codes};

/// More parameters are refused: no request has so many.
const MAX_PARAMETERS: usize = 64;

/// A query being read parameter by parameter.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    /// The faults so far.
    pub(crate) errors: Vec<FieldError>,
}

impl Query {
    /// Splits and decodes.
    ///
    /// # Errors
    /// 400 for text that is no query, and for too many parameters.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, Problem> {
        let malformed = || Problem::new(codes::INVALID_PARAMETER, "the query is malformed");
        let pairs = match uri.query() {
            None | Some("") => Vec::new(),
            Some(_) => AxumQuery::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| malformed())?.0,
        };
        if pairs.len() > MAX_PARAMETERS {
            return Err(malformed());
        }
        Ok(Self { pairs, errors: Vec::new() })
    }

    /// The value of a parameter that may stand there once.
    pub(crate) fn one(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.take(name);
        if values.len() > 1 {
            self.fault(name, "the parameter stands there twice");
        }
        values.pop()
    }

    /// The values of a list: the parameter may stand there several times, and each may hold several between commas.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<String> {
        let values = self.take(name);
        values.iter().flat_map(|v| v.split(',')).filter(|v| !v.is_empty()).map(str::to_owned).collect()
    }

    /// An integer within bounds.
    pub(crate) fn integer(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let text = self.one(name)?;
        let number = Some(&text).filter(|t| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse().ok());
        let Some(number) = number.filter(|n| (least..=most).contains(n)) else {
            self.fault(name, format!("expected an integer from {least} to {most}"));
            return None;
        };
        Some(number)
    }

    /// Notes that a parameter's value is wrong.
    pub(crate) fn fault(&mut self, name: &str, detail: impl Into<std::borrow::Cow<'static, str>>) {
        self.errors.push(FieldError::new(At::parameter(name), codes::INVALID_PARAMETER, detail));
    }

    /// Every parameter was asked for and nothing was wrong.
    ///
    /// # Errors
    /// All faults at once.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.pairs {
            let detail = "no such parameter here";
            self.errors.push(FieldError::new(At::parameter(name), codes::UNKNOWN_PARAMETER, detail));
        }
        Problem::of(self.errors).map_or(Ok(()), Err)
    }

    fn take(&mut self, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        self.pairs.retain_mut(|(key, value)| {
            let wanted = key == name;
            if wanted {
                values.push(std::mem::take(value));
            }
            !wanted
        });
        values
    }
}

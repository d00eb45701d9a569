//! Query strings: known parameters only, each at most once unless it is a list.

use std::ops::RangeInclusive;

use axum::extract::Query as AxumQuery;
use axum::http::Uri;
use domain::Timestamp;
use domain::money::Minor;

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

    /// The values of a list: the parameter may stand there several times, and each may hold several between commas. An empty
    /// one is there too: a filter that says nothing is for its reader to refuse, and not to be taken for none.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<String> {
        let values = self.take(name);
        values.iter().flat_map(|v| v.split(',')).map(str::to_owned).collect()
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

    /// `true` or `false`, which is the default.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        match self.one(name).as_deref() {
            Some("true") => true,
            None | Some("false") => false,
            Some(_) => {
                self.fault(name, "expected true or false");
                false
            }
        }
    }

    /// An integer of minor units.
    pub(crate) fn amount(&mut self, name: &'static str) -> Option<i64> {
        let text = self.one(name)?;
        let units = text.parse::<i64>().ok().and_then(Minor::new).map(Minor::units);
        if units.is_none() {
            self.fault(name, "expected an integer of minor units");
        }
        units
    }

    /// An instant, or the beginning of a day, in microseconds.
    pub(crate) fn day(&mut self, name: &'static str) -> Option<i64> {
        let text = self.one(name)?;
        let instant = Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
        if instant.is_none() {
            self.fault(name, "expected an RFC 3339 instant or a day such as 2026-11-21");
        }
        instant.map(|instant| instant.0)
    }

    /// Amounts from the one parameter to the other, where one of them is there.
    pub(crate) fn amounts(&mut self, least: &'static str, most: &'static str) -> Option<RangeInclusive<i64>> {
        let (least, most) = (self.amount(least), self.amount(most));
        let some = least.is_some() || most.is_some();
        some.then(|| least.unwrap_or(-Minor::LIMIT)..=most.unwrap_or(Minor::LIMIT))
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

/// A text as one segment of a path: all but RFC 3986's unreserved characters percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write;

    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

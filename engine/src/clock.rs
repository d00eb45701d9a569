//! The one place that reads the clock; below here `now` is an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// The present instant, in microseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

//! `Retry-After`: seconds, or a date of HTTP (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{DATE, RETRY_AFTER};

/// How long to wait from now. A date counts from the answer's own `Date`, so that no difference of clocks is waited out,
/// and from `now` (Unix seconds) where it has none. One that has passed is no wait at all.
pub(crate) fn read(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More seconds than a number holds is as long as one can say.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX)).min(u64::from(u32::MAX))));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let until = date(text)?;
    let from = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(date);
    let from = from.unwrap_or_else(|| seconds(now));
    Some(until.duration_since(from).unwrap_or_default())
}

fn seconds(now: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(now).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
        for (text, date, wait) in [
            ("0", None, Some(0)),
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("99999999999999999999999", None, Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some("Sun, 06 Nov 1994 08:50:00 GMT"), Some(7)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", None, Some(0)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", None, Some(10)),
            ("", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a value"));
            if let Some(date) = date {
                headers.insert(DATE, date.parse().expect("a value"));
            }
            assert_eq!(read(&headers, now), wait.map(Duration::from_secs), "{text:?}");
        }
        assert_eq!(read(&HeaderMap::new(), now), None);
    }
}

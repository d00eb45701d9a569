//! The header `Idempotency-Key`: a structured-field string, or the same without its quotes.

use axum::http::HeaderMap;
use domain::swap::{Conditions, Mode, Place, Side};
use sha2::{Digest, Sha256};

use crate::problem::{At, Problem, codes};

/// The request header.
pub(crate) const HEADER: &str = "idempotency-key";
/// The answer's header that says that nothing new was done.
pub(crate) const REPLAYED: &str = "idempotent-replayed";
/// The longest key, in characters.
const LONGEST: usize = 255;

/// The key that the headers carry, if any.
///
/// # Errors
/// 400: two of them, empty, too long, not printable ASCII, or badly quoted.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(HEADER).iter();
    let (first, second) = (given.next(), given.next());
    let Some(value) = first else {
        return Ok(None);
    };
    let text = Some(value.as_bytes()).filter(|_| second.is_none()).and_then(|b| std::str::from_utf8(b).ok());
    let key = text.and_then(|text| unquote(text.trim())).filter(|key| (1..=LONGEST).contains(&key.len()));
    let detail = "a key is 1 to 255 printable ASCII characters, bare or as a quoted string";
    key.map(Some).ok_or_else(|| Problem::at(At::Header(HEADER), codes::INVALID_IDEMPOTENCY_KEY, detail))
}

/// RFC 9651 `sf-string`, or bare text without quotes in it.
fn unquote(text: &str) -> Option<String> {
    if !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return None;
    }
    let Some(inner) = text.strip_prefix('"') else {
        return (!text.contains('"')).then(|| text.to_owned());
    };
    let mut key = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(key),
            '\\' => key.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            c => key.push(c),
        }
    }
}

/// SHA-256 of what the request asks for, with its defaults filled in and its id left out: the same order written
/// differently is the same request.
pub(crate) fn fingerprint(place: &Place) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"swap\0");
    for text in [&*place.ask.input, &*place.ask.output, place.client_order_id.as_deref().unwrap_or("")] {
        digest.update(text.as_bytes());
        digest.update(b"\0");
    }
    digest.update([u8::from(place.ask.mode == Mode::ExactOut), u8::from(place.side == Side::Buy)]);
    digest.update(place.ask.amount.to_be_bytes());
    digest.update(place.slippage_bps.to_be_bytes());
    digest.update(place.expires_at.map_or(i64::MIN, |t| t.0).to_be_bytes());
    // What orders did not have from the beginning counts only where there is some: the fingerprints of the others stay.
    let later = (&place.conditions, &place.firm, &place.plan);
    if later != (&Conditions::default(), &None, &None) {
        digest.update(serde_json::to_vec(&later).unwrap_or_default());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_bare_and_quoted() {
        for (header, expected) in [
            ("abc", Some("abc")),
            ("\"abc\"", Some("abc")),
            ("\"a\\\"b\\\\c\"", Some("a\"b\\c")),
            ("a b", Some("a b")),
            ("\"abc", None),
            ("\"abc\"x", None),
            ("\"a\\x\"", None),
            ("a\"b", None),
            ("schl\u{fc}ssel", None),
        ] {
            assert_eq!(unquote(header).as_deref(), expected, "{header}");
        }
    }
}

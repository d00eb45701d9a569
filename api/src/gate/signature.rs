//! Requests that are signed with a key's credentials instead of showing it: AWS's Signature Version 4, in the header.
//!
//! Source: "Create a signed AWS API request", AWS Identity and Access Management user guide.

use std::fmt::Write as _;

use axum::http::{HeaderMap, Method, Uri, header};
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The one algorithm.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// When it was signed, as `20150830T123600Z`.
const DATE: &str = "x-amz-date";
/// The digest of the body, where the client says it.
const CONTENT: &str = "x-amz-content-sha256";
/// How far a client's clock may be off, in seconds.
const SKEW: i64 = 15 * 60;
/// What a credential's scope ends with.
const TERMINATOR: &str = "aws4_request";
/// More headers are not signed by anyone.
const MOST_HEADERS: usize = 64;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed<'a> {
    /// Whose credentials.
    pub(crate) access_key_id: &'a str,
    /// The day, the region and the service that the signature is good for.
    day: &'a str,
    pub(crate) region: &'a str,
    service: &'a str,
    /// The names of the headers that are signed, in order, between semicolons.
    headers: &'a str,
    /// HMAC-SHA256 in hexadecimal.
    signature: &'a str,
}

/// What is signed besides the body.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

impl<'a> Signed<'a> {
    /// What the `Authorization` header says, if it is of this algorithm; inside, none where it is malformed.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Option<Self>> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let rest = value.strip_prefix(ALGORITHM)?;
        Some(Self::parse(rest))
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (mut credential, mut headers, mut signature) = (None, None, None);
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let mut scope = credential?.split('/');
        let (access_key_id, day) = (scope.next()?, scope.next()?);
        let (region, service) = (scope.next()?, scope.next()?);
        if scope.next() != Some(TERMINATOR) || scope.next().is_some() {
            return None;
        }
        Some(Self { access_key_id, day, region, service, headers: headers?, signature: signature? })
    }

    /// Whether it was signed close enough to `now`, on the day that it says.
    pub(crate) fn is_fresh(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let signed_at = date(headers).filter(|date| date.starts_with(self.day)).and_then(instant);
        signed_at.is_some_and(|at| now.0.abs_diff(at.0) <= SKEW.unsigned_abs() * 1_000_000)
    }

    /// Whether the request is what was signed with that secret. Takes the same time however much of the signature is right.
    pub(crate) fn fits(&self, secret: &str, head: Head<'_>, body: &[u8]) -> bool {
        let digest = hexadecimal(&Sha256::digest(body));
        if head.headers.get(CONTENT).is_some_and(|said| said.as_bytes() != digest.as_bytes()) {
            return false;
        }
        let (Some(canonical), Some(date)) = (self.canonical(head, &digest), date(head.headers)) else { return false };
        let Self { day, region, service, .. } = self;
        let digest = hexadecimal(&Sha256::digest(canonical));
        let to_sign = format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/{TERMINATOR}\n{digest}");
        let key =
            [*day, region, service, TERMINATOR].into_iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| {
                mac(&key, part.as_bytes()).finalize().into_bytes().to_vec()
            });
        bytes(self.signature).is_some_and(|given| mac(&key, to_sign.as_bytes()).verify_slice(&given).is_ok())
    }

    /// The canonical request; none unless the host, the date and everything that says what to do are signed.
    fn canonical(&self, Head { method, uri, headers }: Head<'_>, digest: &str) -> Option<String> {
        let signed: Vec<&str> = self.headers.split(';').collect();
        let ordered = signed.windows(2).all(|pair| pair[0] < pair[1]);
        let must = |name: &str| name == "host" || name == "x-account" || name.starts_with("x-amz-");
        let all = headers.keys().filter(|name| must(name.as_str())).all(|name| signed.contains(&name.as_str()));
        if signed.len() > MOST_HEADERS || !ordered || !all || !signed.contains(&"host") {
            return None;
        }
        let mut text = format!("{method}\n{}\n{}\n", path(uri.path()), query(uri.query().unwrap_or_default()));
        for name in &signed {
            let values = headers.get_all(*name).iter().map(|value| value.to_str().ok());
            let values = values.map(|value| Some(value?.split_ascii_whitespace().collect::<Vec<_>>().join(" ")));
            let values = values.collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())?;
            let _ = writeln!(text, "{name}:{}", values.join(","));
        }
        let _ = write!(text, "\n{}\n{digest}", self.headers);
        Some(text)
    }
}

/// When it was signed, as the header says.
fn date(headers: &HeaderMap) -> Option<&str> {
    headers.get(DATE)?.to_str().ok()
}

/// The instant that `20150830T123600Z` is.
fn instant(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| text.get(range);
    let (year, month, day) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (hour, minute, second) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    if text.len() != 16 || digits(8..9) != Some("T") || digits(15..16) != Some("Z") {
        return None;
    }
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The path without `.`, `..` and empty parts, encoded once more than it came, as every service but S3 has it.
fn path(raw: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in raw.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if raw.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    let encoded: Vec<_> = parts.into_iter().map(encoded).collect();
    format!("/{}{end}", encoded.join("/"))
}

/// The parameters in order of their names and values, encoded in the one way.
fn query(raw: &str) -> String {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (once(name), once(value))
        })
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Text that came encoded, encoded in the one way.
fn once(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(decoded) => {
                plain.push(decoded);
                rest = &after[2..];
            }
            None => {
                plain.push(if *byte == b'+' { b' ' } else { *byte });
                rest = after;
            }
        }
    }
    encode(&plain)
}

fn encoded(text: &str) -> String {
    encode(text.as_bytes())
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(*byte)),
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
        text
    })
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    // A key longer than the block is its digest, a shorter one is padded with zeros (RFC 2104).
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(text);
    mac
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;

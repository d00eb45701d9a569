//! Signatures of webhooks: Standard Webhooks 1.0.0, symmetric (`v1`, HMAC-SHA256).
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret begins with in text.
const PREFIX: &str = "whsec_";
/// How many bytes a secret may have.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// What HMAC-SHA256 pads its key to.
const BLOCK: usize = 64;
/// How many parts of a signature's header are looked at: more than any sender rotates through.
const PARTS: usize = 16;

/// A secret that an endpoint shares with us: 24 to 64 bytes, in text `whsec_` and padded base64. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The secret of these bytes; none unless there are 24 to 64.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        LENGTHS.contains(&bytes.len()).then(|| Self(bytes.to_vec()))
    }

    /// The bytes themselves, to be sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that its owner is shown, once: `whsec_…`.
    #[must_use]
    pub fn show(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The code over `{id}.{timestamp}.{body}`, not yet finished.
    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        // HMAC pads a shorter key with zeros to its block (RFC 2104); a whole block cannot be of wrong length.
        let mut block = [0_u8; BLOCK];
        block[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a webhook secret is whsec_ and 24 to 64 bytes in padded base64";
        // The official libraries decode strictly, so what one of them would refuse is refused here.
        let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() <= 2 * BLOCK).ok_or(WRONG)?;
        STANDARD.decode(encoded).ok().and_then(|bytes| Self::new(&bytes)).ok_or(WRONG)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The header `webhook-signature`: one part `v1,<base64>` for each secret, the newest first, so that a receiver that knows
/// any of them verifies while secrets are rotated.
///
/// `id` must be free of dots, or what is signed could be read in two ways; `timestamp` is in Unix seconds.
#[must_use]
pub fn signature(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    debug_assert!(!id.contains('.'), "an id without dots");
    let part = |secret: &Secret| {
        let code = secret.mac(id, timestamp, body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(code))
    };
    secrets.iter().map(part).collect::<Vec<_>>().join(" ")
}

/// Whether one of the header's parts is right by one of the secrets. Compares in constant time; parts of other versions
/// and broken ones are passed over.
#[must_use]
pub fn verify(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8], signature: &str) -> bool {
    let codes = signature.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    let codes: Vec<Vec<u8>> = codes.take(PARTS).filter_map(|code| STANDARD.decode(code).ok()).collect();
    secrets.iter().any(|secret| {
        let mac = secret.mac(id, timestamp, body);
        codes.iter().any(|code| mac.clone().verify_slice(code).is_ok())
    })
}

#[cfg(test)]
mod tests;

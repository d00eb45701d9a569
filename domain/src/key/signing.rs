//! What a key signs requests with by AWS's Signature Version 4: both halves follow from its id, so nothing more is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::token;

/// What an access key id begins with.
const PREFIX: &str = "TW";
/// For what the secret is derived; nothing else may use this text.
const PURPOSE: &[u8] = b"sigv4:";

/// The credentials of a key for clients that sign. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningPair {
    /// `TW` and the 16 bytes of the key's id as 32 hexadecimal digits in upper case.
    pub access_key_id: String,
    /// HMAC-SHA256 of the key's id under the installation's secret, in base64 for URLs without padding: 43 characters.
    pub secret_access_key: String,
}

impl std::fmt::Debug for SigningPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningPair({}, …)", self.access_key_id)
    }
}

impl SigningPair {
    /// The credentials of the key of that id; none for what is no id of a key.
    #[must_use]
    pub fn of(installation: &[u8; 32], id: &str) -> Option<Self> {
        let bytes = token::id_bytes(id)?;
        let mut access_key_id = PREFIX.to_owned();
        access_key_id.extend(bytes.iter().map(|byte| format!("{byte:02X}")));
        // HMAC pads a shorter key with zeros to its block of 64 bytes (RFC 2104).
        let mut block = [0_u8; 64];
        block[..installation.len()].copy_from_slice(installation);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(PURPOSE);
        mac.update(id.as_bytes());
        let secret_access_key = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Some(Self { access_key_id, secret_access_key })
    }

    /// The id of the key to which an access key id belongs; none for what is no access key id.
    #[must_use]
    pub fn key_id(access_key_id: &str) -> Option<String> {
        let digits = access_key_id.strip_prefix(PREFIX)?.as_bytes();
        let upper = |digit: &u8| digit.is_ascii_digit() || (b'A'..=b'F').contains(digit);
        if digits.len() != 32 || !digits.iter().all(upper) {
            return None;
        }
        let number = u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        Some(token::id_text(&number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Entropy, Env, Presented, mint};

    #[test]
    fn the_credentials_lead_back_to_the_key() {
        for byte in [0, 1, 127, 255] {
            let key = mint(&Env::default(), &Entropy { id: [byte; 16], secret: [3; 32] }).presented;
            let pair = SigningPair::of(&[7; 32], &key.id).expect("an id");
            assert_eq!(pair.access_key_id, format!("TW{}", format!("{byte:02X}").repeat(16)));
            assert_eq!(pair.secret_access_key.len(), 43);
            assert_eq!(SigningPair::key_id(&pair.access_key_id).as_deref(), Some(&*key.id));
            let other = SigningPair::of(&[8; 32], &key.id).expect("an id");
            assert_ne!(other.secret_access_key, pair.secret_access_key, "another installation");
            assert!(!format!("{pair:?}").contains(&pair.secret_access_key));
        }
        let imported = Presented::import("0123456789abcdef").expect("a key");
        let pair = SigningPair::of(&[7; 32], &imported.id).expect("an id");
        assert_eq!(SigningPair::key_id(&pair.access_key_id), Some(imported.id));
    }

    #[test]
    fn what_is_no_id_has_no_credentials() {
        for id in ["", "short", "zzzzzzzzzzzzzzzzzzzzzz", "0DG9mkOv2l6AkSp3WsPx-7", "0DG9mkOv2l6AkSp3WsPxY7x"] {
            assert_eq!(SigningPair::of(&[7; 32], id), None, "{id}");
        }
        let lower = format!("TW{}", "ab".repeat(16));
        for text in
            ["", "TW", "AKIDEXAMPLE", &lower, &format!("TW{}", "A".repeat(33)), &format!("XX{}", "A".repeat(32))]
        {
            assert_eq!(SigningPair::key_id(text), None, "{text}");
        }
    }
}

//! What must not lie in the clear in the journal: sealed with the installation's secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// What a sealed text begins with: the way it was sealed in.
const VERSION: &str = "s1.";
/// For what the key is derived from the secret; nothing else may use this text.
const PURPOSE: &[u8] = b"tradewind sealed text 1";

/// Seals and opens short texts with ChaCha20-Poly1305, under a key derived from the installation's secret for this alone
/// (HKDF-SHA256). A sealed text is `s1.` and, in base64, a random nonce of 96 bits, the ciphertext and its tag: one key is good
/// for 2^32 of them.
pub struct Seal {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Seal {
    /// The seal of an installation.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let derived = Salt::new(HKDF_SHA256, &[]).extract(secret);
        let key = derived.expand(&[PURPOSE], &CHACHA20_POLY1305).expect("a key is shorter than HKDF can give");
        Self { key: LessSafeKey::new(UnboundKey::from(key)), random: SystemRandom::new() }
    }

    /// Seals `plain`, so that it opens only with the same `bound_to`: the id of what it belongs to.
    ///
    /// # Panics
    /// When the system has no random bytes to give.
    #[must_use]
    pub fn seal(&self, plain: &[u8], bound_to: &str) -> String {
        let mut sealed = vec![0; NONCE_LEN];
        self.random.fill(&mut sealed).expect("the system gives random bytes");
        let nonce = Nonce::try_assume_unique_for_key(&sealed).expect("of the right length");
        let mut text = plain.to_vec();
        let bound = Aad::from(bound_to.as_bytes());
        self.key.seal_in_place_append_tag(nonce, bound, &mut text).expect("a short text");
        sealed.append(&mut text);
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed; none if it was sealed with another secret, bound to something else, or is not whole.
    #[must_use]
    pub fn open(&self, sealed: &str, bound_to: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut text).ok()?.len();
        text.truncate(plain);
        Some(text)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_secret_for_the_same_thing_only() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal(b"whsec_hunter2", "endpoint-1");
        assert!(sealed.starts_with("s1.") && !sealed.contains("hunter2"), "{sealed}");
        assert_eq!(seal.open(&sealed, "endpoint-1").as_deref(), Some(&b"whsec_hunter2"[..]));
        assert_eq!(Seal::new(&[7; 32]).open(&sealed, "endpoint-1").as_deref(), Some(&b"whsec_hunter2"[..]));
        assert_eq!(seal.open(&sealed, "endpoint-2"), None);
        assert_eq!(Seal::new(&[8; 32]).open(&sealed, "endpoint-1"), None);
        assert_ne!(seal.seal(b"whsec_hunter2", "endpoint-1"), sealed, "another nonce each time");
        assert_eq!(seal.open(&seal.seal(b"", ""), "").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal(b"secret", "x");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(seal.open(&changed, "x"), None, "{changed}");
            assert_eq!(seal.open(&sealed[..at], "x"), None, "{at} bytes of it");
        }
        for garbage in ["", "s1.", "s2.AAAA", "s1.====", "whsec_AAAA"] {
            assert_eq!(seal.open(garbage, "x"), None);
        }
    }
}

//! The text of a key: `tw_<env>_<id>_<secret><check>`, as GitHub forms its tokens.
//!
//! The prefix is for programs that search for leaked secrets, the underscores let a double click select all of it, and the
//! checksum (CRC-32 of what stands before) finds a typo without any look-up.

use std::fmt;

use sha2::{Digest, Sha256};

/// Digits of base 62.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX: &str = "tw_";
/// So many digits hold the 16 bytes of an id, the 32 bytes of a secret, and the checksum.
const ID: usize = 22;
const SECRET: usize = 43;
const CHECK: usize = 6;
/// Texts of other systems' keys: the shortest and the longest.
const IMPORTED: std::ops::RangeInclusive<usize> = 16..=200;

/// What a key is for: 1 to 16 characters of `a-z 0-9`, such as `live` or `test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Env(String);

impl Env {
    /// The environment of that name, if it is a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        ((1..=16).contains(&name.len()) && plain).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Env {
    fn default() -> Self {
        Self("live".to_owned())
    }
}

/// The random bytes that a key is made of. Prints as dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Entropy {
    /// Becomes the id.
    pub id: [u8; 16],
    /// Becomes the secret.
    pub secret: [u8; 32],
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A key as a caller shows it, reduced to what it is looked up and compared by. The secret itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The key's id.
    pub id: String,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
}

/// A new key.
pub struct Minted {
    /// What its holder shows. Nothing keeps it.
    pub text: String,
    /// What it is known by.
    pub presented: Presented,
}

/// Makes the text of a key.
#[must_use]
pub fn mint(env: &Env, entropy: &Entropy) -> Minted {
    let (id, secret) = (base62(&entropy.id, ID), base62(&entropy.secret, SECRET));
    let mut text = format!("{PREFIX}{}_{id}_{secret}", env.0);
    text.push_str(&check(&text));
    Minted { text, presented: Presented { id, hash: Sha256::digest(secret).into() } }
}

impl Presented {
    /// Reads a key: one of ours, or one of another system, which could be any text. None for what can be no key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with(PREFIX) { Self::ours(text) } else { Self::import(text) }
    }

    /// Reads the text of another system's key: 16 to 200 visible ASCII characters that do not begin as ours do. Its id is
    /// made from it, so that it is found again.
    #[must_use]
    pub fn import(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|b| b.is_ascii_graphic());
        if !IMPORTED.contains(&text.len()) || !visible || text.starts_with(PREFIX) {
            return None;
        }
        let digest = Sha256::new_with_prefix("tradewind imported key 1\0").chain_update(text).finalize();
        Some(Self { id: base62(&digest[..16], ID), hash: Sha256::digest(text).into() })
    }

    fn ours(text: &str) -> Option<Self> {
        let (checked, given) = text.split_at_checked(text.len().checked_sub(CHECK)?)?;
        if check(checked) != given {
            return None;
        }
        let mut parts = checked[PREFIX.len()..].splitn(3, '_');
        let (env, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let fits = Env::parse(env).is_some() && digits(id, ID) && digits(secret, SECRET);
        fits.then(|| Self { id: id.to_owned(), hash: Sha256::digest(secret).into() })
    }
}

/// The text of a key's id.
pub(super) fn id_text(bytes: &[u8; 16]) -> String {
    base62(bytes, ID)
}

/// The bytes of a key's id; none for what is none.
pub(super) fn id_bytes(id: &str) -> Option<[u8; 16]> {
    if id.len() != ID {
        return None;
    }
    let mut number = 0_u128;
    for byte in id.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        number = number.checked_mul(62)?.checked_add(u128::try_from(digit).ok()?)?;
    }
    Some(number.to_be_bytes())
}

/// The checksum of a text.
fn check(text: &str) -> String {
    base62(&crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECK)
}

/// A big-endian number in `width` digits, which must be enough for it.
fn base62(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![DIGITS[0]; width];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = DIGITS[usize::try_from(rest).unwrap_or(0)];
    }
    digits.into_iter().map(char::from).collect()
}

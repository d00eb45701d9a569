//! Accounts of Ethereum's kind: addresses, and signatures from which the signer's address is recovered.
//!
//! An address is the last 20 bytes of the Keccak-256 of the public key; a signature is r, s and v, 65 bytes, where v is 27
//! plus which of two points r stands for (Ethereum yellow paper, appendix F).

use std::fmt;
use std::str::FromStr;

use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use sha3::{Digest, Keccak256};

/// An account or a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// An address that nobody holds the key of, made of a name.
    pub(super) fn derived(name: &str) -> Self {
        Self(tail(&Keccak256::digest(name).into()))
    }
}

impl FromStr for Address {
    type Err = NotSigned;

    /// `0x` and 40 digits, in any case: the checksum that the case may carry is not looked at.
    fn from_str(text: &str) -> Result<Self, NotSigned> {
        bytes(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(NotSigned::NoAddress)
    }
}

impl fmt::Display for Address {
    /// In lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why something is no signature of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("not an address: expected 0x and 40 hexadecimal digits")]
    NoAddress,
    /// Not `0x` and 130 hexadecimal digits of a signature.
    #[error("not a signature: expected 0x and 130 hexadecimal digits, r, s and v")]
    NoSignature,
    /// Nobody's key makes such a signature of that digest.
    #[error("the signature is nobody's")]
    Nobodys,
    /// Not a private key.
    #[error("not a private key: expected 64 hexadecimal digits")]
    NoKey,
}

/// Who signed a digest.
///
/// # Errors
/// Not a signature, or nobody's.
pub(super) fn recover(digest: &[u8; 32], signature: &str) -> Result<Address, NotSigned> {
    let raw = bytes(signature).filter(|raw| raw.len() == 65).ok_or(NotSigned::NoSignature)?;
    let v = match raw[64] {
        v @ (27 | 28) => v - 27,
        v @ (0 | 1) => v,
        _ => return Err(NotSigned::NoSignature),
    };
    let parts = Signature::from_slice(&raw[..64]).map_err(|_| NotSigned::NoSignature)?;
    let id = RecoveryId::from_byte(v).ok_or(NotSigned::NoSignature)?;
    let key = VerifyingKey::recover_from_prehash(digest, &parts, id).map_err(|_| NotSigned::Nobodys)?;
    Ok(address(&key))
}

/// A private key; it prints as dots.
#[derive(Clone)]
pub struct Key(SigningKey);

impl FromStr for Key {
    type Err = NotSigned;

    /// 64 digits, with or without `0x` before them.
    fn from_str(text: &str) -> Result<Self, NotSigned> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let raw = bytes(&format!("0x{digits}")).filter(|raw| raw.len() == 32).ok_or(NotSigned::NoKey)?;
        SigningKey::from_slice(&raw).map(Self).map_err(|_| NotSigned::NoKey)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Whose key it is.
    #[must_use]
    pub fn address(&self) -> Address {
        address(self.0.verifying_key())
    }

    /// Signs a digest: `0x` and 130 digits. The same digest has the same signature (RFC 6979).
    #[must_use]
    pub fn sign(&self, digest: &[u8; 32]) -> String {
        let (signature, id) = self.0.sign_prehash_recoverable(digest);
        text(&signature.to_bytes(), id)
    }
}

/// r, s and v as text.
pub(super) fn text(parts: &[u8], id: RecoveryId) -> String {
    let mut all = parts.to_vec();
    all.push(27 + id.to_byte());
    to_hex(&all)
}

/// `0x` and two digits a byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `0x` and an even number of digits.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

fn address(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    Address(tail(&Keccak256::digest(&point.as_bytes()[1..]).into()))
}

fn tail(digest: &[u8; 32]) -> [u8; 20] {
    let mut tail = [0; 20];
    tail.copy_from_slice(&digest[12..]);
    tail
}

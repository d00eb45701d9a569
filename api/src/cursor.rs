//! List cursors: where a page ended, signed, and good only for the same list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the number, then of the shortened signature.
const NUMBER: usize = 8;
const SIGNATURE: usize = 16;

/// The cursor after the entity created as number `seq`, for the list described by `list`.
pub(crate) fn seal(secret: &[u8; 32], list: &str, seq: u64) -> String {
    let mut bytes = [0_u8; NUMBER + SIGNATURE];
    bytes[..NUMBER].copy_from_slice(&seq.to_be_bytes());
    bytes[NUMBER..].copy_from_slice(&sign(secret, list, seq)[..SIGNATURE]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The number in the cursor; none when it is not ours or belongs to another list.
pub(crate) fn open(secret: &[u8; 32], list: &str, cursor: &str) -> Option<u64> {
    if cursor.len() > 64 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().filter(|b| b.len() == NUMBER + SIGNATURE)?;
    let seq = u64::from_be_bytes(bytes[..NUMBER].try_into().ok()?);
    mac(secret, list, seq).verify_truncated_left(&bytes[NUMBER..]).ok().map(|()| seq)
}

fn sign(secret: &[u8; 32], list: &str, seq: u64) -> [u8; 32] {
    mac(secret, list, seq).finalize().into_bytes().into()
}

fn mac(secret: &[u8; 32], list: &str, seq: u64) -> Hmac<Sha256> {
    // HMAC pads a shorter key with zeros to its block of 64 bytes (RFC 2104); a whole block cannot be of wrong length.
    let mut block = [0_u8; 64];
    block[..secret.len()].copy_from_slice(secret);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(b"tradewind cursor 1\0");
    mac.update(&seq.to_be_bytes());
    mac.update(list.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_unchanged_and_for_its_list() {
        let secret = [7; 32];
        let cursor = seal(&secret, "alice|pending", 42);
        assert_eq!(open(&secret, "alice|pending", &cursor), Some(42));
        assert_eq!(open(&secret, "bob|pending", &cursor), None);
        assert_eq!(open(&[8; 32], "alice|pending", &cursor), None);
        for i in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(open(&secret, "alice|pending", &changed), None, "{changed}");
        }
        for garbage in ["", "x", "====", &"A".repeat(1_000)] {
            assert_eq!(open(&secret, "alice|pending", garbage), None);
        }
    }
}

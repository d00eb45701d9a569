//! List cursors: where a page ended, signed, and good only for the same list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of each number, then of the shortened signature.
const NUMBER: usize = 8;
const SIGNATURE: usize = 16;

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The entity created as this number.
    pub(crate) seq: u64,
    /// The number that the list goes by, if it goes by another one.
    pub(crate) rank: Option<i64>,
}

impl Place {
    /// In a list that goes by no other number.
    pub(crate) const fn at(seq: u64) -> Self {
        Self { seq, rank: None }
    }

    fn bytes(self) -> Vec<u8> {
        let rank = self.rank.map(i64::to_be_bytes);
        self.seq.to_be_bytes().into_iter().chain(rank.into_iter().flatten()).collect()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (seq, rank) = bytes.split_first_chunk::<NUMBER>()?;
        let rank = if rank.is_empty() { None } else { Some(i64::from_be_bytes(rank.try_into().ok()?)) };
        Some(Self { seq: u64::from_be_bytes(*seq), rank })
    }
}

/// The cursor after a place in the list described by `list`.
pub(crate) fn seal(secret: &[u8; 32], list: &str, place: Place) -> String {
    let mut bytes = place.bytes();
    let signature = mac(secret, list, &bytes).finalize().into_bytes();
    bytes.extend_from_slice(&signature[..SIGNATURE]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place in the cursor; none when it is not ours or belongs to another list.
pub(crate) fn open(secret: &[u8; 32], list: &str, cursor: &str) -> Option<Place> {
    if cursor.len() > 64 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (place, signature) = bytes.split_last_chunk::<SIGNATURE>()?;
    mac(secret, list, place).verify_truncated_left(signature).ok()?;
    Place::of(place)
}

fn mac(secret: &[u8; 32], list: &str, place: &[u8]) -> Hmac<Sha256> {
    // HMAC pads a shorter key with zeros to its block of 64 bytes (RFC 2104); a whole block cannot be of wrong length.
    let mut block = [0_u8; 64];
    block[..secret.len()].copy_from_slice(secret);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(b"tradewind cursor 1\0");
    // Places of two lengths: a longer one is not taken for a shorter one of a list of another name.
    mac.update(&[u8::from(place.len() > NUMBER)]);
    mac.update(place);
    mac.update(list.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_unchanged_and_for_its_list() {
        let secret = [7; 32];
        for rank in [None, Some(i64::MIN), Some(7)] {
            let place = Place { seq: 42, rank };
            let cursor = seal(&secret, "alice|pending", place);
            assert_eq!(open(&secret, "alice|pending", &cursor), Some(place));
        }
        let cursor = seal(&secret, "alice|pending", Place { seq: 42, rank: None });
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

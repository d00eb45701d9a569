//! Blockhashes: each says its slot to whoever knows the seed, so that none has to be kept.

use crate::draw::{About, Draw};

/// The hashes of a chain's slots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashes {
    seed: u64,
}

impl Hashes {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The hash of a slot: the slot, hidden, and three draws on it.
    pub(crate) fn of(self, slot: u64) -> [u8; 32] {
        let draw = Draw::new(self.seed, About::Blockhash);
        let words = [slot ^ draw.on(0).value(), draw.on(slot).on(1).value(), draw.on(slot).on(2).value()];
        let mut hash = [0; 32];
        for (bytes, word) in hash.chunks_exact_mut(8).zip(words.into_iter().chain([draw.on(slot).on(3).value()])) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        hash
    }

    /// The slot whose hash it is.
    pub(crate) fn slot(self, hash: &[u8; 32]) -> Option<u64> {
        let word = u64::from_le_bytes(*hash.first_chunk()?);
        let slot = word ^ Draw::new(self.seed, About::Blockhash).on(0).value();
        (self.of(slot) == *hash).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_says_its_slot_and_no_other_does() {
        let hashes = Hashes::new(7);
        for slot in [0, 1, 63_000_000, u64::MAX] {
            let hash = hashes.of(slot);
            assert_eq!(hashes.slot(&hash), Some(slot));
            assert_eq!(Hashes::new(8).slot(&hash), None);
            for place in 0..32 {
                let mut other = hash;
                other[place] ^= 1;
                assert_eq!(hashes.slot(&other), None, "{place}");
            }
        }
    }
}

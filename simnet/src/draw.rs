//! Chance: a hash of the seed and of what it is about. Nothing is drawn in sequence, so concurrency changes nothing.

/// What a draw decides. The discriminant is part of the hash.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    /// How deep a pool is.
    PoolDepth = 1,
    /// When a price begins to move.
    PathDelay,
    /// How far a price goes in one epoch, and which way.
    PathEpoch,
    /// Whether a quote fails.
    QuoteFails,
    /// Whether a quote stalls.
    QuoteStalls,
    /// Whether an execution fails.
    ExecutionFails,
    /// Whether a submission is lost on its way to a block.
    Dropped,
    /// Whether a submission's answer is lost.
    AnswerLost,
    /// How many slots a transaction waits for its block.
    Inclusion,
    /// The hash of a slot.
    Blockhash,
    /// Whether a front or the chain has a fault that it was told to have.
    Fault,
    /// Whether a transaction that a fork undid is included again.
    Fork,
}

/// A hash under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn new(seed: u64, about: About) -> Self {
        Self(mix(seed ^ mix(about as u64)))
    }

    /// Makes the draw depend on a number.
    pub(crate) const fn on(self, number: u64) -> Self {
        Self(mix(self.0 ^ mix(number)))
    }

    /// Makes the draw depend on a text.
    pub(crate) fn on_text(self, text: &str) -> Self {
        let mut draw = self.on(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            draw = draw.on(u64::from_le_bytes(word));
        }
        draw
    }

    /// The hash.
    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    /// A number below `limit`, which must not be zero. The bias is below `limit` in 2⁶⁴.
    pub(crate) const fn below(self, limit: u64) -> u64 {
        self.0 % limit
    }

    /// Whether something happens that happens in `per_million` of a million cases.
    pub(crate) const fn happens(self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million as u64
    }
}

/// The finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_happens_about_that_often() {
        for (per_million, least, most) in [(0, 0, 0), (50_000, 4_700, 5_300), (1_000_000, 100_000, 100_000)] {
            let hits = (0..100_000).filter(|n| Draw::new(7, About::Dropped).on(*n).happens(per_million)).count();
            assert!((least..=most).contains(&hits), "{per_million}: {hits}");
        }
    }

    #[test]
    fn seeds_matter_and_text_all_count() {
        let draw = |seed, about, text| Draw::new(seed, about).on_text(text).value();
        let one = draw(1, About::Dropped, "order-1");
        assert_eq!(one, draw(1, About::Dropped, "order-1"));
        for other in [
            draw(2, About::Dropped, "order-1"),
            draw(1, About::AnswerLost, "order-1"),
            draw(1, About::Dropped, "order-2"),
            draw(1, About::Dropped, "order-1\0"),
        ] {
            assert_ne!(one, other);
        }
    }
}

//! Ways that prices go: out and back, drawn once per epoch. They hang on the slot alone, so that a world that is begun
//! anew stands where the last one stood.

use crate::draw::{About, Draw};

/// One, in the billionths in which deviations are counted.
pub(super) const ONE: i64 = 1_000_000_000;

/// Slots from one return to the next.
const EPOCH_SLOTS: u64 = 200;

/// Paths do not return all at once: how far apart in time they may do it.
const DELAY_SLOTS: u64 = 60;

/// The path of an asset's fair price around its reference, or of a pool's price around the fair one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    draws: Draw,
    begins: u64,
    least: i64,
    most: i64,
}

impl Path {
    /// Goes out by `least` to `most` billionths. `identity` makes draws of this path alone, given what they are about.
    pub(super) fn new(identity: impl Fn(About) -> Draw, least: i64, most: i64) -> Self {
        let begins = identity(About::PathDelay).below(DELAY_SLOTS + 1);
        Self { draws: identity(About::PathEpoch), begins, least, most: most.max(least) }
    }

    /// How far out it is at `slot`, in billionths.
    pub(super) fn deviation(&self, slot: u64) -> i64 {
        let Some(since) = slot.checked_sub(self.begins) else { return 0 };
        let draw = self.draws.on(since / EPOCH_SLOTS);
        let spread = (self.most - self.least).unsigned_abs();
        let width = self.least + draw.below(spread + 1).cast_signed();
        let width = if draw.on(0).below(2) == 0 { width } else { -width };
        let position = since % EPOCH_SLOTS;
        let out = position.min(EPOCH_SLOTS - position).cast_signed();
        width * out / (EPOCH_SLOTS / 2).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_out_and_come_back_gently() {
        for number in 0..50 {
            let path = Path::new(|about| Draw::new(1, about).on(number), ONE / 125, ONE / 50);
            let steps = (0..8_000).map(|slot| path.deviation(slot + 1) - path.deviation(slot));
            assert!(steps.into_iter().all(|step| step.abs() <= ONE / 5_000), "at most 2 basis points per slot");
            for epoch in 0..30 {
                let turn = path.begins + epoch * EPOCH_SLOTS + EPOCH_SLOTS / 2;
                let out = path.deviation(turn).abs();
                assert!((ONE / 125..=ONE / 50).contains(&out), "{out}");
                assert_eq!(path.deviation(turn + EPOCH_SLOTS / 2), 0);
            }
        }
    }
}

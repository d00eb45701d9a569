//! The way a pool's price goes around its reference, drawn once per epoch: out by 2 to 5 % and back. It hangs on the slot
//! alone, so that a world that is begun anew stands where the last one stood.

use crate::draw::{About, Draw};

/// One, in the billionths in which deviations are counted.
pub(super) const ONE: i64 = 1_000_000_000;

/// Slots from one return to the next. Out by at most 5 % in half of them: at most 5 basis points per slot, so that an
/// order with the usual slippage of 50 does not fail between its quote and its block.
const EPOCH_SLOTS: u64 = 200;

/// Pools do not return to their references all at once: how far apart in time they may do it.
const DELAY_SLOTS: u64 = 60;

/// The path of one pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    draws: Draw,
    offset: i64,
    begins: u64,
}

impl Path {
    /// `identity` makes draws of this pool alone, given what they are about.
    pub(super) fn new(identity: impl Fn(About) -> Draw) -> Self {
        let offset = identity(About::PoolOffset).below(20_000_001).cast_signed() - 10_000_000;
        let begins = identity(About::PoolDelay).below(DELAY_SLOTS + 1);
        Self { draws: identity(About::PoolEpoch), offset, begins }
    }

    /// How far from the reference price the pool stands at `slot`, in billionths.
    pub(super) fn deviation(&self, slot: u64) -> i64 {
        let Some(since) = slot.checked_sub(self.begins) else { return self.offset };
        let draw = self.draws.on(since / EPOCH_SLOTS);
        let width = 20_000_000 + draw.below(30_000_001).cast_signed();
        let width = if draw.on(0).below(2) == 0 { width } else { -width };
        let position = since % EPOCH_SLOTS;
        let out = position.min(EPOCH_SLOTS - position).cast_signed();
        self.offset + width * out / (EPOCH_SLOTS / 2).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_two_to_five_per_cent_out_and_come_back_gently() {
        for pool in 0..50 {
            let path = Path::new(|about| Draw::new(1, about).on(pool));
            let start = path.deviation(0);
            assert!(start.abs() <= ONE / 100, "venues start at most 2 % apart");
            let steps = (0..8_000).map(|slot| path.deviation(slot + 1) - path.deviation(slot));
            assert!(steps.into_iter().all(|step| step.abs() <= ONE / 2_000), "at most 5 basis points per slot");
            for epoch in 0..30 {
                let turn = path.begins + epoch * EPOCH_SLOTS + EPOCH_SLOTS / 2;
                let out = (path.deviation(turn) - start).abs();
                assert!((ONE / 50..=ONE / 20).contains(&out), "{out}");
                assert_eq!(path.deviation(turn + EPOCH_SLOTS / 2), start);
            }
        }
    }
}

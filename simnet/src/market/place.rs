//! One pool of the world: its state, where its price ought to be, and how it comes back there.

use std::sync::Arc;

use routing::{Pool, Side};

use super::census::{Family, Kind};
use super::path::{ONE, Path};
use super::price::{Pair, relative, scaled, x64};
use super::stand::Stand;
use super::stand::bins;
use crate::draw::{About, Draw};

/// How far users can move a price from its path before it counts as less: a tenth, and ten times.
const APART: std::ops::RangeInclusive<i64> = -ONE / 10 * 9..=ONE * 9;

/// What never changes of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    /// Its name, unique in its world.
    pub(crate) id: Arc<str>,
    /// Its first asset, by the first token of that mint.
    pub(crate) a: u16,
    /// Its second.
    pub(crate) b: u16,
    /// Whose it is.
    pub(crate) exchange: crate::Exchange,
}

/// A pool, its path and where it is on it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) listing: Listing,
    pub(super) pool: Pool,
    stand: Stand,
    /// Of its own price around the fair one, less than its fee, so that no round trip through the pools gains.
    path: Path,
    /// Up to when background trades and arbitrage have been made.
    slot: u64,
    /// How far users have moved its price from the path, in billionths, at `slot`.
    apart: i64,
}

impl Place {
    /// A pool that stands where its path is at `slot`; `None` when the pair cannot be expressed in its family.
    pub(super) fn new(seed: u64, listing: Listing, kind: &Kind, pair: Pair, slot: u64, fair: i64) -> Option<Self> {
        let identity = |about| Draw::new(seed, about).on_text(&listing.id);
        let depth = u64::from(kind.depth) * (500 + identity(About::PoolDepth).below(1_001)) / 1_000;
        let stand = Stand::new(kind, pair, depth)?;
        // A fee in millionths is a thousand times as many billionths. A DLMM's price keeps to whole bins, so that it needs
        // nearly all of its fee for that.
        let within = i64::from(kind.fee) * if matches!(kind.family, Family::Dlmm { .. }) { 50 } else { 300 };
        let path = Path::new(identity, 0, within);
        let pool = stand.pool(scaled_factor(fair, path.deviation(slot)))?;
        pool.check().ok()?;
        Some(Self { listing, pool, stand, path, slot, apart: 0 })
    }

    /// Brings the pool to `slot`, whose fair price is `fair` billionths of the reference: background trades follow the
    /// path, and what users moved the price is halved by arbitrage with every slot.
    ///
    /// The state is made anew around the price on its path, which is where such trades would leave it but for the fees that
    /// they would pay: that costs less than trading, and the pool keeps its size.
    pub(super) fn advance(&mut self, slot: u64, fair: i64) -> bool {
        let slots = slot.saturating_sub(self.slot);
        if slots == 0 {
            return false;
        }
        self.apart /= 1 << slots.min(40);
        self.slot = slot;
        let factor = scaled_factor(scaled_factor(fair, self.path.deviation(slot)), self.apart);
        // A pool that cannot stand there stays as it is.
        let mut moved = self.pool.clone();
        if self.stand.stand(&mut moved, factor).is_some() {
            self.pool = moved;
        }
        true
    }

    /// A user's swap has left it in this state; `fair` is the fair price of its slot.
    pub(super) fn become_pool(&mut self, after: Pool, fair: i64) {
        self.pool = after;
        let target = scaled(self.stand.pair().price, scaled_factor(fair, self.path.deviation(self.slot)));
        let now = match &self.pool {
            Pool::MeteoraDlmm(pool) => bins::price(pool),
            pool => pool.price(Side::A).ok().and_then(x64),
        };
        // An emptied pool stands where nobody can trade it further.
        let apart = now.map_or(0, |now| relative(now, target) - ONE);
        self.apart = apart.clamp(*APART.start(), *APART.end());
    }

    /// How far users have moved it, in billionths.
    #[cfg(test)]
    pub(super) const fn apart(&self) -> i64 {
        self.apart
    }
}

/// `factor · (1 + deviation)` in billionths; never zero.
pub(super) fn scaled_factor(factor: i64, deviation: i64) -> i64 {
    let product = i128::from(factor) * i128::from(ONE + deviation) / i128::from(ONE);
    i64::try_from(product).unwrap_or(i64::MAX).max(1)
}

//! The world's pools for the chain beside it, whose transactions trade in them too.

use std::sync::Arc;

use routing::Pool;

use super::World;
use crate::{Exchange, Pace, Token};

/// What never changes of a pool.
#[derive(Clone, Debug)]
pub(crate) struct PoolKind {
    /// Its name in the world.
    pub(crate) id: Arc<str>,
    /// `raydium_clmm`, `meteora_dlmm` …
    pub(crate) family: &'static str,
    /// Whose it is.
    pub(crate) exchange: Exchange,
    /// The indices of its tokens: of side A, then of side B.
    pub(crate) tokens: [u16; 2],
}

impl World {
    /// Every token.
    pub(crate) fn tokens(&self) -> &[Token] {
        self.tokens.all()
    }

    /// Every pool, in the order of their numbers.
    pub(crate) fn pool_kinds(&self) -> Vec<PoolKind> {
        let state = self.lock();
        let kind = |(listing, pool): (&crate::market::Listing, &Pool)| PoolKind {
            id: Arc::clone(&listing.id),
            family: pool.kind(),
            exchange: listing.exchange,
            tokens: [listing.a, listing.b],
        };
        state.market.listings().map(kind).collect()
    }

    /// Has `run` trade in some pools as they stand at `slot`, and keeps the states that it gives back.
    ///
    /// Where arbitrage is instant, as in [`Pace::Instant`], the pools stand again where they stood.
    pub(crate) fn trade<T>(
        &self,
        numbers: &[u16],
        (slot, now): (u64, u64),
        run: impl FnOnce(Vec<(u16, Pool)>) -> (T, Vec<(u16, Pool)>),
    ) -> T {
        let mut state = self.at(now);
        let pools = state.market.pools(numbers, slot);
        let (result, after) = run(pools);
        if self.settings.pace == Pace::Real && !after.is_empty() {
            state.market.become_pools(after, slot);
        }
        result
    }
}

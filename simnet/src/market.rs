//! The exchanges and their pools: real integer swaps by users, background traders and arbitrageurs.

mod path;
mod pool;

use std::collections::HashMap;

use routing::constant_product::{ConstantProduct, Fee};
use serde::{Deserialize, Serialize};

use self::pool::Pool;
use crate::token::Tokens;
use crate::{Pace, Settings};

/// Where a swap can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exchange {
    /// Constant-product pools with the fee of Raydium AMM v4.
    Raydium,
    /// Constant-product pools with the fee of Meteora's.
    Meteora,
}

impl Exchange {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Raydium, Self::Meteora];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raydium => "Raydium",
            Self::Meteora => "Meteora",
        }
    }

    pub(crate) const fn index(self) -> u8 {
        match self {
            Self::Raydium => 0,
            Self::Meteora => 1,
        }
    }

    pub(crate) fn from_index(index: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exchange| exchange.index() == index)
    }

    const fn fee(self) -> Fee {
        match self {
            Self::Raydium => Fee::RAYDIUM_AMM_V4,
            Self::Meteora => Fee::METEORA_CONSTANT_PRODUCT,
        }
    }
}

/// Every pool of a world: one per exchange and pair of assets that have a reference price, made when it is first used.
#[derive(Debug)]
pub(crate) struct Market {
    settings: Settings,
    first_slot: u64,
    pools: HashMap<(Exchange, u16, u16), Pool>,
}

/// One side of a pool at one slot.
pub(crate) struct Facing<'a> {
    pool: &'a mut Pool,
    forward: bool,
    instant: bool,
}

impl Market {
    pub(crate) fn new(settings: Settings, first_slot: u64) -> Self {
        Self { settings, first_slot, pools: HashMap::new() }
    }

    /// The exchange's pool between two tokens as it stands at `slot`, which never goes back.
    pub(crate) fn facing(
        &mut self,
        tokens: &Tokens,
        exchange: Exchange,
        (input, output): (u16, u16),
        slot: u64,
    ) -> Option<Facing<'_>> {
        let (paid, received) = (tokens.asset(input), tokens.asset(output));
        let forward = paid < received;
        let key = (exchange, paid.min(received), paid.max(received));
        if !self.pools.contains_key(&key) {
            let (first, second) = if forward { (input, output) } else { (output, input) };
            let pair = [tokens.get(first), tokens.get(second)];
            let pool = Pool::new(self.settings.seed, exchange, pair, self.first_slot).filter(|_| paid != received)?;
            self.pools.insert(key, pool);
        }
        let pool = self.pools.get_mut(&key)?;
        pool.advance(slot);
        Some(Facing { pool, forward, instant: self.settings.pace == Pace::Instant })
    }
}

impl Facing<'_> {
    /// The pool as the trader sees it.
    pub(crate) fn pool(&self) -> ConstantProduct {
        if self.forward { self.pool.state() } else { self.pool.state().reversed() }
    }

    /// Puts the pool into the state after a swap. With an instant pace arbitrage is instant, too.
    pub(crate) fn become_pool(self, after: ConstantProduct) {
        self.pool.set(if self.forward { after } else { after.reversed() });
        if self.instant {
            self.pool.settle();
        }
    }
}

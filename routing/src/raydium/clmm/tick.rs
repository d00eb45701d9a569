//! An initialised tick: where liquidity begins or ends, and where limit orders wait.

use serde::{Deserialize, Serialize};

use super::tick_math::sqrt_price_at_tick;
use crate::decimal;

/// A tick that liquidity or an order refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Tick {
    tick: i32,
    /// Added to the active liquidity when the price crosses upwards, taken from it downwards.
    pub liquidity_net: i128,
    /// All liquidity that begins or ends here.
    pub liquidity_gross: u128,
    /// For sale here in orders that nothing was filled of, base units: token 1 below the price, token 0 above it.
    pub orders_amount: u64,
    /// What is left of orders that are partly filled; sold first.
    pub part_filled_orders_remaining: u64,
    /// The square root of the price here, Q64.64, so that no swap has to compute it; zero where the tick cannot be.
    sqrt_price_x64: u128,
}

impl Tick {
    /// A tick without orders. One beyond the program's range is refused by the pool's `check`.
    #[must_use]
    pub fn new(tick: i32, liquidity_net: i128, liquidity_gross: u128) -> Self {
        Stored { tick, liquidity_net, liquidity_gross, orders_amount: 0, part_filled_orders_remaining: 0 }.into()
    }

    /// Its number: the price is `1.0001^tick`.
    #[must_use]
    pub const fn tick(&self) -> i32 {
        self.tick
    }

    /// The square root of its price, Q64.64; zero for a tick that cannot be.
    #[must_use]
    pub const fn sqrt_price_x64(&self) -> u128 {
        self.sqrt_price_x64
    }

    /// What all orders here have for sale; `None` when that does not fit.
    pub(super) const fn unfilled(&self) -> Option<u64> {
        self.orders_amount.checked_add(self.part_filled_orders_remaining)
    }

    /// Whether a swap stops here. A tick whose orders are filled and that no liquidity refers to is one no longer.
    pub(super) const fn is_initialized(&self) -> bool {
        self.liquidity_gross > 0 || self.orders_amount > 0 || self.part_filled_orders_remaining > 0
    }
}

/// A tick as it stands in JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(with = "decimal")]
    tick: i32,
    #[serde(with = "decimal")]
    liquidity_net: i128,
    #[serde(with = "decimal")]
    liquidity_gross: u128,
    #[serde(with = "decimal", default, skip_serializing_if = "is_zero")]
    orders_amount: u64,
    #[serde(with = "decimal", default, skip_serializing_if = "is_zero")]
    part_filled_orders_remaining: u64,
}

impl From<Stored> for Tick {
    fn from(stored: Stored) -> Self {
        Self {
            tick: stored.tick,
            liquidity_net: stored.liquidity_net,
            liquidity_gross: stored.liquidity_gross,
            orders_amount: stored.orders_amount,
            part_filled_orders_remaining: stored.part_filled_orders_remaining,
            sqrt_price_x64: sqrt_price_at_tick(stored.tick).unwrap_or(0),
        }
    }
}

impl From<Tick> for Stored {
    fn from(tick: Tick) -> Self {
        Self {
            tick: tick.tick,
            liquidity_net: tick.liquidity_net,
            liquidity_gross: tick.liquidity_gross,
            orders_amount: tick.orders_amount,
            part_filled_orders_remaining: tick.part_filled_orders_remaining,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

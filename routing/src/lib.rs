//! Swap mathematics of pools: pure integers, equal on every platform.
//!
//! Knows nothing of orders, venues or chains. Amounts are `u64` base units, intermediate values up to 256 bits; what does not
//! fit is an error, never a wrap-around and never a panic. Every division rounds against the trader.

mod swap;

mod pool;

mod meteora;
mod raydium;

mod dyadic;
mod piece;

mod decimal;
mod math;

pub mod clmm {
    //! What Raydium's CLMM computes of ticks and prices.

    pub use crate::raydium::clmm::{sqrt_price_at_tick, tick_at_sqrt_price};
}
pub mod constant_product;
pub mod vectors;

pub use dyadic::{Dyadic, Round};
pub use meteora::{MeteoraDammV1, MeteoraDammV2, MeteoraDlmm};
pub use piece::Piece;
pub use pool::Pool;
pub use raydium::{RaydiumAmmV4, RaydiumClmm, RaydiumCpmm};
pub use swap::{Amount, Fees, PoolError, Ratio, Side, Swap};

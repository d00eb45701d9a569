//! Swap mathematics of pools: pure integers, equal on every platform.
//!
//! Knows nothing of orders, venues or chains. Amounts are `u64` base units, intermediate values up to 256 bits; what does not
//! fit is an error, never a wrap-around and never a panic. Every division rounds against the trader.

mod swap;

mod pool;

mod network;
mod route;

mod meteora;
mod raydium;

mod dyadic;
mod piece;

mod decimal;
mod math;

pub mod clmm {
    //! The parts of a Raydium CLMM pool's state, and the prices of its ticks.

    pub use crate::raydium::clmm::{
        DynamicFee, FeeOn, MAX_SQRT_PRICE_X64, MAX_TICK, MIN_SQRT_PRICE_X64, MIN_TICK, Tick, sqrt_price_at_tick,
        tick_at_sqrt_price,
    };
}
pub mod vectors;

pub use dyadic::{Dyadic, Round};
pub use meteora::{MeteoraDammV1, MeteoraDammV2, MeteoraDlmm};
pub use network::{LeftOut, ListError, Listed, Network, NetworkFile, ReadError, Trade};
pub use piece::Piece;
pub use pool::Pool;
pub use raydium::{RaydiumAmmV4, RaydiumClmm, RaydiumCpmm};
pub use route::{Answer, Certificate, Leg, Limits, Plan, Question, RouteError, best, certify, fast};
pub use swap::{Amount, Fees, PoolError, Ratio, Side, Swap};

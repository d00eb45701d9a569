//! Exact swap mathematics of Solana's pool families, and best routes over them with a proof of how good they are.
//!
//! Knows nothing of orders, venues or chains; does no I/O. Amounts are `u64` base units, intermediate values up to 256 bits; what
//! does not fit is an error, never a wrap-around and never a panic. Every division rounds against the trader, as the on-chain
//! programs do. Floats are used to search, never for a result: a quote, a plan and a bound are the same on every platform.
//!
//! A [`Pool`] is one pool's state: [`Pool::quote`], [`Pool::apply`], [`Pool::price`]. A [`Network`] is pools between tokens:
//! [`fast`] finds the best single path in it, [`best`] the best split, with a [`Certificate`] that no route gives more than.
//!
//! ```
//! use routing::{Amount, Limits, Network, Pool, Question, best};
//!
//! let mut network = Network::new(["SOL", "USDC"], 1_790_000_000);
//! for (name, sol, usdc) in [("one", "2000000000000", "300000000000"), ("two", "1000000000000", "150100000000")] {
//!     let state = format!(
//!         r#"{{"coin_vault": "{sol}", "pc_vault": "{usdc}", "need_take_pnl_coin": "0", "need_take_pnl_pc": "0",
//!             "swap_fee_numerator": "25", "swap_fee_denominator": "10000"}}"#
//!     );
//!     network.list(name, ("SOL", "USDC"), Pool::read("raydium_amm_v4", &state)?)?;
//! }
//! let question = Question { from: 0, to: 1, amount: Amount::In(90_000_000_000) };
//! let answer = best(&network, &question, &Limits::default())?;
//! assert_eq!(answer.plan.legs.len(), 2);
//! assert!(answer.plan.amount_out <= answer.certificate.bound);
//! assert!(answer.certificate.gap_billionths < 100_000, "less than a basis point below what any route could give");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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

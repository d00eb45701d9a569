//! Swap mathematics of pools: pure integers, equal on every platform.
//!
//! Knows nothing of orders, venues or chains. Amounts are `u64` base units, intermediate values `u128`; what does not fit
//! is an error, never a wrap-around and never a panic. Every division rounds against the trader.

mod constant_product;

pub use constant_product::{Amount, ConstantProduct, Fee, FeeRounding, PoolError, Ratio, Swap};

//! The pool families of Raydium.

mod amm_v4;
pub(crate) mod clmm;
mod cpmm;

pub use amm_v4::RaydiumAmmV4;
pub use clmm::RaydiumClmm;
pub use cpmm::RaydiumCpmm;

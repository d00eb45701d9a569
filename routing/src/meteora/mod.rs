//! The pool families of Meteora.

mod damm_v1;
mod damm_v2;
mod dlmm;

pub use damm_v1::MeteoraDammV1;
pub use damm_v2::MeteoraDammV2;
pub use dlmm::MeteoraDlmm;

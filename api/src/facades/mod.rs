//! Wire-format adapters for clients of other systems. They hold no rules and no state.

pub(crate) mod dex;

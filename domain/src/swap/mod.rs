//! Swap orders: exchange one token for another at the best price a venue gives.

mod order;

pub use order::{Ask, Failure, Fill, Mode, Prepared, Quote, Route, Side, Status, Swap};

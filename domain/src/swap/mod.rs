//! Swap orders: exchange one token for another at the best price a venue gives.
//!
//! `quote` and `order` have the types, `table` the lifecycle, `decide` the decisions, `route` the choice between quotes, `view` what
//! the world sees.

mod decide;
mod order;
mod quote;
mod route;
mod table;
mod view;

pub use decide::{
    Choice, KEEP_REQUEST_KEYS_MICROS, MAX_ATTEMPTS, Place, QUEUE, QUEUE_EXPIRE, QUOTE_FRESH_MICROS, accept, begin,
    cancel, client_order_scope, confirm, expire, fail, prepared, rebuilt, retry, routed,
};
pub use order::{Failure, Fill, Prepared, Route, Side, Status, Swap};
pub use quote::{Ask, Certificate, Leg, Mode, Quote};
pub use route::{Answer, Verdict, choose, limit, prove};
pub use table::{Happening, next};
pub use view::View;

#[cfg(test)]
mod tests;

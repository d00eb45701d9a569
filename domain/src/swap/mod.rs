//! Swap orders: exchange one token for another at the best price a venue gives.
//!
//! `quote` and `order` have the types, `table` the lifecycle, `decide` the decisions, `route` the choice between quotes, `view` what
//! the world sees.

mod conditions;
mod decide;
mod limit_price;
mod order;
mod quote;
mod route;
mod table;
mod view;

pub use conditions::{Conditions, TimeInForce};
pub use decide::{
    AT_ONCE_HALVES, Choice, KEEP_REQUEST_KEYS_MICROS, MAX_ATTEMPTS, Place, QUEUE, QUEUE_EXPIRE, QUOTE_FRESH_MICROS,
    accept, accept_within, begin, cancel, client_order_scope, confirm, expire, fail, prepared, rebuilt, rest, retry,
    routed, unfilled, wake,
};
pub use limit_price::{LimitPrice, LimitPriceError, price_units};
pub use order::{Failure, Fill, Prepared, Receipt, Route, Side, Status, Swap};
pub use quote::{Ask, Certificate, Inquiry, Leg, Mode, Quote};
pub use route::{Answer, Verdict, bound_to, choose, limit, meets, prove, too_much_impact};
pub use table::{Happening, next};
pub use view::View;

#[cfg(test)]
mod tests;

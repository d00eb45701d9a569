//! A request-for-quote venue as Universal.xyz runs one: a firm price until a deadline, one fill by a merchant.
//!
//! [`Rfq`] is the venue without any wire: it quotes, takes signed orders, and says what became of them.
//! `typed_data` hashes what is signed, `evm` signs it and recovers who did; [`exchange`] is what is signed on Solana. `tokens` has
//! what is traded, `price` the rules of a quote's amounts, `wire` the shapes of requests and answers; [`http`] is the front.
//!
//! The prices, the merchant and the fills are simulated, and so are addresses of tokens that nobody told us. What is signed,
//! how it is verified, that a quote is filled once and never after its deadline is as on the chains.

pub mod exchange;
pub mod http;

mod evm;
mod price;
mod rfq;
mod tokens;
mod typed_data;
mod wire;

pub use evm::{Address, Key, NotSigned};
pub use rfq::{Fate, Fill, Rfq, Status, Taken, Twist};
pub use tokens::{Chain, TOKENS, Token, token};
pub use typed_data::{DutchOrder, EXCLUSIVE_DUTCH_ORDER_REACTOR, Output, PERMIT2};
pub use wire::{Direction, Mode, Order, Quote, QuoteRequest, Refused};

#[cfg(test)]
mod tests;

//! A simulated chain with two exchanges, Raydium and Meteora: a library, and its own HTTP front.
//!
//! Both exchanges have pools of all their families, several a pair, moved by background trades. A swap can be asked for at
//! either, or at the router, which splits it over the pools of both. A transaction names the swaps it is made of; they
//! execute all or not at all.
//!
//! The money is simulated: every wallet's key follows from its account's name and can be computed by anybody. The
//! mathematics, the signatures, the expiry of blockhashes and the finality are as on Solana, so that whoever trades here
//! cannot be surprised there by what an exchange may do.
//!
//! A [`World`] never looks at a clock: `now` is an argument, in milliseconds since the Unix epoch, and a slot is
//! [`SLOT_MILLIS`] of it. What happens by chance is a hash of the seed and of what it happens to; the same seed gives the
//! same outcome whatever the concurrency.

mod world;

pub mod bank;
pub mod chain;
pub mod faults;
pub mod http;
pub mod universal;
pub mod wire;

mod base58;
mod clock;
mod draw;
mod fronts;
mod ledger;
mod market;
mod refused;
mod settings;
mod token;
mod transaction;
mod venue;
mod wallet;

pub use clock::Clock;
pub use ledger::{Failure, Outcome, Record, Retention};
pub use market::Step;
pub use refused::Refused;
pub use routing::{Amount, Side};
pub use settings::{Pace, Settings};
pub use token::Token;
pub use transaction::{Blockhash, STEPS_LIMIT, Signed, Swap, TRANSACTION_BYTES};
pub use venue::{Exchange, Venue};
pub use wallet::Wallets;
pub use world::{Ask, Balance, Certificate, Head, Leg, LookUp, Quote, World};

/// Wall-clock milliseconds per slot.
pub const SLOT_MILLIS: u64 = 400;

/// When slot 0 began: 2025-01-01. Slots are those of the wall's clock, so that a restarted world takes up where it was.
const GENESIS_MILLIS: u64 = 1_735_689_600_000;

/// The slot of a time, in milliseconds since the Unix epoch.
const fn slot_of(now: u64) -> u64 {
    now.saturating_sub(GENESIS_MILLIS) / SLOT_MILLIS
}

/// A blockhash may be named by transactions of its own slot and of this many after it.
pub const BLOCKHASH_SLOTS: u64 = 150;

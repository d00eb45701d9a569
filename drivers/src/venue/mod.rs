//! Where a swap can be executed: quote, prepare, submit, look up.
//!
//! Nothing outside happens before its intent is on disk: `prepare` makes bytes and touches nothing, the caller commits
//! them, `submit` sends them. The same bytes may be sent any number of times and execute at most once until they expire.

pub mod conformance;

mod chain;
mod paper;
mod simnet;

use std::sync::Arc;

use async_trait::async_trait;
use domain::swap::{Ask, Prepared, Quote};
use domain::token::Registry;
use domain::{Owner, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Fault;

/// The venue port.
#[async_trait]
pub trait Venue: Send + Sync + 'static {
    /// Its name on quotes and in routes: `Raydium`.
    fn name(&self) -> &'static str;

    /// How an unknown outcome is settled. No rule, no adapter.
    fn settlement(&self) -> Settlement;

    /// What the venue would give now, after its fees and the order's own price impact. Changes nothing.
    async fn quote(&self, ask: &Ask) -> Result<Quote, VenueError>;

    /// Builds and signs the transaction for an order: changes nothing outside.
    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError>;

    /// Sends prepared bytes: any number of times, executed at most once. `Ok` is no promise that it executes.
    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError>;

    /// What became of submissions, one answer each, in one call; at most [`LOOK_UP_LIMIT`] at once.
    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError>;

    /// The outcome of these bytes is on disk; nobody looks them up again. A venue that keeps outcomes for us may forget it.
    fn settled(&self, _prepared: &Prepared) {}

    /// How long to wait between look-ups, in milliseconds: about the time the venue takes to move.
    fn poll_millis(&self) -> u64;
}

/// The most look-ups in one call.
pub const LOOK_UP_LIMIT: usize = 256;

/// How a venue's unknown outcomes are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Look the signature up; unknown at a finalised height past the expiry means never.
    Signature,
}

/// What to build a transaction from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whose wallet pays and receives.
    pub account: Owner,
    /// The order's id: makes the transaction unique together with `attempt`.
    pub id: String,
    /// Counts transactions built for this order, from 1.
    pub attempt: u32,
    /// The quote that won.
    pub quote: Quote,
    /// The least output (exact-in) or the most input (exact-out) that the trader accepts, in base units.
    pub limit: u128,
}

/// What became of one submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// Not executed yet, or not heard of, and not expired at a finalised height: look again, send again.
    Open,
    /// Executed.
    Confirmed {
        /// Taken from the wallet, in base units of the input token.
        amount_in: u128,
        /// Put into the wallet, in base units of the output token.
        amount_out: u128,
        /// The slot that holds it.
        slot: u64,
    },
    /// Refused by the venue for good: it did not and will not trade.
    Failed {
        /// Stable code: `SLIPPAGE_EXCEEDED`, `INSUFFICIENT_BALANCE` …
        code: String,
        /// For people.
        message: String,
    },
    /// Never executed, and now it never can: the bytes expired at a finalised height.
    Expired,
}

/// A venue did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VenueError {
    /// It has no way to make this swap, or not at this size.
    #[error("no route: {0}")]
    NoRoute(String),
    /// It failed or did not answer in time; asking again may help. After a submit the outcome is unknown.
    #[error("venue failed: {0}")]
    Failed(String),
}

/// Opens the venues at `url`: `paper[?option=value…]` or `simnet=http://host:port`; each gives Raydium, Meteora, and
/// Tradewind, which splits an order over the pools of both. On equal output an exchange itself goes first.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason when the URL names no driver or an option is wrong.
pub fn open(url: &str, tokens: &Arc<Registry>, now: Timestamp) -> Result<Vec<Arc<dyn Venue>>, Fault> {
    match url.split_once(['?', '=']) {
        None if url == "paper" => paper::open("", tokens, now),
        Some(("paper", options)) => paper::open(options, tokens, now),
        Some(("simnet", base)) => simnet::open(base, tokens),
        _ => {
            let shown = crate::without_secrets(url);
            Err(Fault::Unavailable(format!("--venue {shown}: expected paper[?…] or simnet=http://host:port")))
        }
    }
}

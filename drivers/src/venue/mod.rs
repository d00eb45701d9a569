//! Where a swap can be executed: quote, prepare, submit, look up.
//!
//! Nothing outside happens before its intent is on disk: `prepare` makes bytes and touches nothing, the caller commits
//! them, `submit` sends them. The same bytes may be sent any number of times and execute at most once until they expire.

pub mod conformance;

mod chain;
mod paper;
mod simnet;
pub mod universal;

mod jupiter;
mod raydium;

mod wallet;

mod check;
mod legs;
mod number;
mod rpc;
mod signer;

mod breaker;
mod connect;
mod line;
mod options;
mod pace;

use std::sync::Arc;

use async_trait::async_trait;
use domain::swap::{Ask, Inquiry, Prepared, Quote, Receipt};
use domain::token::Registry;
use domain::{Owner, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

pub use signer::Signer;

use crate::Fault;

/// The venue port.
#[async_trait]
pub trait Venue: Send + Sync + 'static {
    /// Its name on quotes and in routes: `Raydium`.
    fn name(&self) -> &'static str;

    /// How an unknown outcome is settled. No rule, no adapter.
    fn settlement(&self) -> Settlement;

    /// What the venue would give now, after its fees and the order's own price impact. Changes nothing.
    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError>;

    /// Whether there is any use in asking it for this swap; said without asking anybody. A venue that is not asked stands in no
    /// audit.
    fn trades(&self, _ask: &Ask) -> bool {
        true
    }

    /// Builds and signs the transaction for an order: changes nothing outside.
    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError>;

    /// Sends prepared bytes: any number of times, executed at most once. `Ok` is no promise that it executes.
    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError>;

    /// What became of submissions, one answer each, in one call; at most [`LOOK_UP_LIMIT`] at once.
    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError>;

    /// The outcome of these bytes is on disk; nobody looks them up again. A venue that keeps outcomes for us may forget it.
    fn settled(&self, _prepared: &Prepared) {}

    /// A quote that is firm until its deadline, for whom the request names to sign: the request and the answer in the venue's own
    /// JSON, passed through as they are.
    async fn firm_quote(&self, _request: &str) -> Result<String, VenueError> {
        Err(VenueError::NoRoute("it gives no firm quotes".to_owned()))
    }

    /// What the venue calls the trade that these bytes led to, once it was looked up; none where their own id is all there is.
    fn receipt(&self, _prepared: &Prepared) -> Option<Receipt> {
        None
    }

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
    /// Ask again with the same request id: the venue executes it once and says what became of it.
    RequestId,
    /// Send the same signed order again: its nonce is used once, and the venue says by which order.
    Nonce,
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
    /// It was not asked: it failed too often of late, or was asked too often. It is asked again after the pause; orders wait or
    /// go elsewhere meanwhile, and none fails for it.
    #[error("venue rests: {why}")]
    Resting {
        /// How long, in milliseconds.
        pause_millis: u64,
        /// For people.
        why: String,
    },
    /// This order will not trade there, for good: `TRANSACTION_MISMATCH`, `QUOTE_EXPIRED` …
    #[error("refused: {message}")]
    Refused {
        /// Stable.
        code: &'static str,
        /// For people.
        message: String,
    },
}

/// What venues are opened with.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// What may be traded.
    pub tokens: &'a Arc<Registry>,
    /// Who signs for the venues that are not simulated.
    pub signer: Option<&'a Signer>,
    /// Now.
    pub now: Timestamp,
}

/// Opens the venues at `url` without a signer: those that are simulated, see [`Opening::open`].
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason when the URL names no such driver or an option is wrong.
pub fn open(url: &str, tokens: &Arc<Registry>, now: Timestamp) -> Result<Vec<Arc<dyn Venue>>, Fault> {
    Opening { tokens, signer: None, now }.open(url)
}

impl Opening<'_> {
    /// Opens the venues at `url`: `paper[?option=value…]` or `simnet=http://host:port`; each gives Raydium, Meteora, and
    /// Tradewind, which splits an order over the pools of both. On equal output an exchange itself goes first.
    /// `jupiter=https://…?rpc=…` and `raydium=https://…?rpc=…` give one each, and need a signer; so does `universal=https://…`, which
    /// needs one only to sign by itself on Solana. `paper` has that venue too.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] with a one-line reason when the URL names no driver or an option is wrong.
    pub fn open(&self, url: &str) -> Result<Vec<Arc<dyn Venue>>, Fault> {
        let Self { tokens, signer, now } = *self;
        let signed = |name: &str| {
            let why = "it needs a wallet: say --signer file:<key file> or --signer command:<program>";
            signer.ok_or_else(|| Fault::Unavailable(format!("--venue {name}: {why}")))
        };
        match url.split_once(['?', '=']) {
            None if url == "paper" => paper::open("", tokens, now),
            Some(("paper", options)) => paper::open(options, tokens, now),
            Some(("simnet", base)) => simnet::open(base, tokens),
            Some(("jupiter", base)) => Ok(vec![jupiter::open(base, tokens, signed("jupiter")?)?]),
            Some(("raydium", base)) => Ok(vec![raydium::open(base, tokens, signed("raydium")?)?]),
            Some(("universal", base)) => Ok(vec![universal::open(base, tokens, signer)?]),
            _ => {
                let shown = crate::without_secrets(url);
                let expected = "expected paper[?…], simnet=http://host:port, jupiter=https://…?rpc=…, raydium=https://…?rpc=… or universal=https://…";
                Err(Fault::Unavailable(format!("--venue {shown}: {expected}")))
            }
        }
    }
}

/// Whether real money may be traded there: any server of it is not on this machine, or cannot be told.
#[must_use]
pub fn is_live(url: &str) -> bool {
    let Some((name, base)) = url.split_once('=').filter(|(name, _)| !name.contains('?')) else { return false };
    if name == "simnet" {
        return false;
    }
    let here = |url: &str| Url::parse(url).is_ok_and(|url| options::is_loopback(&url));
    let Ok(url) = Url::parse(base) else { return true };
    let nodes = url.query_pairs().all(|(option, value)| match &*option {
        "rpc" => here(&value),
        "rpc-file" => false,
        _ => true,
    });
    !(options::is_loopback(&url) && nodes)
}

/// What the priority fee is unless the operator says otherwise: millionths of a lamport for each unit of computation.
const PRIORITY: u64 = 20_000;

/// What makes an order's transaction its own, though another order of the same wallet asked for the same at the same time: it is
/// added to the price of a unit of computation, and is worth less than a tenth of a thousandth of a SOL.
fn nonce(order: &Order) -> u64 {
    // FNV-1a (Fowler, Noll, Vo) over the order's id and the count of its builds.
    let bytes = order.id.bytes().chain(order.attempt.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    ((hash >> 32) ^ hash) & 0xffff
}

//! What a world can be asked, and its answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::wire::text;
use crate::{Amount, Exchange, Side, Step, Venue};

/// What a world is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Where.
    pub venue: Venue,
    /// Symbol of the token that is paid.
    pub input: &'a str,
    /// Symbol of the token that is received.
    pub output: &'a str,
    /// The fixed amount, in base units of its token.
    pub amount: Amount,
}

/// What a venue would give. As JSON it is the answer to `POST /quote`, amounts as decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// Paid, fees included, in base units.
    #[serde(with = "text")]
    pub amount_in: u64,
    /// Received, in base units.
    #[serde(with = "text")]
    pub amount_out: u64,
    /// All fees, in base units of the token that is paid: fees in other tokens at the prices that the quote gives for them.
    #[serde(with = "text")]
    pub fee: u64,
    /// How much worse than the prices before the trade, fees aside, in basis points, rounded up.
    pub price_impact_bps: u32,
    /// The swaps, in the order of their execution.
    pub legs: Vec<Leg>,
    /// What no route over all pools can beat; only the router's quotes have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// One swap of a quote, in one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    /// The pool's number, for transactions.
    pub number: u16,
    /// The pool's token that is paid.
    pub side: Side,
    /// The pool's id.
    pub pool: Arc<str>,
    /// Whose pool it is.
    pub exchange: Exchange,
    /// `raydium_clmm`, `meteora_dlmm` …
    pub family: Arc<str>,
    /// Symbol of the token that is paid.
    pub input: Arc<str>,
    /// Its decimals.
    pub input_decimals: u8,
    /// Symbol of the token that is received.
    pub output: Arc<str>,
    /// Its decimals.
    pub output_decimals: u8,
    /// Paid, fee included, in base units.
    #[serde(with = "text")]
    pub amount_in: u64,
    /// Received, in base units.
    #[serde(with = "text")]
    pub amount_out: u64,
    /// The pool's fee, in base units of `fee_token`.
    #[serde(with = "text")]
    pub fee: u64,
    /// Symbol of the token that the fee is taken in.
    pub fee_token: Arc<str>,
    /// How much worse than the pool's price before the trade, the fee aside, in basis points, rounded up.
    pub price_impact_bps: u32,
}

/// The proof of how good a quote is, from dual prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// No route receives more than this (exact-in) or pays less (exact-out), in base units.
    #[serde(with = "text")]
    pub bound: u64,
    /// How far the quote is from the bound, in billionths of it, rounded up.
    #[serde(with = "text")]
    pub gap_billionths: u64,
}

impl Quote {
    /// The plan as a transaction carries it. `amount` is what was asked for.
    #[must_use]
    pub fn steps(&self, amount: Amount) -> Vec<Step> {
        let planned = |leg: &Leg| match amount {
            Amount::In(_) => leg.amount_in,
            Amount::Out(_) => leg.amount_out,
        };
        self.legs.iter().map(|leg| Step { pool: leg.number, input: leg.side, amount: planned(leg) }).collect()
    }
}

/// Whose fate is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookUp<'a> {
    /// The transaction's id.
    pub id: &'a str,
    /// The last height that may hold it, as [`crate::Signed`] says.
    pub expires_at_height: u64,
}

/// Where the chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The slot now.
    pub slot: u64,
    /// The newest slot that nothing can undo.
    pub finalised: u64,
}

/// What a wallet holds of one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The token's symbol.
    pub symbol: Arc<str>,
    /// Its decimals.
    pub decimals: u8,
    /// Base units; none when the wallet is refilled and never short.
    pub amount: Option<u128>,
}

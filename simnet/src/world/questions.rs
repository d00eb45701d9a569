//! What a world can be asked, and its answers.

use std::sync::Arc;

use crate::{Amount, Exchange};

/// What a world is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Where.
    pub exchange: Exchange,
    /// Symbol of the token that is paid.
    pub input: &'a str,
    /// Symbol of the token that is received.
    pub output: &'a str,
    /// The fixed amount, in base units of its token.
    pub amount: Amount,
}

/// What a pool would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Paid, fee included, in base units.
    pub amount_in: u64,
    /// Received, in base units.
    pub amount_out: u64,
    /// The fee inside `amount_in`, in base units.
    pub fee: u64,
    /// How much worse than the price before the trade, fee aside, in basis points, rounded up.
    pub price_impact_bps: u32,
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

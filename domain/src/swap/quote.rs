//! What venues are asked and what they answer. Amounts are base units.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::amount::{Decimal, text};

/// Which amount is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Exactly this much is paid.
    ExactIn,
    /// Exactly this much is received.
    ExactOut,
}

/// What a venue is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// Symbol of the token that is paid.
    pub input: Arc<str>,
    /// Symbol of the token that is received.
    pub output: Arc<str>,
    /// Which amount is fixed.
    pub mode: Mode,
    /// The fixed amount, in base units of its token.
    #[serde(with = "text")]
    pub amount: u128,
}

/// What venues are asked on behalf of an order, with what makes an answer useful to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The swap.
    pub ask: Ask,
    /// How much worse than quoted the order accepts, in basis points: 0 to 10,000.
    pub slippage_bps: u16,
    /// The worst that the order accepts whatever is quoted: the least output (exact-in) or the most input (exact-out), in base
    /// units. None without a limit price.
    pub limit: Option<u128>,
}

impl From<Ask> for Inquiry {
    /// Without slippage and limit.
    fn from(ask: Ask) -> Self {
        Self { ask, slippage_bps: 0, limit: None }
    }
}

/// What a venue would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The venue's name.
    pub venue: Arc<str>,
    /// What was asked.
    pub ask: Ask,
    /// Paid, fees included, in base units of the input token.
    #[serde(with = "text")]
    pub amount_in: u128,
    /// Received, after fees and the order's own price impact, in base units of the output token.
    #[serde(with = "text")]
    pub amount_out: u128,
    /// The fees of all swaps together, in base units of the input token: a fee that is taken in another token counts at the
    /// price the quote gives for it, rounded up.
    #[serde(with = "text")]
    pub fee: u128,
    /// How much worse than the price before the trade, fee aside, in basis points, rounded up.
    pub price_impact_bps: u32,
    /// The swaps it is made of, in the order of their execution; none where the venue does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<Leg>,
    /// What no route over the venue's pools can beat; none where the venue does not prove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// The venue's own words, echoed to it verbatim when the transaction is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Arc<str>>,
}

/// One swap of a quote, in one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    /// The pool's id at the venue.
    pub pool: Arc<str>,
    /// Whose pool it is: `Raydium`.
    pub exchange: Arc<str>,
    /// Which mathematics it follows: `raydium_clmm`, `meteora_dlmm` …
    pub family: Arc<str>,
    /// Symbol of the token that is paid.
    pub input: Arc<str>,
    /// Its decimals.
    pub input_decimals: u8,
    /// Symbol of the token that is received.
    pub output: Arc<str>,
    /// Its decimals.
    pub output_decimals: u8,
    /// Paid, fees included, in base units of the input token.
    #[serde(with = "text")]
    pub amount_in: u128,
    /// Received, after fees, in base units of the output token.
    #[serde(with = "text")]
    pub amount_out: u128,
    /// The pool's fee, in base units of `fee_token`.
    #[serde(with = "text")]
    pub fee: u128,
    /// Symbol of the token that the fee is taken in: the input or the output.
    pub fee_token: Arc<str>,
    /// How much worse than the pool's price before the trade, fee aside, in basis points, rounded up.
    pub price_impact_bps: u32,
}

/// The proof of how good a quote is, from dual prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// No route receives more than this (exact-in, base units of the output token) or pays less (exact-out, of the input
    /// token).
    #[serde(with = "text")]
    pub bound: u128,
    /// How far the quote is from the bound, in billionths of it, rounded up: 100,000 are one basis point.
    pub gap_billionths: u64,
}

impl Quote {
    /// Whether it is of one exchange, and not of a router over several.
    pub(super) fn is_of_an_exchange(&self) -> bool {
        self.legs.iter().all(|leg| leg.exchange == self.venue)
    }

    /// How far this quote is from a bound that was proved for what it answers; none when it beats the bound, because then it knows
    /// other pools than those that the bound was proved for.
    pub(super) fn against(&self, bound: u128) -> Option<Certificate> {
        const WHOLE: u128 = 1_000_000_000;
        let off = match self.ask.mode {
            Mode::ExactIn => bound.checked_sub(self.amount_out)?,
            Mode::ExactOut => self.amount_in.checked_sub(bound)?,
        };
        // What is too large to be multiplied is large enough to be divided first.
        let gap = match off.checked_mul(WHOLE) {
            Some(off) => off.div_ceil(bound.max(1)),
            None => off.div_ceil((bound / WHOLE).max(1)),
        };
        Some(Certificate { bound, gap_billionths: u64::try_from(gap).unwrap_or(u64::MAX) })
    }
}

impl Leg {
    /// What is paid, to be shown.
    #[must_use]
    pub const fn paid(&self) -> Decimal {
        Decimal { units: self.amount_in, decimals: self.input_decimals }
    }

    /// What is received, to be shown.
    #[must_use]
    pub const fn received(&self) -> Decimal {
        Decimal { units: self.amount_out, decimals: self.output_decimals }
    }

    /// The fee, to be shown.
    #[must_use]
    pub fn fee(&self) -> Decimal {
        let decimals = if self.fee_token == self.input { self.input_decimals } else { self.output_decimals };
        Decimal { units: self.fee, decimals }
    }
}

impl Certificate {
    /// The gap in basis points, as decimal text with five places.
    #[must_use]
    pub fn gap_bps(&self) -> String {
        billionths_as_bps(self.gap_billionths)
    }
}

/// `378` is `0.00378`.
pub(super) fn billionths_as_bps(billionths: u64) -> String {
    format!("{}.{:05}", billionths / 100_000, billionths % 100_000)
}

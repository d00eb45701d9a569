//! What Raydium's trade API is asked and what it answers, as far as it is understood.

use domain::swap::Mode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::venue::VenueError;
use crate::venue::legs::Hop;
use crate::venue::line::{Reply, said, short};
use crate::venue::number::{Units, bps};

/// Refusals that mean: no route, or none of this size.
const NO_ROUTE: [&str; 6] = [
    "ROUTE_NOT_FOUND",
    "NO_ROUTE",
    "INSUFFICIENT_LIQUIDITY",
    "REQ_INPUT_MINT_ERROR",
    "REQ_OUTPUT_MINT_ERROR",
    "REQ_AMOUNT_ERROR",
];

/// What both questions are answered with.
#[derive(Deserialize)]
pub(super) struct Answer<T> {
    pub(super) success: bool,
    #[serde(default)]
    pub(super) msg: Option<String>,
    #[serde(default = "none")]
    pub(super) data: Option<T>,
}

pub(super) fn none<T>() -> Option<T> {
    None
}

/// What is understood of a computed swap.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Computed {
    pub(super) input_mint: String,
    pub(super) input_amount: Units,
    pub(super) output_mint: String,
    pub(super) output_amount: Units,
    pub(super) other_amount_threshold: Units,
    pub(super) slippage_bps: Value,
    #[serde(default)]
    pub(super) swap_type: Option<String>,
    #[serde(default, alias = "priceImpact")]
    pub(super) price_impact_pct: Value,
    #[serde(default, alias = "routes")]
    pub(super) route_plan: Vec<Planned>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Planned {
    pub(super) pool_id: String,
    pub(super) input_mint: String,
    pub(super) output_mint: String,
    #[serde(default)]
    pub(super) fee_mint: Option<String>,
    #[serde(default)]
    pub(super) fee_amount: Option<Units>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BuildRequest<'a> {
    pub(super) wallet: &'a str,
    pub(super) swap_response: &'a RawValue,
    pub(super) tx_version: &'static str,
    pub(super) compute_unit_price_micro_lamports: String,
    pub(super) wrap_sol: bool,
    pub(super) unwrap_sol: bool,
    /// Needed where it is not native SOL. What receives is the associated account, which the transaction makes if need be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_account: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BuiltOne {
    pub(super) transaction: String,
}

impl Computed {
    /// The amount that is not fixed.
    pub(super) fn free(&self, mode: Mode) -> u64 {
        if mode == Mode::ExactIn { self.output_amount.0 } else { self.input_amount.0 }
    }

    /// Its transactions carry the threshold itself.
    pub(super) fn meets(&self, mode: Mode, limit: u128) -> bool {
        let worst = u128::from(self.other_amount_threshold.0);
        if mode == Mode::ExactIn { worst >= limit } else { worst <= limit }
    }

    pub(super) fn slippage(&self) -> u16 {
        u16::try_from(bps(&self.slippage_bps, 1)).unwrap_or(u16::MAX)
    }

    /// Pools with what went through them, which it says only of one alone.
    pub(super) fn hops(&self) -> Vec<Hop> {
        let [planned] = self.route_plan.as_slice() else { return Vec::new() };
        vec![Hop {
            pool: planned.pool_id.clone(),
            exchange: "Raydium".to_owned(),
            input: planned.input_mint.clone(),
            output: planned.output_mint.clone(),
            amount_in: self.input_amount.0,
            amount_out: self.output_amount.0,
            fee: planned.fee_amount.zip(planned.fee_mint.clone()).map(|(fee, mint)| (fee.0, mint)),
        }]
    }
}

pub(super) fn kept(opaque: Option<&str>) -> Option<(String, Computed)> {
    let answer: Answer<Computed> = serde_json::from_str(opaque?).ok()?;
    Some((opaque?.to_owned(), answer.data?))
}

pub(super) fn odd(why: &str) -> VenueError {
    VenueError::Failed(format!("Raydium: {why}"))
}

/// A refusal, which may come with a status of success.
pub(super) fn answer<T>(reply: Reply<Answer<T>>) -> Result<(String, T), VenueError> {
    let message = match reply {
        Reply::Said { text, value: Answer { success: true, data: Some(data), .. } } => return Ok((text, data)),
        Reply::Said { value, .. } => value.msg.unwrap_or_else(|| "it says neither yes nor why not".to_owned()),
        Reply::Refused { status, body } => said(&body).unwrap_or_else(|| format!("it answered {status}")),
    };
    let message = short(&message);
    if NO_ROUTE.iter().any(|code| message.contains(code)) {
        return Err(VenueError::NoRoute(message));
    }
    Err(odd(&message))
}

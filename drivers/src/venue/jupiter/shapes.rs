//! What Jupiter is asked and what it answers, as far as it is understood.

use domain::swap::Mode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use solana::Address;

use crate::venue::legs::Hop;
use crate::venue::line::{Reply, said};
use crate::venue::number::{Units, slippage};
use crate::venue::{Order, VenueError};

/// Refusals that mean: no route, or none of this size.
const NO_ROUTE: [&str; 7] = [
    "NO_ROUTES_FOUND",
    "COULD_NOT_FIND_ANY_ROUTE",
    "ROUTE_PLAN_DOES_NOT_CONSUME_ALL_THE_AMOUNT",
    "MARKET_NOT_FOUND",
    "TOKEN_NOT_TRADABLE",
    "CIRCULAR_ARBITRAGE_IS_DISABLED",
    "MAX_ACCOUNT_GREATER_THAN_MAX",
];

/// What is understood of a quote, of either version.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quoted {
    pub(super) input_mint: String,
    pub(super) in_amount: Units,
    pub(super) output_mint: String,
    pub(super) out_amount: Units,
    pub(super) other_amount_threshold: Units,
    pub(super) swap_mode: String,
    pub(super) slippage_bps: u16,
    #[serde(default)]
    pub(super) price_impact_pct: Value,
    #[serde(default)]
    pub(super) route_plan: Vec<Planned>,
    // Version 2 alone:
    #[serde(default)]
    pub(super) transaction: Option<String>,
    #[serde(default)]
    pub(super) request_id: Option<String>,
    #[serde(default)]
    pub(super) last_valid_block_height: Option<Units>,
    #[serde(default)]
    pub(super) error_code: Value,
    #[serde(default)]
    pub(super) error_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Planned {
    pub(super) swap_info: SwapInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SwapInfo {
    pub(super) amm_key: String,
    #[serde(default)]
    pub(super) label: Option<String>,
    pub(super) input_mint: String,
    pub(super) output_mint: String,
    pub(super) in_amount: Units,
    pub(super) out_amount: Units,
    #[serde(default)]
    pub(super) fee_amount: Option<Units>,
    #[serde(default)]
    pub(super) fee_mint: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SwapRequest<'a> {
    pub(super) user_public_key: &'a str,
    pub(super) quote_response: &'a RawValue,
    pub(super) wrap_and_unwrap_sol: bool,
    pub(super) dynamic_compute_unit_limit: bool,
    pub(super) compute_unit_price_micro_lamports: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Swapped {
    pub(super) swap_transaction: String,
    pub(super) last_valid_block_height: Units,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Execute<'a> {
    pub(super) signed_transaction: &'a str,
    pub(super) request_id: &'a str,
    pub(super) last_valid_block_height: u64,
}

/// What became of an order of version 2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Executed {
    pub(super) status: String,
    pub(super) code: i64,
    #[serde(default)]
    pub(super) error: Option<String>,
}

impl Quoted {
    /// The amount that is not fixed.
    pub(super) fn free(&self, mode: Mode) -> u64 {
        if mode == Mode::ExactIn { self.out_amount.0 } else { self.in_amount.0 }
    }

    /// What was quoted for it, and the worst that the quote allows.
    pub(super) fn bounds(&self, mode: Mode) -> [u64; 2] {
        [self.free(mode), self.other_amount_threshold.0]
    }

    /// Whether the program would keep the limit.
    pub(super) fn meets(&self, mode: Mode, limit: u128) -> bool {
        slippage(mode, self.free(mode), limit).is_some_and(|most| self.slippage_bps <= most)
    }

    pub(super) fn must_meet(&self, order: &Order) -> Result<(), VenueError> {
        if self.meets(order.quote.ask.mode, order.limit) {
            return Ok(());
        }
        Err(VenueError::NoRoute("its price is now beyond the order's limit".to_owned()))
    }

    pub(super) fn between(&self) -> Vec<Address> {
        let mints = self.route_plan.iter().map(|planned| &planned.swap_info.output_mint);
        mints.filter_map(|mint| mint.parse().ok()).collect()
    }
}

pub(super) fn hop(info: SwapInfo) -> Hop {
    let exchange = info.label.unwrap_or_else(|| "unknown".to_owned());
    let fee = info.fee_amount.zip(info.fee_mint).map(|(fee, mint)| (fee.0, mint));
    let (amount_in, amount_out) = (info.in_amount.0, info.out_amount.0);
    Hop { pool: info.amm_key, exchange, input: info.input_mint, output: info.output_mint, amount_in, amount_out, fee }
}

pub(super) fn odd(why: &str) -> VenueError {
    VenueError::Failed(format!("Jupiter: {why}"))
}

/// A refusal by its code: for good, or only just now.
pub(super) fn answer<T>(reply: Reply<T>) -> Result<(String, T), VenueError> {
    let (status, body) = match reply {
        Reply::Said { text, value } => return Ok((text, value)),
        Reply::Refused { status, body } => (status, body),
    };
    let message = said(&body).unwrap_or_else(|| format!("it answered {status}"));
    let code = |field: &str| body[field].as_str().is_some_and(|code| NO_ROUTE.contains(&code));
    if code("errorCode") || code("error") || code("code") {
        return Err(VenueError::NoRoute(message));
    }
    Err(match status {
        401 | 403 => odd("it does not take the key"),
        _ => odd(&message),
    })
}

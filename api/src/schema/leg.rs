//! One swap of a route on the wire.

use domain::swap::Leg;
use serde::Serialize;
use utoipa::ToSchema;

/// One swap of a route, in one pool. Amounts are whole tokens as decimal text.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LegView {
    /// The pool's id.
    pool: String,
    /// Whose pool it is: `Raydium`, `Meteora`.
    exchange: String,
    /// Which mathematics it follows: `raydium_clmm`, `meteora_dlmm` …
    family: String,
    /// Symbol of the token that is paid.
    input_token: String,
    /// Symbol of the token that is received.
    output_token: String,
    /// Paid, fee included.
    amount_in: String,
    /// Received, after the fee.
    amount_out: String,
    /// The pool's fee.
    fee: String,
    /// Symbol of the token that the fee is taken in: the input or the output.
    fee_token: String,
    /// How much this swap moves the pool's price, in basis points.
    price_impact_bps: u32,
}

impl From<&Leg> for LegView {
    fn from(leg: &Leg) -> Self {
        Self {
            pool: leg.pool.to_string(),
            exchange: leg.exchange.to_string(),
            family: leg.family.to_string(),
            input_token: leg.input.to_string(),
            output_token: leg.output.to_string(),
            amount_in: leg.paid().to_string(),
            amount_out: leg.received().to_string(),
            fee: leg.fee().to_string(),
            fee_token: leg.fee_token.to_string(),
            price_impact_bps: leg.price_impact_bps,
        }
    }
}

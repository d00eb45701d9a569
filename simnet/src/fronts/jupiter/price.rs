//! Prices in dollars: the references that the pools stand around.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::{Answer, Problem};
use crate::chain::Commitment;
use crate::fronts::{Asked, Shared, decimal, parameters};

/// The most tokens of one question.
const TOKENS_LIMIT: usize = 50;

pub(super) async fn prices(State(fronts): Shared, asked: Asked) -> Answer {
    let asked = parameters(asked).map_err(Problem::malformed)?;
    let ids = asked.get("ids").ok_or_else(|| Problem::malformed("missing field `ids`"))?;
    let ids: Vec<_> = ids.split(',').map(str::trim).collect();
    if ids.len() > TOKENS_LIMIT {
        return Err(Problem::malformed(format!("at most {TOKENS_LIMIT} ids")));
    }
    let slot = fronts.chain.slot(Commitment::Processed, fronts.clock.now());
    let price = |id: &str| {
        let entry = fronts.chain.directory().mint(&id.parse().ok()?)?;
        let price = entry.reference_price?;
        let body = json!({
            "usdPrice": decimal::number(price.into(), 12),
            "blockId": slot,
            "decimals": entry.decimals,
            "priceChange24h": 0,
            "liquidity": 1_000_000,
            "createdAt": "2024-06-05T08:55:25.527Z",
        });
        Some((id.to_owned(), body))
    };
    Ok(Json(Value::Object(ids.into_iter().filter_map(price).collect::<Map<_, _>>())))
}

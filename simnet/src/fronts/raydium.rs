//! The exchange's trade API: its best single path, and transactions for it.
//!
//! The answer's `id` is its seal: one that comes back changed is refused.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use solana::program::{Mode, jupiter::limit, token};
use solana::{Address, Transaction};

use super::build::Trade;
use super::jupiter::{another_mint, short, stale};
use super::operator::Units;
use super::{Asked, Body, Fronts, Shared, TookEffect, decimal, parameters, seal};
use crate::chain::{Commitment, MintEntry};
use crate::faults::{Fault, Front};
use crate::{Amount, Ask, Quote, Side, Step, Venue};

/// Units that a swap may take.
const UNITS: u32 = 600_000;

pub(super) fn routes() -> Router<Arc<Fronts>> {
    Router::new()
        .route(
            "/compute/swap-base-in",
            get(async |fronts: Shared, asked: Asked| compute(&fronts, asked, Mode::ExactIn)),
        )
        .route(
            "/compute/swap-base-out",
            get(async |fronts: Shared, asked: Asked| compute(&fronts, asked, Mode::ExactOut)),
        )
        .route(
            "/transaction/swap-base-in",
            post(async |fronts: Shared, body: Body| build(&fronts, body, Mode::ExactIn)),
        )
        .route(
            "/transaction/swap-base-out",
            post(async |fronts: Shared, body: Body| build(&fronts, body, Mode::ExactOut)),
        )
        .route("/main/auto-fee", get(auto_fee))
}

async fn auto_fee(State(fronts): Shared) -> Json<Value> {
    let id = fronts.chain.slot(Commitment::Processed, fronts.clock.now()).to_string();
    Json(json!({"id": id, "success": true, "data": {"default": {"vh": 25_000, "h": 10_000, "m": 2_000}}}))
}

/// A refusal: the API answers 200 all the same.
fn refused(fronts: &Fronts, message: &str) -> Json<Value> {
    let id = fronts.chain.slot(Commitment::Processed, fronts.clock.now()).to_string();
    Json(json!({"id": id, "success": false, "version": "V1", "msg": message}))
}

fn compute(fronts: &Fronts, asked: Asked, mode: Mode) -> Json<Value> {
    let computed = parameters(asked).map_err(|_| "REQ_PARAMS_ERROR").and_then(|asked| computed(fronts, &asked, mode));
    computed.map_or_else(|message| refused(fronts, message), Json)
}

fn computed(fronts: &Fronts, asked: &HashMap<String, String>, mode: Mode) -> Result<Value, &'static str> {
    let given = |name: &str| asked.get(name).map(String::as_str);
    let token = |name: &str, error| {
        let mint = given(name).and_then(|mint| mint.parse().ok()).ok_or(error)?;
        fronts.chain.directory().mint(&mint).ok_or("ROUTE_NOT_FOUND")
    };
    let input = token("inputMint", "REQ_INPUT_MINT_ERROR")?;
    let output = token("outputMint", "REQ_OUTPUT_MINT_ERROR")?;
    let amount = given("amount").and_then(|text| text.parse().ok()).filter(|amount| *amount > 0_u64);
    let amount = amount.ok_or("REQ_AMOUNT_ERROR")?;
    let slippage_bps = given("slippageBps").and_then(|text| text.parse::<u16>().ok()).filter(|bps| *bps <= 10_000);
    let slippage_bps = slippage_bps.ok_or("REQ_SLIPPAGE_BPS_ERROR")?;
    if !matches!(given("txVersion"), Some("V0" | "LEGACY")) {
        return Err("REQ_TX_VERSION_ERROR");
    }
    let fixed = if mode == Mode::ExactIn { Amount::In(amount) } else { Amount::Out(amount) };
    let ask = Ask { venue: Venue::Raydium, input: &input.symbol, output: &output.symbol, amount: fixed };
    let quote = fronts.chain.world().quote(&ask, fronts.clock.now()).map_err(|_| "ROUTE_NOT_FOUND")?;
    let mut other = if mode == Mode::ExactIn { quote.amount_out } else { quote.amount_in };
    if fronts.chain.faults().strikes(Front::Raydium, Fault::StaleQuote) {
        other = stale(mode, other);
    }
    let (paid, received) = if mode == Mode::ExactIn { (amount, other) } else { (other, amount) };
    let data = json!({
        "swapType": if mode == Mode::ExactIn { "BaseIn" } else { "BaseOut" },
        "inputMint": input.mint.to_string(),
        "inputAmount": paid.to_string(),
        "outputMint": output.mint.to_string(),
        "outputAmount": received.to_string(),
        "otherAmountThreshold": limit(mode, other, slippage_bps).to_string(),
        "slippageBps": slippage_bps,
        "priceImpactPct": decimal::number(quote.price_impact_bps.into(), 2),
        "referrerAmount": "0",
        "routePlan": plan(fronts, &quote, [input, output]),
    });
    let id = seal::of(&data, fronts.chain.world().settings().seed);
    Ok(json!({"id": id, "success": true, "version": "V1", "data": data}))
}

fn plan(fronts: &Fronts, quote: &Quote, named: [&MintEntry; 2]) -> Vec<Value> {
    let directory = fronts.chain.directory();
    let mint = |symbol: &str| {
        let known = named.into_iter().find(|entry| *entry.symbol == *symbol).or_else(|| directory.token(symbol));
        known.map_or(token::NATIVE_MINT, |entry| entry.mint).to_string()
    };
    let hop = |leg: &crate::Leg| {
        let pool = directory.pool(leg.number);
        let taken = if leg.fee_token == leg.input { leg.amount_in } else { leg.amount_out.saturating_add(leg.fee) };
        let rate = u128::from(leg.fee) * 10_000 / u128::from(taken.max(1));
        json!({
            "poolId": pool.map(|pool| pool.address.to_string()),
            "inputMint": mint(&leg.input),
            "outputMint": mint(&leg.output),
            "feeMint": mint(&leg.fee_token),
            "feeRate": u64::try_from(rate).unwrap_or(10_000),
            "feeAmount": leg.fee.to_string(),
            "remainingAccounts": [],
            "lastPoolPriceX64": "0",
        })
    };
    quote.legs.iter().map(hop).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    wallet: String,
    swap_response: Value,
    tx_version: String,
    compute_unit_price_micro_lamports: Units,
    #[serde(default)]
    wrap_sol: bool,
    #[serde(default)]
    unwrap_sol: bool,
    input_account: Option<String>,
    output_account: Option<String>,
}

fn build(fronts: &Fronts, body: Body, mode: Mode) -> Response {
    let built = body.ok().and_then(|body| serde_json::from_slice::<Wanted>(&body).ok()).ok_or("REQ_PARAMS_ERROR");
    match built.and_then(|wanted| transaction(fronts, &wanted, mode)) {
        Err(message) => refused(fronts, message).into_response(),
        Ok(transaction) => {
            let text = BASE64.encode(transaction.bytes());
            let id = seal::of(&json!(text), 0);
            let body = json!({"id": id, "version": "V1", "success": true, "data": [{"transaction": text}]});
            let mut response = Json(body).into_response();
            response.extensions_mut().insert(TookEffect);
            response
        }
    }
}

fn transaction(fronts: &Fronts, wanted: &Wanted, mode: Mode) -> Result<Transaction, &'static str> {
    const CHANGED: &str = "REQ_SWAP_RESPONSE_ERROR";
    if !matches!(wanted.tx_version.as_str(), "V0" | "LEGACY") {
        return Err("REQ_TX_VERSION_ERROR");
    }
    let data = wanted.swap_response.get("data").ok_or(CHANGED)?;
    let known = seal::of(data, fronts.chain.world().settings().seed);
    if wanted.swap_response.get("id").and_then(Value::as_str) != Some(known.as_str()) {
        return Err(CHANGED);
    }
    let mut trade = trade(fronts, wanted, data, mode).ok_or(CHANGED)?;
    let faults = fronts.chain.faults();
    if faults.strikes(Front::Raydium, Fault::WrongMint) {
        trade.mints[1] = another_mint(trade.mints);
    }
    if faults.strikes(Front::Raydium, Fault::ShortOutput) {
        (trade.quoted, trade.limit) = short(mode, trade.quoted, trade.limit);
    }
    let parts = trade.swap(fronts.chain.directory()).ok_or("ROUTE_NOT_FOUND")?;
    let recent = fronts.chain.blockhash(Commitment::Confirmed, fronts.clock.now());
    Transaction::unsigned(&trade.wallet, &parts.all(), recent.hash).map_err(|_| "TX_TOO_LARGE")
}

fn trade(fronts: &Fronts, wanted: &Wanted, data: &Value, mode: Mode) -> Option<Trade> {
    let text = |name: &str| data.get(name)?.as_str();
    let units = |name: &str| {
        let value = data.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    let address = |text: &str| text.parse::<Address>().ok();
    let named = if mode == Mode::ExactIn { "BaseIn" } else { "BaseOut" };
    (text("swapType")? == named).then_some(())?;
    let mints = [address(text("inputMint")?)?, address(text("outputMint")?)?];
    let (paid, received) = (units("inputAmount")?, units("outputAmount")?);
    let (amount, quoted) = if mode == Mode::ExactIn { (paid, received) } else { (received, paid) };
    let step = |hop: &Value| {
        let pool = fronts.chain.directory().at(&address(hop.get("poolId")?.as_str()?)?)?;
        let input = address(hop.get("inputMint")?.as_str()?)?;
        let input = if pool.mints[0] == input { Side::A } else { Side::B };
        Some(Step { pool: pool.number, input, amount: 1 })
    };
    let steps = data.get("routePlan")?.as_array()?.iter().map(step).collect::<Option<_>>()?;
    let [source, destination] =
        [&wanted.input_account, &wanted.output_account].map(|account| account.as_deref().and_then(address));
    // With wrapping on, the account of SOL is the associated one, whatever was named.
    let own = |account: Option<Address>, place: usize, wraps: bool| {
        account.filter(|_| !(wraps && mints[place] == token::NATIVE_MINT))
    };
    Some(Trade {
        wallet: address(&wanted.wallet)?,
        mints,
        mode,
        amount,
        quoted,
        limit: units("otherAmountThreshold")?,
        slippage_bps: u16::try_from(units("slippageBps")?).ok()?,
        steps,
        wraps: [wanted.wrap_sol, wanted.unwrap_sol],
        accounts: [own(source, 0, wanted.wrap_sol), own(destination, 1, wanted.unwrap_sol)],
        units: (UNITS, wanted.compute_unit_price_micro_lamports.value()?),
    })
}

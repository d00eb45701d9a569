//! Transactions for quotes that come back.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use solana::program::compute_budget::{self, UNITS_LIMIT};
use solana::program::jupiter::Form;
use solana::program::{Mode, token};
use solana::{Address, Instruction, Transaction};

use super::quote::SEAL;
use super::{Answer, Problem};
use crate::chain::{Commitment, Directory};
use crate::faults::{Fault, Front};
use crate::fronts::build::{Parts, Trade};
use crate::fronts::{Body, Fronts, Shared, TookEffect, seal};
use crate::{STEPS_LIMIT, Side, Step};

/// Units of a swap whose limit is set by simulating it.
const DYNAMIC_UNITS: u32 = 300_000;

/// Millionths of a lamport for each unit, where the caller leaves it open.
const USUAL_PRICE: u64 = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    user_public_key: String,
    quote_response: Value,
    wrap_and_unwrap_sol: Option<bool>,
    use_shared_accounts: Option<bool>,
    destination_token_account: Option<String>,
    prioritization_fee_lamports: Option<Value>,
    compute_unit_price_micro_lamports: Option<u64>,
    #[serde(default)]
    dynamic_compute_unit_limit: bool,
}

pub(super) async fn swap(State(fronts): Shared, body: Body) -> Result<Response, Problem> {
    let wanted = read(body)?;
    let (trade, form) = trade(&fronts, &wanted)?;
    let parts = parts(&fronts, trade.clone(), form)?;
    let recent = fronts.chain.blockhash(Commitment::Confirmed, fronts.clock.now());
    let built = Transaction::unsigned(&trade.wallet, &parts.all(), recent.hash);
    let built = built.map_err(|error| Problem::new("TRANSACTION_TOO_LARGE", error.to_string()))?;
    let (limit, price) = trade.units;
    let body = json!({
        "swapTransaction": BASE64.encode(built.bytes()),
        "lastValidBlockHeight": recent.last_valid_height,
        "prioritizationFeeLamports": compute_budget::priority_fee(limit, price),
        "computeUnitLimit": limit,
        "prioritizationType": {"computeBudget": {"microLamports": price, "estimatedMicroLamports": price}},
        "dynamicSlippageReport": null,
        "simulationError": null,
    });
    let mut response = Json(body).into_response();
    response.extensions_mut().insert(TookEffect);
    Ok(response)
}

pub(super) async fn instructions(State(fronts): Shared, body: Body) -> Answer {
    let wanted = read(body)?;
    let (trade, form) = trade(&fronts, &wanted)?;
    let Parts { budget, setup, swap, cleanup } = parts(&fronts, trade, form)?;
    let all = |instructions: &[Instruction]| instructions.iter().map(shape).collect::<Vec<_>>();
    Ok(Json(json!({
        "computeBudgetInstructions": all(&budget),
        "otherInstructions": [],
        "setupInstructions": all(&setup),
        "swapInstruction": shape(&swap),
        "cleanupInstruction": cleanup.as_ref().map(shape),
        "addressLookupTableAddresses": [],
    })))
}

fn shape(instruction: &Instruction) -> Value {
    let accounts = instruction.accounts.iter().map(|meta| {
        json!({
            "pubkey": meta.key.unwrap_or_default().to_string(),
            "isSigner": meta.signer,
            "isWritable": meta.writable,
        })
    });
    json!({
        "programId": instruction.program.to_string(),
        "accounts": accounts.collect::<Vec<_>>(),
        "data": BASE64.encode(&instruction.data),
    })
}

fn read(body: Body) -> Result<Wanted, Problem> {
    let body = body.map_err(|error| Problem::malformed(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| Problem::malformed(error.to_string()))
}

fn trade(fronts: &Fronts, wanted: &Wanted) -> Result<(Trade, Form), Problem> {
    let mut quote = wanted.quote_response.clone();
    let sealed = quote.as_object_mut().and_then(|fields| fields.remove(SEAL));
    let known = seal::of(&quote, fronts.chain.world().settings().seed);
    if sealed.as_ref().and_then(Value::as_str) != Some(known.as_str()) {
        return Err(Problem::malformed("quoteResponse is not what was quoted: it must come back verbatim"));
    }
    let address = |text: &str| text.parse::<Address>().map_err(|_| Problem::malformed("a key is no address"));
    let wallet = address(&wanted.user_public_key)?;
    let destination = wanted.destination_token_account.as_deref().map(address).transpose()?;
    let mut trade = from_quote(fronts.chain.directory(), &quote, wallet)
        .ok_or_else(|| Problem::malformed("quoteResponse cannot be read"))?;
    trade.wraps = [
        wanted.wrap_and_unwrap_sol.unwrap_or(true),
        destination.is_none() && wanted.wrap_and_unwrap_sol.unwrap_or(true),
    ];
    trade.accounts[1] = destination;
    trade.units = units(wanted)?;
    let version = if quote.get("instructionVersion").and_then(Value::as_str) == Some("V2") { 2 } else { 1 };
    let form = Form { mode: trade.mode, shared: wanted.use_shared_accounts.unwrap_or(false), version };
    Ok((trade, form))
}

/// The most units, and the price of each.
fn units(wanted: &Wanted) -> Result<(u32, u64), Problem> {
    let limit = if wanted.dynamic_compute_unit_limit { DYNAMIC_UNITS } else { UNITS_LIMIT };
    if let Some(price) = wanted.compute_unit_price_micro_lamports {
        return Ok((limit, price));
    }
    let lamports = match &wanted.prioritization_fee_lamports {
        None | Some(Value::Null) => return Ok((limit, USUAL_PRICE)),
        Some(Value::String(text)) if text == "auto" => return Ok((limit, USUAL_PRICE)),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::Object(fields)) => {
            let level = fields.get("priorityLevelWithMaxLamports").and_then(|level| level.get("maxLamports"));
            return match level.and_then(Value::as_u64) {
                // Nobody else wants the block: the usual price does, if it is not more than the most.
                Some(most) => Ok((limit, USUAL_PRICE.min(price(most, limit)))),
                None => Ok((limit, 0)),
            };
        }
        Some(_) => None,
    };
    let lamports = lamports.ok_or_else(|| Problem::malformed("prioritizationFeeLamports cannot be read"))?;
    Ok((limit, price(lamports, limit)))
}

/// The price at which so many lamports are paid for all units of the limit, rounded down.
fn price(lamports: u64, limit: u32) -> u64 {
    u64::try_from(u128::from(lamports) * 1_000_000 / u128::from(limit)).unwrap_or(u64::MAX)
}

/// The trade that a quote is of.
pub(super) fn from_quote(directory: &Directory, quote: &Value, wallet: Address) -> Option<Trade> {
    let units = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let mint = |value: &Value| value.as_str()?.parse::<Address>().ok();
    let mode = if quote.get("swapMode")?.as_str()? == "ExactIn" { Mode::ExactIn } else { Mode::ExactOut };
    let mints = [mint(quote.get("inputMint")?)?, mint(quote.get("outputMint")?)?];
    let (paid, received) = (units(quote.get("inAmount")?)?, units(quote.get("outAmount")?)?);
    let (amount, quoted) = if mode == Mode::ExactIn { (paid, received) } else { (received, paid) };
    let step = |step: &Value| {
        let info = step.get("swapInfo")?;
        let pool = directory.at(&mint(info.get("ammKey")?)?)?;
        let input = if pool.mints[0] == mint(info.get("inputMint")?)? { Side::A } else { Side::B };
        let planned = if mode == Mode::ExactIn { "inAmount" } else { "outAmount" };
        Some(Step { pool: pool.number, input, amount: units(info.get(planned)?)? })
    };
    let steps: Vec<_> = quote.get("routePlan")?.as_array()?.iter().map(step).collect::<Option<_>>()?;
    (steps.len() <= STEPS_LIMIT).then_some(())?;
    Some(Trade {
        wallet,
        mints,
        mode,
        amount,
        quoted,
        limit: units(quote.get("otherAmountThreshold")?)?,
        slippage_bps: u16::try_from(units(quote.get("slippageBps")?)?).ok()?,
        steps,
        wraps: [true, true],
        accounts: [None, None],
        units: (UNITS_LIMIT, USUAL_PRICE),
    })
}

/// The instructions of a trade, spoilt as told.
pub(super) fn parts(fronts: &Fronts, mut trade: Trade, form: Form) -> Result<Parts, Problem> {
    let faults = fronts.chain.faults();
    if faults.strikes(Front::Jupiter, Fault::WrongMint) {
        trade.mints[1] = another_mint(trade.mints);
    }
    if faults.strikes(Front::Jupiter, Fault::ShortOutput) {
        (trade.quoted, trade.limit) = short(trade.mode, trade.quoted, trade.limit);
    }
    trade.route(form).ok_or_else(|| Problem::malformed("the route cannot be written"))
}

/// A token that was not asked for.
pub(in crate::fronts) fn another_mint(mints: [Address; 2]) -> Address {
    const STABLE: Address = Address::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
    const OTHER: Address = Address::from_str_const("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB");
    [token::NATIVE_MINT, STABLE, OTHER].into_iter().find(|mint| !mints.contains(mint)).unwrap_or(OTHER)
}

/// A quote and its limit, a fifth worse for whoever signs.
pub(in crate::fronts) fn short(mode: Mode, quoted: u64, limit: u64) -> (u64, u64) {
    match mode {
        Mode::ExactIn => (quoted - quoted / 5, limit - limit / 5),
        Mode::ExactOut => (quoted.saturating_add(quoted / 5), limit.saturating_add(limit / 5)),
    }
}

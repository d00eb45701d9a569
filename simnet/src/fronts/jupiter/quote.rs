//! Quotes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};
use solana::program::jupiter::limit;
use solana::program::{Mode, token};

use super::{Answer, Problem};
use crate::chain::{Commitment, Directory, MintEntry};
use crate::faults::{Fault, Front};
use crate::fronts::{Asked, Fronts, Shared, decimal, parameters, seal};
use crate::{Amount, Ask, Exchange, Leg, Quote, Venue};

/// The field that holds the seal.
pub(super) const SEAL: &str = "quoteSeal";

/// A request for a quote.
pub(super) struct Question<'a> {
    pub(super) input: &'a MintEntry,
    pub(super) output: &'a MintEntry,
    pub(super) mode: Mode,
    pub(super) amount: u64,
    pub(super) slippage_bps: u16,
}

pub(super) async fn quote(State(fronts): Shared, asked: Asked) -> Answer {
    let begun = Instant::now();
    let asked = parameters(asked).map_err(Problem::malformed)?;
    let mut body = quoted(&fronts, &asked)?;
    body["timeTaken"] = decimal::number(begun.elapsed().as_micros(), 6);
    let sealed = seal::of(&body, fronts.chain.world().settings().seed);
    body[SEAL] = sealed.into();
    Ok(Json(body))
}

/// The quote without its seal.
pub(super) fn quoted(fronts: &Fronts, asked: &HashMap<String, String>) -> Result<Value, Problem> {
    let question = question(fronts.chain.directory(), asked)?;
    let quote = best(fronts, asked, &question)?;
    let mut other = match question.mode {
        Mode::ExactIn => quote.amount_out,
        Mode::ExactOut => quote.amount_in,
    };
    if fronts.chain.faults().strikes(Front::Jupiter, Fault::StaleQuote) {
        other = stale(question.mode, other);
    }
    let (paid, received) = match question.mode {
        Mode::ExactIn => (question.amount, other),
        Mode::ExactOut => (other, question.amount),
    };
    let version = asked.get("instructionVersion").map_or("V1", |version| version);
    Ok(json!({
        "inputMint": question.input.mint.to_string(),
        "inAmount": paid.to_string(),
        "outputMint": question.output.mint.to_string(),
        "outAmount": received.to_string(),
        "otherAmountThreshold": limit(question.mode, other, question.slippage_bps).to_string(),
        "swapMode": if question.mode == Mode::ExactIn { "ExactIn" } else { "ExactOut" },
        "slippageBps": question.slippage_bps,
        "platformFee": null,
        "priceImpactPct": decimal::text(quote.price_impact_bps.into(), 4),
        "routePlan": plan(fronts, &quote, question.mode),
        "contextSlot": fronts.chain.slot(Commitment::Processed, fronts.clock.now()),
        "timeTaken": 0,
        "swapUsdValue": decimal::text(dollars(question.input, paid), 6),
        "instructionVersion": version,
    }))
}

/// What the pools gave a while ago: three per cent more than now, or for three per cent less.
pub(in crate::fronts) fn stale(mode: Mode, other: u64) -> u64 {
    match mode {
        Mode::ExactIn => other.saturating_add(other / 33),
        Mode::ExactOut => other - other / 33,
    }
}

/// Millionths of a dollar.
pub(super) fn dollars(token: &MintEntry, units: u64) -> u128 {
    let price = u128::from(token.reference_price.unwrap_or(0));
    let unit = 10_u128.checked_pow(token.decimals.into()).unwrap_or(u128::MAX);
    price.saturating_mul(units.into()) / unit / 1_000_000
}

fn question<'a>(directory: &'a Directory, asked: &HashMap<String, String>) -> Result<Question<'a>, Problem> {
    let given = |name: &str| asked.get(name).map(String::as_str);
    let token = |name: &str| {
        let mint = given(name).ok_or_else(|| Problem::malformed(format!("missing field `{name}`")))?;
        let address =
            mint.parse().map_err(|_| Problem::malformed(format!("Query parameter {name} cannot be parsed")))?;
        let entry = directory.mint(&address).filter(|entry| entry.reference_price.is_some());
        entry.ok_or_else(|| Problem::new("TOKEN_NOT_TRADABLE", format!("The token {mint} is not tradable")))
    };
    let (input, output) = (token("inputMint")?, token("outputMint")?);
    if input.mint == output.mint {
        return Err(Problem::new(
            "CIRCULAR_ARBITRAGE_IS_DISABLED",
            "Input and output mints are not allowed to be equal",
        ));
    }
    let amount = given("amount").and_then(|amount| amount.parse().ok()).filter(|amount| *amount > 0);
    let amount = amount.ok_or_else(|| Problem::malformed("Query parameter amount cannot be parsed"))?;
    let slippage = given("slippageBps").map_or(Ok(50), str::parse);
    let slippage_bps = slippage.ok().filter(|slippage| *slippage <= 10_000);
    let slippage_bps =
        slippage_bps.ok_or_else(|| Problem::malformed("Query parameter slippageBps cannot be parsed"))?;
    let mode = match given("swapMode") {
        None | Some("ExactIn") => Mode::ExactIn,
        Some("ExactOut") => Mode::ExactOut,
        Some(_) => return Err(Problem::malformed("Query parameter swapMode cannot be parsed")),
    };
    if given("maxAccounts").is_some_and(|most| most.parse::<u8>().map_or(true, |most| most > 64)) {
        return Err(Problem::new("MAX_ACCOUNT_GREATER_THAN_MAX", "Max accounts must not be greater than 64"));
    }
    Ok(Question { input, output, mode, amount, slippage_bps })
}

/// The best route over the exchanges that are allowed.
fn best(fronts: &Fronts, asked: &HashMap<String, String>, question: &Question<'_>) -> Result<Arc<Quote>, Problem> {
    let none = || Problem::new("NO_ROUTES_FOUND", "No routes found");
    let amount = match question.mode {
        Mode::ExactIn => Amount::In(question.amount),
        Mode::ExactOut => Amount::Out(question.amount),
    };
    let quote = |venue: Venue| {
        let ask = Ask { venue, input: &question.input.symbol, output: &question.output.symbol, amount };
        fronts.chain.world().quote(&ask, fronts.clock.now()).ok()
    };
    let direct = asked.get("onlyDirectRoutes").is_some_and(|only| only == "true");
    let venues = match (allowed(asked), direct) {
        ([true, true], false) => &[Venue::Tradewind][..],
        ([true, true], true) => &[Venue::Raydium, Venue::Meteora],
        ([true, false], _) => &[Venue::Raydium],
        ([false, true], _) => &[Venue::Meteora],
        ([false, false], _) => &[],
    };
    let is_direct = |quote: &Arc<Quote>| !direct || quote.legs.len() == 1;
    let quotes = venues.iter().filter_map(|venue| quote(*venue)).filter(is_direct);
    let best = match question.mode {
        Mode::ExactIn => quotes.max_by_key(|quote| quote.amount_out),
        Mode::ExactOut => quotes.min_by_key(|quote| quote.amount_in),
    };
    best.ok_or_else(none)
}

/// Which exchanges `dexes` and `excludeDexes` leave, by the labels of their pools: Raydium, Meteora. An exchange that is left
/// some of its kinds of pools is left all.
fn allowed(asked: &HashMap<String, String>) -> [bool; 2] {
    let listed = |name: &str| asked.get(name).map(|list| list.split(',').map(str::trim).collect::<Vec<_>>());
    let (only, without) = (listed("dexes"), listed("excludeDexes").unwrap_or_default());
    let keeps = |exchange: Exchange| {
        Directory::labels().any(|(_, label, of)| {
            of == exchange && only.as_ref().is_none_or(|only| only.contains(&label)) && !without.contains(&label)
        })
    };
    [Exchange::Raydium, Exchange::Meteora].map(keeps)
}

fn plan(fronts: &Fronts, quote: &Quote, mode: Mode) -> Vec<Value> {
    let directory = fronts.chain.directory();
    let mint = |symbol: &str| directory.token(symbol).map_or(token::NATIVE_MINT, |entry| entry.mint).to_string();
    let whole = |leg: &Leg| match mode {
        Mode::ExactIn => quote.legs.iter().filter(|other| other.input == leg.input).map(|l| l.amount_in).sum::<u64>(),
        Mode::ExactOut => quote.legs.iter().filter(|o| o.output == leg.output).map(|l| l.amount_out).sum(),
    };
    let step = |leg: &Leg| {
        let pool = directory.pool(leg.number);
        let part = if mode == Mode::ExactIn { leg.amount_in } else { leg.amount_out };
        let bps = u128::from(part) * 10_000 / u128::from(whole(leg).max(1));
        json!({
            "swapInfo": {
                "ammKey": pool.map(|pool| pool.address.to_string()),
                "label": pool.map(|pool| pool.label),
                "inputMint": mint(&leg.input),
                "outputMint": mint(&leg.output),
                "inAmount": leg.amount_in.to_string(),
                "outAmount": leg.amount_out.to_string(),
                "feeAmount": leg.fee.to_string(),
                "feeMint": mint(&leg.fee_token),
            },
            "percent": bps / 100,
            "bps": bps,
        })
    };
    quote.legs.iter().map(step).collect()
}

pub(super) async fn labels() -> Json<Value> {
    let labels = Directory::labels().map(|(program, label, _)| (program.to_string(), Value::from(label)));
    Json(Value::Object(labels.collect::<Map<_, _>>()))
}

//! Orders of the second version: quote and transaction in one answer, and an execution that may be asked for again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use solana::program::compute_budget::{self, UNITS_LIMIT};
use solana::program::jupiter::Form;
use solana::{Address, InstructionError, Transaction, TransactionError};
use tokio::time::sleep;

use super::swap::{from_quote, parts};
use super::{Answer, Problem, quote};
use crate::chain::{Commitment, SwapSeen};
use crate::faults::Front;
use crate::fronts::{Asked, Body, Fronts, Shared, TookEffect, decimal, parameters, seal};

/// The most orders that are remembered; the oldest go first.
const ORDERS_LIMIT: usize = 20_000;

/// How often, and how many times, an execution looks whether its transaction has landed: five seconds.
const LOOKS: (Duration, u32) = (Duration::from_millis(50), 100);

/// Lamports for one signature.
const SIGNATURE_FEE: u64 = 5_000;

/// The orders that were given out, by their ids.
#[derive(Default)]
pub(in crate::fronts) struct Orders(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    orders: HashMap<String, Order>,
    ages: VecDeque<String>,
}

#[derive(Clone)]
struct Order {
    /// What is to be signed.
    message: Vec<u8>,
    last_valid_height: u64,
    /// What was signed, when it was.
    sent: Option<[u8; 64]>,
}

impl Orders {
    fn keep(&self, id: String, order: Order) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.ages.len() >= ORDERS_LIMIT
            && let Some(oldest) = kept.ages.pop_front()
        {
            kept.orders.remove(&oldest);
        }
        kept.ages.push_back(id.clone());
        kept.orders.insert(id, order);
    }

    fn get(&self, id: &str) -> Option<Order> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).orders.get(id).cloned()
    }

    fn sent(&self, id: &str, signature: [u8; 64]) {
        if let Some(order) = self.0.lock().unwrap_or_else(PoisonError::into_inner).orders.get_mut(id) {
            order.sent.get_or_insert(signature);
        }
    }
}

pub(super) async fn order(State(fronts): Shared, asked: Asked) -> Answer {
    let asked = parameters(asked).map_err(Problem::malformed)?;
    let now = fronts.clock.now();
    let mut body = quote::quoted(&fronts, &asked)?;
    let taker = asked.get("taker").map(|taker| taker.parse::<Address>());
    let taker = taker.transpose().map_err(|_| Problem::malformed("Query parameter taker cannot be parsed"))?;
    let recent = fronts.chain.blockhash(Commitment::Confirmed, now);
    let mut transaction = None;
    let price = asked.get("priorityFeeLamports").and_then(|lamports| lamports.parse::<u64>().ok());
    let price = price.map_or(1_000, |lamports| lamports.saturating_mul(1_000_000) / u64::from(UNITS_LIMIT));
    if let Some(taker) = taker {
        let trade = from_quote(fronts.chain.directory(), &body, taker);
        let mut trade = trade.ok_or_else(|| Problem::malformed("the route cannot be written"))?;
        trade.units.1 = price;
        let form = Form { mode: trade.mode, shared: false, version: 2 };
        let built = Transaction::unsigned(&taker, &parts(&fronts, trade, form)?.all(), recent.hash);
        transaction = Some(built.map_err(|error| Problem::new("TRANSACTION_TOO_LARGE", error.to_string()))?);
    }
    let short = taker.and_then(|taker| lacking(&fronts, &body, taker, now));
    let transaction = transaction.filter(|_| short.is_none());
    let unique = json!([body, taker.map(|t| t.to_string()), bs58::encode(recent.hash).into_string(), now]);
    let id = seal::of(&unique, fronts.chain.world().settings().seed);
    let text = transaction.as_ref().map(|transaction| BASE64.encode(transaction.bytes()));
    if let Some(transaction) = transaction {
        let message = transaction.message().to_vec();
        fronts.orders.keep(id.clone(), Order { message, last_valid_height: recent.last_valid_height, sent: None });
    }
    let (code, message) = short.unzip();
    let added = json!({
        "mode": "manual",
        "router": "metis",
        "swapType": "aggregator",
        "requestId": id,
        "transaction": text.unwrap_or_default(),
        "lastValidBlockHeight": recent.last_valid_height,
        "taker": taker.map(|taker| taker.to_string()),
        "gasless": false,
        "feeBps": 0,
        "feeMint": body["inputMint"],
        "signatureFeeLamports": SIGNATURE_FEE,
        "prioritizationFeeLamports": compute_budget::priority_fee(UNITS_LIMIT, price),
        "rentFeeLamports": 0,
        "priceImpact": decimal::number(0, 0),
        "totalTime": 1,
        "errorCode": code,
        "errorMessage": message,
    });
    merge(&mut body, added);
    Ok(Json(body))
}

fn merge(body: &mut Value, added: Value) {
    if let (Some(body), Value::Object(added)) = (body.as_object_mut(), added) {
        body.extend(added);
    }
}

/// What the taker lacks for the swap: the tokens, or the SOL for its fees.
fn lacking(fronts: &Fronts, quote: &Value, taker: Address, now: u64) -> Option<(u8, &'static str)> {
    use solana::program::{associated_token, token};
    let mint: Address = quote["inputMint"].as_str()?.parse().ok()?;
    let amount: u64 = quote["inAmount"].as_str()?.parse().ok()?;
    let lamports = fronts.chain.account(&taker, now).map_or(0, |account| account.lamports);
    let held = if mint == token::NATIVE_MINT {
        lamports
    } else {
        let account = fronts.chain.account(&associated_token::address(&taker, &mint, &token::ID), now);
        account.and_then(|account| token::Account::unpack(&account.data)).map_or(0, |held| held.amount)
    };
    if held < amount {
        return Some((1, "Insufficient funds"));
    }
    (lamports < SIGNATURE_FEE).then_some((2, "Top up SOL for gas"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    signed_transaction: String,
    request_id: String,
}

pub(super) async fn execute(State(fronts): Shared, body: Body) -> Result<Response, Problem> {
    let body = body.map_err(|error| Problem::malformed(error.body_text()))?;
    let wanted: Execution = serde_json::from_slice(&body).map_err(|error| Problem::malformed(error.to_string()))?;
    let answer = executed(&fronts, &wanted).await;
    let mut response = Json(answer).into_response();
    response.extensions_mut().insert(TookEffect);
    Ok(response)
}

fn failed(code: i64, error: &str, signature: Option<[u8; 64]>) -> Value {
    let signature = signature.map(|signature| solana::transaction::id(&signature));
    json!({"status": "Failed", "code": code, "error": error, "signature": signature})
}

/// Sends the transaction of an order, once however often it is asked, and waits until it is confirmed.
async fn executed(fronts: &Fronts, wanted: &Execution) -> Value {
    let Some(order) = fronts.orders.get(&wanted.request_id) else {
        return failed(-1, "Order not found, it might have expired", None);
    };
    let signed = BASE64.decode(&wanted.signed_transaction).ok().and_then(|bytes| Transaction::read(&bytes).ok());
    let Some(signed) = signed.filter(Transaction::verify) else {
        return failed(-2, "Invalid signed transaction", None);
    };
    if signed.message() != order.message {
        return failed(-3, "Invalid message bytes", None);
    }
    let first = signed.signatures().first().copied();
    let Some(signature) = order.sent.or(first) else { return failed(-2, "Invalid signed transaction", None) };
    if first != Some(signature) {
        return failed(-2, "Another signature of this order was sent already", Some(signature));
    }
    fronts.orders.sent(&wanted.request_id, signature);
    if let Err(error) = fronts.chain.send(Front::Jupiter, &signed.bytes(), false, fronts.clock.now()) {
        return failed(-1000, &error.to_string(), Some(signature));
    }
    let (pause, looks) = LOOKS;
    for _ in 0..looks {
        let now = fronts.clock.now();
        let status = fronts.chain.statuses(&[Some(signature)], now).pop().flatten();
        let status = status.filter(|status| status.commitment != Commitment::Processed);
        if let Some(status) = status {
            return match status.result {
                Ok(()) => succeeded(fronts, signature, status.slot, now),
                Err(error) => failed(error_code(&error), &error.to_string(), Some(signature)),
            };
        }
        if fronts.chain.slot(Commitment::Finalized, now) > order.last_valid_height {
            return failed(-1004, "Invalid block height", Some(signature));
        }
        sleep(pause).await;
    }
    failed(-1000, "Failed to land", Some(signature))
}

fn error_code(error: &TransactionError) -> i64 {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => i64::from(*code),
        _ => -1001,
    }
}

fn succeeded(fronts: &Fronts, signature: [u8; 64], slot: u64, now: u64) -> Value {
    let brief = fronts.chain.brief(&signature, now);
    let swap = brief.and_then(|brief| brief.swap);
    let text = |amount: fn(&SwapSeen) -> u64| swap.as_ref().map(|swap| amount(swap).to_string());
    let (paid, received) = (text(|swap| swap.amount_in), text(|swap| swap.amount_out));
    let event = swap.map(|swap| {
        json!({
            "inputMint": swap.input.to_string(),
            "inputAmount": swap.amount_in.to_string(),
            "outputMint": swap.output.to_string(),
            "outputAmount": swap.amount_out.to_string(),
        })
    });
    json!({
        "status": "Success",
        "code": 0,
        "signature": solana::transaction::id(&signature),
        "slot": slot.to_string(),
        "totalInputAmount": paid,
        "totalOutputAmount": received,
        "inputAmountResult": paid,
        "outputAmountResult": received,
        "swapEvents": event.into_iter().collect::<Vec<_>>(),
    })
}

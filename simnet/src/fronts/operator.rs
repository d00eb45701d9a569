//! What the operator of a simulated chain has: a faucet, faults, and the list of what was executed.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use solana::{Address, transaction};

use super::{Body, Fronts, Shared};
use crate::chain::Brief;
use crate::faults::{Fault, Front, Often};

/// The most transactions on a page.
const PAGE_LIMIT: usize = 10_000;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

pub(super) fn routes() -> Router<std::sync::Arc<Fronts>> {
    Router::new().route("/faucet", post(faucet)).route("/faults", post(faults)).route("/solana/ledger", get(ledger))
}

fn refused(code: &str, message: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"code": code, "message": message})))
}

fn read<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, (StatusCode, Json<Value>)> {
    let body = body.map_err(|error| refused("UNREADABLE_BODY", &error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| refused("MALFORMED_REQUEST", &error.to_string()))
}

/// An amount in base units: text, or a number.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Units {
    Number(u64),
    Text(String),
}

impl Units {
    pub(super) fn value(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

#[derive(Deserialize)]
struct Wanted {
    address: String,
    /// A mint or a symbol; without it lamports are given.
    token: Option<String>,
    amount: Units,
}

async fn faucet(State(fronts): Shared, body: Body) -> Answer {
    let wanted: Wanted = read(body)?;
    let wallet: Result<Address, _> = wanted.address.parse();
    let wallet = wallet.map_err(|_| refused("MALFORMED_REQUEST", "address is no address"))?;
    let amount = wanted.amount.value().ok_or_else(|| refused("MALFORMED_REQUEST", "amount is no amount"))?;
    let given = fronts.chain.give(wallet, wanted.token.as_deref(), amount, fronts.clock.now());
    let account = given.map_err(|error| refused("NOT_GIVEN", &error.to_string()))?;
    Ok(Json(json!({"account": account.to_string()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    /// `jupiter`, `raydium`, `universal` or `rpc`.
    venue: String,
    fault: String,
    share: Option<String>,
    count: Option<u64>,
}

async fn faults(State(fronts): Shared, body: Body) -> Answer {
    let Switch { venue, fault, share, count } = read(body)?;
    let unknown = || refused("UNKNOWN_FAULT", "there is no such front or fault");
    let (front, fault) = Front::named(&venue).zip(Fault::named(&fault)).ok_or_else(unknown)?;
    let often = match (share, count) {
        (None, Some(count)) => Often::Count(count),
        (Some(share), None) if share.contains('.') => {
            Often::parse(&share).map_err(|expected| refused("MALFORMED_REQUEST", expected))?
        }
        _ => return Err(refused("MALFORMED_REQUEST", "expected share, such as \"0.1\", or count, such as 3")),
    };
    fronts.chain.faults().set(front, fault, often);
    Ok(Json(json!({"venue": venue, "fault": fault_name(fault)})))
}

fn fault_name(fault: Fault) -> String {
    format!("{fault:?}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageOf {
    #[serde(default)]
    after: usize,
    limit: Option<usize>,
}

async fn ledger(
    State(fronts): Shared,
    page: Result<Query<PageOf>, axum::extract::rejection::QueryRejection>,
) -> Answer {
    let Query(PageOf { after, limit }) = page.map_err(|error| refused("MALFORMED_REQUEST", &error.body_text()))?;
    let limit = limit.unwrap_or(1_000).min(PAGE_LIMIT);
    let (page, total) = fronts.chain.executed(after, limit, fronts.clock.now());
    let transactions: Vec<_> = page.iter().zip(after + 1..).map(|(brief, index)| row(brief, index)).collect();
    Ok(Json(json!({"transactions": transactions, "total": total})))
}

fn row(brief: &Brief, index: usize) -> Value {
    let swap = brief.swap.map(|swap| {
        json!({
            "inputMint": swap.input.to_string(),
            "outputMint": swap.output.to_string(),
            "amountIn": swap.amount_in.to_string(),
            "amountOut": swap.amount_out.to_string(),
        })
    });
    json!({
        "index": index,
        "signature": transaction::id(&brief.signature),
        "payer": brief.payer.to_string(),
        "slot": brief.slot,
        "error": brief.result.as_ref().err(),
        "swap": swap,
        "memo": brief.memo,
    })
}

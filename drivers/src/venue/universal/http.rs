//! The venue at its own address: `universal=https://www.universal.xyz/api/v1[?key-file=…&rate=…&evm-key-file=…&chain=…&reactor=…]`.
//!
//! Without a key the venue takes ten requests a minute, with one a hundred; that is the rate unless `rate` says another. The file
//! `evm-key-file` has the private key (64 digits, mode 600) with which orders of the native API are signed on `chain`; with
//! `chain=SOLANA` the wallet of `--signer` signs them. Orders of the facade bring their traders' signatures. `reactor` is the
//! contract that settles them: the venue does not say which it is, and a signature for another one is not good.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::swap::Receipt;
use domain::token::Registry;
use hyper::header::AUTHORIZATION;
use serde_json::Value;
use simnet::Clock;
use simnet::universal::{Chain, EXCLUSIVE_DUTCH_ORDER_REACTOR};

use super::own::{Hand, Own};
use super::relayer::{Relayer, Said, State};
use super::{Universal, words};
use crate::Fault;
use crate::venue::line::{Call, Line, Reply, said};
use crate::venue::options::{Options, is_loopback, read};
use crate::venue::{Signer, Venue, VenueError};

const OPTIONS: [&str; 5] = ["key-file", "rate", "evm-key-file", "chain", "reactor"];
/// How long the venue has for an answer.
const WITHIN: Duration = Duration::from_secs(5);
/// How often orders are asked for: as its other clients do.
const POLL_MILLIS: u64 = 3_000;
/// The same of a venue on this machine.
const NEAR_POLL_MILLIS: u64 = 400;
/// Verdicts that are final: of another status the order may be handed in again.
const FINAL: [u16; 3] = [400, 409, 422];
/// What refusals are called here, where the venue calls them so; others are `ORDER_REFUSED`.
const CODES: [&str; 5] = ["QUOTE_UNKNOWN", "BAD_SIGNATURE", "NONCE_USED", "TOKEN_UNKNOWN", words::EXPIRED];

struct Http(Line);

/// The venue at `base`. It need not be up yet.
pub(in crate::venue) fn open(
    base: &str,
    tokens: &Arc<Registry>,
    signer: Option<&Signer>,
) -> Result<Arc<dyn Venue>, Fault> {
    let options = Options::parse("universal", base, &OPTIONS)?;
    let near = is_loopback(options.base());
    let key = options.key("Bearer ")?;
    let usual = || if key.is_some() { "100/m" } else { "10/m" }.parse().ok().filter(|_| !near);
    let rate = options.rate()?.or_else(usual);
    let own = own(&options, tokens, signer)?;
    let line = Line::open(options.base(), key.map(|key| (AUTHORIZATION, key)), rate)?;
    let poll_millis = if near { NEAR_POLL_MILLIS } else { POLL_MILLIS };
    let (relayer, clock) = (Box::new(Http(line)), Arc::new(Clock::wall()));
    Ok(Arc::new(Universal { relayer, clock, own, known: Default::default(), poll_millis }))
}

/// Who signs orders of the native API, if anybody does.
fn own(options: &Options, tokens: &Arc<Registry>, signer: Option<&Signer>) -> Result<Option<Own>, Fault> {
    let chain = Chain::parse(options.text("chain").unwrap_or("BASE"));
    let chain = chain.ok_or_else(|| options.wrong("chain: expected ARBITRUM, BASE, POLYGON, WORLD or SOLANA"))?;
    let reactor = options.text("reactor").map_or(Ok(EXCLUSIVE_DUTCH_ORDER_REACTOR), str::parse);
    let reactor = reactor.map_err(|why| options.wrong(&format!("reactor: {why}")))?;
    let hand = match (chain, options.text("evm-key-file")) {
        (Chain::Solana, None) => match signer {
            Some(signer) => Hand::Solana(signer.clone()),
            None => return Err(options.wrong("chain=SOLANA needs a wallet: say --signer file:<key file>")),
        },
        (Chain::Solana, Some(_)) => return Err(options.wrong("evm-key-file signs on no Solana: leave it out")),
        (_, None) => return Ok(None),
        (_, Some(path)) => {
            let text = read(path.as_ref()).map_err(|why| options.wrong(&format!("evm-key-file {path}: {why}")))?;
            let key = text.trim().parse().map_err(|why| options.wrong(&format!("evm-key-file {path}: {why}")))?;
            Hand::Evm { key, reactor }
        }
    };
    Ok(Some(Own { hand, chain, tokens: Arc::clone(tokens) }))
}

#[async_trait]
impl Relayer for Http {
    async fn quote(&self, request: &str) -> Result<String, VenueError> {
        match self.0.ask::<Value>(Call::post("/quote", request.to_owned(), WITHIN).repeatable()).await? {
            Reply::Said { text, .. } => Ok(text),
            Reply::Refused { status, body } if FINAL.contains(&status) => {
                Err(VenueError::NoRoute(message(status, &body)))
            }
            Reply::Refused { status, body } => Err(VenueError::Failed(message(status, &body))),
        }
    }

    async fn order(&self, signed: &str) -> Result<Said, VenueError> {
        let text = |body: &Value, name: &str| body.get(name).and_then(words::text);
        match self.0.ask::<Value>(Call::post("/order", signed.to_owned(), WITHIN)).await? {
            Reply::Said { value, .. } => {
                let transaction = text(&value, "transaction_hash");
                let transaction =
                    transaction.ok_or_else(|| VenueError::Failed("its answer names no transaction".to_owned()))?;
                // Where it names no order, the transaction is all there is to know.
                let order_id = text(&value, "order_id").unwrap_or_else(|| transaction.clone());
                Ok(Said::Yes(Receipt { order_id, transaction }))
            }
            // A page that keeps robots out is no verdict on an order.
            Reply::Refused { status, body } if FINAL.contains(&status) && body.is_object() => {
                let code = text(&body, "error").filter(|code| CODES.contains(&code.as_str()));
                let code = code.unwrap_or_else(|| "ORDER_REFUSED".to_owned());
                let message = body.get("message").and_then(Value::as_str).map(crate::venue::line::short);
                Ok(Said::No { code, message: message.unwrap_or_else(|| self::message(status, &body)) })
            }
            Reply::Refused { status, body } => Err(VenueError::Failed(message(status, &body))),
        }
    }

    async fn state(&self, order_id: &str) -> Result<State, VenueError> {
        let body = match self.0.ask::<Value>(Call::get("/orders", &[("order_id", order_id)], WITHIN)).await? {
            Reply::Said { value, .. } => value,
            Reply::Refused { status, body } => return Err(VenueError::Failed(message(status, &body))),
        };
        let orders = body.get("data").and_then(Value::as_array);
        let orders = orders.ok_or_else(|| VenueError::Failed("its answer has no data".to_owned()))?;
        let is_it = |order: &&Value| order.get("id").and_then(words::text).is_none_or(|id| id == order_id);
        let Some(order) = orders.iter().find(is_it) else { return Ok(State::Unknown) };
        let units = |name: &str| order.get(name).and_then(words::text)?.parse().ok();
        match order.get("status").and_then(Value::as_str) {
            Some("pending") => Ok(State::Pending),
            Some("success") => Ok(State::Filled(units("token_amount").zip(units("pair_token_amount")))),
            Some("failed") => Ok(State::Failed),
            _ => Err(VenueError::Failed("the order has a status that nobody knows".to_owned())),
        }
    }
}

fn message(status: u16, body: &Value) -> String {
    said(body).unwrap_or_else(|| format!("it answered {status}"))
}

//! What each method does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use solana::program::token;
use solana::transaction::PACKET_BYTES;
use solana::{Address, TransactionError, transaction};

use super::{
    Failed, Fronts, INTERNAL_ERROR, METHOD_NOT_FOUND, PREFLIGHT_FAILED, SIGNATURE_FAILED, VERSION_UNSUPPORTED, shapes,
};
use crate::chain::{Commitment, Unsent};
use crate::faults::Front;

/// The most signatures of one question.
const STATUSES_LIMIT: usize = 256;

/// The most lamports of one airdrop: those of a test network give ten SOL.
const AIRDROP_LIMIT: u64 = 1_000_000_000_000;

pub(super) fn call(fronts: &Fronts, method: &str, parameters: &[Value]) -> Result<Value, Failed> {
    match method {
        "getHealth" => Ok("ok".into()),
        "getSlot" | "getBlockHeight" => Ok(slot(fronts, commitment(parameters.first())?).into()),
        "getLatestBlockhash" => latest_blockhash(fronts, parameters),
        "sendTransaction" => send(fronts, parameters),
        "simulateTransaction" => simulate(fronts, parameters),
        "getSignatureStatuses" => statuses(fronts, parameters),
        "getTransaction" => landed(fronts, parameters),
        "getBalance" => balance(fronts, parameters),
        "getTokenAccountBalance" => token_balance(fronts, parameters),
        "getAccountInfo" => account(fronts, parameters),
        "requestAirdrop" => airdrop(fronts, parameters),
        _ => Err(Failed::new(METHOD_NOT_FOUND, "Method not found")),
    }
}

fn slot(fronts: &Fronts, commitment: Commitment) -> u64 {
    fronts.chain.slot(commitment, fronts.clock.now())
}

/// An answer with the slot that it is of.
fn in_context(fronts: &Fronts, value: &Value) -> Value {
    json!({"context": {"apiVersion": "3.1.0", "slot": slot(fronts, Commitment::Processed)}, "value": value})
}

/// The commitment of a call's options; final where none is named.
fn commitment(options: Option<&Value>) -> Result<Commitment, Failed> {
    match options.and_then(|options| options.get("commitment")).map(Value::as_str) {
        None | Some(Some("finalized")) => Ok(Commitment::Finalized),
        Some(Some("confirmed")) => Ok(Commitment::Confirmed),
        Some(Some("processed")) => Ok(Commitment::Processed),
        Some(_) => Err(Failed::parameters("Invalid params: unknown commitment")),
    }
}

fn text(parameters: &[Value], place: usize) -> Result<&str, Failed> {
    let text = parameters.get(place).and_then(Value::as_str);
    text.ok_or_else(|| Failed::parameters("`params` should have at least 1 argument(s)"))
}

fn address(parameters: &[Value]) -> Result<Address, Failed> {
    text(parameters, 0)?.parse().map_err(|_| Failed::parameters("Invalid param: Invalid"))
}

fn flag(options: Option<&Value>, name: &str) -> bool {
    options.and_then(|options| options.get(name)).and_then(Value::as_bool).unwrap_or(false)
}

fn latest_blockhash(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let recent = fronts.chain.blockhash(commitment(parameters.first())?, fronts.clock.now());
    let blockhash = bs58::encode(recent.hash).into_string();
    Ok(in_context(fronts, &json!({"blockhash": blockhash, "lastValidBlockHeight": recent.last_valid_height})))
}

/// The bytes of a transaction: base58 unless the options say base64.
fn bytes(parameters: &[Value]) -> Result<Vec<u8>, Failed> {
    let text = text(parameters, 0)?;
    let encoding = parameters.get(1).and_then(|options| options.get("encoding")).map(Value::as_str);
    // A packet in base64 has 1,644 characters, in base58 1,683.
    if text.len() > 1_683 {
        return Err(Failed::parameters(format!(
            "encoded transaction too large (max: encoded/raw 1644/{PACKET_BYTES})"
        )));
    }
    match encoding {
        None | Some(Some("base58")) => {
            bs58::decode(text).into_vec().map_err(|e| format!("invalid base58 encoding: {e}"))
        }
        Some(Some("base64")) => BASE64.decode(text).map_err(|e| format!("invalid base64 encoding: {e}")),
        Some(_) => Err("unsupported encoding. Supported encodings: base58, base64".to_owned()),
    }
    .map_err(Failed::parameters)
}

fn send(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let bytes = bytes(parameters)?;
    let preflight = !flag(parameters.get(1), "skipPreflight");
    let sent = fronts.chain.send(Front::Rpc, &bytes, preflight, fronts.clock.now());
    sent.map(|signature| transaction::id(&signature).into()).map_err(unsent)
}

fn unsent(unsent: Unsent) -> Failed {
    let message = unsent.to_string();
    match unsent {
        Unsent::Malformed(_) => Failed::parameters(format!("failed to deserialize transaction: {message}")),
        Unsent::BadSignature => Failed::new(SIGNATURE_FAILED, message),
        Unsent::Failed { error, logs } => {
            Failed { code: PREFLIGHT_FAILED, message, data: Some(shapes::simulation(&Err(error), &logs)) }
        }
        Unsent::Full => Failed::new(INTERNAL_ERROR, message),
    }
}

fn simulate(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let bytes = bytes(parameters)?;
    let [verify, replace] = ["sigVerify", "replaceRecentBlockhash"].map(|name| flag(parameters.get(1), name));
    if verify && replace {
        return Err(Failed::parameters("sigVerify may not be used with replaceRecentBlockhash"));
    }
    let simulated = fronts.chain.simulate(&bytes, verify, replace, fronts.clock.now()).map_err(unsent)?;
    Ok(in_context(fronts, &shapes::simulation(&simulated.result, &simulated.logs)))
}

fn statuses(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let signatures = parameters.first().and_then(Value::as_array);
    let signatures = signatures.ok_or_else(|| Failed::parameters("Invalid params: expected a list of signatures"))?;
    if signatures.len() > STATUSES_LIMIT {
        return Err(Failed::parameters(format!("Too many inputs provided; max {STATUSES_LIMIT}")));
    }
    let read = |value: &Value| value.as_str().and_then(transaction::signature).map(Some);
    let read: Option<Vec<_>> = signatures.iter().map(read).collect();
    let read = read.ok_or_else(|| Failed::parameters("Invalid param: Invalid"))?;
    let statuses = fronts.chain.statuses(&read, fronts.clock.now());
    let statuses: Vec<_> = statuses.iter().map(|status| status.as_ref().map(shapes::status)).collect();
    Ok(in_context(fronts, &json!(statuses)))
}

fn landed(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let signature = transaction::signature(text(parameters, 0)?);
    let signature = signature.ok_or_else(|| Failed::parameters("Invalid param: Invalid"))?;
    // Either the options or the bare encoding.
    let options = parameters.get(1);
    let encoding = options.and_then(|options| options.as_str().or_else(|| options.get("encoding")?.as_str()));
    let commitment = commitment(options.filter(|options| options.is_object()))?;
    if commitment == Commitment::Processed {
        return Err(Failed::parameters("Method does not support commitment below `confirmed`"));
    }
    let Some(landed) = fronts.chain.landed(&signature, commitment, fronts.clock.now()) else {
        return Ok(Value::Null);
    };
    let supported = options.and_then(|options| options.get("maxSupportedTransactionVersion")).and_then(Value::as_u64);
    if landed.transaction.is_versioned() && supported.is_none() {
        let message = "Transaction version (0) is not supported by the requesting client. Please try the request again \
                       with the following configuration parameter: \"maxSupportedTransactionVersion\": 0";
        return Err(Failed::new(VERSION_UNSUPPORTED, message));
    }
    let decimals = |mint: &Address| fronts.chain.directory().mint(mint).map_or(0, |entry| entry.decimals);
    match encoding {
        None | Some("json") => Ok(shapes::landed(&landed, &shapes::message(&landed), decimals)),
        Some("base64") => {
            let text = BASE64.encode(landed.transaction.bytes());
            Ok(shapes::landed(&landed, &json!([text, "base64"]), decimals))
        }
        Some("base58") => {
            let text = bs58::encode(landed.transaction.bytes()).into_string();
            Ok(shapes::landed(&landed, &json!([text, "base58"]), decimals))
        }
        Some(_) => Err(Failed::parameters("Invalid params: unknown encoding, expected json, base64 or base58")),
    }
}

fn balance(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let account = fronts.chain.account(&address(parameters)?, fronts.clock.now());
    Ok(in_context(fronts, &account.map_or(0, |account| account.lamports).into()))
}

fn token_balance(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let account = fronts.chain.account(&address(parameters)?, fronts.clock.now());
    let account = account.ok_or_else(|| Failed::parameters("Invalid param: could not find account"))?;
    let held = token::Account::unpack(&account.data).filter(|_| account.owner == token::ID);
    let held = held.ok_or_else(|| Failed::parameters("Invalid param: not a Token account"))?;
    let decimals = fronts.chain.directory().mint(&held.mint).map_or(0, |entry| entry.decimals);
    Ok(in_context(fronts, &shapes::amount(held.amount, decimals)))
}

fn account(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let account = fronts.chain.account(&address(parameters)?, fronts.clock.now());
    let shape = account.map(|account| {
        json!({
            "data": [BASE64.encode(&account.data), "base64"],
            "executable": false,
            "lamports": account.lamports,
            "owner": account.owner.to_string(),
            "rentEpoch": u64::MAX,
            "space": account.data.len(),
        })
    });
    Ok(in_context(fronts, &json!(shape)))
}

/// Gives lamports at once. What it answers looks like a signature; no slot holds a transaction of it.
fn airdrop(fronts: &Fronts, parameters: &[Value]) -> Result<Value, Failed> {
    let wallet = address(parameters)?;
    let lamports = parameters.get(1).and_then(Value::as_u64).filter(|lamports| *lamports <= AIRDROP_LIMIT);
    let lamports =
        lamports.ok_or_else(|| Failed::parameters("Invalid params: expected at most 1,000 SOL in lamports"))?;
    let now = fronts.clock.now();
    let given = fronts.chain.give(wallet, None, lamports, now);
    given.map_err(|error| Failed::new(INTERNAL_ERROR, error.to_string()))?;
    let mut digest = Sha512::new_with_prefix(wallet);
    digest.update(now.to_le_bytes());
    Ok(transaction::id(&digest.finalize().into()).into())
}

/// Kept here so that the shape of an error is the library's own: `{"InstructionError":[0,{"Custom":6001}]}`.
pub(super) fn error(result: &Result<(), TransactionError>) -> Value {
    result.as_ref().err().map_or(Value::Null, |error| json!(error))
}

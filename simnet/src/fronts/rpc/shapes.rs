//! The answers' shapes, as a real node gives them.

use serde_json::{Value, json};
use solana::program::token;
use solana::{Address, TransactionError};

use super::super::decimal;
use super::methods::error;
use crate::chain::{Commitment, Landed, Status, TokenBalance};
use crate::{GENESIS_MILLIS, SLOT_MILLIS};

/// What a transaction did, or would.
pub(super) fn simulation(result: &Result<(), TransactionError>, logs: &[String]) -> Value {
    json!({
        "err": error(result),
        "logs": logs,
        "accounts": null,
        "unitsConsumed": 0,
        "returnData": null,
        "innerInstructions": null,
    })
}

pub(super) fn status(status: &Status) -> Value {
    let commitment = match status.commitment {
        Commitment::Processed => "processed",
        Commitment::Confirmed => "confirmed",
        Commitment::Finalized => "finalized",
    };
    json!({
        "slot": status.slot,
        "confirmations": status.confirmations,
        "err": error(&status.result),
        "status": outcome(&status.result),
        "confirmationStatus": commitment,
    })
}

fn outcome(result: &Result<(), TransactionError>) -> Value {
    match result {
        Ok(()) => json!({"Ok": null}),
        Err(error) => json!({"Err": error}),
    }
}

/// An amount of a token.
pub(super) fn amount(units: u64, decimals: u8) -> Value {
    json!({
        "amount": units.to_string(),
        "decimals": decimals,
        "uiAmount": decimal::number(units.into(), decimals),
        "uiAmountString": decimal::text(units.into(), decimals),
    })
}

/// A transaction with its result.
pub(super) fn landed(landed: &Landed, transaction: &Value, decimals: impl Fn(&Address) -> u8) -> Value {
    let balance = |balance: &TokenBalance| {
        json!({
            "accountIndex": balance.place,
            "mint": balance.mint.to_string(),
            "owner": balance.owner.to_string(),
            "programId": token::ID.to_string(),
            "uiTokenAmount": amount(balance.amount, decimals(&balance.mint)),
        })
    };
    let [before, after] = landed.tokens.each_ref().map(|side| side.iter().map(balance).collect::<Vec<_>>());
    let version = if landed.transaction.is_versioned() { json!(0) } else { json!("legacy") };
    json!({
        "slot": landed.slot,
        "blockTime": (GENESIS_MILLIS + landed.slot * SLOT_MILLIS) / 1_000,
        "version": version,
        "transaction": transaction,
        "meta": {
            "err": error(&landed.result),
            "status": outcome(&landed.result),
            "fee": landed.fee,
            "preBalances": landed.lamports[0],
            "postBalances": landed.lamports[1],
            "innerInstructions": [],
            "logMessages": landed.logs,
            "preTokenBalances": before,
            "postTokenBalances": after,
            "rewards": [],
            "loadedAddresses": {"writable": [], "readonly": []},
            "computeUnitsConsumed": 0,
        },
    })
}

/// A transaction field by field, as the encoding `json` has it.
pub(super) fn message(landed: &Landed) -> Value {
    let transaction = &landed.transaction;
    let keys = transaction.keys();
    let place = |key: &Address| keys.iter().position(|known| known == key);
    let signers = transaction.signers().len();
    let readonly = |places: std::ops::Range<usize>| places.filter(|place| !transaction.is_writable(*place)).count();
    let instructions: Vec<_> = transaction
        .instructions()
        .iter()
        .map(|instruction| {
            let accounts = instruction.accounts.iter().filter_map(|meta| place(&meta.key?));
            json!({
                "programIdIndex": place(&instruction.program),
                "accounts": accounts.collect::<Vec<_>>(),
                "data": bs58::encode(&instruction.data).into_string(),
                "stackHeight": 1,
            })
        })
        .collect();
    let mut message = json!({
        "accountKeys": keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "header": {
            "numRequiredSignatures": signers,
            "numReadonlySignedAccounts": readonly(0..signers),
            "numReadonlyUnsignedAccounts": readonly(signers..keys.len()),
        },
        "recentBlockhash": bs58::encode(transaction.blockhash()).into_string(),
        "instructions": instructions,
    });
    if transaction.is_versioned() {
        message["addressTableLookups"] = json!([]);
    }
    let signatures: Vec<_> = transaction.signatures().iter().map(solana::transaction::id).collect();
    json!({"signatures": signatures, "message": message})
}

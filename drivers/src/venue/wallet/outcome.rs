//! What transactions moved and why they failed, read from what a node says of them. Nothing here waits.

use std::collections::HashSet;

use serde_json::Value;
use solana::program::token::NATIVE_MINT;
use solana::program::{jupiter, raydium, system, token};
use solana::{Address, Transaction};

use crate::venue::line::short;
use crate::venue::rpc::{Executed, Held};

/// What was paid and what received, in base units, from the balances before and after.
///
/// Of SOL, wrapped or not, the lamports of the wallet and of its token accounts count together: what it pays as rent for an account of
/// its own stays in the sum, and what it wraps does, too. The fee is taken off.
pub(super) fn moved(executed: &Executed, wallet: &Address, input: &Address, output: &Address) -> Option<(u128, u128)> {
    let change = |mint: &Address| {
        if *mint == NATIVE_MINT { lamports(executed, wallet) } else { Some(tokens(executed, wallet, mint)) }
    };
    let (paid, received) = (-change(input)?, change(output)?);
    Some((u128::try_from(paid).ok()?, u128::try_from(received).ok()?))
}

fn tokens(executed: &Executed, wallet: &Address, mint: &Address) -> i128 {
    let (wallet, mint) = (wallet.to_string(), mint.to_string());
    let sum = |held: &[Held]| {
        let own = held.iter().filter(|held| held.mint == mint && held.owner.as_deref() == Some(&*wallet));
        own.map(|held| i128::from(held.ui_token_amount.amount.0)).sum::<i128>()
    };
    sum(&executed.meta.post_token_balances) - sum(&executed.meta.pre_token_balances)
}

fn lamports(executed: &Executed, wallet: &Address) -> Option<i128> {
    let (meta, wallet) = (&executed.meta, wallet.to_string());
    let keys = &executed.transaction.message.account_keys;
    let held = meta.pre_token_balances.iter().chain(&meta.post_token_balances);
    let own = held.filter(|held| held.owner.as_deref() == Some(&*wallet)).map(|held| held.account_index);
    let places: HashSet<usize> = own.chain(keys.iter().position(|key| *key == wallet)).collect();
    let mut change = 0;
    for place in places {
        change += i128::from(*meta.post_balances.get(place)?) - i128::from(*meta.pre_balances.get(place)?);
    }
    // The first account pays the fee.
    let fee = if keys.first() == Some(&wallet) { meta.fee } else { 0 };
    Some(change + i128::from(fee))
}

const SLIPPAGE: &str = "SLIPPAGE_EXCEEDED";
const FUNDS: &str = "INSUFFICIENT_BALANCE";
const OTHER: &str = "EXECUTION_FAILED";

/// Numbers of errors that programs give themselves, with the code that orders have for them.
const CUSTOM: [(Address, u32, &str); 13] = [
    (jupiter::ID, jupiter::SLIPPAGE_EXCEEDED, SLIPPAGE),
    (jupiter::ID, jupiter::EXACT_OUT_NOT_MATCHED, SLIPPAGE),
    (jupiter::ID, jupiter::INSUFFICIENT_FUNDS, FUNDS),
    (raydium::AMM_V4, raydium::AMM_V4_SLIPPAGE, SLIPPAGE),
    (raydium::ROUTER, raydium::AMM_V4_SLIPPAGE, SLIPPAGE),
    (raydium::CPMM, raydium::CPMM_SLIPPAGE, SLIPPAGE),
    (raydium::ROUTER, raydium::CPMM_SLIPPAGE, SLIPPAGE),
    (raydium::CLMM, raydium::CLMM_TOO_LITTLE, SLIPPAGE),
    (raydium::CLMM, raydium::CLMM_TOO_MUCH, SLIPPAGE),
    (raydium::ROUTER, raydium::CLMM_TOO_LITTLE, SLIPPAGE),
    (raydium::ROUTER, raydium::CLMM_TOO_MUCH, SLIPPAGE),
    (token::ID, token::INSUFFICIENT_FUNDS, FUNDS),
    (system::ID, 1, FUNDS),
];

/// The order's code for a transaction's error, and a sentence. With the transaction the number is read by the program that gave it.
pub(super) fn failure(error: &Value, transaction: Option<&Transaction>) -> (&'static str, String) {
    let said = format!("the transaction failed: {}", short(&error.to_string()));
    let plain = error.as_str().unwrap_or_default();
    if matches!(plain, "InsufficientFundsForFee" | "AccountNotFound") || error.get("InsufficientFundsForRent").is_some()
    {
        return (FUNDS, said);
    }
    let Some(number) = error["InstructionError"][1]["Custom"].as_u64() else {
        let funds = error["InstructionError"][1] == "InsufficientFunds";
        return (if funds { FUNDS } else { OTHER }, said);
    };
    let place = error["InstructionError"][0].as_u64().and_then(|place| usize::try_from(place).ok());
    let programs = transaction.map(Transaction::instructions);
    let program = programs.zip(place).and_then(|(all, place)| all.get(place).map(|instruction| instruction.program));
    // A token program's error comes up through the program that called it.
    let known = |(whose, its, _): &&(Address, u32, &str)| {
        u64::from(*its) == number && program.is_none_or(|program| program == *whose || *whose == token::ID)
    };
    let code = CUSTOM.iter().find(known).map_or(OTHER, |(.., code)| code);
    (code, said)
}

#[cfg(test)]
mod tests;

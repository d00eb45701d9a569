//! Amounts from balances, and codes from errors.

use serde_json::json;
use solana::program::compute_budget;

use super::*;

fn wallet() -> Address {
    Address::from([1; 32])
}

/// Accounts: the wallet, its account of the token, its wrapped account, somebody else's of the token.
fn executed(lamports: [[u64; 4]; 2], tokens: [[u64; 2]; 2], wrapped: [Option<u64>; 2]) -> Executed {
    let mint = Address::from([2; 32]).to_string();
    let held = |place: usize, mint: &str, owner: Address, amount: u64| json!({ "accountIndex": place, "mint": mint, "owner": owner.to_string(), "uiTokenAmount": { "amount": amount.to_string(), "decimals": 6 } });
    let side = |n: usize| {
        let mut all =
            vec![held(1, &mint, wallet(), tokens[n][0]), held(3, &mint, Address::from([8; 32]), tokens[n][1])];
        all.extend(wrapped[n].map(|amount| held(2, &NATIVE_MINT.to_string(), wallet(), amount)));
        all
    };
    let keys = [wallet(), Address::from([11; 32]), Address::from([12; 32]), Address::from([13; 32])];
    serde_json::from_value(json!({
        "slot": 7,
        "meta": { "err": null, "fee": 5_000, "preBalances": lamports[0], "postBalances": lamports[1],
                  "preTokenBalances": side(0), "postTokenBalances": side(1) },
        "transaction": { "message": { "accountKeys": keys.map(|key| key.to_string()) } },
    }))
    .expect("what a node says")
}

#[test]
fn amounts_are_what_the_wallet_s_balances_say() {
    const RENT: u64 = 2_039_280;
    let (sol, token) = (NATIVE_MINT, Address::from([2; 32]));
    let tokens = [[500, 900], [650, 750]];
    // Native SOL for the token: 10,000 and the fee leave the wallet.
    let before = [1_000_000, RENT, 0, RENT];
    let plain = executed([before, [985_000, RENT, 0, RENT]], tokens, [None, None]);
    assert_eq!(moved(&plain, &wallet(), &sol, &token), Some((10_000, 150)));
    // The rent of an account that is made for the wallet is no part of the price.
    let made = executed([[5_000_000, 0, 0, RENT], [5_000_000 - 15_000 - RENT, RENT, 0, RENT]], tokens, [None, None]);
    assert_eq!(moved(&made, &wallet(), &sol, &token), Some((10_000, 150)));
    // Wrapped SOL pays from its own account; the wallet pays the fee.
    let wrapped = executed(
        [[10_000, RENT, RENT + 20_000, RENT], [5_000, RENT, RENT + 10_000, RENT]],
        tokens,
        [Some(20_000), Some(10_000)],
    );
    assert_eq!(moved(&wrapped, &wallet(), &sol, &token), Some((10_000, 150)));
    // A wrapped account that is closed on the way gives its rent and what it held to the wallet.
    let closed =
        executed([[10_000, RENT, RENT + 20_000, RENT], [RENT + 15_000, RENT, 0, RENT]], tokens, [Some(20_000), None]);
    assert_eq!(moved(&closed, &wallet(), &sol, &token), Some((10_000, 150)));
    // The other way round, and a token that grew where it should have shrunk.
    let sold = executed([[10_000, RENT, 0, RENT], [15_000, RENT, 0, RENT]], [[650, 0], [500, 0]], [None, None]);
    assert_eq!(moved(&sold, &wallet(), &token, &sol), Some((150, 10_000)));
    assert_eq!(moved(&plain, &wallet(), &token, &sol), None);
}

#[test]
fn errors_have_the_codes_of_orders() {
    let budget = compute_budget::set(compute_budget::Budget::Limit(1));
    let with = |program: Address| {
        let swap = solana::Instruction { program, accounts: Vec::new(), data: vec![1] };
        Transaction::unsigned(&wallet(), &[budget.clone(), swap], [0; 32]).expect("a transaction")
    };
    let custom = |number: u32| json!({ "InstructionError": [1, { "Custom": number }] });
    for (program, error, code) in [
        (jupiter::ID, custom(6001), SLIPPAGE),
        (jupiter::ID, custom(6017), SLIPPAGE),
        (jupiter::ID, custom(6024), FUNDS),
        (jupiter::ID, custom(1), FUNDS),
        (jupiter::ID, custom(6005), OTHER),
        (raydium::CPMM, custom(6005), SLIPPAGE),
        (raydium::AMM_V4, custom(30), SLIPPAGE),
        (raydium::CLMM, custom(6022), SLIPPAGE),
        (raydium::ROUTER, custom(30), SLIPPAGE),
        (raydium::CPMM, custom(6001), OTHER),
        (jupiter::ID, json!({ "InstructionError": [1, "InsufficientFunds"] }), FUNDS),
        (jupiter::ID, json!({ "InstructionError": [1, "ComputationalBudgetExceeded"] }), OTHER),
        (jupiter::ID, json!("InsufficientFundsForFee"), FUNDS),
        (jupiter::ID, json!({ "InsufficientFundsForRent": { "account_index": 0 } }), FUNDS),
        (jupiter::ID, json!("AccountInUse"), OTHER),
    ] {
        let (said, message) = failure(&error, Some(&with(program)));
        assert_eq!(said, code, "{program} {error}");
        assert!(message.contains(&error.to_string()), "{message}");
    }
    assert_eq!(failure(&custom(6001), None).0, SLIPPAGE);
}

//! The chain's JSON-RPC, slot by slot.

use solana::program::system;

use super::*;

/// A transfer of lamports to nobody, signed; `number` makes it unlike others.
fn transfer(served: &Served, lamports: u64) -> String {
    let recent = served.chain.blockhash(crate::chain::Commitment::Processed, served.now());
    let order = system::Transfer { from: served.wallet, to: [9; 32].into(), lamports };
    let unsigned = Transaction::unsigned(&served.wallet, &[system::transfer(order)], recent.hash).expect("it fits");
    served.signed(&json!(BASE64.encode(unsigned.bytes())))
}

#[tokio::test]
async fn a_transaction_goes_from_processed_to_final() {
    let served = served("pace=real", "").await;
    let signature = served.send(&transfer(&served, 2_000_000)).await.expect("sent");
    assert_eq!(served.status(&signature).await, Value::Null, "in the next slot");
    for (slots, expected, confirmations) in [
        (1, "processed", json!(0)),
        (1, "confirmed", json!(1)),
        (30, "confirmed", json!(31)),
        (1, "finalized", Value::Null),
    ] {
        served.pass(slots);
        let status = served.status(&signature).await;
        assert_eq!((&status["confirmationStatus"], &status["confirmations"]), (&json!(expected), &confirmations));
        assert_eq!((&status["err"], &status["status"]), (&Value::Null, &json!({"Ok": null})));
    }
    let landed = served.landed(&signature).await;
    let meta = &landed["meta"];
    assert_eq!((&meta["fee"], &meta["err"], &landed["version"]), (&json!(5_000), &Value::Null, &json!(0)));
    let [before, after] = ["preBalances", "postBalances"].map(|name| meta[name][0].as_u64().expect("lamports"));
    assert_eq!(before - after, 2_005_000);
    assert_eq!(landed["transaction"]["message"]["header"]["numRequiredSignatures"], 1);
    let refused = served.rpc("getTransaction", json!([signature])).await.expect_err("a version must be supported");
    assert_eq!(refused["code"], -32015);
    let base64 = json!([signature, {"encoding": "base64", "maxSupportedTransactionVersion": 0}]);
    assert_eq!(served.rpc("getTransaction", base64).await.expect("landed")["transaction"][1], "base64");
    let ledger = served.get("/solana/ledger").await;
    assert_eq!((&ledger["total"], &ledger["transactions"][0]["signature"]), (&json!(1), &signature));
}

#[tokio::test]
async fn refusals_have_the_codes_of_a_node() {
    let served = served("pace=real", "").await;
    let good = transfer(&served, 2_000_000);
    let mut bytes = BASE64.decode(&good).expect("base64");
    bytes[10] ^= 1;
    let forged = served.send(&BASE64.encode(&bytes)).await.expect_err("forged");
    assert_eq!(forged["code"], -32003);
    assert_eq!(served.send("%%%").await.expect_err("no base64")["code"], -32602);
    let rich = served.send(&transfer(&served, 900_000_000_000)).await.expect_err("too much");
    assert_eq!(
        (&rich["code"], &rich["data"]["err"]),
        (&json!(-32002), &json!({"InstructionError": [0, {"Custom": 1}]}))
    );
    served.send(&good).await.expect("sent");
    served.pass(1);
    let again = served.send(&good).await.expect_err("a replay");
    assert_eq!((&again["code"], &again["data"]["err"]), (&json!(-32002), &json!("AlreadyProcessed")));
    let old = transfer(&served, 2_000_001);
    served.pass(151);
    assert_eq!(served.send(&old).await.expect_err("expired")["data"]["err"], "BlockhashNotFound");
    let blind = json!([old, {"encoding": "base64", "skipPreflight": true}]);
    let signature = served.rpc("sendTransaction", blind).await.expect("passed on");
    served.pass(3);
    assert_eq!(served.status(&signature).await, Value::Null, "no leader takes it");
    assert_eq!(served.rpc("mineBlock", json!([])).await.expect_err("no method")["code"], -32601);
    let many: Vec<_> = (0..257).map(|_| signature.clone()).collect();
    assert_eq!(served.rpc("getSignatureStatuses", json!([many])).await.expect_err("too many")["code"], -32602);
    assert_eq!(served.ask("POST", "/rpc", "{").await.1["error"]["code"], -32700);
    assert_eq!(served.ask("POST", "/rpc", "{}").await.1["error"]["code"], -32600);
}

#[tokio::test]
async fn questions_have_their_answers_alone_and_in_batches() {
    let served = served("pace=real", "").await;
    let slot =
        served.rpc("getSlot", json!([{"commitment": "processed"}])).await.expect("a slot").as_u64().expect("a number");
    let height = |commitment: &str| json!([{"commitment": commitment}]);
    assert_eq!(served.rpc("getBlockHeight", height("confirmed")).await, Ok(json!(slot - 1)));
    assert_eq!(served.rpc("getBlockHeight", json!([])).await, Ok(json!(slot - 32)));
    let recent = served.rpc("getLatestBlockhash", height("processed")).await.expect("a blockhash");
    assert_eq!(recent["value"]["lastValidBlockHeight"], slot + 150);
    let wallet = served.wallet.to_string();
    assert_eq!(served.rpc("getBalance", json!([wallet])).await.expect("lamports")["value"], 100_000_000_000_u64);
    let account = associated_token::address(&served.wallet, &USDC.parse().expect("a mint"), &token::ID);
    let held = served.rpc("getTokenAccountBalance", json!([account.to_string()])).await.expect("a balance");
    assert_eq!(
        held["value"],
        json!({"amount": "1000000000000", "decimals": 6, "uiAmount": 1_000_000, "uiAmountString": "1000000"})
    );
    assert_eq!(served.rpc("getTokenAccountBalance", json!([wallet])).await.expect_err("a wallet")["code"], -32602);
    let airdrop = served.rpc("requestAirdrop", json!([wallet, 5])).await.expect("given");
    assert!(airdrop.is_string());
    assert_eq!(served.lamports(), 100_000_000_005);
    let simulated = served
        .rpc("simulateTransaction", json!([transfer(&served, 1_000_000), {"encoding": "base64", "sigVerify": true}]))
        .await
        .expect("simulated");
    assert_eq!(simulated["value"]["err"], Value::Null);
    assert_eq!(served.lamports(), 100_000_000_005, "nothing is kept");
    let call = |id: u8| json!({"jsonrpc": "2.0", "id": id, "method": "getHealth"});
    let batch = served.post("/rpc", &json!([call(1), call(2)])).await;
    assert_eq!((&batch[0]["result"], &batch[1]["id"]), (&json!("ok"), &json!(2)));
}

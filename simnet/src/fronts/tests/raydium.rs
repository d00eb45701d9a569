//! The exchange's trade API.

use super::*;

#[tokio::test]
async fn a_path_is_quoted_built_and_traded_to_the_unit() {
    let served = served("pace=instant", "").await;
    for (way, input, output, amount) in [
        ("in", USDC, SOL, 5_000_000),
        ("out", USDC, BONK, 40_000_000),
        ("in", BONK, USDT, 900_000_000),
        ("in", SOL, USDC, 7),
    ] {
        let path = format!(
            "/raydium/compute/swap-base-{way}?inputMint={input}&outputMint={output}&amount={amount}&slippageBps=50&txVersion=V0"
        );
        let computed = served.get(&path).await;
        if amount == 7 {
            assert_eq!(computed["success"], false, "too little");
            continue;
        }
        let data = &computed["data"];
        let (paid, received) = (units(&data["inputAmount"]), units(&data["outputAmount"]));
        let wanted = json!({
            "wallet": served.wallet.to_string(), "swapResponse": computed, "txVersion": "V0",
            "computeUnitPriceMicroLamports": "1000", "wrapSol": true, "unwrapSol": false,
        });
        let built = served.post(&format!("/raydium/transaction/swap-base-{way}"), &wanted).await;
        let before = (served.held(input).expect("held"), served.held(output).unwrap_or(0));
        let signature = served.send(&served.signed(&built["data"][0]["transaction"])).await.expect("sent");
        assert_eq!(served.status(&signature).await["err"], Value::Null);
        assert_eq!(served.held(input), Some(before.0 - paid), "{way} {input}");
        assert_eq!(served.held(output), Some(before.1 + received), "{way} {output}");
    }
    let mut computed = served
        .get(&format!(
            "/raydium/compute/swap-base-in?inputMint={USDC}&outputMint={SOL}&amount=1000000&slippageBps=50&txVersion=V0"
        ))
        .await;
    computed["data"]["otherAmountThreshold"] = "1".into();
    let wanted = json!({"wallet": served.wallet.to_string(), "swapResponse": computed, "txVersion": "V0",
        "computeUnitPriceMicroLamports": "1"});
    assert_eq!(served.post("/raydium/transaction/swap-base-in", &wanted).await["msg"], "REQ_SWAP_RESPONSE_ERROR");
    assert!(served.get("/raydium/main/auto-fee").await["data"]["default"]["h"].is_number());
    let refused = served.get("/raydium/compute/swap-base-in?inputMint=x").await;
    assert_eq!((&refused["success"], &refused["msg"]), (&json!(false), &json!("REQ_INPUT_MINT_ERROR")));
}

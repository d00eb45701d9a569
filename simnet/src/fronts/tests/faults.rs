//! Each fault shows, on the fronts that have it.

use super::*;
use crate::faults::{Fault, Front, Often};

fn quote_path(front: &str) -> String {
    let pair = format!("inputMint={USDC}&outputMint={SOL}&amount=5000000&slippageBps=50");
    match front {
        "jupiter" => format!("/jupiter/swap/v1/quote?{pair}"),
        _ => format!("/raydium/compute/swap-base-in?{pair}&txVersion=V0"),
    }
}

/// A swap's transaction, signed, by way of a front.
async fn built(served: &Served, front: &str) -> String {
    let quote = served.get(&quote_path(front)).await;
    let wallet = served.wallet.to_string();
    if front == "jupiter" {
        let wanted = json!({"userPublicKey": wallet, "quoteResponse": quote});
        return served.signed(&served.post("/jupiter/swap/v1/swap", &wanted).await["swapTransaction"]);
    }
    let wanted = json!({"wallet": wallet, "swapResponse": quote, "txVersion": "V0",
        "computeUnitPriceMicroLamports": "1", "wrapSol": true, "unwrapSol": true});
    let built = served.post("/raydium/transaction/swap-base-in", &wanted).await;
    served.signed(&built["data"][0]["transaction"])
}

async fn set(served: &Served, venue: &str, fault: &str, count: u64) {
    served.post("/faults", &json!({"venue": venue, "fault": fault, "count": count})).await;
}

#[tokio::test]
async fn fronts_fail_before_their_handlers() {
    let served = served("pace=instant", "").await;
    for front in ["jupiter", "raydium"] {
        let path = quote_path(front);
        set(&served, front, "rate_limited", 1).await;
        let (status, head, _) = served.raw("GET", &path, "").await.expect("an answer");
        assert!(status == 429 && head.contains("retry-after: 1") && head.contains("x-ratelimit-reset: "), "{head}");
        set(&served, front, "error_500", 1).await;
        assert_eq!(served.ask("GET", &path, "").await.0, 500);
        assert_eq!(served.ask("GET", &path, "").await.0, 200, "the count is used up");
    }
    set(&served, "rpc", "rate_limited", 1).await;
    assert_eq!(served.ask("POST", "/rpc", "{}").await.0, 429);
    let unknown = json!({"venue": "rpc", "fault": "rain", "count": 1});
    assert_eq!(served.ask("POST", "/faults", &unknown.to_string()).await.0, 422);
}

#[tokio::test]
async fn a_front_that_hangs_does_not_answer() {
    let served = served("pace=instant", "jupiter.timeout=1").await;
    let path = quote_path("jupiter");
    let patience = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(patience, served.raw("GET", &path, "")).await.is_err());
    assert_eq!(served.ask("GET", &path, "").await.0, 200);
}

#[tokio::test]
async fn answers_are_spoilt_as_told() {
    let served = served("pace=instant", "").await;
    for front in ["jupiter", "raydium"] {
        let path = quote_path(front);
        set(&served, front, "html", 1).await;
        let (_, head, body) = served.raw("GET", &path, "").await.expect("an answer");
        assert!(head.contains("text/html") && body.starts_with("<!DOCTYPE"));
        set(&served, front, "truncated", 1).await;
        let (_, _, body) = served.raw("GET", &path, "").await.expect("an answer");
        assert!(body.len() > 50 && serde_json::from_str::<Value>(&body).is_err());
        for fault in ["number_amounts", "unknown_fields"] {
            set(&served, front, fault, 1).await;
            let quote = served.get(&path).await;
            let text = quote.to_string();
            let shows = match fault {
                "unknown_fields" => text.contains("undocumentedField"),
                _ => text.contains(r#"Amount":5000000,"#),
            };
            assert!(shows, "{front} {fault}: {text}");
            // It is good all the same, when it comes back.
            let (path, wanted) = match front {
                "jupiter" => (
                    "/jupiter/swap/v1/swap",
                    json!({"userPublicKey": served.wallet.to_string(), "quoteResponse": quote}),
                ),
                _ => (
                    "/raydium/transaction/swap-base-in",
                    json!({"wallet": served.wallet.to_string(), "swapResponse": quote, "txVersion": "V0",
                        "computeUnitPriceMicroLamports": "1"}),
                ),
            };
            let built = served.post(path, &wanted).await;
            assert!(built["swapTransaction"].is_string() || built["success"] == true, "{built}");
        }
    }
}

#[tokio::test]
async fn rotten_transactions_are_handed_out_as_told() {
    use solana::program::{jupiter, raydium};
    let served = served("pace=instant", "").await;
    for front in ["jupiter", "raydium"] {
        let good = terms(&built(&served, front).await);
        set(&served, front, "wrong_mint", 1).await;
        let other = terms(&built(&served, front).await);
        assert_ne!(other.0, good.0, "{front}: another account receives");
        set(&served, front, "short_output", 1).await;
        let short = terms(&built(&served, front).await);
        assert_eq!(short.0, good.0);
        assert!(short.1 < good.1 / 10 * 9, "{front}: {} for {}", short.1, good.1);
    }
    fn terms(signed: &str) -> (Address, u64) {
        let transaction = Transaction::read(&BASE64.decode(signed).expect("base64")).expect("a transaction");
        let swap = |instruction: &solana::Instruction| {
            let route = jupiter::read(instruction).map(|route| (route.destination, route.limit()));
            route.or_else(|| raydium::read(instruction).map(|swap| (swap.destination, swap.limit)))
        };
        transaction.instructions().iter().find_map(swap).expect("a swap")
    }
}

#[tokio::test]
async fn a_stale_quote_fails_on_the_chain() {
    let served = served("pace=instant", "").await;
    for (front, code) in [("jupiter", 6001), ("raydium", 0)] {
        set(&served, front, "stale_quote", 1).await;
        let refused = served.send(&built(&served, front).await).await.expect_err("its preflight fails");
        let custom = refused["data"]["err"]["InstructionError"][1]["Custom"].as_u64().expect("a custom error");
        assert!(custom == code || (code == 0 && [30, 6005, 6022].contains(&custom)), "{refused}");
    }
}

#[tokio::test]
async fn answers_are_lost_after_they_took_effect() {
    let served = served("pace=instant", "").await;
    let signed = built(&served, "jupiter").await;
    let usdc = served.held(USDC).expect("from the faucet");
    set(&served, "rpc", "answer_lost", 1).await;
    assert!(served.rpc("getSlot", json!([])).await.is_ok(), "nothing is lost but what took effect");
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [signed, {"encoding": "base64"}]});
    assert_eq!(served.raw("POST", "/rpc", &call.to_string()).await, None, "the connection ends without an answer");
    assert_eq!(served.held(USDC), Some(usdc - 5_000_000));
    set(&served, "jupiter", "answer_lost", 1).await;
    let path =
        format!("/jupiter/swap/v2/order?inputMint={USDC}&outputMint={SOL}&amount=3000000&taker={}", served.wallet);
    let order = served.get(&path).await;
    let wanted = json!({"signedTransaction": served.signed(&order["transaction"]), "requestId": order["requestId"]});
    assert_eq!(served.raw("POST", "/jupiter/swap/v2/execute", &wanted.to_string()).await, None);
    assert_eq!(served.post("/jupiter/swap/v2/execute", &wanted).await["status"], "Success", "asked again");
    assert_eq!(served.held(USDC), Some(usdc - 8_000_000), "once");
}

#[tokio::test]
async fn transactions_are_dropped_and_late_as_told() {
    let served = served("pace=real", "").await;
    let signed = built(&served, "jupiter").await;
    served.chain.faults().set(Front::Rpc, Fault::Dropped, Often::Count(1));
    let signature = served.send(&signed).await.expect("accepted");
    served.pass(3);
    assert_eq!(served.status(&signature).await, Value::Null, "dropped");
    served.chain.faults().set(Front::Rpc, Fault::Late, Often::Count(1));
    let options = json!([signed, {"encoding": "base64", "skipPreflight": true}]);
    assert_eq!(served.rpc("sendTransaction", options).await, Ok(signature.clone()), "sent again");
    served.pass(40);
    assert_eq!(served.status(&signature).await, Value::Null, "late");
    served.pass(2);
    assert_eq!(served.status(&signature).await["confirmationStatus"], "confirmed");
}

//! The aggregator, both versions.

use super::*;
use crate::{Amount, Ask, Venue};

async fn quote(served: &Served, (input, output): (&str, &str), amount: u64, more: &str) -> Value {
    let path = format!("/jupiter/swap/v1/quote?inputMint={input}&outputMint={output}&amount={amount}{more}");
    served.get(&path).await
}

async fn swap(served: &Served, quote: &Value) -> Value {
    let wanted = json!({"userPublicKey": served.wallet.to_string(), "quoteResponse": quote});
    served.post("/jupiter/swap/v1/swap", &wanted).await["swapTransaction"].take()
}

#[tokio::test]
async fn what_is_quoted_is_what_is_traded_while_pools_stand() {
    let served = served("pace=instant", "").await;
    for (pair, amount, more) in [
        ((USDC, USDT), 500_000_000, ""),
        ((USDC, BONK), 250_000_000, "&swapMode=ExactOut"),
        ((BONK, USDC), 1_000_000_000, "&instructionVersion=V2"),
        ((USDC, BONK), 40_000_000, "&instructionVersion=V2&swapMode=ExactOut&slippageBps=100"),
    ] {
        let quote = quote(&served, pair, amount, more).await;
        let (paid, received) = (units(&quote["inAmount"]), units(&quote["outAmount"]));
        let before = (served.held(pair.0), served.held(pair.1).unwrap_or(0));
        let signature = served.send(&served.signed(&swap(&served, &quote).await)).await.expect("sent");
        let status = served.status(&signature).await;
        assert_eq!((&status["err"], &status["confirmationStatus"]), (&Value::Null, &json!("finalized")), "{status}");
        assert_eq!(served.held(pair.0), before.0.map(|held| held - paid), "{more}");
        assert_eq!(served.held(pair.1), Some(before.1 + received), "{more}");
    }
}

#[tokio::test]
async fn sol_is_wrapped_for_the_swap_and_unwrapped_after() {
    let served = served("pace=instant", "").await;
    let lamports = served.lamports();
    let sold = quote(&served, (SOL, USDC), 2_000_000_000, "").await;
    let usdc = served.held(USDC).expect("from the faucet");
    let signature = served.send(&served.signed(&swap(&served, &sold).await)).await.expect("sent");
    let fee = served.landed(&signature).await["meta"]["fee"].as_u64().expect("a fee");
    assert_eq!(fee, 5_000 + 1_400);
    assert_eq!(served.held(USDC), Some(usdc + units(&sold["outAmount"])));
    assert_eq!(served.held(SOL), None, "closed again");
    assert_eq!(served.lamports(), lamports - 2_000_000_000 - fee);
    let lamports = served.lamports();
    let bought = quote(&served, (USDC, SOL), 1_000_000_000, "&swapMode=ExactOut").await;
    served.send(&served.signed(&swap(&served, &bought).await)).await.expect("sent");
    assert_eq!(served.lamports(), lamports + 1_000_000_000 - fee);
    let exact = quote(&served, (SOL, USDC), 10_000_000, "&swapMode=ExactOut").await;
    let lamports = served.lamports();
    served.send(&served.signed(&swap(&served, &exact).await)).await.expect("sent");
    assert_eq!(served.lamports(), lamports - units(&exact["inAmount"]) - fee, "what was wrapped too much comes back");
}

#[tokio::test]
async fn quotes_are_the_routers_to_the_unit() {
    let served = served("pace=real", "").await;
    for amount in [1_000_000, 50_000_000_000, 400_000_000_000] {
        let told = quote(&served, (USDC, SOL), amount, "").await;
        let ask = Ask { venue: Venue::Tradewind, input: "USDC", output: "SOL", amount: Amount::In(amount) };
        let ours = served.chain.world().quote(&ask, served.now()).expect("a route");
        assert_eq!(units(&told["outAmount"]), ours.amount_out);
        assert_eq!(told["routePlan"].as_array().map(Vec::len), Some(ours.legs.len()));
    }
    let direct = quote(&served, (USDC, SOL), 1_000_000_000, "&onlyDirectRoutes=true").await;
    assert_eq!(direct["routePlan"].as_array().map(Vec::len), Some(1));
    let labels = "Meteora,Meteora%20DLMM,Meteora%20DAMM%20v2";
    let raydium = quote(&served, (USDC, SOL), 1_000_000_000, &format!("&excludeDexes={labels}")).await;
    assert!(raydium["routePlan"][0]["swapInfo"]["label"].as_str().is_some_and(|label| label.starts_with("Raydium")));
}

#[tokio::test]
async fn a_changed_quote_is_refused_and_errors_have_codes() {
    let served = served("pace=instant", "").await;
    let mut changed = quote(&served, (USDC, USDT), 1_000_000, "").await;
    changed["otherAmountThreshold"] = "1".into();
    let wanted = json!({"userPublicKey": served.wallet.to_string(), "quoteResponse": changed});
    assert_eq!(served.ask("POST", "/jupiter/swap/v1/swap", &wanted.to_string()).await.0, 400);
    for (query, code) in [
        (format!("inputMint={SOL}&outputMint={SOL}&amount=1"), "CIRCULAR_ARBITRAGE_IS_DISABLED"),
        (format!("inputMint={SOL}&outputMint={}&amount=1", served.wallet), "TOKEN_NOT_TRADABLE"),
        (format!("inputMint={SOL}&outputMint={USDC}&amount=1&dexes=Orca"), "NO_ROUTES_FOUND"),
        (format!("inputMint={SOL}&outputMint={USDC}&amount=1&maxAccounts=65"), "MAX_ACCOUNT_GREATER_THAN_MAX"),
        (format!("inputMint={SOL}&outputMint={USDC}&amount=x"), "INVALID_REQUEST"),
    ] {
        let (status, body) = served.ask("GET", &format!("/jupiter/swap/v1/quote?{query}"), "").await;
        assert_eq!((status, &body["errorCode"]), (400, &json!(code)), "{query}");
    }
}

#[tokio::test]
async fn instructions_are_those_of_the_transaction() {
    let served = served("pace=instant", "").await;
    let quote = quote(&served, (SOL, USDC), 1_000_000, "").await;
    let wanted = json!({"userPublicKey": served.wallet.to_string(), "quoteResponse": quote});
    let told = served.post("/jupiter/swap/v1/swap-instructions", &wanted).await;
    let count = |name: &str| told[name].as_array().map_or(0, Vec::len);
    assert_eq!((count("computeBudgetInstructions"), count("setupInstructions")), (2, 4));
    assert_eq!(told["swapInstruction"]["programId"], "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4");
    assert!(told["cleanupInstruction"].is_object());
    let labels = served.get("/jupiter/swap/v1/program-id-to-label").await;
    assert_eq!(labels["675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"], "Raydium");
    let prices = served.get(&format!("/jupiter/price/v3?ids={SOL},{}", served.wallet)).await;
    assert_eq!((&prices[SOL]["usdPrice"], prices.as_object().map(serde_json::Map::len)), (&json!(150), Some(1)));
}

#[tokio::test]
async fn an_order_executes_once_however_often_it_is_asked() {
    let served = served("pace=instant", "").await;
    let path =
        format!("/jupiter/swap/v2/order?inputMint={USDC}&outputMint={SOL}&amount=3000000&taker={}", served.wallet);
    let order = served.get(&path).await;
    let usdc = served.held(USDC).expect("from the faucet");
    let signed = served.signed(&order["transaction"]);
    let wanted = json!({"signedTransaction": signed, "requestId": order["requestId"]});
    let first = served.post("/jupiter/swap/v2/execute", &wanted).await;
    assert_eq!((&first["status"], &first["code"]), (&json!("Success"), &json!(0)), "{first}");
    assert_eq!(first["outputAmountResult"], order["outAmount"]);
    assert_eq!(served.post("/jupiter/swap/v2/execute", &wanted).await, first);
    assert_eq!(served.held(USDC), Some(usdc - 3_000_000), "once");
    let unknown = json!({"signedTransaction": signed, "requestId": "x"});
    assert_eq!(served.post("/jupiter/swap/v2/execute", &unknown).await["code"], -1);
    let other = served.get(&path).await;
    let swapped = json!({"signedTransaction": served.signed(&other["transaction"]), "requestId": order["requestId"]});
    let code = served.post("/jupiter/swap/v2/execute", &swapped).await["code"].clone();
    assert!(code == -3 || other["requestId"] == order["requestId"], "{code}");
    let unsigned = json!({"signedTransaction": order["transaction"], "requestId": order["requestId"]});
    assert_eq!(served.post("/jupiter/swap/v2/execute", &unsigned).await["code"], -2);
    let poor = served.get(&path.replace("amount=3000000", "amount=3000000000000")).await;
    assert_eq!((&poor["errorCode"], &poor["transaction"]), (&json!(1), &json!("")));
}

//! Best execution, seen from outside: a large order is split over pools, proved, executed whole and told as it was.

use std::collections::BTreeSet;

use domain::amount::parse;
use serde_json::{Value, json};

use crate::site::{Site, body};

/// More than one pool takes at a good price: about a twentieth of what the deepest holds.
const LARGE: &str = "5000";

/// Amounts of any token, in the finest of units.
fn units(amount: &Value) -> u128 {
    parse(amount.as_str().unwrap_or_else(|| panic!("{amount} is no amount")), 12).expect("a decimal")
}

/// The sums of what the legs pay of a token and of what they bring of it.
fn flow(legs: &[Value], token: &str) -> (u128, u128) {
    let of =
        |side: &str, amount: &str| legs.iter().filter(|leg| leg[side] == token).map(|leg| units(&leg[amount])).sum();
    (of("inputToken", "amountIn"), of("outputToken", "amountOut"))
}

/// The legs of a route carry exactly its amounts, and leave nothing on the way.
fn assert_exact(route: &Value) {
    let legs = route["legs"].as_array().unwrap_or_else(|| panic!("{route} has no legs"));
    assert!((1..=16).contains(&legs.len()), "{route}");
    let tokens: BTreeSet<&str> =
        legs.iter().flat_map(|leg| [&leg["inputToken"], &leg["outputToken"]]).filter_map(Value::as_str).collect();
    for token in tokens {
        let (paid, brought) = flow(legs, token);
        match token {
            "SOL" => assert_eq!((paid, brought), (units(&route["amountIn"]), 0), "{route}"),
            "USDC" => assert_eq!((paid, brought), (0, units(&route["amountOut"])), "{route}"),
            _ => assert_eq!(paid, brought, "{token} is left on the way: {route}"),
        }
    }
    for leg in legs {
        assert!(["Raydium", "Meteora"].map(Value::from).contains(&leg["exchange"]), "{leg}");
        assert!(leg["feeToken"] == leg["inputToken"] || leg["feeToken"] == leg["outputToken"], "{leg}");
        assert!(units(&leg["fee"]) > 0 && leg["priceImpactBps"].is_u64(), "{leg}");
        assert!(leg["pool"].is_string() && leg["family"].is_string(), "{leg}");
    }
}

fn order(mode: &str, amount: &str) -> String {
    json!({"inputToken": "SOL", "outputToken": "USDC", "mode": mode, "amount": amount, "slippageBps": 300}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_trade_is_quoted_split_with_its_proof() {
    let site = Site::new().await;
    for (mode, amount) in [("exactIn", LARGE), ("exactOut", "700000")] {
        let quotes = body(site.post("/v1/quotes", order(mode, amount)).send().await.expect("an answer")).await;
        assert_eq!(quotes["best"], "Tradewind", "{quotes}");
        for quote in quotes["quotes"].as_array().expect("quotes").iter().filter(|quote| quote["error"].is_null()) {
            assert_exact(quote);
            let exchanges: BTreeSet<_> =
                quote["legs"].as_array().expect("legs").iter().filter_map(|leg| leg["exchange"].as_str()).collect();
            let venue = quote["venue"].as_str().expect("a name");
            assert!(if venue == "Tradewind" { exchanges.len() == 2 } else { exchanges == BTreeSet::from([venue]) });
            let (fixed, quoted) = if mode == "exactIn" { ("amountIn", "amountOut") } else { ("amountOut", "amountIn") };
            assert_eq!(quote[fixed], amount, "{quote}");
            let gap: f64 = quote["gapBps"].as_str().expect("a gap").parse().expect("a number");
            let (bound, quoted) = (units(&quote["bound"]), units(&quote[quoted]));
            assert!(if mode == "exactIn" { quoted <= bound } else { quoted >= bound }, "{quote}");
            assert!((0.0..if venue == "Tradewind" { 5.0 } else { 1_000.0 }).contains(&gap), "{quote}");
        }
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_trade_stays_at_its_exchange_and_has_its_proof_too() {
    let site = Site::new().await;
    let placed = site.post("/v1/swaps?wait=30", order("exactIn", "0.01")).send().await.expect("an answer");
    let order = body(placed).await;
    let route = &order["route"];
    assert_exact(route);
    if route["legs"].as_array().is_some_and(|legs| legs.len() == 1) {
        assert_eq!(route["venue"], route["legs"][0]["exchange"], "the exchange offers the same: {order}");
    }
    assert!(units(&route["amountOut"]) <= units(&route["bound"]) && route["gapBps"].is_string(), "{order}");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_is_executed_whole_and_as_quoted() {
    let site = Site::new().await;
    let mut as_quoted = 0;
    for (mode, amount) in [("exactIn", LARGE), ("exactOut", "700000")].repeat(4) {
        let placed = site.post("/v1/swaps?wait=30", order(mode, amount)).send().await.expect("an answer");
        let order = body(placed).await;
        assert_eq!(order["status"], "confirmed", "{order}");
        let (route, fill) = (&order["route"], &order["fill"]);
        assert_eq!(route["venue"], "Tradewind", "{order}");
        assert_exact(route);
        assert!(route["legs"].as_array().is_some_and(|legs| legs.len() > 1), "{order}");
        assert!(route["bound"].is_string() && route["gapBps"].is_string(), "{order}");
        let same = fill["amountIn"] == route["amountIn"] && fill["amountOut"] == route["amountOut"];
        assert_eq!(same, fill["againstQuoteBps"] == "0.00000", "{order}");
        as_quoted += u32::from(same);

        let path = format!("/v1/swaps/{}/events", order["id"].as_str().expect("an id"));
        let history = body(site.get(&path).send().await.expect("an answer")).await;
        let audit = &history["data"][2]["data"]["quotes"];
        for quote in audit.as_array().expect("an audit") {
            assert!(quote["legCount"].is_u64() && quote.get("legs").is_none(), "{quote}");
        }
    }
    // The pools move with every slot: an order is filled as quoted if it takes no longer.
    assert!(as_quoted > 0, "no order was executed as it was quoted");
    site.end().await;
}

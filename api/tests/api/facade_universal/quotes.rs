//! Quotes of the facade.

use drivers::venue::universal::{Chain, TOKENS};
use serde_json::json;

use super::{QUOTE, get, post, quote, request, with};
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_has_every_field_of_the_original() {
    let site = Site::idle().await;
    let quote = quote(&site, json!({})).await;
    let fields: Vec<_> =
        quote.as_object().expect("an object").iter().map(|(name, value)| (name.as_str(), value)).collect();
    let texts = [
        "token",
        "token_amount",
        "pair_token",
        "pair_token_amount",
        "blockchain",
        "deadline",
        "id",
        "user_address",
        "merchant_address",
        "merchant_id",
        "gas_fee_nominal",
        "mode",
        "type",
    ];
    for name in texts {
        assert!(quote[name].is_string(), "{name}: {quote}");
    }
    for name in ["gas_fee_dollars", "relayer_nonce", "slippage_bips"] {
        assert!(quote[name].is_number(), "{name}: {quote}");
    }
    assert_eq!(fields.len(), texts.len() + 3, "{quote}");
    let now = engine::clock::now().as_millis() / 1_000;
    let deadline: i64 = quote["deadline"].as_str().and_then(|text| text.parse().ok()).expect("seconds");
    assert!((now..=now + 60).contains(&deadline), "{deadline} {now}");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_body_an_ether_is_sold() {
    let site = Site::idle().await;
    let answer = get(&site, QUOTE, 200).await;
    let quote = &answer["data"];
    let said = ["type", "token", "token_amount", "pair_token", "blockchain", "user_address"].map(|name| &quote[name]);
    let whole = "1000000000000000000";
    let asked = ["SELL", "ETH", whole, "USDC", "BASE", "0x1111111111111111111111111111111111111111"];
    assert_eq!(said, asked.map(serde_json::Value::from).each_ref());
    assert_eq!((&answer["success"], &quote["slippage_bips"]), (&json!(true), &json!(100)));
    assert_eq!(quote["pair_token_amount"], "2994000000", "3,000 dollars less 20 basis points");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tokens_are_quoted_on_all_chains() {
    let site = Site::idle().await;
    for chain in Chain::EVM {
        for token in TOKENS.iter() {
            let quote = quote(&site, json!({"token": token.name, "blockchain": chain.as_str()})).await;
            assert_eq!((&quote["token"], &quote["blockchain"]), (&json!(token.name), &json!(chain.as_str())));
        }
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_amounts_and_odd_slippages_are_taken() {
    let site = Site::idle().await;
    let both = json!({"type": "SELL", "token_amount": "0.5", "pair_token_amount": "1000", "slippage_bips": 12.5});
    let quote = quote(&site, both).await;
    assert_eq!((&quote["token_amount"], &quote["slippage_bips"]), (&json!("500000000000000000"), &json!(12.5)));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_venue_does_not_quote_is_500_with_its_words() {
    let site = Site::idle().await;
    let other = "0x742d35cc6634c0532925a3b8d435c6878c053292";
    for (change, error) in [
        (json!({"pair_token": other}), format!("no route: {other} is not traded here: the pair is USDC")),
        (json!({"pair_token_amount": "lots"}), "\"lots\" is no amount: expected base units as digits".to_owned()),
    ] {
        let answer = post(&site, QUOTE, &with(&request(), change), 500).await;
        let error = error.trim_start_matches("no route: ");
        assert_eq!(answer, json!({"success": false, "error": error}));
    }
    site.end().await;
}

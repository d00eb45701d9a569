//! Orders of the facade: taken once, filled once, and failed when the venue says no.

use api::{FacadeName, Limits, Settings};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ORDER, QUOTE, answer, get, key, made_up, post, quote, request, signed, until, with};
use crate::site::Site;

fn id_of(answer: &Value) -> String {
    let id = answer["data"]["order"]["id"].as_str().expect("an id");
    assert!(id.starts_with("order_") && id.len() == 42, "{id}");
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_order_is_taken_and_is_pending_at_once() {
    let site = Site::new().await;
    let sent = made_up("test_order_1");
    let said = post(&site, ORDER, &with(&sent, json!({"unknown": 1})), 200).await;
    let id = id_of(&said);
    let trace = &said["data"]["order"]["traceId"];
    let order = json!({"id": id, "quote": sent, "status": "PENDING", "traceId": trace});
    let message = "Order created and queued for processing";
    assert_eq!(said, json!({"success": true, "data": {"order": order, "message": message}}));
    let read = get(&site, &format!("{ORDER}/{id}"), 200).await;
    let data = read["data"].as_object().expect("an object");
    let names = ["createdAt", "externalOrderId", "id", "quote", "status", "traceId", "transactionHash", "updatedAt"];
    assert_eq!(data.keys().collect::<Vec<_>>(), names);
    assert_eq!((&data["status"], &data["quote"]["id"]), (&json!("PENDING"), &json!("test_order_1")));
    assert_eq!((&data["externalOrderId"], &data["transactionHash"]), (&Value::Null, &Value::Null));
    // Nobody gave that quote, and the venue says so.
    until(&site, &id, "FAILED").await;
    let native = get_native(&site, &id).await;
    assert_eq!((&native["status"], &native["failure"]["code"]), (&json!("failed"), &json!("QUOTE_UNKNOWN")));
    site.end().await;
}

/// The same order through the native API.
async fn get_native(site: &Site, id: &str) -> Value {
    let id = id.trim_start_matches("order_");
    site.get(&format!("/v1/swaps/{id}")).send().await.expect("an answer").json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_quote_is_filled_to_the_unit() {
    let site = Site::new().await;
    for (changes, mode) in [
        (json!({"pair_token_amount": "25000000"}), "DIRECT"),
        (json!({"type": "SELL", "token": "1INCH", "token_amount": "2.5", "blockchain": "WORLD"}), "BRIDGED"),
    ] {
        let quote = quote(&site, changes).await;
        assert_eq!(quote["mode"], mode);
        let id = id_of(&post(&site, ORDER, &signed(&quote), 200).await);
        let order = until(&site, &id, "SUBMITTED").await;
        assert_eq!(order["quote"], signed(&quote));
        let native = confirmed(&site, &id).await;
        let buys = quote["type"] == "BUY";
        let (token, pair) = if buys { ("amountOut", "amountIn") } else { ("amountIn", "amountOut") };
        let units = |name: &str, decimals| {
            domain::amount::parse(native["fill"][name].as_str().expect("text"), decimals)
                .expect("an amount")
                .to_string()
        };
        assert_eq!(
            (units(token, 18), units(pair, 6)),
            (said(&quote, "token_amount"), said(&quote, "pair_token_amount"))
        );
        assert_eq!(
            (&native["route"]["venue"], &native["fill"]["againstQuoteBps"]),
            (&json!("Universal"), &json!("0.00000"))
        );
        let order = until(&site, &id, "SUBMITTED").await;
        let [external, hash] = ["externalOrderId", "transactionHash"].map(|name| said(&order, name));
        assert_eq!((external.len(), hash.len(), &hash[..2]), (32, 66, "0x"));
        let history: Value = site
            .get(&format!("/v1/swaps/{}/events", id.trim_start_matches("order_")))
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        let types: Vec<&Value> =
            history["data"].as_array().expect("a list").iter().map(|event| &event["type"]).collect();
        assert_eq!(types, ["swap.pending", "swap.routing", "swap.building", "swap.submitted", "swap.confirmed"]);
        assert_eq!(history["data"][2]["data"]["reason"], "the trader signed this quote of Universal");
        assert_eq!(history["data"][2]["data"]["quotes"].as_array().map(Vec::len), Some(1), "no other venue was asked");
    }
    site.end().await;
}

fn said(value: &Value, name: &str) -> String {
    value[name].as_str().expect("text").to_owned()
}

async fn confirmed(site: &Site, id: &str) -> Value {
    for _ in 0..600 {
        let order = get_native(site, id).await;
        if order["status"] == "confirmed" {
            return order;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{id} was never confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_quote_is_one_order_however_often_and_at_once() {
    let site = Site::new().await;
    let sent = signed(&quote(&site, json!({})).await);
    let answers = join_all((0..8).map(|_| post(&site, ORDER, &sent, 200))).await;
    let first = id_of(&answers[0]);
    assert!(answers.iter().all(|answer| id_of(answer) == first), "{answers:?}");
    until(&site, &first, "SUBMITTED").await;
    confirmed(&site, &first).await;
    // Also with another signature, and when it is over.
    let again = site.post(ORDER, with(&sent, json!({"signature": "0x"})).to_string()).send().await.expect("an answer");
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    let again = answer(again, 200).await;
    assert_eq!((id_of(&again), &again["data"]["order"]["status"]), (first.clone(), &json!("SUBMITTED")));
    assert_eq!(again["data"]["order"]["quote"], sent);
    let late = with(&sent, json!({"deadline": "1700000000"}));
    assert_eq!(id_of(&post(&site, ORDER, &late, 200).await), first);
    // Another account's quotes are another's.
    let other = site.post(ORDER, sent.to_string()).header("x-account", "other").send().await.expect("an answer");
    let other = id_of(&answer(other, 200).await);
    assert_ne!(other, first);
    get(&site, &format!("{ORDER}/{other}"), 404).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_venue_refuses_what_is_not_signed_or_was_changed() {
    let site = Site::new().await;
    let quote = quote(&site, json!({})).await;
    let good = signed(&quote);
    let forged = signed(&with(&quote, json!({"token_amount": "99999999999999999999"})));
    for (sent, code) in [
        (with(&good, json!({"signature": format!("0x{}1b", "12".repeat(64))})), "BAD_SIGNATURE"),
        (forged, "QUOTE_UNKNOWN"),
    ] {
        // Of one account a quote is one order.
        let sent = site.post(ORDER, sent.to_string()).header("x-account", code).send().await.expect("an answer");
        let id = id_of(&answer(sent, 200).await);
        for _ in 0..600 {
            let read = site.get(&format!("{ORDER}/{id}")).header("x-account", code).send().await.expect("an answer");
            if answer(read, 200).await["data"]["status"] == "FAILED" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let path = format!("/v1/swaps/{}", id.trim_start_matches("order_"));
        let native = site.get(&path).header("x-account", code).send().await.expect("an answer");
        let native: Value = native.json().await.expect("JSON");
        assert_eq!(native["failure"]["code"], code);
    }
    // The nonce is still good for whom it was given to.
    let id = id_of(&post(&site, ORDER, &good, 200).await);
    confirmed(&site, &id).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_keys_are_honoured() {
    let site = Site::idle().await;
    let send = async |sent: &Value| {
        site.post(ORDER, sent.to_string()).header("idempotency-key", "k-1").send().await.expect("an answer")
    };
    let first = id_of(&answer(send(&made_up("q-1")).await, 200).await);
    let again = send(&made_up("q-2")).await;
    assert_eq!(answer(again, 422).await["error"], "Idempotency-Key was used with another request");
    let bad = site.post(ORDER, made_up("q-3").to_string()).header("idempotency-key", "").send().await;
    assert_eq!(answer(bad.expect("an answer"), 400).await["success"], false);
    assert_eq!(id_of(&post(&site, ORDER, &made_up("q-1"), 200).await), first);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_all_tokens_and_chains_are_taken() {
    let site = Site::idle().await;
    let mut ids = Vec::new();
    for (place, (token, chain)) in ["ETH", "BTC", "SOL", "MATIC"]
        .iter()
        .flat_map(|t| ["ARBITRUM", "BASE", "POLYGON", "WORLD"].map(|c| (*t, c)))
        .enumerate()
    {
        let type_ = if place % 2 == 0 { "BUY" } else { "SELL" };
        let sent = with(&made_up(&format!("q-{place}")), json!({"token": token, "blockchain": chain, "type": type_}));
        ids.push(id_of(&post(&site, ORDER, &sent, 200).await));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 16);
    let odd = with(
        &made_up("odd id, with ümläuts"),
        json!({"slippage_bips": -3.5, "pair_token": key().address().to_string()}),
    );
    let id = id_of(&post(&site, ORDER, &odd, 200).await);
    let native = get_native(&site, &id).await;
    assert_eq!((&native["inputDecimals"], &native["slippageBps"]), (&json!(18), &json!(0)));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_server_wants_a_key_unless_the_facade_is_anonymous() {
    let anonymous = domain::Owner::parse("legacy").expect("an account");
    for let_in in [false, true] {
        let settings = Settings {
            anonymous: if let_in { vec![("universal".to_owned(), anonymous.clone())] } else { Vec::new() },
            ..Settings::default()
        };
        let site = Site::within("paper?pace=instant&seed=1", 0, settings, Limits::default()).await;
        let first = site.post("/v1/keys", r#"{"role":"admin"}"#).send().await.expect("an answer");
        let admin = first.json::<Value>().await.expect("JSON")["key"].as_str().expect("a key").to_owned();
        let status = if let_in { 200 } else { 401 };
        let said = post(&site, QUOTE, &request(), status).await;
        assert_eq!(said["success"], let_in);
        post(&site, ORDER, &made_up("q-1"), status).await;
        let shown = site.get(QUOTE).header("x-api-key", &admin).send().await.expect("an answer");
        answer(shown, 200).await;
        get(&site, "/universal/health/live", 200).await;
        get(&site, "/universal/nothing", 404).await;
        site.end().await;
    }
    assert_eq!(FacadeName::parse("universal"), Some(FacadeName::Universal));
}

//! The venue inside this process, from the quote to the receipt.

mod over_http;

use domain::Owner;
use domain::swap::Mode;
use serde_json::{Value, json};
use simnet::Settings;

use super::*;

const NOW: u64 = 1_800_000_000_000;

fn key() -> Key {
    "11".repeat(32).parse().expect("a key")
}

fn venue(options: &str) -> (Arc<dyn Venue>, Arc<Clock>) {
    let clock = Arc::new(Clock::standing_at(NOW));
    (open_paper(&Settings::parse(options).expect("options"), &clock), clock)
}

/// A quote for a dollar's worth of ether, signed by the key.
async fn signed(venue: &dyn Venue) -> Value {
    let request = json!({"type": "BUY", "token": "ETH", "pair_token": "USDC", "blockchain": "BASE",
        "pair_token_amount": "1000000", "user_address": key().address().to_string()});
    let quote = venue.firm_quote(&request.to_string()).await.expect("a quote");
    let firm: FirmQuote = serde_json::from_str(&quote).expect("a quote");
    let order = firm.to_sign(EXCLUSIVE_DUTCH_ORDER_REACTOR, firm.contract().expect("a token")).expect("an order");
    let mut quote: Value = serde_json::from_str(&quote).expect("JSON");
    quote["signature"] = key().sign(&order.digest()).into();
    quote
}

fn order(signed: &Value) -> Order {
    let ask = Ask { input: "USDC.BASE".into(), output: "uETH.BASE".into(), mode: Mode::ExactIn, amount: 1_000_000 };
    let quote = Quote {
        venue: NAME.into(),
        ask,
        amount_in: 1_000_000,
        amount_out: 1,
        fee: 0,
        price_impact_bps: 0,
        legs: Vec::new(),
        certificate: None,
        opaque: Some(signed.to_string().into()),
    };
    Order { account: Owner::default(), id: "o-1".to_owned(), attempt: 1, quote, limit: 1 }
}

async fn look_up(venue: &dyn Venue, prepared: &Prepared) -> Outcome {
    let mut outcomes = venue.look_up(&[Arc::new(prepared.clone())]).await.expect("an answer");
    outcomes.pop().expect("one")
}

#[tokio::test]
async fn a_signed_quote_is_filled_once() {
    let (venue, clock) = venue("seed=1");
    let signed = signed(venue.as_ref()).await;
    let prepared = venue.prepare(&order(&signed)).await.expect("bytes");
    assert_eq!((prepared.id.len(), prepared.expires_at_height), (64, NOW / 1_000 + 60));
    assert_eq!(venue.receipt(&prepared), None);
    venue.submit(&prepared).await.expect("taken");
    venue.submit(&prepared).await.expect("taken before");
    assert_eq!(look_up(venue.as_ref(), &prepared).await, Outcome::Open);
    clock.advance(1_200);
    let expected = Outcome::Confirmed { amount_in: 1_000_000, amount_out: 332_667_997_338_657, slot: 0 };
    assert_eq!(look_up(venue.as_ref(), &prepared).await, expected);
    let receipt = venue.receipt(&prepared).expect("a receipt");
    assert_eq!((receipt.order_id.len(), receipt.transaction.len()), (32, 66));
    venue.settled(&prepared);
    // Whoever comes after a crash sends it again, and hears of the same order.
    assert_eq!(look_up(venue.as_ref(), &prepared).await, expected);
    assert_eq!(venue.receipt(&prepared), Some(receipt));
}

#[tokio::test]
async fn what_the_venue_refuses_fails_with_its_reason() {
    let (venue, clock) = venue("pace=instant&seed=1");
    let good = signed(venue.as_ref()).await;
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed[name] = value.into();
        changed
    };
    for (changed, code) in [
        (with("signature", "0x12"), "BAD_SIGNATURE"),
        (with("token_amount", "999999999999999999"), "QUOTE_UNKNOWN"),
        (with("id", "made-up"), "QUOTE_UNKNOWN"),
        (json!({"deadline": "1800000060", "type": "BUY", "pair_token_amount": "1"}), "QUOTE_UNKNOWN"),
    ] {
        let prepared = venue.prepare(&order(&changed)).await.expect("bytes");
        venue.submit(&prepared).await.expect("an answer");
        let outcome = look_up(venue.as_ref(), &prepared).await;
        assert!(matches!(&outcome, Outcome::Failed { code: said, .. } if said == code), "{code}: {outcome:?}");
    }
    let prepared = venue.prepare(&order(&good)).await.expect("bytes");
    clock.advance(61_000);
    assert_eq!(look_up(venue.as_ref(), &prepared).await, Outcome::Expired, "it was never sent");
    let late = venue.prepare(&order(&good)).await;
    assert!(matches!(&late, Err(VenueError::Refused { code: "QUOTE_EXPIRED", .. })), "{late:?}");
    for broken in [json!("x"), json!({}), with("deadline", "soon")] {
        let refused = venue.prepare(&order(&broken)).await;
        assert!(matches!(&refused, Err(VenueError::Refused { code: "ORDER_MALFORMED", .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn it_trades_nothing_that_others_trade() {
    let (venue, _) = venue("seed=1");
    let ask = Ask { input: "SOL".into(), output: "USDC".into(), mode: Mode::ExactIn, amount: 1 };
    assert!(!venue.trades(&ask));
    assert!(matches!(venue.quote(&ask.into()).await, Err(VenueError::NoRoute(_))));
    let refused = venue.firm_quote(r#"{"type":"BUY"}"#).await;
    assert!(matches!(refused, Err(VenueError::NoRoute(_))), "{refused:?}");
}

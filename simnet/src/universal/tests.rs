//! The venue's rules, and what is signed against known hashes.

use k256::ecdsa::{RecoveryId, Signature};
use serde_json::{Value, json};

use super::evm::{bytes, recover, text, to_hex};
use super::tokens::hex;
use super::typed_data::{domain, keccak, signed, structure};
use super::*;
use crate::Retention;

const NOW: u64 = 1_763_000_000_123;

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

/// The key of the example in EIP-712: the Keccak-256 of `cow`.
fn cow() -> Key {
    to_hex(&keccak(b"cow")).parse().expect("a key")
}

fn request(change: Value) -> QuoteRequest {
    let mut request = json!({
        "type": "BUY", "token": "ETH", "pair_token": "USDC", "blockchain": "BASE", "slippage_bips": 100,
        "user_address": cow().address().to_string(), "pair_token_amount": "1000000000"
    });
    let Value::Object(change) = change else { panic!("no object: {change}") };
    for (name, value) in change {
        request[name] = value;
    }
    serde_json::from_value(request).expect("a request")
}

/// The address of the key of nothing but sevens.
fn solana_user() -> String {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    solana::Address::new_from_array(key.verifying_key().to_bytes()).to_string()
}

fn venue() -> Rfq {
    Rfq::new(1, Retention::Everything)
}

fn sign(quote: &Quote) -> Order {
    let contract = quote.contract().expect("a token");
    let digest = quote.to_sign(EXCLUSIVE_DUTCH_ORDER_REACTOR, contract).expect("an order").digest();
    Order { quote: quote.clone(), signature: cow().sign(&digest) }
}

#[test]
fn there_are_74_tokens_and_each_has_a_price() {
    assert_eq!(TOKENS.len(), 74);
    assert_eq!((TOKENS[0].name, TOKENS[3].name, TOKENS[73].name), ("ADA", "BTC", "1INCH"));
    assert_eq!(token("BTC").map(|t| t.price), Some(90_000_000_000_000_000));
    assert_eq!(token("PEPE").map(|t| t.price), Some(10_400_000));
    assert!(TOKENS.iter().all(|token| token.price > 0));
    let mut contracts: Vec<_> = TOKENS.iter().map(|token| token.contract().to_string()).collect();
    contracts.sort();
    contracts.dedup();
    assert_eq!(contracts.len(), 74);
}

#[test]
fn constants_are_what_they_say() {
    for (digits, parsed) in [
        ("0x000000000022d473030f116ddee9f6b43ac78ba3", PERMIT2),
        ("0x6000da47483062a0d734ba3dc7576ce6a0b645c4", EXCLUSIVE_DUTCH_ORDER_REACTOR),
    ] {
        assert_eq!((address(digits), parsed.to_string().as_str()), (parsed, digits));
    }
    assert_eq!(Address(hex(b"00000000000000000000000000000000000000af")).0[19], 0xaf);
    for bad in
        ["", "0x", "0xinvalid", "000000000022d473030f116ddee9f6b43ac78ba3", "0x000000000022d473030f116ddee9f6b43ac78ba"]
    {
        assert!(bad.parse::<Address>().is_err(), "{bad}");
    }
}

/// EIP-712, "Example.js": domain separator, message, digest, signer and signature.
#[test]
fn the_example_of_eip_712_is_hashed_and_signed_as_published() {
    const PERSON: &str = "Person(string name,address wallet)";
    const MAIL: &str = "Mail(Person from,Person to,string contents)";
    const DOMAIN: &str = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let word = |text: &str| typed_data::address(address(text));
    let person = |name: &str, wallet: &str| structure(&[PERSON], &[keccak(name.as_bytes()), word(wallet)]);
    let separator = structure(
        &[DOMAIN],
        &[
            keccak(b"Ether Mail"),
            keccak(b"1"),
            typed_data::number(1),
            word("0xcccccccccccccccccccccccccccccccccccccccc"),
        ],
    );
    assert_eq!(to_hex(&separator), "0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
    let mail = structure(
        &[MAIL, PERSON],
        &[
            person("Cow", "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826"),
            person("Bob", "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
            keccak(b"Hello, Bob!"),
        ],
    );
    assert_eq!(to_hex(&mail), "0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
    let digest = signed(&separator, &mail);
    assert_eq!(to_hex(&digest), "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
    assert_eq!(cow().address().to_string(), "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826");
    let signature = cow().sign(&digest);
    assert_eq!(
        signature,
        "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d\
         07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
    );
    assert_eq!(recover(&digest, &signature), Ok(cow().address()));
}

/// What Permit2 answers to `DOMAIN_SEPARATOR()` on Ethereum.
#[test]
fn the_domain_is_that_of_permit2() {
    assert_eq!(to_hex(&domain(1)), "0x866a5aba21966af95d6c7ab78eb2b2fc913915c28be3b9aa07cc04ff903e3f28");
}

/// The order and its hash stand among the tests of Uniswap's routing service (`DUTCH_LIMIT_ORDER_JSON`).
#[test]
fn the_witness_is_hashed_as_uniswapx_hashes_orders() {
    let swapper = address("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    let order = DutchOrder {
        chain: 1,
        reactor: EXCLUSIVE_DUTCH_ORDER_REACTOR,
        swapper,
        nonce: 1,
        deadline: 72,
        decay_start: 0,
        decay_end: 60,
        filler: address("0x1111111111111111111111111111111111111111"),
        override_bps: 12,
        input: address("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984"),
        input_amount: 10_u128.pow(18),
        output: Output {
            token: address("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"),
            start: 10_000,
            end: 9_950,
            recipient: swapper,
        },
    };
    assert_eq!(to_hex(&order.witness()), "0x8859113385dac928f6e064e6d49539fd94cab32687e1a37592ef6f3192948513");
}

#[test]
fn every_token_is_quoted_on_every_chain_both_ways() {
    let venue = venue();
    for token in TOKENS.iter() {
        for chain in Chain::EVM {
            for direction in ["BUY", "SELL"] {
                let change = json!({"type": direction, "token": token.name, "blockchain": chain.as_str()});
                let quote = venue.quote(&request(change), NOW, Twist::None).expect("a quote");
                assert_eq!(quote.pair_token_amount, "1000000000");
                assert_eq!(quote.deadline, "1763000060");
                venue.order(&sign(&quote), NOW, Fate::Filled(0)).expect("an order");
            }
        }
    }
    assert_eq!(venue.ledger(0, 10, NOW).1, 74 * 4 * 2);
}

#[test]
fn amounts_keep_to_the_spread_to_the_unit() {
    let venue = venue();
    let one = "1000000000000000000";
    for (change, token, pair) in [
        // 3,000 dollars and 20 basis points each way.
        (json!({"token_amount": one}), one, "3006000000"),
        (json!({"token_amount": one, "type": "SELL"}), one, "2994000000"),
        (
            json!({"token_amount": "0.5", "pair_token_amount": "1000", "type": "SELL"}),
            "500000000000000000",
            "1497000000",
        ),
        (json!({"pair_token_amount": "3006000000"}), one, "3006000000"),
        (json!({"pair_token_amount": "2994", "type": "SELL"}), "1000000000000", "2994"),
        (json!({"pair_token_amount": "30.06"}), "10000000000000000", "30060000"),
        // What does not come out even goes to the trader: down for who pays, up for who receives.
        (json!({"token_amount": "1000000000000001"}), "1000000000000001", "3006000"),
        (json!({"token_amount": "1000000000000001", "type": "SELL"}), "1000000000000001", "2994001"),
        (json!({"pair_token_amount": "1000"}), "332667997339", "1000"),
        (json!({"pair_token_amount": "1000", "type": "SELL"}), "334001336005", "1000"),
        (json!({"token_amount": one, "referrer_bps": "80"}), one, "3030000000"),
    ] {
        let mut request = request(change.clone());
        if change["pair_token_amount"].is_null() {
            request.pair_token_amount = None;
        }
        let quote = venue.quote(&request, NOW, Twist::None).expect("a quote");
        assert_eq!((quote.token_amount.as_str(), quote.pair_token_amount.as_str()), (token, pair), "{change}");
    }
}

#[test]
fn what_cannot_be_quoted_is_refused() {
    let venue = venue();
    for (change, code) in [
        (json!({"token": "XYZ"}), "TOKEN_UNKNOWN"),
        (json!({"pair_token": "0x742d35cc6634c0532925a3b8d435c6878c053292"}), "PAIR_UNKNOWN"),
        (json!({"blockchain": "SOLANA"}), "MALFORMED_REQUEST"),
        (
            json!({"blockchain": "SOLANA", "user_address": solana_user(), "token": "PEPE", "pair_token_amount": "9000000000000"}),
            "AMOUNT_NOT_QUOTED",
        ),
        (json!({"user_address": "0xinvalid"}), "MALFORMED_REQUEST"),
        (json!({"pair_token_amount": ""}), "MALFORMED_REQUEST"),
        (json!({"referrer_bps": "1001"}), "MALFORMED_REQUEST"),
        (json!({"pair_token_amount": "abc"}), "AMOUNT_NOT_QUOTED"),
        (json!({"pair_token_amount": "-5"}), "AMOUNT_NOT_QUOTED"),
        (json!({"pair_token_amount": "0"}), "AMOUNT_NOT_QUOTED"),
        (json!({"pair_token_amount": "10000000000001"}), "AMOUNT_NOT_QUOTED"),
        (json!({"pair_token_amount": "99999999999999999999999999999999999999"}), "AMOUNT_NOT_QUOTED"),
        (json!({"token_amount": "0.0000000000000000001"}), "AMOUNT_NOT_QUOTED"),
        (json!({"token_amount": "1"}), "AMOUNT_NOT_QUOTED"),
        (json!({"token_amount": "340282366920938463463374607431768211455"}), "AMOUNT_NOT_QUOTED"),
    ] {
        let refused = venue.quote(&request(change.clone()), NOW, Twist::None).expect_err("a refusal");
        assert_eq!(refused.code(), code, "{change}: {refused}");
    }
    let usdc = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
    assert!(venue.quote(&request(json!({"pair_token": usdc})), NOW, Twist::None).is_ok());
}

#[test]
fn an_order_is_filled_once_whoever_repeats_it() {
    let venue = venue();
    let order = sign(&venue.quote(&request(json!({})), NOW, Twist::None).expect("a quote"));
    let first = venue.order(&order, NOW, Fate::Filled(2_000)).expect("an order");
    assert_eq!(venue.order(&order, NOW + 5, Fate::Filled(9_000)), Ok(first.clone()));
    let status = |now| venue.status(&first.order_id, now).map(|fill| fill.status);
    assert_eq!((status(NOW + 1_999), status(NOW + 2_000)), (Some(Status::Pending), Some(Status::Success)));
    assert_eq!(venue.order(&order, NOW + 3_600_000, Fate::Filled(0)), Ok(first.clone()), "also after the deadline");
    assert_eq!(venue.ledger(0, 10, NOW + 2_000).1, 1);
    assert_eq!(venue.ledger(1, 10, NOW + 2_000).0, []);
    assert_eq!(venue.status("other", NOW), None);

    // The same digest has another signature: s and n - s are both good.
    let raw = bytes(&order.signature).expect("bytes");
    let parts = Signature::from_slice(&raw[..64]).expect("a signature");
    let other = Signature::from_scalars(*parts.r(), -*parts.s()).expect("a signature");
    let id = RecoveryId::from_byte(1 - (raw[64] - 27)).expect("an id");
    let again = Order { signature: text(&other.to_bytes(), id), ..order.clone() };
    assert_eq!(venue.order(&again, NOW, Fate::Filled(0)), Err(Refused::NonceUsed(first.order_id)));
}

#[test]
fn what_was_not_quoted_or_not_signed_is_refused() {
    let venue = venue();
    let order = sign(&venue.quote(&request(json!({})), NOW, Twist::None).expect("a quote"));
    let changed = |change: fn(&mut Quote)| {
        let mut quote = order.quote.clone();
        change(&mut quote);
        venue.order(&sign(&quote), NOW, Fate::Filled(0))
    };
    assert_eq!(changed(|q| q.token_amount.push('0')), Err(Refused::QuoteUnknown));
    assert_eq!(changed(|q| q.deadline = "9999999999".to_owned()), Err(Refused::QuoteUnknown));
    assert_eq!(changed(|q| q.relayer_nonce += 1), Err(Refused::QuoteUnknown));
    assert_eq!(changed(|q| q.merchant_id.push('x')), Err(Refused::QuoteUnknown));
    assert_eq!(changed(|q| q.id = "made-up".to_owned()), Err(Refused::QuoteUnknown));
    let late = venue.order(&order, NOW + 61_000, Fate::Filled(0));
    assert_eq!(late, Err(Refused::QuoteExpired));
    let user = order.quote.user_address.clone();
    for signature in ["", "0x", "0x12", &order.signature.replace("1c", "1d"), &format!("0x{}1b", "12".repeat(64))] {
        let order = Order { signature: signature.to_owned(), ..order.clone() };
        assert_eq!(venue.order(&order, NOW, Fate::Filled(0)), Err(Refused::BadSignature(user.clone())), "{signature}");
    }
    let stranger: Key = "11".repeat(32).parse().expect("a key");
    let digest = order.quote.to_sign(EXCLUSIVE_DUTCH_ORDER_REACTOR, order.quote.contract().expect("a token"));
    let forged = Order { signature: stranger.sign(&digest.expect("an order").digest()), ..order.clone() };
    assert_eq!(venue.order(&forged, NOW, Fate::Filled(0)), Err(Refused::BadSignature(user)));
    assert_eq!(venue.ledger(0, 10, NOW).1, 0);
    assert!(venue.order(&order, NOW + 60_000, Fate::Filled(0)).is_ok(), "firm until the deadline");
}

#[test]
fn what_is_dropped_fails_at_the_deadline_and_what_is_settled_is_forgotten_after_it() {
    let venue = Rfq::new(1, Retention::Recent);
    let order = |now| sign(&venue.quote(&request(json!({})), now, Twist::None).expect("a quote"));
    let dropped = venue.order(&order(NOW), NOW, Fate::Dropped).expect("an order").order_id;
    let status = |id: &str, now| venue.status(id, now).map(|fill| fill.status);
    assert_eq!(status(&dropped, NOW + 60_000), Some(Status::Pending));
    assert_eq!(status(&dropped, NOW + 61_000), Some(Status::Failed));
    let first = order(NOW);
    let filled = venue.order(&first, NOW, Fate::Filled(0)).expect("an order").order_id;
    venue.settled(&filled);
    venue.settled(&dropped);
    venue.order(&order(NOW + 60_000), NOW + 60_000, Fate::Filled(0)).expect("an order");
    assert_eq!(status(&filled, NOW + 60_000), Some(Status::Success), "it could still be filled again");
    venue.order(&order(NOW + 61_000), NOW + 62_000, Fate::Filled(0)).expect("an order");
    assert_eq!((status(&filled, NOW), status(&dropped, NOW)), (None, None));
    assert_eq!(venue.order(&first, NOW + 62_000, Fate::Filled(0)), Err(Refused::QuoteExpired));
}

#[test]
fn amounts_may_come_back_as_numbers() {
    let venue = venue();
    let order = sign(&venue.quote(&request(json!({})), NOW, Twist::None).expect("a quote"));
    let mut sent = serde_json::to_value(&order.quote).expect("JSON");
    for name in ["token_amount", "pair_token_amount", "deadline", "gas_fee_nominal"] {
        sent[name] = sent[name].as_str().and_then(|text| text.parse::<u64>().ok()).expect("a number").into();
    }
    sent["signature"] = order.signature.clone().into();
    sent["colour"] = "red".into();
    let sent: Order = serde_json::from_value(sent).expect("an order");
    assert!(venue.order(&sent, NOW, Fate::Filled(0)).is_ok());
}

#[test]
fn what_is_twisted_is_signed_for_all_the_same() {
    let venue = venue();
    let other = venue.quote(&request(json!({"token": "ADA"})), NOW, Twist::OtherToken).expect("a quote");
    assert_eq!(other.token, "ALGO");
    let stale = venue.quote(&request(json!({})), NOW, Twist::Stale).expect("a quote");
    assert_eq!(venue.order(&sign(&stale), NOW, Fate::Filled(0)), Err(Refused::QuoteExpired));
    let order =
        sign(&venue.quote(&request(json!({"pair_token_amount": "3006000000"})), NOW, Twist::None).expect("a quote"));
    venue.order(&order, NOW, Fate::Short(0)).expect("an order");
    let fill = venue.ledger(0, 1, NOW).0.remove(0);
    assert_eq!((&*fill.token_amount, &*fill.pair_token_amount), ("800000000000000000", "3006000000"));
}

#[test]
fn on_solana_a_transaction_is_signed_in_which_both_give() {
    use ed25519_dalek::Signer as _;
    let venue = venue();
    let on_solana = json!({"blockchain": "SOLANA", "user_address": solana_user(), "pair_token_amount": "3006000000"});
    let quote = venue.quote(&request(on_solana), NOW, Twist::None).expect("a quote");
    assert_eq!(quote.token_amount, "1000000000", "one ether of nine decimals");
    let transaction = exchange::read(quote.transaction.as_deref().expect("a transaction")).expect("a transaction");
    assert!(transaction.is_versioned());
    let address = |text: &str| text.parse().expect("an address");
    let both = exchange::Exchange {
        user: address(&quote.user_address),
        merchant: address(&quote.merchant_address),
        paid: exchange::Amount::usdc(3_006_000_000),
        received: exchange::Amount::of(token("ETH").expect("ether"), 1_000_000_000),
    };
    assert!(both.is_done_by(&transaction));
    assert!(!exchange::Exchange { paid: exchange::Amount::usdc(3_006_000_001), ..both }.is_done_by(&transaction));
    let key = |byte: u8| ed25519_dalek::SigningKey::from_bytes(&[byte; 32]);
    let sign = |byte: u8| to_hex(&key(byte).sign(transaction.message()).to_bytes());
    let order = |signature: &str| Order { quote: quote.clone(), signature: signature.to_owned() };
    for bad in [&sign(8)[2..], "", &sign(7)] {
        let refused = venue.order(&order(bad), NOW, Fate::Filled(0));
        assert_eq!(refused, Err(Refused::BadSignature(solana_user())), "{bad}");
    }
    let taken = venue.order(&order(&sign(7)[2..]), NOW, Fate::Filled(0)).expect("an order");
    assert!(solana::transaction::signature(&taken.transaction_hash).is_some(), "the merchant's signature");
    assert_eq!(venue.order(&order(&sign(7)[2..]), NOW, Fate::Filled(0)), Ok(taken));
}

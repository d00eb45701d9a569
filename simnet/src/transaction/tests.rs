//! Bytes read back as they were written, and nothing else does.

use proptest::prelude::*;

use super::*;
use crate::Wallets;

fn swap() -> Swap<'static> {
    Swap {
        account: "default",
        input_mint: "So11111111111111111111111111111111111111112",
        wrap: true,
        output_mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        unwrap: false,
        amount: Amount::In(1_000_000_000),
        limit: 149_000_000,
        steps: vec![
            Step { pool: 3, input: Side::A, amount: 600_000_000 },
            Step { pool: 700, input: Side::B, amount: 400_000_000 },
        ],
        order: "0197f5c4-7a53-7d36-8f3e-9f6a4f1b8c11",
        build: 1,
    }
}

#[test]
fn signed_bytes_read_back() {
    let key = Wallets::default().key("default");
    let blockhash = Blockhash { slot: 7, hash: [9; 16] };
    for (amount, wrap, unwrap) in [(Amount::In(5), true, false), (Amount::Out(7), false, true)] {
        let swap = Swap { amount, wrap, unwrap, ..swap() };
        let signed = swap.sign(&blockhash, &key).expect("it fits");
        assert!(signed.bytes.len() < 500);
        let bytes = decode(&signed.bytes).expect("base64");
        let parsed = Parsed::read(&bytes).expect("well formed");
        assert_eq!((&parsed.swap, parsed.blockhash), (&swap, blockhash));
        assert!(parsed.is_signed_by(&key));
        assert!(!parsed.is_signed_by(&Wallets::default().key("other")));
        assert_eq!(signed.expires_at_height, 157);
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let key = Wallets::default().key("default");
    let signed = swap().sign(&Blockhash { slot: 7, hash: [9; 16] }, &key).expect("it fits");
    let good = decode(&signed.bytes).expect("base64");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(!Parsed::read(&bad).is_ok_and(|p| p.is_signed_by(&key)), "byte {at}");
        assert!(Parsed::read(&good[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn steps_are_few_and_each_in_another_pool() {
    let key = Wallets::default().key("default");
    let step = |pool| Step { pool, input: Side::A, amount: 1 };
    for (steps, fits) in [
        (Vec::new(), false),
        ((0..16).map(step).collect(), true),
        ((0..17).map(step).collect(), false),
        (vec![step(1), step(2), step(1)], false),
    ] {
        let swap = Swap { steps, ..swap() };
        assert_eq!(swap.sign(&Blockhash { slot: 7, hash: [9; 16] }, &key).is_ok(), fits, "{swap:?}");
    }
}

#[test]
fn long_texts_are_refused() {
    let (long, key) = ("x".repeat(65), Wallets::default().key("default"));
    let swap = Swap { order: &long, ..swap() };
    assert!(swap.sign(&Blockhash { slot: 7, hash: [9; 16] }, &key).is_err());
    assert!(decode(&"A".repeat(TRANSACTION_BYTES + 4)).is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(parsed) = Parsed::read(&bytes) {
            prop_assert!(!parsed.is_signed_by(&Wallets::default().key("default")));
        }
    }
}

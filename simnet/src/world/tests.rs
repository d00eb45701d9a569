//! Settlement under every option, with a clock that jumps.

use super::*;
use crate::ledger::Failure;
use crate::{Amount, SLOT_MILLIS, Side, Step, Venue};

mod plans;

const NOW: u64 = 1_800_000_000_000;
const SOL: &str = "So11111111111111111111111111111111111111112";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

fn tokens() -> Vec<Token> {
    let token = |symbol: &str, mint: &str, decimals, price, native| Token {
        symbol: symbol.into(),
        mint: mint.into(),
        decimals,
        reference_price: price,
        native,
    };
    vec![
        token("SOL", SOL, 9, Some(150_000_000_000_000), true),
        token("wSOL", SOL, 9, Some(150_000_000_000_000), false),
        token("USDC", USDC, 6, Some(1_000_000_000_000), false),
        token("WIF", "EKpQ", 6, None, false),
    ]
}

fn world(options: &str) -> World {
    let settings = Settings::parse(options).expect("good options");
    World::new(settings, tokens(), Retention::Everything, NOW).expect("good tokens")
}

/// Sells one SOL over the first pool of the two, whatever it is.
fn swap(order: &str) -> Swap<'_> {
    Swap {
        account: "default",
        input_mint: SOL,
        wrap: true,
        output_mint: USDC,
        unwrap: false,
        amount: Amount::In(1_000_000_000),
        limit: 1,
        steps: vec![Step { pool: 0, input: Side::A, amount: 1 }],
        order,
        build: 1,
    }
}

fn sign(world: &World, swap: &Swap<'_>, now: u64) -> Signed {
    world.sign(swap, &world.blockhash(now)).expect("it fits")
}

fn fate(world: &World, signed: &Signed, now: u64) -> Outcome {
    world.look_up(&[LookUp { id: &signed.id, expires_at_height: signed.expires_at_height }], now)[0]
}

fn executed(world: &World, now: u64) -> usize {
    world.records(0, 1_000, now).1
}

fn ask<'a>(input: &'a str, output: &'a str, amount: Amount) -> Ask<'a> {
    Ask { venue: Venue::Raydium, input, output, amount }
}

#[test]
fn a_real_transaction_waits_five_to_seven_slots() {
    let world = world("seed=3");
    for n in 0..20 {
        let order = n.to_string();
        let signed = sign(&world, &swap(&order), NOW);
        world.submit(&signed.bytes, NOW).expect("taken");
        assert_eq!(fate(&world, &signed, NOW), Outcome::Open);
    }
    assert_eq!(executed(&world, NOW + 4 * SLOT_MILLIS), 0);
    assert_eq!(executed(&world, NOW + 8 * SLOT_MILLIS), 20);
    let (records, _) = world.records(0, 100, NOW + 8 * SLOT_MILLIS);
    let waits: Vec<_> = records.iter().map(|record| record.slot - slot_of(NOW)).collect();
    assert!(waits.is_sorted() && waits.iter().all(|wait| (5..=7).contains(wait)), "{waits:?}");
}

#[test]
fn the_usual_slippage_holds_between_quote_and_block() {
    let world = world("");
    let mut now = NOW;
    for n in 0..300 {
        let ask = Ask { venue: Venue::ALL[n % 3], ..ask("SOL", "USDC", Amount::In(1_000_000_000)) };
        let quote = world.quote(&ask, now).expect("a quote");
        let limit = quote.amount_out - quote.amount_out * 50 / 10_000;
        let order = n.to_string();
        let steps = quote.steps(Amount::In(1_000_000_000));
        let signed = sign(&world, &Swap { limit, steps, ..swap(&order) }, now);
        now += 200;
        world.submit(&signed.bytes, now).expect("taken");
        now += 8 * SLOT_MILLIS;
        assert!(matches!(fate(&world, &signed, now), Outcome::Confirmed { .. }), "order {n}");
    }
}

#[test]
fn the_same_seed_gives_the_same_outcome_in_any_order() {
    let run = |backwards: bool| {
        let world = world("seed=9&fail=0.3&drop=0.2");
        let mut orders: Vec<_> = (0..50).map(|n| format!("order-{n}")).collect();
        if backwards {
            orders.reverse();
        }
        let mut signed: Vec<_> = orders.iter().map(|order| sign(&world, &swap(order), NOW)).collect();
        for signed in &signed {
            world.submit(&signed.bytes, NOW).expect("taken");
        }
        signed.sort_by(|a, b| a.id.cmp(&b.id));
        signed.iter().map(|signed| fate(&world, signed, NOW + 10 * SLOT_MILLIS)).collect::<Vec<_>>()
    };
    let fates = run(false);
    assert_eq!(fates, run(true));
    for seen in [Outcome::Open, Outcome::Failed(Failure::ExecutionFailed)] {
        assert!(fates.contains(&seen), "{seen:?}");
    }
}

#[test]
fn unknown_is_open_until_the_expiry_is_final() {
    for (pace, behind) in [("real", 32), ("instant", 0)] {
        let world = world(&format!("pace={pace}"));
        let signed = sign(&world, &swap("a"), NOW);
        let at = |slots: u64| NOW + slots * SLOT_MILLIS;
        assert_eq!(fate(&world, &signed, at(150 + behind)), Outcome::Open);
        assert_eq!(fate(&world, &signed, at(151 + behind)), Outcome::Expired);
        assert_eq!(world.submit(&signed.bytes, at(151)), Err(Refused::BlockhashExpired));
        assert_eq!(executed(&world, at(400)), 0);
    }
}

#[test]
fn a_transaction_that_would_be_included_too_late_never_is() {
    let world = world("");
    let signed = sign(&world, &swap("a"), NOW);
    world.submit(&signed.bytes, NOW + 148 * SLOT_MILLIS).expect("taken");
    assert_eq!(fate(&world, &signed, NOW + 170 * SLOT_MILLIS), Outcome::Open);
    assert_eq!(fate(&world, &signed, NOW + 190 * SLOT_MILLIS), Outcome::Expired);
    assert_eq!(executed(&world, NOW + 190 * SLOT_MILLIS), 0);
}

#[test]
fn dropped_bytes_have_another_chance_and_execute_once() {
    let world = world("pace=instant&drop=0.5");
    for n in 0..50 {
        let order = n.to_string();
        let signed = sign(&world, &swap(&order), NOW);
        for _ in 0..40 {
            world.submit(&signed.bytes, NOW).expect("taken");
        }
    }
    assert_eq!(executed(&world, NOW), 50);
}

#[test]
fn refusals_say_why() {
    let world = world("pace=instant");
    let key = world.wallets().key("default");
    let forged = swap("a").sign(&world.blockhash(NOW), &world.wallets().key("thief")).expect("it fits");
    assert_eq!(world.submit(&forged.bytes, NOW), Err(Refused::BadSignature));
    let mut tampered = decode(&sign(&world, &swap("a"), NOW).bytes).expect("base64");
    tampered[100] ^= 1;
    let tampered = Signed::of(&tampered, &world.blockhash(NOW)).bytes;
    assert!(world.submit(&tampered, NOW).is_err());
    let elsewhere = swap("a").sign(&world.blockhash(NOW), &key).expect("it fits");
    assert!(world.submit(&elsewhere.bytes, NOW).is_ok(), "verified in full");
    for slot in [slot_of(NOW) + 1, 5] {
        let hash = [7; 16];
        let unknown = swap("a").sign(&Blockhash { slot, hash }, &key).expect("it fits");
        assert_eq!(world.submit(&unknown.bytes, NOW), Err(Refused::BlockhashUnknown));
    }
    let early = swap("a").sign(&world.blockhash_of(slot_of(NOW) + 1), &key).expect("it fits");
    assert_eq!(world.submit(&early.bytes, NOW), Err(Refused::BlockhashUnknown));
    assert!(matches!(world.submit("%", NOW), Err(Refused::Malformed(_))));
    for (ask, says) in [
        (ask("SOL", "DOGE", Amount::In(1)), "unknown"),
        (ask("SOL", "WIF", Amount::In(1)), "no pool"),
        (ask("SOL", "wSOL", Amount::In(1)), "no pool"),
        (ask("SOL", "USDC", Amount::In(0)), "zero"),
        (ask("SOL", "USDC", Amount::Out(u64::MAX)), "hold"),
    ] {
        assert!(matches!(world.quote(&ask, NOW), Err(Refused::NoRoute(why)) if why.contains(says)), "{ask:?}");
    }
}

#[test]
fn finite_wallets_run_short_and_keep_sol_apart_from_wrapped_sol() {
    let world = world("pace=instant&balance=2");
    let held = || world.balances("default", NOW).into_iter().map(|b| b.amount).collect::<Option<Vec<_>>>();
    assert_eq!(held(), Some(vec![2_000_000_000, 2_000_000_000, 2_000_000, 2_000_000]));
    for (order, fits) in [("a", true), ("b", true), ("c", false)] {
        let signed = sign(&world, &swap(order), NOW);
        world.submit(&signed.bytes, NOW).expect("taken");
        match fate(&world, &signed, NOW) {
            Outcome::Confirmed { .. } => assert!(fits),
            other => assert!(!fits && other == Outcome::Failed(Failure::InsufficientBalance), "{other:?}"),
        }
    }
    let held = held().expect("finite");
    assert_eq!(held[..2], [0, 2_000_000_000]);
    assert!(held[2] > 200_000_000);
}

#[test]
fn quotes_stall_and_fail_as_told() {
    let ask = ask("SOL", "USDC", Amount::In(1));
    assert_eq!(world("pace=instant").quote_delay(&ask, NOW), 0);
    assert_eq!(world("pace=instant&stall=1").quote_delay(&ask, NOW), 10_000);
    assert!((150..=250).contains(&world("").quote_delay(&ask, NOW)));
    assert_eq!(world("fail=1").quote(&ask, NOW), Err(Refused::VenueFailed));
}

#[test]
fn an_execution_is_not_forgotten_before_it_is_settled() {
    let settings = Settings::parse("pace=real&seed=3").expect("good options");
    let world = World::new(settings, tokens(), Retention::Recent, NOW).expect("good tokens");
    let signed = sign(&world, &swap("asleep"), NOW);
    world.submit(&signed.bytes, NOW).expect("taken");
    let a_night_later = NOW + 8 * 3_600_000;
    for _ in 0..2 {
        let fate = fate(&world, &signed, a_night_later);
        assert!(matches!(fate, Outcome::Confirmed { .. }), "{fate:?}");
    }
    world.settled(&signed.id, a_night_later);
    assert_eq!(fate(&world, &signed, a_night_later), Outcome::Expired);
}

#[test]
fn a_world_begun_anew_stands_where_the_last_one_stood() {
    let later = NOW + 40_000;
    let settings = Settings::parse("").expect("good options");
    let [old, new] =
        [NOW, later].map(|begins| World::new(settings, tokens(), Retention::Recent, begins).expect("good tokens"));
    for venue in Venue::ALL {
        let ask = Ask { venue, ..ask("SOL", "USDC", Amount::In(1_000_000_000)) };
        old.quote(&ask, NOW).expect("a quote");
        let [before, after] = [&old, &new].map(|world| world.quote(&ask, later).expect("a quote").amount_out);
        assert_eq!(before, after);
    }
}

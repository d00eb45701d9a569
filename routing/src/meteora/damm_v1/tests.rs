//! The properties that every pool of DAMM v1 has. That it does what the program does, the vectors hold it to.

use proptest::prelude::*;

use super::*;
use crate::dyadic::{Dyadic, Round};

const NOW: u64 = 1_700_000_000;

/// A vault of which a pool holds `tokens` or a little more.
fn vault(tokens: u64) -> impl Strategy<Value = (Vault, u64)> {
    (1_000_u64..2_000, 1_u64..20, 0_u64..60, 0_u64..50_000, 100_u64..1_001).prop_map(
        move |(yielded, others, locked, age, liquid)| {
            let total = tokens.saturating_mul(others);
            let lp_supply = (total / yielded * 1_000).max(others) + total % yielded / 2;
            let vault = Vault {
                total_amount: total,
                lp_supply,
                token_reserve: (total / 1_000 * liquid).max(1),
                last_updated_locked_profit: total / 1_000 * locked,
                last_report: NOW - age,
                locked_profit_degradation: 27_777_777,
            };
            (vault, lp_supply.div_ceil(others))
        },
    )
}

fn curve() -> impl Strategy<Value = (Curve, u64, u64)> {
    let stable = (1_u64..5_000, 0_usize..3).prop_map(|(amp, decimals)| {
        let (a, b) = [(1, 1), (1, 1_000), (1_000, 1)][decimals];
        let stable = Stable { amp, token_a_multiplier: a, token_b_multiplier: b, precision_factor: 9 };
        (Curve::Stable(stable), 1_000 / a.min(1_000), 1_000 / b.min(1_000))
    });
    prop_oneof![Just((Curve::ConstantProduct, 1, 1)), stable]
}

fn pool() -> impl Strategy<Value = MeteoraDammV1> {
    let reserves = (1_000_000_u64..1_000_000_000_000, 100_u64..10_000);
    let fees = (prop_oneof![Just(0_u64), 0_u64..5_000], prop_oneof![Just(0_u64), 0_u64..100_001]);
    (curve(), reserves, fees)
        .prop_flat_map(|((curve, up_a, up_b), (a, part), (trade, protocol))| {
            let b = (a / 1_000 * part).max(1_000);
            (Just(curve), vault(a * up_a), vault(b * up_b), Just((trade, protocol)))
        })
        .prop_map(|(curve, (vault_a, pool_vault_a_lp), (vault_b, pool_vault_b_lp), (trade, protocol))| MeteoraDammV1 {
            curve,
            trade_fee_numerator: trade,
            trade_fee_denominator: 100_000,
            protocol_trade_fee_numerator: protocol,
            protocol_trade_fee_denominator: 100_000,
            pool_vault_a_lp,
            pool_vault_b_lp,
            vault_a,
            vault_b,
        })
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

fn amount() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(amount, less)| (amount >> less).max(1))
}

/// What pieces, filled in order, promise for an amount.
fn promised(pieces: &[Piece], amount: u64) -> Dyadic {
    let (mut rest, mut sum) = (Dyadic::whole(amount), Dyadic::ZERO);
    for piece in pieces {
        let end = match *piece {
            Piece::Curve { cap, .. } => cap,
            Piece::Line { cap, .. } => Some(cap),
        };
        let taken = end.filter(|cap| cap.order(&rest).is_lt()).unwrap_or(rest);
        let given = match *piece {
            Piece::Curve { x, y, .. } => y.mul(taken, Round::Up).div(x.add(taken, Round::Down), Round::Up),
            Piece::Line { rate, .. } => rate.mul(taken, Round::Up),
        };
        sum = sum.add(given, Round::Up);
        rest = rest.sub(taken, Round::Up);
    }
    sum
}

/// Units of the token paid, and of that received, which shares, fees and iterations take by their rounding.
fn rounding(pool: &MeteoraDammV1, input: Side) -> (u64, u64) {
    let share = |vault: &Vault| vault.total_amount.div_ceil(vault.lp_supply);
    let (a, b) = (share(&pool.vault_a), share(&pool.vault_b));
    if input == Side::A { (a + 2, b + 2) } else { (b + 2, a + 2) }
}

/// The promise for a little less than an amount is no more than what the amount gives and a little more.
fn is_close(pool: &MeteoraDammV1, pieces: &[Piece], swap: &Swap, input: Side, part: u128) -> bool {
    let (paid, received) = rounding(pool, input);
    let all = promised(pieces, swap.amount_in);
    // What the rounding takes of the input is worth what the next units paid would bring.
    let lost = promised(pieces, (4 * paid).min(swap.amount_in));
    let given = Dyadic::whole(swap.amount_out);
    let room = given.mul(Dyadic::ratio(part, 1_000_000_000, Round::Up), Round::Up);
    let bound = given.add(room, Round::Up).add(lost, Round::Up).add(Dyadic::whole(received), Round::Up);
    all.order(&bound).is_le()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_promise_no_less_than_the_program_gives(pool in pool(), input in side(), amount in amount()) {
        prop_assert_eq!(pool.check(), Ok(()));
        let pieces = pool.pieces(input, NOW).expect("a pool that can be has pieces");
        prop_assert!(pieces.len() <= 1_030);
        let Ok(swap) = pool.quote(input, Amount::In(amount), NOW) else { return Ok(()) };
        let promise = promised(&pieces, amount);
        prop_assert!(promise.order(&Dyadic::whole(swap.amount_out)).is_ge(), "{} for {:?}", promise.to_float(), swap);
        // A chain of lines stands 0.2 basis points above a stable curve at most, up to four fifths of the reserve.
        let stable = matches!(pool.curve, Curve::Stable(_));
        let reserve = pool.view(input, NOW).expect("it has one").limit();
        if !stable || swap.amount_out <= reserve / 5 * 4 {
            let part = if stable { 20_000 } else { 1 };
            prop_assert!(is_close(&pool, &pieces, &swap, input, part), "{} for {:?}", promise.to_float(), swap);
        }
    }

    #[test]
    fn the_input_of_an_output_gives_it_and_none_smaller_does(pool in pool(), input in side(), amount in amount()) {
        let Ok(swap) = pool.quote(input, Amount::Out(amount), NOW) else { return Ok(()) };
        prop_assert!(swap.amount_out >= amount);
        prop_assert_eq!(pool.quote(input, Amount::In(swap.amount_in), NOW), Ok(swap));
        for less in 1..30 {
            let Some(smaller) = swap.amount_in.checked_sub(less) else { break };
            let smaller = pool.quote(input, Amount::In(smaller), NOW);
            prop_assert!(smaller.is_err() || smaller.is_ok_and(|smaller| smaller.amount_out < amount), "{} less", less);
        }
    }

    #[test]
    fn every_output_that_an_input_gives_has_an_input(pool in pool(), input in side(), amount in amount()) {
        let Ok(swap) = pool.quote(input, Amount::In(amount), NOW) else { return Ok(()) };
        let back = pool.quote(input, Amount::Out(swap.amount_out), NOW);
        prop_assert!(back.is_ok_and(|back| back.amount_in <= amount), "{:?} {:?}", swap, back);
    }

    #[test]
    fn a_swap_does_what_its_quote_says(pool in pool(), input in side(), amount in amount(), out: bool) {
        let amount = if out { Amount::Out(amount) } else { Amount::In(amount) };
        let quote = pool.quote(input, amount, NOW);
        let mut after = pool.clone();
        prop_assert_eq!(after.apply(input, amount, NOW), quote);
        let Ok(swap) = quote else {
            prop_assert_eq!(after, pool);
            return Ok(());
        };
        prop_assert_eq!(after.check(), Ok(()));
        let (paid, received, paid_before, received_before) = match input {
            Side::A => (&after.vault_a, &after.vault_b, &pool.vault_a, &pool.vault_b),
            Side::B => (&after.vault_b, &after.vault_a, &pool.vault_b, &pool.vault_a),
        };
        prop_assert_eq!(paid.total_amount, paid_before.total_amount + swap.amount_in - swap.fees.protocol);
        prop_assert_eq!(paid.token_reserve, paid_before.token_reserve + swap.amount_in - swap.fees.protocol);
        prop_assert_eq!(received.total_amount, received_before.total_amount - swap.amount_out);
        prop_assert_eq!(swap.fees.total, swap.fees.protocol + swap.fees.compounding);
        prop_assert!(invariant(&after) >= invariant(&pool), "{} after {}", invariant(&after), invariant(&pool));
    }

    #[test]
    fn two_halves_are_no_more_than_the_whole(pool in pool(), input in side(), amount in amount(), more in amount()) {
        let mut split = pool.clone();
        let (Ok(first), Ok(second)) = (split.apply(input, Amount::In(amount), NOW), split.apply(input, Amount::In(more), NOW)) else {
            return Ok(());
        };
        let Some(sum) = amount.checked_add(more) else { return Ok(()) };
        let Ok(whole) = pool.quote(input, Amount::In(sum), NOW) else { return Ok(()) };
        // The whole can lose to rounding what its parts do not.
        let pieces = pool.pieces(input, NOW).expect("it has some");
        let (paid, received) = rounding(&pool, input);
        let lost = u64::try_from(promised(&pieces, 4 * paid).ceil()).expect("it is small");
        prop_assert!(first.amount_out + second.amount_out <= whole.amount_out + lost + received, "{:?} {:?} {:?}", first, second, whole);
    }

    #[test]
    fn nothing_panics(pool in pool(), numbers in proptest::array::uniform16(any::<u64>()), shift in 0_u32..64, input in side(), now: u64) {
        let [amount, trade, trades, protocol, protocols, shares_a, shares_b, amp, up, rest @ ..] = numbers.map(|number| number >> shift);
        let [total, supply, reserve, locked, degradation, other, report] = rest;
        let vault = Vault {
            total_amount: total, lp_supply: supply, token_reserve: reserve, last_updated_locked_profit: locked,
            last_report: report, locked_profit_degradation: degradation,
        };
        let curve = match pool.curve {
            Curve::ConstantProduct => Curve::ConstantProduct,
            Curve::Stable(_) => Curve::Stable(Stable { amp, token_a_multiplier: up, token_b_multiplier: other, precision_factor: 9 }),
        };
        let mut pool = MeteoraDammV1 {
            curve, trade_fee_numerator: trade, trade_fee_denominator: trades, protocol_trade_fee_numerator: protocol,
            protocol_trade_fee_denominator: protocols, pool_vault_a_lp: shares_a, pool_vault_b_lp: shares_b,
            vault_a: vault, ..pool
        };
        let _ = (pool.check(), pool.price(input), pool.pieces(input, now));
        let _ = (pool.quote(input, Amount::In(amount), now), pool.quote(input, Amount::Out(amount), now));
        let _ = (pool.apply(input, Amount::In(amount), now), pool.apply(input, Amount::Out(amount), now));
    }
}

/// What the pool holds constant.
fn invariant(pool: &MeteoraDammV1) -> u128 {
    let view = pool.view(Side::A, NOW).expect("it has reserves");
    match &pool.curve {
        Curve::ConstantProduct => u128::from(view.reserve_in) * u128::from(view.reserve_out),
        Curve::Stable(stable) => {
            let (a, b) = (
                stable::scaled(view.reserve_in, stable.token_a_multiplier),
                stable::scaled(view.reserve_out, stable.token_b_multiplier),
            );
            stable.invariant(a, b).expect("it has one")
        }
    }
}

#[test]
fn a_state_that_cannot_be_is_named() {
    let vault = r#"{"total_amount":"1000000","lp_supply":"900000","token_reserve":"1000000","last_updated_locked_profit":"0",
        "last_report":"1","locked_profit_degradation":"27777777"}"#;
    let text = format!(
        r#"{{"curve":"stable","amp":"100","token_a_multiplier":"1","token_b_multiplier":"1","precision_factor":"9",
        "trade_fee_numerator":"250","trade_fee_denominator":"100000","protocol_trade_fee_numerator":"20000",
        "protocol_trade_fee_denominator":"100000","pool_vault_a_lp":"900000","pool_vault_b_lp":"800000",
        "vault_a":{vault},"vault_b":{vault}}}"#
    );
    let pool: MeteoraDammV1 = serde_json::from_str(&text).expect("it is well formed");
    assert_eq!(pool.check(), Ok(()));
    let again: MeteoraDammV1 =
        serde_json::from_str(&serde_json::to_string(&pool).expect("it is written")).expect("it is read");
    assert_eq!(again, pool);
    let field = |change: fn(&mut MeteoraDammV1)| {
        let mut pool = pool.clone();
        change(&mut pool);
        match pool.check() {
            Err(PoolError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(field(|pool| pool.trade_fee_denominator = 250), "trade_fee_numerator");
    assert_eq!(field(|pool| pool.trade_fee_denominator = 0), "trade_fee_denominator");
    assert_eq!(field(|pool| pool.protocol_trade_fee_denominator = 0), "protocol_trade_fee_denominator");
    assert_eq!(field(|pool| pool.pool_vault_a_lp = 900_001), "pool_vault_a_lp");
    assert_eq!(field(|pool| pool.vault_b.lp_supply = 0), "vault_b.lp_supply");
    assert_eq!(field(|pool| pool.vault_b.total_amount = 0), "vault_b.total_amount");
    assert_eq!(
        field(|pool| pool.curve =
            Curve::Stable(Stable { amp: 0, token_a_multiplier: 1, token_b_multiplier: 1, precision_factor: 9 })),
        "amp"
    );
    assert!(serde_json::from_str::<MeteoraDammV1>(&text.replace("stable", "cubic")).is_err());
    assert!(serde_json::from_str::<MeteoraDammV1>(&text.replace("\"250\"", "\"-250\"")).is_err());
}

/// A stable pool of two like vaults.
fn even(multiplier_b: u64, token_reserve_b: u64) -> MeteoraDammV1 {
    let vault = |token_reserve| Vault {
        total_amount: 2_000_000_000,
        lp_supply: 2_000_000_000,
        token_reserve,
        last_updated_locked_profit: 0,
        last_report: 0,
        locked_profit_degradation: 0,
    };
    let curve = Stable { amp: 60, token_a_multiplier: 1, token_b_multiplier: multiplier_b, precision_factor: 6 };
    MeteoraDammV1 {
        curve: Curve::Stable(curve),
        trade_fee_numerator: 100,
        trade_fee_denominator: 100_000,
        protocol_trade_fee_numerator: 0,
        protocol_trade_fee_denominator: 100_000,
        pool_vault_a_lp: 1_000_000_000,
        pool_vault_b_lp: 1_000_000_000,
        vault_a: vault(2_000_000_000),
        vault_b: vault(token_reserve_b),
    }
}

/// However odd the reserves: else this takes the best part of a minute.
#[test]
fn a_chain_of_lines_is_soon_found() {
    let began = std::time::Instant::now();
    for input in Side::BOTH {
        even(1 << 63, 2).pieces(input, NOW).expect("pieces");
    }
    assert!(began.elapsed().as_secs() < 5);
}

#[test]
fn what_cannot_be_booked_is_not_quoted() {
    let mut pool = even(1, u64::MAX);
    let quoted = pool.quote(Side::B, Amount::In(1_000), NOW);
    assert_eq!(quoted, Err(PoolError::Overflow));
    assert_eq!(pool.apply(Side::B, Amount::In(1_000), NOW), quoted);
}

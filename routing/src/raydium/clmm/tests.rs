//! What holds for every CLMM pool, tried on pools that nobody recorded: gaps, orders, dynamic fees, states that cannot be.
#![expect(clippy::float_arithmetic, reason = "pieces are evaluated near enough to be held against whole amounts")]

mod states;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ruint::Uint;

use self::states::{example, pool, side, units};
use super::price_math::amount;
use super::*;
use crate::dyadic::{Dyadic, Round};

type U512 = Uint<512, 8>;

/// What the pieces promise for an amount, how many are used, and how much finds none.
fn promised(pieces: &[Piece], units: u64) -> (f64, usize, f64) {
    let (mut left, mut out) = (units as f64, 0.0);
    for (used, piece) in pieces.iter().enumerate() {
        let cap = match piece {
            Piece::Curve { cap, .. } => cap.map_or(f64::MAX, Dyadic::to_float),
            Piece::Line { cap, .. } => cap.to_float(),
        };
        let paid = left.min(cap);
        out += match piece {
            Piece::Curve { x, y, .. } => y.to_float() * paid / (x.to_float() + paid),
            Piece::Line { rate, .. } => rate.to_float() * paid,
        };
        left -= paid;
        if left <= 0.0 {
            return (out, used + 1, 0.0);
        }
    }
    (out, pieces.len(), left)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn ticks_and_prices_lead_to_each_other(tick in MIN_TICK..MAX_TICK, part in 0_u64..) {
        let (low, high) = (sqrt_price_at_tick(tick).unwrap(), sqrt_price_at_tick(tick + 1).unwrap());
        prop_assert!(low < high);
        prop_assert_eq!(tick_at_sqrt_price(low), Some(tick));
        prop_assert_eq!(tick_at_sqrt_price(low + u128::from(part) % (high - low)), Some(tick));
        prop_assert_eq!(tick_at_sqrt_price(high - 1), Some(tick));
    }

    #[test]
    fn amounts_between_prices_are_those_of_wide_integers(
        one in MIN_TICK..=MAX_TICK, other in MIN_TICK..=MAX_TICK, liquidity: u128, shift in 0_u32..128,
    ) {
        let (one, other) = (sqrt_price_at_tick(one).unwrap(), sqrt_price_at_tick(other).unwrap());
        let liquidity = liquidity >> shift;
        let product = U512::from(liquidity) * U512::from(one.abs_diff(other));
        let exact = [
            (Side::A, product << 64, U512::from(one) * U512::from(other)),
            (Side::B, product, U512::from(1) << 64),
        ];
        for (token, above, below) in exact {
            for (round, expected) in [(Round::Down, above / below), (Round::Up, above.div_ceil(below))] {
                let expected: Option<u64> = expected.try_into().ok();
                prop_assert_eq!(amount(token, one, other, liquidity, round), expected);
            }
        }
    }

    #[test]
    fn prices_after_amounts_are_those_of_wide_integers(
        tick in MIN_TICK..=MAX_TICK, liquidity: u128, shift in 1_u32..127, units in units(),
    ) {
        let price = sqrt_price_at_tick(tick).unwrap();
        let liquidity = (liquidity >> shift).max(1);
        let (wide, above) = (U512::from(price), U512::from(liquidity) * U512::from(1_u128 << 64));
        let change: U512 = U512::from(units) * wide;
        let fits = |value: U512| -> Option<u128> { value.try_into().ok() };
        let expected = fits((above * wide).div_ceil(above + change));
        prop_assert_eq!(price_math::after_input(Side::A, price, liquidity, units), expected);
        let expected = (change < above).then(|| (above * wide).div_ceil(above - change)).and_then(fits);
        prop_assert_eq!(price_math::after_output(Side::A, price, liquidity, units), expected);
    }

    #[test]
    fn a_swap_is_its_quote_and_leaves_a_state_that_can_be(
        mut pool in pool(), input in side(), units in units(), exact_in: bool, now in 900_u64..2_000,
    ) {
        prop_assert_eq!(pool.check(), Ok(()));
        let amount = if exact_in { Amount::In(units) } else { Amount::Out(units) };
        let (before, quoted) = (pool.clone(), pool.quote(input, amount, now));
        prop_assert_eq!(&pool.apply(input, amount, now), &quoted);
        match quoted {
            Ok(swap) => {
                prop_assert_eq!(pool.check(), Ok(()));
                prop_assert!(swap.fees.protocol + swap.fees.fund + swap.fees.claiming == swap.fees.total);
                // Paid back at once, what came out buys no more than was paid for it: nothing was taken from the pool.
                if let Ok(back) = pool.quote(input.other(), Amount::In(swap.amount_out), now) {
                    prop_assert!(back.amount_out <= swap.amount_in, "{:?} and back {:?}", swap, back);
                }
            }
            Err(_) => prop_assert_eq!(pool, before),
        }
    }

    #[test]
    fn more_paid_gives_no_less_and_in_two_trades_no_more(
        mut pool in pool(), input in side(), one in units(), other in units(), now in 900_u64..2_000,
    ) {
        let (part, all) = (one.min(other), one.max(other));
        let Ok(whole) = pool.quote(input, Amount::In(all), now) else { return Ok(()) };
        let Ok(first) = pool.apply(input, Amount::In(part), now) else { return Ok(()) };
        prop_assert!(first.amount_out <= whole.amount_out);
        // At the accumulator's maximum the program looks at the fee once for a whole range between ticks. Where that range
        // leads back to the reference a second swap looks again, and pays less: no rounding bounds by how much.
        if pool.dynamic_fee.is_some() {
            return Ok(());
        }
        let Ok(second) = pool.quote(input, Amount::In(all - part), now) else { return Ok(()) };
        prop_assert!(first.amount_out + second.amount_out <= whole.amount_out + 2, "{:?} {:?} {:?}", whole, first, second);
    }

    #[test]
    fn what_exact_out_asks_for_buys_it(pool in pool(), input in side(), units in units(), now in 900_u64..2_000) {
        if let Ok(swap) = pool.quote(input, Amount::Out(units), now) {
            prop_assert_eq!(swap.amount_out, units);
            let bought = pool.quote(input, Amount::In(swap.amount_in), now);
            prop_assert!(bought.is_ok_and(|bought| bought.amount_out >= units), "{:?} {:?}", swap, bought);
        }
    }

    #[test]
    fn a_limit_is_never_passed(pool in pool(), input in side(), units in units(), tick in -2_500..2_500_i32) {
        let mut pool = pool;
        let limit = sqrt_price_at_tick(tick).unwrap();
        if let Ok(swap) = pool.apply_to(input, Amount::In(units), 1_000, Some(limit)) {
            let stopped = match input {
                Side::A => pool.sqrt_price_x64 >= limit,
                Side::B => pool.sqrt_price_x64 <= limit,
            };
            prop_assert!(stopped && (swap.amount_in == units || pool.sqrt_price_x64 == limit));
        }
    }

    #[test]
    fn pieces_promise_no_less_and_hardly_more(pool in pool(), input in side(), units in units(), now in 900_u64..2_000) {
        let pieces = pool.pieces(input, now).unwrap();
        let Ok(swap) = pool.quote(input, Amount::In(units), now) else { return Ok(()) };
        let ((promised, used, left), given) = (promised(&pieces, units), swap.amount_out as f64);
        prop_assert!(promised * (1.0 + 1e-9) >= given, "{} promised, {} given", promised, given);
        prop_assert!(left <= units as f64 * 1e-9 + 1.0, "{} of {} finds no piece", left, units);
        let price = pool.price(input).unwrap();
        let rounding = 3.0 * used as f64 * (1.0 + 1.3 * price.numerator as f64 / price.denominator as f64);
        prop_assert!(promised <= given * (1.0 + 1e-9) + rounding, "{} promised, {} given", promised, given);
    }

    #[test]
    fn no_state_makes_it_panic(
        pool in pool(), price: u128, tick_current: i32, liquidity: u128, rates: (u32, u32, u32), tick_spacing: u16,
        ticks in vec((any::<i32>(), any::<i128>(), any::<u128>(), any::<u64>(), any::<u64>()), 0..4), keep: u8,
        fee: (u16, u16, u16, u32, u32, i32, u32, u32), input in side(), units: u64, exact_in: bool, now: u64,
        limit in option::of(any::<u128>()),
    ) {
        let mut pool = pool;
        let kept = |bit: u8| keep >> bit & 1 == 1;
        if !kept(0) { pool.sqrt_price_x64 = price; }
        if !kept(1) { pool.tick_current = tick_current; }
        if !kept(2) { pool.liquidity = liquidity; }
        if !kept(3) { (pool.trade_fee_rate, pool.protocol_fee_rate, pool.fund_fee_rate) = rates; }
        if !kept(4) { pool.tick_spacing = tick_spacing; }
        if !kept(5) {
            pool.ticks.extend(ticks.into_iter().map(|(number, net, gross, new, partly_filled)| {
                let mut tick = Tick::new(number, net, gross);
                (tick.orders_amount, tick.part_filled_orders_remaining) = (new, partly_filled);
                tick
            }));
        }
        if !kept(6) {
            pool.dynamic_fee = Some(DynamicFee {
                filter_period: fee.0, decay_period: fee.1, reduction_factor: fee.2, dynamic_fee_control: fee.3,
                max_volatility_accumulator: fee.4 >> 12, tick_spacing_index_reference: fee.5,
                volatility_reference: fee.6, volatility_accumulator: fee.7, last_update_timestamp: now / 2,
            });
        }
        let amount = if exact_in { Amount::In(units) } else { Amount::Out(units) };
        let (before, quoted) = (pool.clone(), pool.quote_to(input, amount, now, limit));
        let _ = (pool.price(input), pool.pieces(input, now), pool.check());
        if pool.apply_to(input, amount, now, limit).is_err() {
            prop_assert_eq!(pool, before);
        } else {
            prop_assert!(quoted.is_ok());
        }
    }
}

#[test]
fn a_dynamic_fee_never_makes_more_pieces_than_are_allowed() {
    let liquidity = 1_000_000_000_000;
    let pool = RaydiumClmm {
        tick_spacing: 1,
        sqrt_price_x64: 1 << 64,
        tick_current: 0,
        liquidity,
        fee_on: FeeOn::Input,
        ticks: vec![Tick::new(-20_000, 1_000_000_000_000, liquidity), Tick::new(20_000, -1_000_000_000_000, liquidity)],
        dynamic_fee: Some(DynamicFee {
            filter_period: 1,
            decay_period: 2,
            reduction_factor: 1,
            dynamic_fee_control: 5_000,
            max_volatility_accumulator: u32::MAX,
            last_update_timestamp: 1,
            ..DynamicFee::default()
        }),
        ..example()
    };
    for input in Side::BOTH {
        let pieces = pool.pieces(input, 1_000).unwrap();
        assert!((500..=512).contains(&pieces.len()), "{}", pieces.len());
        for units in [1_000_000, 20_000_000_000, 500_000_000_000, 1_500_000_000_000] {
            let given = pool.quote(input, Amount::In(units), 1_000).unwrap().amount_out as f64;
            assert!(promised(&pieces, units).0 * (1.0 + 1e-9) >= given);
        }
    }
}

#[test]
fn states_that_cannot_be_are_named() {
    let good = example();
    let refused = |change: &dyn Fn(&mut RaydiumClmm)| {
        let mut bad = good.clone();
        change(&mut bad);
        match bad.check() {
            Err(PoolError::Invalid { field, .. }) => field,
            other => panic!("{other:?} for {bad:?}"),
        }
    };
    assert_eq!(refused(&|pool| pool.tick_spacing = 0), "tick_spacing");
    assert_eq!(refused(&|pool| pool.sqrt_price_x64 = MAX_SQRT_PRICE_X64), "sqrt_price_x64");
    assert_eq!(refused(&|pool| pool.tick_current += 2), "tick_current");
    assert_eq!(refused(&|pool| pool.liquidity += 1), "liquidity");
    assert_eq!(refused(&|pool| pool.trade_fee_rate = 1_000_000), "trade_fee_rate");
    assert_eq!(refused(&|pool| pool.fund_fee_rate = 1_000_000), "fund_fee_rate");
    assert_eq!(refused(&|pool| pool.ticks.reverse()), "ticks");
    assert_eq!(refused(&|pool| pool.ticks.push(Tick::new(MAX_TICK + 1, 0, 1))), "ticks");
    assert_eq!(
        refused(&|pool| pool.dynamic_fee = Some(DynamicFee { filter_period: 9, ..Default::default() })),
        "dynamic_fee"
    );
}

#[test]
fn a_state_survives_json() {
    let pool = RaydiumClmm { dynamic_fee: Some(DynamicFee::default()), fee_on: FeeOn::Token1, ..example() };
    let json = serde_json::to_value(&pool).unwrap();
    assert_eq!(json["fee_on"], "2");
    assert_eq!(serde_json::from_value::<RaydiumClmm>(json.clone()).unwrap(), pool);
    let mut wrong = json;
    wrong["fee_on"] = "3".into();
    assert!(serde_json::from_value::<RaydiumClmm>(wrong).is_err());
}

//! Properties that hold for every pool, and states that cannot be.

#![expect(clippy::float_arithmetic, reason = "pieces are compared with quotes within a margin")]

use proptest::prelude::*;
use ruint::aliases::U256;

use super::volatility::{RATE_ONE, fee_beside, fee_within};
use super::*;

/// When every pool here was last moved.
const MOVED_AT: u64 = 1_790_000_000;

/// Numbers of every magnitude below `2^bits`.
fn units(bits: u32) -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..bits).prop_map(|(number, shift)| number >> (63 - shift))
}

/// What the bins of a pool are drawn from: the distance to the bin before, four amounts, and whether there are orders.
type Draw = (i32, u64, u64, u64, u64, bool);

fn draw() -> impl Strategy<Value = Draw> {
    let distance = prop_oneof![4 => Just(1), 1 => 2..20];
    (distance, units(45), units(45), units(45), units(45), any::<bool>())
}

/// Bins in rising order; liquidity lies on the side of the active bin where it can, orders that nobody has reached too.
fn bins(draws: &[Draw], active: usize, first: u128, step: u16) -> (Vec<Bin>, i32) {
    let (mut id, mut price_x64, mut active_id) = (-700, first, 0);
    let mut bins = Vec::new();
    for (place, &(distance, x, y, open, processed, with_orders)) in draws.iter().enumerate() {
        for _ in 0..distance {
            price_x64 += price_x64 * u128::from(step) / 10_000;
        }
        id += distance;
        if place == active {
            active_id = id;
        }
        let orders = u64::from(with_orders);
        bins.push(Bin {
            id,
            price_x64,
            amount_x: if place >= active { x } else { 0 },
            amount_y: if place <= active { y } else { 0 },
            open_order_amount: open * orders,
            processed_order_remaining_amount: processed * orders,
            limit_order_ask_side: u8::from(place > active || (place == active && x % 2 == 0)),
        });
    }
    (bins, active_id)
}

/// Pools that can be.
fn pools() -> impl Strategy<Value = MeteoraDlmm> {
    let steps = prop_oneof![Just(1_u16), Just(10), Just(25), Just(100), Just(400)];
    let state = (steps, 0..20_000_u16, 0..3_000_000_u32, 0..600_000_u32, 0..300_000_u32, 0..300_000_u32);
    let rest = (0..=1_u8, 1..=2_u8, 0..=2_500_u16, -15..15_i32, 50..75_u32);
    (state, rest, prop::collection::vec(draw(), 1..30), any::<prop::sample::Index>()).prop_map(
        |((bin_step, base_factor, control, maximum, accumulator, reference), rest, draws, active)| {
            let (collect_fee_mode, function_type, protocol_share, off, price_bits) = rest;
            let (bins, active_id) = bins(&draws, active.index(draws.len()), 3 << price_bits, bin_step);
            MeteoraDlmm {
                bin_step,
                active_id,
                base_factor,
                base_fee_power_factor: 0,
                variable_fee_control: control,
                max_volatility_accumulator: maximum,
                filter_period: 30,
                decay_period: 600,
                reduction_factor: 5_000,
                protocol_share,
                volatility_accumulator: accumulator,
                volatility_reference: reference,
                index_reference: active_id + off,
                last_update_timestamp: MOVED_AT,
                collect_fee_mode,
                function_type,
                min_bin_id: -800,
                max_bin_id: 800,
                protocol_fee_x: 5,
                protocol_fee_y: 7,
                bins,
            }
        },
    )
}

/// Any state at all: the numbers of a pool that can be, each perhaps put off by anything.
fn hostile() -> impl Strategy<Value = MeteoraDlmm> {
    let numbers = (any::<[u32; 4]>(), any::<[u16; 6]>(), any::<[u8; 3]>(), any::<[i32; 4]>(), any::<[u64; 3]>());
    let any_bin = (any::<i32>(), any::<u128>(), 0..128_u32, any::<[u64; 4]>(), any::<u8>());
    let any_bins = prop::collection::vec(any_bin, 0..20);
    (pools(), numbers, any_bins, any::<u32>()).prop_map(|(mut pool, (wide, short, bytes, ids, long), bins, which)| {
        let put_off = |bit: u32| which >> bit & 1 == 1;
        if put_off(0) {
            [pool.variable_fee_control, pool.max_volatility_accumulator, _, _] = wide;
            [_, _, pool.volatility_accumulator, pool.volatility_reference] = wide;
        }
        if put_off(1) {
            [pool.bin_step, pool.base_factor, pool.filter_period, ..] = short;
            [.., pool.decay_period, pool.reduction_factor, pool.protocol_share] = short;
        }
        if put_off(2) {
            [pool.base_fee_power_factor, pool.collect_fee_mode, pool.function_type] = bytes;
        }
        if put_off(3) {
            [pool.active_id, pool.index_reference, pool.min_bin_id, pool.max_bin_id] = ids;
        }
        if put_off(4) {
            [pool.last_update_timestamp, pool.protocol_fee_x, pool.protocol_fee_y] = long;
        }
        for (place, (id, price, shift, amounts, side)) in bins.into_iter().enumerate() {
            let Some(bin) = pool.bins.get_mut(place) else { break };
            if which >> 5 & 1 << (place % 16) == 0 {
                continue;
            }
            let [amount_x, amount_y, open_order_amount, processed_order_remaining_amount] = amounts;
            let id = if side & 4 == 0 { bin.id } else { id };
            let price_x64 = price >> shift;
            let limit_order_ask_side = side & 1;
            *bin = Bin {
                id,
                price_x64,
                amount_x,
                amount_y,
                open_order_amount,
                processed_order_remaining_amount,
                limit_order_ask_side,
            };
        }
        pool
    })
}

fn sides() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

fn amounts(bits: u32) -> impl Strategy<Value = Amount> {
    prop_oneof![units(bits).prop_map(Amount::In), units(bits).prop_map(Amount::Out)]
}

/// Before, within and after the two periods.
fn times() -> impl Strategy<Value = u64> {
    prop_oneof![Just(MOVED_AT - 9), Just(MOVED_AT + 29), Just(MOVED_AT + 30), Just(MOVED_AT + 600), any::<u64>()]
}

/// What the units of the token received that one unit paid buys can be at most: what roundings cost.
fn unit_price(pool: &MeteoraDlmm, input: Side) -> f64 {
    let rate = |piece: &Piece| match piece {
        Piece::Line { rate, .. } => rate.to_float(),
        Piece::Curve { .. } => 0.0,
    };
    pool.pieces(input, MOVED_AT).expect("pieces").iter().map(rate).fold(1.0, f64::max)
}

/// What the pieces promise for an amount, and how many of them it needs. Of an amount that is more than all of them the rest
/// buys nothing: the program takes it for roundings.
fn promised(pieces: &[Piece], amount: u64) -> (f64, u32) {
    let (mut left, mut out, mut used) = (amount as f64, 0.0, 0);
    for piece in pieces {
        let Piece::Line { rate, cap } = piece else { panic!("a bin is a line") };
        used += 1;
        out += rate.to_float() * left.min(cap.to_float());
        left -= cap.to_float();
        if left <= 0.0 {
            break;
        }
    }
    (out, used)
}

/// A bin's liquidity at the bin's own price, which never moves.
fn value(bin: &Bin) -> U256 {
    U256::from(bin.amount_x) * U256::from(bin.price_x64) + (U256::from(bin.amount_y) << 64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn apply_does_what_quote_says(pool in pools(), input in sides(), amount in amounts(50), now in times()) {
        prop_assert_eq!(pool.check(), Ok(()));
        let mut after = pool.clone();
        let swap = after.apply(input, amount, now);
        prop_assert_eq!(pool.quote(input, amount, now), swap);
        let Ok(swap) = swap else {
            prop_assert_eq!(after, pool);
            return Ok(());
        };
        prop_assert_eq!(after.check(), Ok(()));
        match amount {
            Amount::In(given) => prop_assert_eq!(swap.amount_in, given),
            Amount::Out(wanted) => prop_assert_eq!(swap.amount_out, wanted),
        }
        prop_assert!(swap.fees.protocol + swap.fees.limit_orders <= swap.fees.total);
        for (before, after) in pool.bins.iter().zip(&after.bins) {
            prop_assert!(value(after) >= value(before), "{before:?} {after:?}");
        }
    }

    #[test]
    fn nothing_panics(pool in hostile(), input in sides(), amount in amounts(63), now in times()) {
        let mut after = pool.clone();
        let swap = after.apply(input, amount, now);
        prop_assert_eq!(pool.quote(input, amount, now), swap);
        if swap.is_err() {
            prop_assert_eq!(&after, &pool);
        }
        let _ = (pool.check(), pool.price(input), pool.pieces(input, now));
    }

    #[test]
    fn more_in_is_never_less_out(pool in pools(), input in sides(), a in units(50), b in units(50), now in times()) {
        let out = |units| pool.quote(input, Amount::In(units), now).map(|swap| swap.amount_out);
        if let (Ok(few), Ok(many)) = (out(a.min(b)), out(a.max(b))) {
            prop_assert!(few <= many);
        }
    }

    #[test]
    fn paying_what_exact_out_asks_is_enough(pool in pools(), input in sides(), wanted in units(50), now in times()) {
        if let Ok(swap) = pool.quote(input, Amount::Out(wanted), now) {
            let back = pool.quote(input, Amount::In(swap.amount_in), now).expect("an input that was quoted");
            prop_assert!(back.amount_out >= wanted, "{swap:?} {back:?}");
        }
    }

    /// While the reference stands. Without a move it is renewed, and decays, at every swap: there the program itself gives
    /// more to those who split.
    #[test]
    fn two_swaps_give_no_more_than_one(pool in pools(), input in sides(), a in units(48), b in units(48)) {
        let mut split = pool.clone();
        let first = split.apply(input, Amount::In(a), MOVED_AT);
        let second = split.apply(input, Amount::In(b), MOVED_AT);
        if let (Ok(first), Ok(second)) = (first, second)
            && let Ok(whole) = pool.quote(input, Amount::In(a + b), MOVED_AT)
        {
            let more = (first.amount_out + second.amount_out) as f64 - whole.amount_out as f64;
            prop_assert!(more <= 2.0 + 2.0 * unit_price(&pool, input), "{first:?} {second:?} {whole:?}");
        }
    }

    #[test]
    fn pieces_promise_what_the_program_gives(pool in pools(), input in sides(), amount in units(50), now in times()) {
        let pieces = pool.pieces(input, now).expect("pieces");
        if let Ok(swap) = pool.quote(input, Amount::In(amount), now) {
            let (most, used) = promised(&pieces, amount);
            let out = swap.amount_out as f64;
            prop_assert!(most >= out * (1.0 - 1e-12), "{most} {out}");
            // A unit for each of three layers, one for the fee and one at the end.
            let dust = 5.0 * f64::from(used) * unit_price(&pool, input);
            prop_assert!(most <= out * (1.0 + 1e-9) + dust, "{most} {out} {used}");
        }
    }

    #[test]
    fn fees_are_those_of_whole_numbers(amount: u64, rate in 0..=RATE_ONE / 10) {
        let (wide, rate_wide, one) = (U256::from(amount), U256::from(rate), U256::from(RATE_ONE));
        prop_assert_eq!(U256::from(fee_within(amount, rate)), (wide * rate_wide).div_ceil(one));
        prop_assert_eq!(U256::from(fee_beside(amount, rate)), (wide * rate_wide).div_ceil(one - rate_wide));
        let net = amount >> 4;
        let gross = net + fee_beside(net, rate);
        prop_assert_eq!(gross - fee_within(gross, rate), net);
        prop_assert!(gross == 0 || gross - 1 - fee_within(gross - 1, rate) < net);
    }

    #[test]
    fn prices_multiply_and_divide_as_whole_numbers(amount: u64, price: u128, shift in 0..128_u32) {
        let price_x64 = (price >> shift).max(1);
        let (wide, price, one) = (U256::from(amount), U256::from(price_x64), U256::from(1) << 64);
        let fits = |value: U256| -> Result<u64, PoolError> { value.try_into().map_err(|_| PoolError::Overflow) };
        let (shifted, product): (U256, U256) = (wide << 64, wide * price);
        let terms = |input| Terms { price: price_x64, rate: 0, input, fee_on_input: true, protocol_share: 0 };
        prop_assert_eq!(terms(Side::A).input_for(amount), fits(shifted.div_ceil(price)));
        prop_assert_eq!(terms(Side::A).output_for(amount), fits(product / one));
        prop_assert_eq!(terms(Side::B).input_for(amount), fits(product.div_ceil(one)));
        prop_assert_eq!(terms(Side::B).output_for(amount), fits(shifted / price));
    }

    #[test]
    fn the_place_of_a_bin_is_that_of_a_plain_search(pool in pools(), id in -820..820_i32) {
        prop_assert_eq!(pool.place(id), pool.bins.partition_point(|bin| bin.id < id));
    }
}

/// A pool of three bins, the middle one active, at the prices 1/2, 1 and 2, one per cent of fee.
fn small() -> MeteoraDlmm {
    let bin = |id, price_x64, amount_x, amount_y| Bin {
        id,
        price_x64,
        amount_x,
        amount_y,
        open_order_amount: 0,
        processed_order_remaining_amount: 0,
        limit_order_ask_side: 0,
    };
    MeteoraDlmm {
        bin_step: 100,
        active_id: 0,
        base_factor: 10_000,
        base_fee_power_factor: 0,
        variable_fee_control: 0,
        max_volatility_accumulator: 0,
        filter_period: 30,
        decay_period: 600,
        reduction_factor: 5_000,
        protocol_share: 1_000,
        volatility_accumulator: 0,
        volatility_reference: 0,
        index_reference: 0,
        last_update_timestamp: MOVED_AT,
        collect_fee_mode: 0,
        function_type: 1,
        min_bin_id: -10,
        max_bin_id: 10,
        protocol_fee_x: 0,
        protocol_fee_y: 0,
        bins: vec![bin(-1, 1 << 63, 0, 1_000), bin(0, 1 << 64, 1_000, 1_000), bin(1, 1 << 65, 1_000, 0)],
    }
}

#[test]
fn known_amounts() {
    let pool = small();
    let out = |input, units| pool.quote(input, Amount::In(units), MOVED_AT).map(|swap| swap.amount_out);
    assert_eq!(out(Side::A, 100), Ok(99));
    assert_eq!(out(Side::A, 1_011), Ok(1_000));
    assert_eq!(out(Side::A, 1_011 + 100), Ok(1_000 + 49));
    assert_eq!(out(Side::B, 1_011 + 100), Ok(1_000 + 49));
    assert_eq!(out(Side::A, 0), Err(PoolError::ZeroAmount));
    assert_eq!(out(Side::A, 1), Err(PoolError::ZeroOutput));
    assert_eq!(out(Side::A, 10_000), Err(PoolError::InsufficientLiquidity));
    let paid = |units| pool.quote(Side::A, Amount::Out(units), MOVED_AT).map(|swap| swap.amount_in);
    assert_eq!(paid(99), Ok(100));
    assert_eq!(paid(2_000), Ok(1_011 + 2_021));
    assert_eq!(paid(2_001), Err(PoolError::InsufficientLiquidity));
    assert_eq!(pool.price(Side::A), Ok(Ratio { numerator: 1 << 64, denominator: 1 << 64 }));
}

/// Changes a pool that can be into one that cannot.
type Damage = fn(&mut MeteoraDlmm);

#[test]
fn states_that_cannot_be_are_refused() {
    assert_eq!(small().check(), Ok(()));
    let cases: [(&str, Damage); 20] = [
        ("bin_step", |pool| pool.bin_step = 0),
        ("bin_step", |pool| pool.bin_step = 401),
        ("base_fee_power_factor", |pool| pool.base_fee_power_factor = 40),
        ("reduction_factor", |pool| pool.reduction_factor = 10_001),
        ("protocol_share", |pool| pool.protocol_share = 10_001),
        ("collect_fee_mode", |pool| pool.collect_fee_mode = 2),
        ("function_type", |pool| pool.function_type = 3),
        ("min_bin_id", |pool| pool.min_bin_id = i32::MIN),
        ("max_bin_id", |pool| pool.max_bin_id = i32::MAX),
        ("active_id", |pool| pool.active_id = 11),
        ("bins.id", |pool| pool.bins.swap(0, 1)),
        ("bins.id", |pool| pool.bins[1].id = -1),
        ("bins.id", |pool| pool.bins[2].id = 11),
        ("bins.price_x64", |pool| pool.bins[0].price_x64 = 0),
        ("bins.price_x64", |pool| pool.bins[1].price_x64 = 1 << 66),
        ("bins.amount_x", |pool| pool.bins[0].amount_x = 1),
        ("bins.amount_y", |pool| pool.bins[2].amount_y = 1),
        ("bins.amount_x", |pool| pool.bins[2].amount_x = u64::MAX),
        ("bins.amount_y", |pool| pool.bins[0].open_order_amount = u64::MAX),
        ("bins.limit_order_ask_side", |pool| pool.bins[0].limit_order_ask_side = 2),
    ];
    for (expected, damage) in cases {
        let mut pool = small();
        damage(&mut pool);
        match pool.check() {
            Err(PoolError::Invalid { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn numbers_in_json_are_text_and_some_may_be_absent() {
    let text = serde_json::to_value(small()).expect("JSON");
    assert_eq!(text["bins"][1]["price_x64"], "18446744073709551616");
    let mut few = text.clone();
    few.as_object_mut().expect("an object").retain(|key, _| !key.starts_with("protocol_fee"));
    assert_eq!(serde_json::from_value::<MeteoraDlmm>(few).expect("a pool"), small());
    let mut wrong = text;
    wrong["bins"][0]["amount_y"] = serde_json::json!("-1");
    assert!(serde_json::from_value::<MeteoraDlmm>(wrong).is_err());
}

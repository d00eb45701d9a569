//! The properties that every pool of DAMM v2 has. That it does what the program does, the vectors hold it to.

use proptest::prelude::*;

use super::base_fee::{MarketCapScheduler, TimeScheduler};
use super::rate_limiter::RateLimiter;
use super::*;
use crate::dyadic::{Dyadic, Round};

const START: u64 = 1_700_000_000;

fn base_fee(limited: bool) -> impl Strategy<Value = BaseFee> {
    let cliff = prop_oneof![Just(0_u64), Just(100_000), Just(2_500_000), 0..500_000_000_u64];
    let numbers = (0_u16..300, 0_u64..100, 0_u64..10_001, 1_u32..2_000, 0_u32..100_000);
    let limiter = (1_u16..600, 1_u32..43_201, 0_u32..9_900, 1..u64::MAX, 0_u32..64);
    (cliff, numbers, limiter, 0..5_u8).prop_map(
        move |(cliff, (periods, seconds, share, step, expires), limiter, mode)| {
            let linear = cliff / u64::from(periods.max(1)) * share / 10_000;
            let time = |reduction_factor| TimeScheduler {
                cliff_fee_numerator: cliff,
                number_of_period: periods,
                period_frequency: seconds,
                reduction_factor,
            };
            let market_cap = |reduction_factor| MarketCapScheduler {
                cliff_fee_numerator: cliff,
                number_of_period: periods,
                sqrt_price_step_bps: step,
                scheduler_expiration_duration: expires,
                reduction_factor,
            };
            match mode {
                0 => BaseFee::TimeLinear(time(linear)),
                1 => BaseFee::TimeExponential(time(share)),
                2 if limited => BaseFee::RateLimiter(RateLimiter {
                    cliff_fee_numerator: cliff,
                    fee_increment_bps: limiter.0,
                    max_limiter_duration: limiter.1,
                    max_fee_bps: limiter.2.max(5_000),
                    reference_amount: (limiter.3 >> limiter.4).max(1),
                }),
                3 => BaseFee::MarketCapLinear(market_cap(linear)),
                _ => BaseFee::MarketCapExponential(market_cap(share)),
            }
        },
    )
}

fn dynamic_fee() -> impl Strategy<Value = DynamicFee> {
    (0..2_u8, 0_u32..16_777_216, 0_u32..16_777_216).prop_map(|(initialized, control, accumulator)| DynamicFee {
        initialized,
        bin_step: 1,
        variable_fee_control: control,
        max_volatility_accumulator: 16_777_215,
        volatility_accumulator: accumulator.into(),
        volatility_reference: 0,
        filter_period: 10,
        decay_period: 120,
        reduction_factor: 5_000,
    })
}

fn pool(modes: std::ops::Range<u8>) -> impl Strategy<Value = MeteoraDammV2> {
    let mode = modes.prop_map(|mode| match mode {
        0 => CollectFeeMode::BothTokens,
        1 => CollectFeeMode::OnlyB,
        _ => CollectFeeMode::Compounding,
    });
    let prices = (1_u128 << 40..1 << 88, 1_u128..1_000_000, 1_u128..1_000_000, 0_u128..1_000_001);
    let shares = (0_u8..101, 0_u8..101, 0_u16..10_001, any::<bool>());
    mode.prop_flat_map(move |mode| {
        let curve = (1_u128 << 64..u128::MAX, 0_u32..64, 1..u64::MAX, 1..u64::MAX, 0_u32..48, 0_u32..48);
        let fees = (base_fee(mode == CollectFeeMode::OnlyB), proptest::option::of(dynamic_fee()));
        (Just(mode), prices.clone(), shares.clone(), curve, fees)
    })
    .prop_map(
        |(
            mode,
            (sqrt_price, below, above, began),
            (protocol, referral, compounding, high),
            curve,
            (base_fee, dynamic_fee),
        )| {
            let (liquidity, less, a, b, less_a, less_b) = curve;
            let part = sqrt_price / 1_000_000;
            MeteoraDammV2 {
                liquidity: (liquidity >> less).max(1 << 64),
                sqrt_min_price: sqrt_price - part * below / 2 - 1,
                sqrt_max_price: sqrt_price + part * above * 4 + 1,
                sqrt_price,
                collect_fee_mode: mode,
                fee_version: if high { FeeVersion::Almost } else { FeeVersion::Half },
                activation_type: ActivationType::Timestamp,
                activation_point: START,
                init_sqrt_price: (sqrt_price / 1_000_000 * began).max(1 << 39),
                token_a_amount: (a >> less_a).max(1),
                token_b_amount: (b >> less_b).max(1),
                protocol_fee_percent: protocol,
                referral_fee_percent: referral,
                compounding_fee_bps: if mode == CollectFeeMode::Compounding { compounding } else { 0 },
                base_fee,
                dynamic_fee,
            }
        },
    )
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
        let Piece::Curve { x, y, cap } = *piece else { panic!("a pool of DAMM v2 has no lines") };
        let taken = cap.filter(|cap| cap.order(&rest).is_lt()).unwrap_or(rest);
        sum = sum.add(y.mul(taken, Round::Up).div(x.add(taken, Round::Down), Round::Up), Round::Up);
        rest = rest.sub(taken, Round::Up);
    }
    sum
}

fn limited(pool: &MeteoraDammV2) -> bool {
    matches!(pool.base_fee, BaseFee::RateLimiter(_))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_promise_no_less_than_the_program_gives(pool in pool(0..3), input in side(), amount in amount(), later in 0_u64..50_000) {
        prop_assert_eq!(pool.check(), Ok(()));
        let pieces = pool.pieces(input, START + later).expect("a pool that can be has pieces");
        prop_assert!(pieces.len() <= 65);
        let Ok(swap) = pool.quote(input, Amount::In(amount), START + later) else { return Ok(()) };
        let promise = promised(&pieces, amount);
        prop_assert!(promise.order(&Dyadic::whole(swap.amount_out)).is_ge(), "{:?} for {:?}", promise.to_float(), swap);
        if limited(&pool) {
            return Ok(());
        }
        // One unit that trades (of what is paid, a hundred at the highest fee), one of output and one of the price's last
        // bit are all that rounding takes.
        let least = amount.saturating_sub(101);
        let bit = if pool.compounds() { Dyadic::ZERO } else { last_bit(&pool, input) };
        let close = promised(&pieces, least).mul(Dyadic::ratio(999_999_999, 1_000_000_000, Round::Down), Round::Down);
        let given = Dyadic::whole(swap.amount_out.saturating_add(3)).add(bit, Round::Up);
        prop_assert!(close.order(&given).is_le(), "{} for {:?}", close.to_float(), swap);
    }

    #[test]
    fn the_input_of_an_output_gives_it(pool in pool(0..3), input in side(), amount in amount(), later in 0_u64..50_000) {
        if limited(&pool) {
            return Ok(());
        }
        let Ok(swap) = pool.quote(input, Amount::Out(amount), START + later) else { return Ok(()) };
        prop_assert_eq!(swap.amount_out, amount);
        let forth = pool.quote(input, Amount::In(swap.amount_in), START + later);
        // An input that was rounded up can end just beyond the range.
        let covers = forth.is_ok_and(|forth| forth.amount_out >= amount) || forth == Err(PoolError::PriceRange);
        prop_assert!(covers, "{:?} {:?}", swap, forth);
    }

    #[test]
    fn more_paid_is_no_less_received(pool in pool(0..3), input in side(), amount in amount(), more in amount()) {
        if limited(&pool) {
            return Ok(());
        }
        let (Ok(less), Ok(more)) = (
            pool.quote(input, Amount::In(amount), START),
            pool.quote(input, Amount::In(amount.saturating_add(more)), START),
        ) else { return Ok(()) };
        prop_assert!(less.amount_out <= more.amount_out);
    }

    #[test]
    fn a_swap_does_what_its_quote_says(pool in pool(0..3), input in side(), amount in amount(), out: bool, referral: bool) {
        let amount = if out { Amount::Out(amount) } else { Amount::In(amount) };
        let quote = pool.quote_with(input, amount, START, referral);
        let mut after = pool.clone();
        prop_assert_eq!(after.apply_with(input, amount, START, referral), quote);
        let Ok(swap) = quote else {
            prop_assert_eq!(after, pool);
            return Ok(());
        };
        let fees = swap.fees;
        prop_assert_eq!(fees.total, fees.claiming + fees.compounding + fees.protocol + fees.referral);
        prop_assert_eq!(pool.quote(input, amount, START).map(|other| (other.amount_in, other.amount_out)), Ok((swap.amount_in, swap.amount_out)));
        if pool.compounds() {
            let product = |pool: &MeteoraDammV2| u128::from(pool.token_a_amount) * u128::from(pool.token_b_amount);
            prop_assert!(product(&after) >= product(&pool));
        } else {
            let (low, high) = if input == Side::A { (&after, &pool) } else { (&pool, &after) };
            prop_assert!(low.sqrt_price <= high.sqrt_price);
            prop_assert_eq!(after.check(), Ok(()));
        }
    }

    #[test]
    fn two_halves_are_no_more_than_the_whole(pool in pool(0..2), input in side(), amount in amount(), more in amount()) {
        if !matches!(pool.base_fee, BaseFee::TimeLinear(_) | BaseFee::TimeExponential(_)) {
            return Ok(());
        }
        let mut split = pool.clone();
        let (Ok(first), Ok(second)) = (split.apply(input, Amount::In(amount), START), split.apply(input, Amount::In(more), START)) else {
            return Ok(());
        };
        let Some(sum) = amount.checked_add(more) else { return Ok(()) };
        let Ok(whole) = pool.quote(input, Amount::In(sum), START) else { return Ok(()) };
        prop_assert!(first.amount_out + second.amount_out <= whole.amount_out, "{:?} {:?} {:?}", first, second, whole);
    }

    #[test]
    fn nothing_panics(
        pool in pool(0..3),
        numbers in proptest::array::uniform8(any::<u128>()),
        shift in 0_u32..128,
        input in side(),
        amount: u64,
        now: u64,
    ) {
        let [liquidity, low, high, price, init, accumulator, cliff, step] = numbers.map(|number| number >> shift);
        #[expect(clippy::cast_possible_truncation, reason = "any number will do")]
        let (cliff, step) = (cliff as u64, step as u64);
        let mut pool = MeteoraDammV2 {
            liquidity, sqrt_min_price: low, sqrt_max_price: high, sqrt_price: price, init_sqrt_price: init,
            token_a_amount: cliff, token_b_amount: step, activation_point: 0, ..pool
        };
        if let Some(fee) = &mut pool.dynamic_fee {
            fee.volatility_accumulator = accumulator;
        }
        match &mut pool.base_fee {
            BaseFee::TimeLinear(fee) | BaseFee::TimeExponential(fee) => {
                (fee.cliff_fee_numerator, fee.reduction_factor, fee.period_frequency) = (cliff, step, amount);
            }
            BaseFee::RateLimiter(fee) => (fee.cliff_fee_numerator, fee.reference_amount) = (cliff, step),
            BaseFee::MarketCapLinear(fee) | BaseFee::MarketCapExponential(fee) => {
                (fee.cliff_fee_numerator, fee.reduction_factor, fee.sqrt_price_step_bps) = (cliff, step, 0);
            }
        }
        let _ = (pool.check(), pool.price(input), pool.pieces(input, now));
        let _ = (pool.quote(input, Amount::In(amount), now), pool.quote(input, Amount::Out(amount), now));
        let _ = (pool.clone().apply(input, Amount::In(amount), now), pool.clone().apply(input, Amount::Out(amount), now));
    }
}

/// What the last bit of a price is worth in the token received.
fn last_bit(pool: &MeteoraDammV2, input: Side) -> Dyadic {
    let liquidity = Dyadic::scaled(pool.liquidity, 0, Round::Up);
    let price = Dyadic::scaled(pool.sqrt_price, 0, Round::Down);
    match input {
        Side::A => Dyadic::scaled(pool.liquidity, -128, Round::Up),
        Side::B => liquidity.div(price.mul(price, Round::Down), Round::Up),
    }
}

#[test]
fn a_rate_limiter_has_a_piece_for_each_step_and_one_for_the_rest() {
    let limiter = RateLimiter {
        cliff_fee_numerator: 10_000_000,
        fee_increment_bps: 100,
        max_limiter_duration: 600,
        max_fee_bps: 500,
        reference_amount: 1_000,
    };
    let pool = MeteoraDammV2 {
        liquidity: 1 << 104,
        sqrt_min_price: 1 << 33,
        sqrt_max_price: 1 << 90,
        sqrt_price: 1 << 64,
        collect_fee_mode: CollectFeeMode::OnlyB,
        fee_version: FeeVersion::Half,
        activation_type: ActivationType::Timestamp,
        activation_point: START,
        init_sqrt_price: 1 << 64,
        token_a_amount: 0,
        token_b_amount: 0,
        protocol_fee_percent: 20,
        referral_fee_percent: 20,
        compounding_fee_bps: 0,
        base_fee: BaseFee::RateLimiter(limiter),
        dynamic_fee: None,
    };
    let pieces = pool.pieces(Side::B, START + 600).expect("it trades");
    assert_eq!(pieces.len(), 6);
    assert_eq!(pool.pieces(Side::B, START + 601).map(|pieces| pieces.len()), Ok(1));
    assert_eq!(pool.pieces(Side::A, START).map(|pieces| pieces.len()), Ok(1));
    for amount in [1, 999, 1_000, 1_001, 2_500, 5_000, 6_000, 7_777, 1_000_000] {
        let out = pool.quote(Side::B, Amount::In(amount), START).map_or(0, |swap| swap.amount_out);
        let promise = u64::try_from(promised(&pieces, amount).floor()).expect("it is small");
        assert!((out..=out + 3).contains(&promise), "{amount}: {out} {promise}");
    }
}

#[test]
fn a_state_that_cannot_be_is_named() {
    let text = r#"{"liquidity":"18446744073709551616000000","sqrt_min_price":"4295048016","sqrt_max_price":"79226673521066979257578248091",
        "sqrt_price":"18446744073709551616","collect_fee_mode":"1","fee_version":"0","activation_type":"1","activation_point":"0",
        "init_sqrt_price":"18446744073709551616","token_a_amount":"0","token_b_amount":"0","protocol_fee_percent":"20",
        "referral_fee_percent":"20","compounding_fee_bps":"0","base_fee":{"mode":"0","cliff_fee_numerator":"2500000",
        "number_of_period":"0","period_frequency":"0","reduction_factor":"0"}}"#;
    let pool: MeteoraDammV2 = serde_json::from_str(text).expect("it is well formed");
    assert_eq!(pool.check(), Ok(()));
    let field = |change: fn(&mut MeteoraDammV2)| {
        let mut pool = pool.clone();
        change(&mut pool);
        match pool.check() {
            Err(PoolError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(field(|pool| pool.liquidity = 0), "liquidity");
    assert_eq!(field(|pool| pool.sqrt_min_price = u128::MAX), "sqrt_min_price");
    assert_eq!(field(|pool| pool.sqrt_min_price = 1), "sqrt_min_price");
    assert_eq!(field(|pool| pool.sqrt_max_price = u128::MAX), "sqrt_max_price");
    assert_eq!(field(|pool| pool.sqrt_price = 1), "sqrt_price");
    assert_eq!(field(|pool| pool.activation_type = ActivationType::Slot), "activation_type");
    assert_eq!(field(|pool| pool.protocol_fee_percent = 101), "protocol_fee_percent");
    assert_eq!(field(|pool| pool.compounding_fee_bps = 1), "compounding_fee_bps");
    assert_eq!(field(|pool| pool.collect_fee_mode = CollectFeeMode::Compounding), "token_a_amount");
    assert!(pool.quote(Side::A, Amount::In(1_000), 0).is_ok());
    assert!(serde_json::from_str::<MeteoraDammV2>(&text.replace(r#""mode":"0""#, r#""mode":"7""#)).is_err());
    assert!(serde_json::from_str::<MeteoraDammV2>(&text.replace(r#"mode":"1""#, r#"mode":"3""#)).is_err());
}

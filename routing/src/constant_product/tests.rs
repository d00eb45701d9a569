//! Known amounts, and properties that hold for every pool.

use proptest::prelude::*;

use super::*;

fn pool(reserve_in: u64, reserve_out: u64, fee: Fee) -> ConstantProduct {
    ConstantProduct { reserve_in, reserve_out, fee }
}

#[test]
fn known_amounts() {
    let raydium = pool(5_000_000_000_000, 750_000_000_000, Fee::RAYDIUM_AMM_V4);
    assert_eq!(
        raydium.quote(Amount::In(1_000_000_000)),
        Ok(Swap { amount_in: 1_000_000_000, amount_out: 149_595_155, fee: 2_500_000 })
    );
    assert_eq!(raydium.quote(Amount::Out(149_595_155)).map(|s| s.amount_in), Ok(999_999_995));
    let even = pool(1_000_000, 1_000_000, Fee::METEORA_CONSTANT_PRODUCT);
    assert_eq!(even.quote(Amount::In(100)), Ok(Swap { amount_in: 100, amount_out: 98, fee: 1 }));
    assert_eq!(even.quote(Amount::In(10_999)).map(|s| s.fee), Ok(21));
}

#[test]
fn refuses_with_a_reason() {
    let some = pool(1_000, 1_000, Fee::RAYDIUM_AMM_V4);
    let none = pool(0, 1_000, Fee::RAYDIUM_AMM_V4);
    let all = Fee { numerator: 1, denominator: 1, rounding: FeeRounding::Up };
    for (pool, amount, expected) in [
        (some, Amount::In(0), PoolError::ZeroAmount),
        (some, Amount::Out(0), PoolError::ZeroAmount),
        (some, Amount::In(1), PoolError::ZeroOutput),
        (some, Amount::Out(1_000), PoolError::InsufficientLiquidity),
        (some, Amount::Out(u64::MAX), PoolError::InsufficientLiquidity),
        (none, Amount::In(5), PoolError::InsufficientLiquidity),
        (none.reversed(), Amount::In(5), PoolError::InsufficientLiquidity),
        (pool(u64::MAX, u64::MAX, Fee::RAYDIUM_AMM_V4), Amount::Out(u64::MAX - 1), PoolError::Overflow),
        (pool(9, 9, all), Amount::In(5), PoolError::BadFee),
        (pool(9, 9, Fee { denominator: 0, ..all }), Amount::Out(5), PoolError::BadFee),
    ] {
        assert_eq!(pool.quote(amount), Err(expected), "{pool:?} {amount:?}");
    }
    assert_eq!(pool(u64::MAX, 10, Fee::RAYDIUM_AMM_V4).apply(Amount::Out(1)), Err(PoolError::Overflow));
}

#[test]
fn impact_is_rounded_up() {
    let even = pool(1_000_000, 1_000_000, Fee { numerator: 0, denominator: 1, rounding: FeeRounding::Up });
    for (amount_in, bps) in [(100, 100), (1_000, 10), (10_000, 100), (1_000_000, 5_000)] {
        let swap = even.quote(Amount::In(amount_in)).expect("a quote");
        assert_eq!(even.price_impact_bps(&swap), bps, "{amount_in}");
    }
}

fn fees() -> impl Strategy<Value = Fee> {
    let rounding = prop_oneof![Just(FeeRounding::Up), Just(FeeRounding::DownToOne)];
    (0_u64..2_000, 2_000_u64..1_000_000, rounding).prop_map(|(numerator, denominator, rounding)| Fee {
        numerator,
        denominator,
        rounding,
    })
}

/// Numbers of every magnitude.
fn units() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(n, shift)| n >> shift)
}

fn pools() -> impl Strategy<Value = ConstantProduct> {
    (units(), units(), fees()).prop_map(|(reserve_in, reserve_out, fee)| pool(reserve_in, reserve_out, fee))
}

fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![units().prop_map(Amount::In), units().prop_map(Amount::Out)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn apply_does_what_quote_says(pool in pools(), amount in amounts()) {
        if let Ok((swap, after)) = pool.apply(amount) {
            prop_assert_eq!(pool.quote(amount), Ok(swap));
            prop_assert_eq!(after.reserve_in, pool.reserve_in + swap.amount_in);
            prop_assert_eq!(after.reserve_out, pool.reserve_out - swap.amount_out);
            match amount {
                Amount::In(given) => prop_assert_eq!(swap.amount_in, given),
                Amount::Out(wanted) => prop_assert_eq!(swap.amount_out, wanted),
            }
        }
    }

    #[test]
    fn the_product_never_falls(pool in pools(), amount in amounts()) {
        if let Ok((_, after)) = pool.apply(amount) {
            let k = |p: ConstantProduct| u128::from(p.reserve_in) * u128::from(p.reserve_out);
            prop_assert!(k(after) >= k(pool));
        }
    }

    #[test]
    fn paying_what_exact_out_asks_is_enough(pool in pools(), wanted in units()) {
        if let Ok(swap) = pool.quote(Amount::Out(wanted)) {
            let back = pool.quote(Amount::In(swap.amount_in)).expect("an input that was quoted");
            prop_assert!(back.amount_out >= wanted);
            prop_assert!(swap.fee >= pool.fee.of(swap.amount_in).expect("a fee"), "the fee is charged in full");
        }
    }

    #[test]
    fn more_in_is_never_less_out(pool in pools(), a in units(), b in units()) {
        let out = |n| pool.quote(Amount::In(n)).map(|s| s.amount_out);
        if let (Ok(few), Ok(many)) = (out(a.min(b)), out(a.max(b))) {
            prop_assert!(few <= many);
        }
    }

    #[test]
    fn nobody_gains_by_going_round(pool in pools(), given in units()) {
        if let Ok((there, after)) = pool.apply(Amount::In(given))
            && let Ok(back) = after.reversed().quote(Amount::In(there.amount_out))
        {
            prop_assert!(back.amount_out <= given);
        }
    }

    #[test]
    fn gross_is_the_least_input(fee in fees(), net in 1..u64::MAX >> 20) {
        let gross = fee.gross(net).expect("it fits");
        let left = |amount: u64| amount - fee.of(amount).expect("a fee");
        prop_assert!(left(gross) >= net);
        prop_assert!(left(gross - 1) < net);
    }

    #[test]
    fn impact_is_a_share(pool in pools(), amount in amounts()) {
        if let Ok(swap) = pool.quote(amount) {
            prop_assert!(pool.price_impact_bps(&swap) <= 10_000);
        }
    }
}

//! What holds of every AMM v4 pool.

use proptest::prelude::*;

use super::*;

fn pool(coin: u64, pc: u64) -> RaydiumAmmV4 {
    RaydiumAmmV4 {
        coin_vault: coin,
        pc_vault: pc,
        need_take_pnl_coin: 0,
        need_take_pnl_pc: 0,
        swap_fee_numerator: 25,
        swap_fee_denominator: 10_000,
    }
}

prop_compose! {
    /// States that can be, of any size.
    fn sound()(
        coin: u64, pc: u64, coin_shift in 0_u32..63, pc_shift in 0_u32..63, coin_owed: u64, pc_owed: u64, denominator in 2_u64..100_000,
        numerator: u64,
    ) -> RaydiumAmmV4 {
        let (coin, pc) = ((coin >> coin_shift).max(2), (pc >> pc_shift).max(2));
        RaydiumAmmV4 {
            need_take_pnl_coin: coin_owed % (coin / 2),
            need_take_pnl_pc: pc_owed % (pc / 2),
            swap_fee_numerator: numerator % denominator,
            swap_fee_denominator: denominator,
            ..pool(coin, pc)
        }
    }
}

prop_compose! {
    /// States of any numbers, most of which cannot be.
    fn wild()(numbers: [u64; 6], shifts: [u8; 6]) -> RaydiumAmmV4 {
        let number = |at: usize| numbers[at] >> (shifts[at] % 64);
        RaydiumAmmV4 {
            need_take_pnl_coin: number(2),
            need_take_pnl_pc: number(3),
            swap_fee_numerator: number(4),
            swap_fee_denominator: number(5) / 2,
            ..pool(number(0), number(1))
        }
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

fn amount() -> impl Strategy<Value = Amount> {
    (any::<bool>(), any::<u64>(), 0_u32..64).prop_map(|(exact_in, units, shift)| {
        let units = units >> shift;
        if exact_in { Amount::In(units) } else { Amount::Out(units) }
    })
}

fn product(pool: &RaydiumAmmV4) -> u128 {
    let (coin, pc) = pool.traded(Side::A).expect("reserves");
    u128::from(coin) * u128::from(pc)
}

proptest! {
    #[test]
    fn the_product_never_falls(mut pool in sound(), input in side(), amount in amount()) {
        prop_assert_eq!(pool.check(), Ok(()));
        let before = pool.clone();
        match pool.apply(input, amount, 0) {
            Ok(swap) => {
                prop_assert!(product(&pool) >= product(&before));
                prop_assert_eq!(pool.check(), Ok(()));
                prop_assert_eq!(before.quote(input, amount, 0), Ok(swap));
                prop_assert!(swap.amount_in > 0 && swap.amount_out > 0 && swap.fees.total <= swap.amount_in);
            }
            Err(error) => {
                prop_assert_eq!(&pool, &before);
                prop_assert_eq!(before.quote(input, amount, 0), Err(error));
            }
        }
    }

    #[test]
    fn exact_out_is_the_least_input_but_for_the_fees_rounding(pool in sound(), input in side(), wanted: u64) {
        let (_, reserve_out) = pool.traded(input).expect("reserves");
        let Ok(swap) = pool.quote(input, Amount::Out(wanted % reserve_out), 0) else { return Ok(()) };
        let covers = pool.quote(input, Amount::In(swap.amount_in), 0).expect("it was quoted");
        prop_assert!(covers.amount_out >= swap.amount_out);
        // The fee rounds up once more on the way back: one unit less may still do, two may not.
        if let Ok(less) = pool.quote(input, Amount::In(swap.amount_in.saturating_sub(2)), 0) {
            prop_assert!(less.amount_out < swap.amount_out, "{:?} {:?}", less, swap);
        }
    }

    #[test]
    fn no_state_makes_it_panic(mut pool in wild(), input in side(), amount in amount()) {
        let sound = pool.check().is_ok();
        let quoted = pool.quote(input, amount, 0);
        let pieces = pool.pieces(input, 0);
        prop_assert!(sound || pieces.is_err());
        prop_assert_eq!(pieces.is_ok(), sound && pool.price(input).is_ok());
        prop_assert_eq!(pool.apply(input, amount, 0), quoted);
    }
}

#[test]
fn states_that_cannot_be_are_named() {
    let check = |change: &dyn Fn(&mut RaydiumAmmV4)| {
        let mut pool = pool(1_000, 2_000);
        change(&mut pool);
        match pool.check() {
            Err(PoolError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(check(&|pool| pool.swap_fee_denominator = 0), "swap_fee_denominator");
    assert_eq!(check(&|pool| pool.swap_fee_numerator = 10_000), "swap_fee_numerator");
    assert_eq!(check(&|pool| pool.need_take_pnl_coin = 1_001), "need_take_pnl_coin");
    assert_eq!(check(&|pool| pool.need_take_pnl_pc = 2_001), "need_take_pnl_pc");
}

#[test]
fn what_is_owed_is_not_traded() {
    let owing = RaydiumAmmV4 { need_take_pnl_coin: 500, need_take_pnl_pc: 700, ..pool(1_000_500, 2_000_700) };
    let swap = pool(1_000_000, 2_000_000).quote(Side::A, Amount::In(1_000), 0).expect("a swap");
    assert_eq!(owing.quote(Side::A, Amount::In(1_000), 0), Ok(swap));
    assert_eq!((swap.amount_out, swap.fees.total), (1_992, 3));
    assert_eq!(owing.price(Side::A), Ok(Ratio { numerator: 2_000_000, denominator: 1_000_000 }));
}

#[test]
fn refusals_say_why() {
    let small = pool(1_000, 1_000);
    assert_eq!(small.quote(Side::A, Amount::In(0), 0), Err(PoolError::ZeroAmount));
    assert_eq!(small.quote(Side::A, Amount::Out(0), 0), Err(PoolError::ZeroAmount));
    assert_eq!(small.quote(Side::A, Amount::In(1), 0), Err(PoolError::ZeroOutput));
    assert_eq!(small.quote(Side::A, Amount::Out(1_000), 0), Err(PoolError::InsufficientLiquidity));
    assert_eq!(pool(0, 1_000).quote(Side::A, Amount::In(5), 0), Err(PoolError::InsufficientLiquidity));
    assert_eq!(small.quote(Side::A, Amount::In(u64::MAX), 0), Err(PoolError::Overflow));
}

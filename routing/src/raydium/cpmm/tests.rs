//! What holds of every CPMM pool.

use proptest::prelude::*;

use super::*;

fn pool(vault_0: u64, vault_1: u64) -> RaydiumCpmm {
    RaydiumCpmm {
        vault_0,
        vault_1,
        protocol_fees_0: 0,
        protocol_fees_1: 0,
        fund_fees_0: 0,
        fund_fees_1: 0,
        creator_fees_0: 0,
        creator_fees_1: 0,
        trade_fee_rate: 2_500,
        creator_fee_rate: 500,
        protocol_fee_rate: 120_000,
        fund_fee_rate: 40_000,
        enable_creator_fee: 0,
        creator_fee_on: 0,
    }
}

prop_compose! {
    /// States that can be, of any size.
    fn sound()(
        vaults: [u64; 2], shifts in [0_u32..62, 0_u32..62], owed: [u64; 6], rates: [u64; 4], wide: bool,
        enable_creator_fee in 0_u8..2, creator_fee_on in 0_u8..3,
    ) -> RaydiumCpmm {
        let vault = |at: usize| (vaults[at] >> shifts[at]).max(4);
        let (zero, one) = (vault(0), vault(1));
        // Rates as they are in use, or any that can be.
        let most = if wide { WHOLE } else { 10_000 };
        let trade_fee_rate = rates[0] % most;
        let protocol_fee_rate = rates[2] % (WHOLE + 1);
        RaydiumCpmm {
            protocol_fees_0: owed[0] % (zero / 4),
            protocol_fees_1: owed[1] % (one / 4),
            fund_fees_0: owed[2] % (zero / 4),
            fund_fees_1: owed[3] % (one / 4),
            creator_fees_0: owed[4] % (zero / 4),
            creator_fees_1: owed[5] % (one / 4),
            trade_fee_rate,
            creator_fee_rate: rates[1] % (most - trade_fee_rate),
            protocol_fee_rate,
            fund_fee_rate: rates[3] % (WHOLE + 1 - protocol_fee_rate),
            enable_creator_fee,
            creator_fee_on,
            ..pool(zero, one)
        }
    }
}

prop_compose! {
    /// States of any numbers, most of which cannot be.
    fn wild()(numbers: [u64; 12], shifts: [u8; 12], enable_creator_fee: u8, creator_fee_on: u8) -> RaydiumCpmm {
        let number = |at: usize| numbers[at] >> (shifts[at] % 64);
        RaydiumCpmm {
            vault_0: number(0),
            vault_1: number(1),
            protocol_fees_0: number(2),
            protocol_fees_1: number(3),
            fund_fees_0: number(4),
            fund_fees_1: number(5),
            creator_fees_0: number(6),
            creator_fees_1: number(7),
            trade_fee_rate: number(8),
            creator_fee_rate: number(9),
            protocol_fee_rate: number(10),
            fund_fee_rate: number(11),
            enable_creator_fee,
            creator_fee_on,
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

fn product(pool: &RaydiumCpmm) -> u128 {
    let reserve = |token| u128::from(pool.reserve(token).expect("a reserve"));
    reserve(Side::A) * reserve(Side::B)
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
                prop_assert!(swap.amount_in > 0 && swap.amount_out > 0);
                prop_assert!(swap.fees.protocol + swap.fees.fund <= swap.fees.total);
                prop_assert!(swap.fees.total <= swap.amount_in);
            }
            Err(error) => {
                prop_assert_eq!(&pool, &before);
                prop_assert_eq!(before.quote(input, amount, 0), Err(error));
            }
        }
    }

    #[test]
    fn exact_out_is_covered(pool in sound(), input in side(), wanted: u64) {
        let reserve_out = pool.reserve(input.other()).expect("a reserve");
        let Ok(swap) = pool.quote(input, Amount::Out(wanted % reserve_out), 0) else { return Ok(()) };
        let covers = pool.quote(input, Amount::In(swap.amount_in), 0).expect("it was quoted");
        prop_assert!(covers.amount_out >= swap.amount_out, "{:?} {:?}", covers, swap);
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

    #[test]
    fn shares_are_those_of_wide_products(amount: u64, rate in 0..=WHOLE, net: u64) {
        let (product, whole) = (u128::from(amount) * u128::from(rate), u128::from(WHOLE));
        prop_assert_eq!(share_floor(amount, rate).map(u128::from), Some(product / whole));
        prop_assert_eq!(share_ceil(amount, rate).map(u128::from), Some(product.div_ceil(whole)));
        let left = u128::from(WHOLE - rate);
        let gross = if left == 0 { None } else { u64::try_from((u128::from(net) * whole).div_ceil(left)).ok() };
        prop_assert_eq!(before_share(net, rate).ok(), gross);
    }
}

#[test]
fn states_that_cannot_be_are_named() {
    let check = |change: &dyn Fn(&mut RaydiumCpmm)| {
        let mut pool = pool(1_000, 2_000);
        change(&mut pool);
        match pool.check() {
            Err(PoolError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(check(&|pool| pool.trade_fee_rate = WHOLE), "trade_fee_rate");
    assert_eq!(check(&|pool| pool.creator_fee_rate = WHOLE - 2_500), "creator_fee_rate");
    assert_eq!(check(&|pool| pool.protocol_fee_rate = u64::MAX), "protocol_fee_rate");
    assert_eq!(check(&|pool| pool.fund_fee_rate = WHOLE - 119_999), "fund_fee_rate");
    assert_eq!(check(&|pool| pool.enable_creator_fee = 2), "enable_creator_fee");
    assert_eq!(check(&|pool| pool.creator_fee_on = 3), "creator_fee_on");
    assert_eq!(check(&|pool| pool.creator_fees_0 = 1_001), "vault_0");
    assert_eq!(check(&|pool| (pool.fund_fees_1, pool.protocol_fees_1) = (u64::MAX, u64::MAX)), "vault_1");
}

/// The amount on which the program and Raydium's own SDK differ: the two fees of an input are rounded up together.
#[test]
fn the_program_is_right_about_the_creators_fee() {
    let pool = RaydiumCpmm {
        trade_fee_rate: 500,
        creator_fee_rate: 500,
        enable_creator_fee: 1,
        ..pool(927_727_223_984, 4_668_707_500_237)
    };
    let swap = pool.quote(Side::A, Amount::In(62_044_423), 0).expect("a swap");
    assert_eq!(swap.amount_out, 311_900_150);
    assert_eq!((swap.fees.total, swap.fees.creator, swap.fees.creator_token), (31_023, 31_022, Side::A));
}

#[test]
fn a_creators_fee_on_the_output_comes_off_it() {
    let pool = RaydiumCpmm { creator_fee_on: 2, enable_creator_fee: 1, ..pool(5_000_000_000_000, 750_000_000_000) };
    let swap = pool.quote(Side::A, Amount::In(1_000_000_000), 0).expect("a swap");
    // 149,595,155 without a creator's fee.
    assert_eq!((swap.amount_out, swap.fees.creator), (149_595_155 - 74_798, 74_798));
    assert_eq!((swap.fees.total, swap.fees.protocol, swap.fees.fund), (2_500_000, 300_000, 100_000));
    assert_eq!((swap.fees.token, swap.fees.creator_token), (Side::A, Side::B));
}

#[test]
fn a_pool_without_any_fee_divides_by_zero_as_its_program_does() {
    let free = RaydiumCpmm { trade_fee_rate: 0, ..pool(1_000_000, 1_000_000) };
    assert_eq!(free.check(), Ok(()));
    assert_eq!(free.quote(Side::A, Amount::In(1_000), 0), Err(PoolError::Math));
    assert_eq!(free.pieces(Side::A, 0), Err(PoolError::Math));
    let elsewhere = RaydiumCpmm { creator_fee_on: 1, ..free };
    assert_eq!(elsewhere.quote(Side::A, Amount::In(1_000), 0), Err(PoolError::Math));
    assert_eq!(elsewhere.quote(Side::B, Amount::In(1_000), 0).map(|swap| swap.amount_out), Ok(999));
}

//! States to try a CLMM pool with.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use crate::Side;
use crate::clmm::{DynamicFee, FeeOn, Tick, sqrt_price_at_tick};
use crate::raydium::RaydiumClmm;

pub(super) fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

/// Amounts of any length, each length as often as another.
pub(super) fn units() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(units, shift)| (units >> shift).max(1))
}

pub(super) fn fee_on() -> impl Strategy<Value = FeeOn> {
    prop_oneof![Just(FeeOn::Input), Just(FeeOn::Token0), Just(FeeOn::Token1)]
}

pub(super) fn dynamic_fee() -> impl Strategy<Value = DynamicFee> {
    (1..60_u16, 1..600_u16, 1..10_000_u16, 1..100_000_u32, 0..40_u32, -40..40_i32, 0..400_000_u32, 0..400_000_u32)
        .prop_map(
            |(filter_period, longer, reduction_factor, dynamic_fee_control, widest, index, reference, accumulator)| {
                let max_volatility_accumulator = widest * 10_000;
                DynamicFee {
                    filter_period,
                    decay_period: filter_period + longer,
                    reduction_factor,
                    dynamic_fee_control,
                    max_volatility_accumulator,
                    tick_spacing_index_reference: index,
                    volatility_reference: reference,
                    volatility_accumulator: accumulator.min(max_volatility_accumulator),
                    last_update_timestamp: 1_000,
                }
            },
        )
}

/// Valid pools around tick 0: positions that overlap or leave gaps, orders at ticks of their own and at others'.
pub(super) fn pool() -> impl Strategy<Value = RaydiumClmm> {
    let position = (-40..40_i32, 1..40_i32, 1_u64..1 << 45);
    let orders = btree_map(-40..40_i32, (0_u64..1 << 40, 0_u64..1 << 40), 0..4);
    let spacing = prop_oneof![Just(1_u16), Just(10), Just(60)];
    let rates = (0..30_000_u32, 0..500_000_u32, 0..500_000_u32);
    (vec(position, 1..6), orders, spacing, -2_400..2_400_i32, rates, fee_on(), option::of(dynamic_fee())).prop_map(
        |(positions, orders, tick_spacing, tick_current, rates, fee_on, dynamic_fee)| {
            let mut ticks = std::collections::BTreeMap::<i32, Tick>::new();
            let mut at = |index: i32, change: &dyn Fn(&mut Tick)| {
                let number = index * i32::from(tick_spacing);
                change(ticks.entry(number).or_insert_with(|| Tick::new(number, 0, 0)));
            };
            for (low, width, liquidity) in positions {
                for (index, net) in [(low, i128::from(liquidity)), (low + width, -i128::from(liquidity))] {
                    at(index, &|tick| {
                        tick.liquidity_net += net;
                        tick.liquidity_gross += u128::from(liquidity);
                    });
                }
            }
            for (index, (new, partly_filled)) in orders {
                at(index, &|tick| (tick.orders_amount, tick.part_filled_orders_remaining) = (new, partly_filled));
            }
            let ticks: Vec<Tick> = ticks.into_values().collect();
            let below = ticks.iter().filter(|tick| tick.tick() <= tick_current);
            let liquidity = below.map(|tick| tick.liquidity_net).sum::<i128>().unsigned_abs();
            let (lower, upper) = (sqrt_price_at_tick(tick_current), sqrt_price_at_tick(tick_current + 1));
            RaydiumClmm {
                tick_spacing,
                sqrt_price_x64: u128::midpoint(lower.expect("in range"), upper.expect("in range")),
                tick_current,
                liquidity,
                trade_fee_rate: rates.0,
                protocol_fee_rate: rates.1,
                fund_fee_rate: rates.2,
                fee_on,
                fee_growth_global_0_x64: 0,
                fee_growth_global_1_x64: 0,
                protocol_fees_token_0: 0,
                protocol_fees_token_1: 0,
                fund_fees_token_0: 0,
                fund_fees_token_1: 0,
                ticks,
                dynamic_fee,
            }
        },
    )
}

/// Always the same valid pool.
pub(super) fn example() -> RaydiumClmm {
    pool().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).expect("a pool").current()
}

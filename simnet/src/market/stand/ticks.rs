//! Raydium CLMM: positions around a middle that follows the price.

use routing::clmm::{DynamicFee, FeeOn, Tick, sqrt_price_at_tick, tick_at_sqrt_price};
use routing::{Pool, RaydiumClmm};

/// A pool without liquidity.
pub(super) fn pool(spacing: u16, fee: u32, dynamic: bool) -> Pool {
    Pool::RaydiumClmm(RaydiumClmm {
        tick_spacing: spacing,
        sqrt_price_x64: 0,
        tick_current: 0,
        liquidity: 0,
        trade_fee_rate: fee,
        protocol_fee_rate: 120_000,
        fund_fee_rate: 40_000,
        fee_on: FeeOn::Input,
        fee_growth_global_0_x64: 0,
        fee_growth_global_1_x64: 0,
        protocol_fees_token_0: 0,
        protocol_fees_token_1: 0,
        fund_fees_token_0: 0,
        fund_fees_token_1: 0,
        ticks: Vec::new(),
        dynamic_fee: dynamic.then(|| DynamicFee {
            filter_period: 30,
            decay_period: 600,
            reduction_factor: 5_000,
            dynamic_fee_control: 2_000,
            max_volatility_accumulator: 350_000,
            ..DynamicFee::default()
        }),
    })
}

/// Puts the price there, and its owners' positions around it: each reaches equally far to both sides of a middle, to which
/// they are all moved when the price has left the neighbourhood of the last one.
pub(super) fn stand(pool: &mut RaydiumClmm, spacing: i32, reaches: &[i32], price: u128, value_b: u64) -> Option<()> {
    let tick = tick_at_sqrt_price(price)?;
    // Half of the narrowest position on either side of the middle.
    let neighbourhood = (reaches.first()? / spacing).max(1) * spacing;
    let middle = (tick + neighbourhood / 2).div_euclid(neighbourhood) * neighbourhood;
    let widest = reaches.last()?;
    let kept = pool.ticks.first().is_some_and(|first| first.tick() == middle - widest);
    if !kept {
        pool.ticks = ticks(middle, reaches, value_b)?;
    }
    let below = pool.ticks.iter().take_while(|other| other.tick() <= tick);
    pool.liquidity = below.map(|tick| tick.liquidity_net).sum::<i128>().try_into().ok()?;
    (pool.sqrt_price_x64, pool.tick_current) = (price, tick);
    (pool.fee_growth_global_0_x64, pool.fee_growth_global_1_x64) = (0, 0);
    (pool.protocol_fees_token_0, pool.protocol_fees_token_1) = (0, 0);
    (pool.fund_fees_token_0, pool.fund_fees_token_1) = (0, 0);
    if let Some(fee) = &mut pool.dynamic_fee {
        (fee.volatility_reference, fee.volatility_accumulator, fee.last_update_timestamp) = (0, 0, 0);
        fee.tick_spacing_index_reference = tick.div_euclid(spacing);
    }
    Some(())
}

/// The ticks of positions of equal value, together `value_b` of the second token below the middle.
fn ticks(middle: i32, reaches: &[i32], value_b: u64) -> Option<Vec<Tick>> {
    let root = sqrt_price_at_tick(middle)?;
    let each = u128::from(value_b) / u128::try_from(reaches.len()).ok()?.max(1);
    let mut ticks = Vec::with_capacity(2 * reaches.len());
    for reach in reaches {
        let lower = sqrt_price_at_tick(middle - reach)?;
        let liquidity = (each << 64).checked_div(root.checked_sub(lower)?)?.max(1);
        let net = i128::try_from(liquidity).ok()?;
        ticks.push(Tick::new(middle - reach, net, liquidity));
        ticks.push(Tick::new(middle + reach, -net, liquidity));
    }
    ticks.sort_by_key(Tick::tick);
    Some(ticks)
}

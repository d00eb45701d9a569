//! What a state of DAMM v2 must satisfy to be one.

use super::base_fee::{BaseFee, exponential, linear};
use super::fees::WHOLE;
use super::rate_limiter::RateLimiter;
use super::{ActivationType, CollectFeeMode, MeteoraDammV2};
use crate::swap::PoolError;

/// The program's bounds of square roots of prices, Q64.64.
const SQRT_PRICES: std::ops::RangeInclusive<u128> = 4_295_048_016..=79_226_673_521_066_979_257_578_248_091;

pub(super) fn check(pool: &MeteoraDammV2) -> Result<(), PoolError> {
    curve(pool)?;
    require(
        pool.activation_type == ActivationType::Timestamp,
        "activation_type",
        "it counts slots, and a quote is asked in seconds",
    )?;
    require(pool.protocol_fee_percent <= 100, "protocol_fee_percent", "it is more than the whole")?;
    require(pool.referral_fee_percent <= 100, "referral_fee_percent", "it is more than the whole")?;
    require(pool.compounding_fee_bps <= 10_000, "compounding_fee_bps", "it is more than the whole")?;
    require(
        pool.compounding_fee_bps == 0 || pool.compounds(),
        "compounding_fee_bps",
        "only a compounding pool can have it",
    )?;
    base_fee(pool)?;
    dynamic_fee(pool)
}

fn curve(pool: &MeteoraDammV2) -> Result<(), PoolError> {
    if pool.compounds() {
        require(pool.token_a_amount > 0, "token_a_amount", "it is zero")?;
        return require(pool.token_b_amount > 0, "token_b_amount", "it is zero");
    }
    require(pool.liquidity > 0, "liquidity", "it is zero")?;
    require(pool.sqrt_min_price < pool.sqrt_max_price, "sqrt_min_price", "it is no less than `sqrt_max_price`")?;
    require(SQRT_PRICES.contains(&pool.sqrt_min_price), "sqrt_min_price", "it is outside of what the program knows")?;
    require(SQRT_PRICES.contains(&pool.sqrt_max_price), "sqrt_max_price", "it is outside of what the program knows")?;
    require(
        (pool.sqrt_min_price..=pool.sqrt_max_price).contains(&pool.sqrt_price),
        "sqrt_price",
        "it is outside of the pool's range",
    )
}

fn base_fee(pool: &MeteoraDammV2) -> Result<(), PoolError> {
    let below_one = |cliff: u64| require(cliff < WHOLE, "base_fee.cliff_fee_numerator", "it is not below one");
    let reduction = |possible: bool| require(possible, "base_fee.reduction_factor", "the fee would fall below zero");
    match &pool.base_fee {
        BaseFee::TimeLinear(fee) => {
            below_one(fee.cliff_fee_numerator)?;
            reduction(linear(fee.cliff_fee_numerator, fee.reduction_factor, fee.number_of_period).is_ok())
        }
        BaseFee::TimeExponential(fee) => {
            below_one(fee.cliff_fee_numerator)?;
            reduction(exponential(fee.cliff_fee_numerator, fee.reduction_factor, 1).is_ok())
        }
        BaseFee::RateLimiter(fee) => {
            below_one(fee.cliff_fee_numerator)?;
            rate_limiter(fee, pool.collect_fee_mode)
        }
        BaseFee::MarketCapLinear(fee) | BaseFee::MarketCapExponential(fee) => {
            below_one(fee.cliff_fee_numerator)?;
            require(fee.sqrt_price_step_bps > 0, "base_fee.sqrt_price_step_bps", "it is zero")?;
            require(
                SQRT_PRICES.contains(&pool.init_sqrt_price),
                "init_sqrt_price",
                "it is outside of what the program knows",
            )?;
            require(SQRT_PRICES.contains(&pool.sqrt_price), "sqrt_price", "it is outside of what the program knows")?;
            reduction(if matches!(pool.base_fee, BaseFee::MarketCapLinear(_)) {
                linear(fee.cliff_fee_numerator, fee.reduction_factor, fee.number_of_period).is_ok()
            } else {
                exponential(fee.cliff_fee_numerator, fee.reduction_factor, 1).is_ok()
            })
        }
    }
}

fn rate_limiter(fee: &RateLimiter, mode: CollectFeeMode) -> Result<(), PoolError> {
    require(mode == CollectFeeMode::OnlyB, "base_fee.mode", "a rate limiter needs fees in token b of a range pool")?;
    if fee.is_off() {
        return Ok(());
    }
    require(fee.reference_amount > 0, "base_fee.reference_amount", "it is zero, the limiter's other numbers are not")?;
    require(
        fee.fee_increment_bps > 0,
        "base_fee.fee_increment_bps",
        "it is zero, the limiter's other numbers are not",
    )?;
    require(
        fee.max_limiter_duration > 0,
        "base_fee.max_limiter_duration",
        "it is zero, the limiter's other numbers are not",
    )?;
    require(fee.max_fee_bps < 10_000, "base_fee.max_fee_bps", "it is not below one")?;
    require(fee.cliff_fee_numerator <= fee.maximum(), "base_fee.max_fee_bps", "it is less than the fee at the cliff")
}

fn dynamic_fee(pool: &MeteoraDammV2) -> Result<(), PoolError> {
    let Some(fee) = pool.dynamic_fee.as_ref().filter(|fee| fee.initialized != 0) else { return Ok(()) };
    require(
        fee.volatility_accumulator <= u128::from(fee.max_volatility_accumulator),
        "dynamic_fee.volatility_accumulator",
        "it is more than `max_volatility_accumulator`",
    )?;
    require(fee.reduction_factor <= 10_000, "dynamic_fee.reduction_factor", "it is more than the whole")?;
    require(fee.filter_period < fee.decay_period, "dynamic_fee.filter_period", "it is no shorter than `decay_period`")
}

fn require(holds: bool, field: &'static str, reason: &'static str) -> Result<(), PoolError> {
    if holds { Ok(()) } else { Err(PoolError::Invalid { field, reason }) }
}

//! What a state of DAMM v1 must satisfy to be one.

use super::{Curve, MeteoraDammV1};
use crate::swap::PoolError;

/// More than any pool is amplified; the program's own limit is lower.
const MOST_AMPLIFIED: u64 = 1_000_000;

/// Names of a vault's fields.
struct Names {
    total_amount: &'static str,
    lp_supply: &'static str,
    shares: &'static str,
}

pub(super) fn check(pool: &MeteoraDammV1) -> Result<(), PoolError> {
    require(pool.trade_fee_denominator > 0, "trade_fee_denominator", "it is zero")?;
    require(pool.trade_fee_numerator < pool.trade_fee_denominator, "trade_fee_numerator", "the fee is not below one")?;
    require(pool.protocol_trade_fee_denominator > 0, "protocol_trade_fee_denominator", "it is zero")?;
    require(
        pool.protocol_trade_fee_numerator <= pool.protocol_trade_fee_denominator,
        "protocol_trade_fee_numerator",
        "it is more than the whole fee",
    )?;
    let a = Names { total_amount: "vault_a.total_amount", lp_supply: "vault_a.lp_supply", shares: "pool_vault_a_lp" };
    let b = Names { total_amount: "vault_b.total_amount", lp_supply: "vault_b.lp_supply", shares: "pool_vault_b_lp" };
    for (vault, shares, names) in [(&pool.vault_a, pool.pool_vault_a_lp, a), (&pool.vault_b, pool.pool_vault_b_lp, b)] {
        require(vault.total_amount > 0, names.total_amount, "it is zero")?;
        require(vault.lp_supply > 0, names.lp_supply, "it is zero")?;
        require(shares > 0, names.shares, "it is zero")?;
        require(shares <= vault.lp_supply, names.shares, "it is more than all shares of the vault")?;
    }
    if let Curve::Stable(stable) = &pool.curve {
        require((1..=MOST_AMPLIFIED).contains(&stable.amp), "amp", "it is zero or beyond all reason")?;
        require(stable.token_a_multiplier > 0, "token_a_multiplier", "it is zero")?;
        require(stable.token_b_multiplier > 0, "token_b_multiplier", "it is zero")?;
    }
    Ok(())
}

fn require(holds: bool, field: &'static str, reason: &'static str) -> Result<(), PoolError> {
    if holds { Ok(()) } else { Err(PoolError::Invalid { field, reason }) }
}

//! Meteora DAMM v1: reserves that lie in two vaults together with those of others.

use routing::{MeteoraDammV1, Pool, Side};
use serde_json::{Value, json};

use crate::market::price::x64;

/// A pool whose vaults are empty.
pub(super) fn pool(fee: u32, amplification: Option<u64>) -> Option<Pool> {
    let vault = json!({
        "total_amount": "0", "lp_supply": "0", "token_reserve": "0",
        "last_updated_locked_profit": "0", "last_report": "0", "locked_profit_degradation": "0",
    });
    let mut pool = json!({
        "curve": if amplification.is_some() { "stable" } else { "constant_product" },
        "trade_fee_numerator": fee.to_string(),
        "trade_fee_denominator": "1000000",
        "protocol_trade_fee_numerator": "20000",
        "protocol_trade_fee_denominator": "100000",
        "pool_vault_a_lp": "0",
        "pool_vault_b_lp": "0",
        "vault_a": vault,
        "vault_b": vault,
    });
    if let Some(amplification) = amplification {
        pool["amp"] = Value::String(amplification.to_string());
        pool["token_a_multiplier"] = "1".into();
        pool["token_b_multiplier"] = "1".into();
        pool["precision_factor"] = "6".into();
    }
    serde_json::from_value(json!({"kind": "meteora_damm_v1", "pool": pool})).ok()
}

/// Puts the reserves into the vaults, of which the pool owns a third, and a third is lent.
pub(super) const fn fill(pool: &mut MeteoraDammV1, [a, b]: [u64; 2]) {
    (pool.pool_vault_a_lp, pool.pool_vault_b_lp) = (a, b);
    (pool.vault_a.total_amount, pool.vault_b.total_amount) = (a.saturating_mul(3), b.saturating_mul(3));
    (pool.vault_a.lp_supply, pool.vault_b.lp_supply) = (a.saturating_mul(3), b.saturating_mul(3));
    (pool.vault_a.token_reserve, pool.vault_b.token_reserve) = (a.saturating_mul(2), b.saturating_mul(2));
}

/// Searches for the balance of the two reserves at which a stable curve has this price.
pub(super) fn balance(pool: &mut MeteoraDammV1, [a, b]: [u64; 2], price: u128) -> Option<()> {
    let part = |amount: u64, share: u64| u64::try_from((u128::from(amount) * u128::from(share)) >> 31).ok();
    let (mut low, mut high) = (1_u64 << 20, (1_u64 << 32) - (1 << 20));
    // More of the first token makes it cheaper.
    while low < high {
        let middle = low + (high - low) / 2;
        fill(pool, [part(a, middle)?, part(b, (1 << 32) - middle)?]);
        let at = pool.price(Side::A).ok().and_then(x64)?;
        if at > price { low = middle + 1 } else { high = middle }
    }
    Some(())
}

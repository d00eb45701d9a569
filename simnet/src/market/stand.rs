//! How a pool of each family stands at a price: the state that trades without fees would have brought it to.

pub(super) mod bins;
mod ticks;
mod vaults;

use routing::{Pool, RaydiumAmmV4, RaydiumCpmm};
use serde_json::json;

use super::census::{Family, Kind};
use super::path::ONE;
use super::price::{Pair, root_of_billionths, root_x64};

/// A pool's liquidity, from which its state follows at any price.
#[derive(Debug)]
pub(super) struct Stand {
    pair: Pair,
    kind: Kind,
    /// What it holds of either asset at the reference price.
    amounts: [u64; 2],
}

impl Stand {
    /// With `depth` thousands of US dollars of either asset; `None` when that cannot be expressed.
    pub(super) fn new(kind: &Kind, pair: Pair, depth: u64) -> Option<Self> {
        let [a, b] = pair.unit.map(|unit| u64::try_from(u128::from(unit) * u128::from(depth) / 1_000).ok());
        let amounts = [a?, b?];
        let stable = matches!(kind.family, Family::Stable { .. });
        // A stable curve is for units of the same worth.
        let same_worth = amounts[0].abs_diff(amounts[1]) <= amounts[0] / 20;
        if amounts.contains(&0) || (stable && !same_worth) {
            return None;
        }
        Some(Self { pair, kind: *kind, amounts })
    }

    /// The pair at its reference price.
    pub(super) const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// A new pool that stands at `factor` billionths of the reference price.
    pub(super) fn pool(&self, factor: i64) -> Option<Pool> {
        let fee = self.kind.fee;
        let mut pool = match self.kind.family {
            Family::AmmV4 => amm_v4(fee),
            Family::Cpmm => cpmm(fee),
            Family::Clmm { spacing, dynamic, .. } => ticks::pool(spacing, fee, dynamic),
            Family::Dlmm { step } => bins::pool(step, fee)?,
            Family::Range => self.damm_v2(fee, "0")?,
            Family::Compounding => self.damm_v2(fee, "2")?,
            Family::Vaults => vaults::pool(fee, None)?,
            Family::Stable { amplification } => vaults::pool(fee, Some(amplification))?,
        };
        self.stand(&mut pool, factor)?;
        Some(pool)
    }

    /// Makes the pool stand at `factor` billionths of the reference price. What users' trades have left in it besides, such
    /// as volatility and fees that are owed, is gone.
    pub(super) fn stand(&self, pool: &mut Pool, factor: i64) -> Option<()> {
        let root = root_of_billionths(factor);
        let sqrt_price = || Some((root_x64(self.pair.price).checked_mul(root)?) >> 32);
        match pool {
            Pool::RaydiumAmmV4(pool) => (pool.coin_vault, pool.pc_vault) = self.product(root)?,
            Pool::RaydiumCpmm(pool) => {
                let (vault_0, vault_1) = self.product(root)?;
                *pool = RaydiumCpmm { vault_0, vault_1, ..empty_cpmm(self.kind.fee) };
            }
            Pool::RaydiumClmm(pool) => {
                let Family::Clmm { spacing, reaches, .. } = self.kind.family else { return None };
                ticks::stand(pool, i32::from(spacing), reaches, sqrt_price()?, self.amounts[1])?;
            }
            Pool::MeteoraDlmm(pool) => {
                bins::stand(pool, super::price::scaled(self.pair.price, factor), self.amounts[1])?;
            }
            Pool::MeteoraDammV2(pool) => {
                pool.sqrt_price = sqrt_price()?.clamp(pool.sqrt_min_price, pool.sqrt_max_price);
                if self.kind.family == Family::Compounding {
                    (pool.token_a_amount, pool.token_b_amount) = self.product(root)?;
                }
            }
            Pool::MeteoraDammV1(pool) => match self.kind.family {
                Family::Stable { .. } => {
                    vaults::balance(pool, self.amounts, super::price::scaled(self.pair.price, factor))?;
                }
                _ => vaults::fill(pool, self.product(root)?.into()),
            },
        }
        Some(())
    }

    /// The reserves of a constant product whose price is `root²` of the reference price, `root` in 2⁻³².
    fn product(&self, root: u128) -> Option<(u64, u64)> {
        let a = (u128::from(self.amounts[0]) << 32) / root.max(1);
        let b = (u128::from(self.amounts[1]).checked_mul(root)?) >> 32;
        // Users' trades have moved the price so far that nothing is left to trade.
        Some((u64::try_from(a.max(1)).ok()?, u64::try_from(b.max(1)).ok()?))
    }

    /// A pool of DAMM v2 over prices from a quarter to four times the reference.
    fn damm_v2(&self, fee: u32, mode: &str) -> Option<Pool> {
        let middle = root_x64(self.pair.price);
        let [least, most] = [middle / 2, middle * 2];
        let liquidity = (u128::from(self.amounts[1]) << 64).checked_div(middle - least)?.checked_mul(1 << 64)?;
        let compounding = mode == "2";
        let pool = json!({"kind": "meteora_damm_v2", "pool": {
            "liquidity": liquidity.to_string(),
            "sqrt_min_price": least.to_string(),
            "sqrt_max_price": most.to_string(),
            "sqrt_price": middle.to_string(),
            "collect_fee_mode": mode,
            "fee_version": "1",
            "activation_type": "1",
            "activation_point": "0",
            "init_sqrt_price": middle.to_string(),
            "token_a_amount": "0",
            "token_b_amount": "0",
            "protocol_fee_percent": "20",
            "referral_fee_percent": "20",
            "compounding_fee_bps": if compounding { "2500" } else { "0" },
            "base_fee": {
                "mode": "0",
                "cliff_fee_numerator": (u64::from(fee) * 1_000).to_string(),
                "number_of_period": "0",
                "period_frequency": "0",
                "reduction_factor": "0",
            },
        }});
        serde_json::from_value(pool).ok()
    }
}

fn amm_v4(fee: u32) -> Pool {
    Pool::RaydiumAmmV4(RaydiumAmmV4 {
        coin_vault: 0,
        pc_vault: 0,
        need_take_pnl_coin: 0,
        need_take_pnl_pc: 0,
        swap_fee_numerator: u64::from(fee),
        swap_fee_denominator: ONE.unsigned_abs() / 1_000,
    })
}

fn cpmm(fee: u32) -> Pool {
    Pool::RaydiumCpmm(empty_cpmm(fee))
}

fn empty_cpmm(fee: u32) -> RaydiumCpmm {
    RaydiumCpmm {
        vault_0: 0,
        vault_1: 0,
        protocol_fees_0: 0,
        protocol_fees_1: 0,
        fund_fees_0: 0,
        fund_fees_1: 0,
        creator_fees_0: 0,
        creator_fees_1: 0,
        trade_fee_rate: u64::from(fee),
        creator_fee_rate: 0,
        protocol_fee_rate: 120_000,
        fund_fee_rate: 40_000,
        enable_creator_fee: 0,
        creator_fee_on: 0,
    }
}

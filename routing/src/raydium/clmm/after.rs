//! The state after a swap.

use super::walk::{Ledger, Walk};
use super::{DynamicFee, RaydiumClmm};
use crate::swap::{Amount, PoolError, Side, Swap};

/// All that a swap changes, found before any of it is written.
pub(super) struct After {
    price: u128,
    tick: i32,
    liquidity: u128,
    growth: u128,
    protocol: u64,
    fund: u64,
    fee_token: Side,
    dynamic_fee: Option<DynamicFee>,
    sold: Vec<(usize, u64)>,
}

/// What a swap does to the pool on its way.
#[derive(Default)]
struct Changes {
    growth: u128,
    sold: Vec<(usize, u64)>,
}

impl Ledger for Changes {
    fn earned(&mut self, fee: u64, liquidity: u128) {
        // Fee growth wraps around in the program too: only differences of it mean anything.
        let growth = (u128::from(fee) << 64).checked_div(liquidity).unwrap_or(0);
        self.growth = self.growth.wrapping_add(growth);
    }

    fn sold(&mut self, index: usize, amount: u64) {
        self.sold.push((index, amount));
    }
}

impl RaydiumClmm {
    /// What the pool gives, and what becomes of it.
    pub(super) fn after(
        &self,
        input: Side,
        amount: Amount,
        now: u64,
        limit: Option<u128>,
    ) -> Result<(Swap, After), PoolError> {
        let mut walk = Walk::begin(self, input, amount, now, limit, Changes::default())?;
        let swap = walk.run()?;
        let fee_token = swap.fees.token;
        let (growth, protocol, fund) = match fee_token {
            Side::A => (self.fee_growth_global_0_x64, self.protocol_fees_token_0, self.fund_fees_token_0),
            Side::B => (self.fee_growth_global_1_x64, self.protocol_fees_token_1, self.fund_fees_token_1),
        };
        let after = After {
            price: walk.price,
            tick: walk.tick()?,
            liquidity: walk.liquidity,
            growth: growth.wrapping_add(walk.ledger.growth),
            protocol: protocol.checked_add(walk.protocol).ok_or(PoolError::Overflow)?,
            fund: fund.checked_add(walk.fund).ok_or(PoolError::Overflow)?,
            fee_token,
            dynamic_fee: walk.volatility.map(|volatility| volatility.fee).or(self.dynamic_fee),
            sold: walk.ledger.sold,
        };
        Ok((swap, after))
    }
}

impl After {
    /// Writes it all.
    pub(super) fn write(self, pool: &mut RaydiumClmm) {
        pool.sqrt_price_x64 = self.price;
        pool.tick_current = self.tick;
        pool.liquidity = self.liquidity;
        pool.dynamic_fee = self.dynamic_fee;
        let (growth, protocol, fund) = match self.fee_token {
            Side::A => {
                (&mut pool.fee_growth_global_0_x64, &mut pool.protocol_fees_token_0, &mut pool.fund_fees_token_0)
            }
            Side::B => {
                (&mut pool.fee_growth_global_1_x64, &mut pool.protocol_fees_token_1, &mut pool.fund_fees_token_1)
            }
        };
        (*growth, *protocol, *fund) = (self.growth, self.protocol, self.fund);
        for (index, amount) in self.sold {
            if let Some(tick) = pool.ticks.get_mut(index) {
                tick.sell(amount);
            }
        }
    }
}

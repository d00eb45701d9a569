//! Limit orders at a tick: sold at the tick's price when a swap reaches it.

use super::RATE_WHOLE;
use super::step::{Terms, fee_upon, fee_within, with_fee};
use super::tick::Tick;
use crate::math::{mul_div_ceil, mul_div_floor, mul_shift_ceil, mul_shift_floor};
use crate::swap::{PoolError, Side};

/// What a swap bought from the orders of one tick, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fill {
    /// Paid, without a fee on it.
    pub(super) paid: u64,
    /// Received, after a fee on it.
    pub(super) received: u64,
    /// The fee, in whichever token.
    pub(super) fee: u64,
    /// What the orders sold: a fee on the output included.
    pub(super) sold: u64,
}

impl Tick {
    /// Buys from the orders here with, or for, the remaining amount. `None` when there is nothing to buy.
    ///
    /// Source: the program's `match_limit_order`, including its refusal of a fill that rounds to nothing.
    pub(super) fn fill(&self, terms: Terms, remaining: u64, rate: u32) -> Result<Option<Fill>, PoolError> {
        let unfilled = self.unfilled().ok_or(PoolError::Overflow)?;
        if remaining == 0 || unfilled == 0 {
            return Ok(None);
        }
        if rate >= RATE_WHOLE {
            return Err(PoolError::Math);
        }
        let (paid, sold, fee) = if terms.exact_in {
            self.fill_for_input(terms, remaining, unfilled, rate)?
        } else {
            let sold = if terms.fee_on_input { remaining } else { with_fee(remaining.min(unfilled), rate)? };
            let sold = sold.min(unfilled);
            let paid = self.cost(terms.input, sold)?;
            (paid, sold, if terms.fee_on_input { fee_upon(paid, rate)? } else { 0 })
        };
        if paid == 0 || sold == 0 {
            return Err(PoolError::AmountTooSmall);
        }
        let fee = if terms.fee_on_input { fee } else { fee_within(sold, rate)? };
        let received = if terms.fee_on_input { sold } else { sold - fee };
        Ok(Some(Fill { paid, received, fee, sold }))
    }

    /// Takes what was sold: first from orders that were partly filled already. Then what is left of the others is.
    pub(super) fn sell(&mut self, sold: u64) {
        let from_partly_filled = sold.min(self.part_filled_orders_remaining);
        self.part_filled_orders_remaining -= from_partly_filled;
        let rest = sold - from_partly_filled;
        if rest > 0 {
            self.part_filled_orders_remaining = self.orders_amount.saturating_sub(rest);
            self.orders_amount = 0;
        }
    }

    /// Paid, sold and the fee on the input, where the amount paid is given.
    fn fill_for_input(
        &self,
        terms: Terms,
        remaining: u64,
        unfilled: u64,
        rate: u32,
    ) -> Result<(u64, u64, u64), PoolError> {
        let fee = if terms.fee_on_input { fee_within(remaining, rate)? } else { 0 };
        let paid = remaining - fee;
        let sold = self.worth(terms.input, paid);
        // A worth of more than 64 bits is more than all that is for sale.
        if let Some(sold) = sold.filter(|sold| *sold <= unfilled) {
            return Ok((paid, sold, fee));
        }
        let paid = self.cost(terms.input, unfilled)?;
        Ok((paid, unfilled, if terms.fee_on_input { fee_upon(paid, rate)? } else { 0 }))
    }

    /// What so much of the input buys at the tick's price, rounded down.
    fn worth(&self, input: Side, paid: u64) -> Option<u64> {
        let price = self.order_price_x64(input)?;
        let worth = match input {
            Side::A => mul_shift_floor(u128::from(paid), price, 64),
            Side::B => mul_div_floor(u128::from(paid), 1 << 64, price),
        };
        u64::try_from(worth?).ok()
    }

    /// What so much of the output costs at the tick's price, rounded up.
    fn cost(&self, input: Side, sold: u64) -> Result<u64, PoolError> {
        let price = self.order_price_x64(input).ok_or(PoolError::Overflow)?;
        let cost = match input {
            Side::A => mul_div_ceil(u128::from(sold), 1 << 64, price),
            Side::B => mul_shift_ceil(u128::from(sold), price, 64),
        };
        u64::try_from(cost.ok_or(PoolError::Overflow)?).map_err(|_| PoolError::Overflow)
    }

    /// The price at which orders here sell to one who pays `input`: token 1 per token 0, Q64.64, against the buyer.
    pub(super) fn order_price_x64(&self, input: Side) -> Option<u128> {
        let root = self.sqrt_price_x64();
        match input {
            Side::A => mul_shift_floor(root, root, 64),
            Side::B => mul_shift_ceil(root, root, 64),
        }
    }
}

//! A swap's way through the bins.

use super::bin::{Fill, Offer};
use super::{Bin, MeteoraDlmm, Volatility};
use crate::swap::{Amount, Fees, PoolError, Side, Swap};

/// Goes from bin to bin until the amount is used up; `visit` sees the place of each bin in the list and what it gives.
pub(super) fn walk(
    pool: &MeteoraDlmm,
    input: Side,
    amount: Amount,
    volatility: &Volatility,
    mut visit: impl FnMut(usize, &Fill),
) -> Result<Swap, PoolError> {
    let mut left = amount.units();
    if left == 0 {
        return Err(PoolError::ZeroAmount);
    }
    let mut paid = 0_u64;
    let mut received = 0_u64;
    let fee_on_input = pool.fee_on_input(input);
    let mut fees = Fees::new(0, if fee_on_input { input } else { input.other() });
    for (index, bin) in pool.ahead(input) {
        let offer = Offer {
            price: bin.price_x64,
            layers: pool.layers(bin, input),
            input,
            rate: volatility.rate(bin.id),
            fee_on_input,
            protocol_share: pool.protocol_share,
        };
        if offer.layers == [0; 3] {
            continue;
        }
        let fill = match amount {
            Amount::In(_) => offer.pay(left)?,
            Amount::Out(_) => offer.receive(left)?,
        };
        let used = match amount {
            Amount::In(_) => fill.paid,
            Amount::Out(_) => fill.received,
        };
        left = left.checked_sub(used).ok_or(PoolError::Math)?;
        paid = paid.checked_add(fill.paid).ok_or(PoolError::Overflow)?;
        received = received.checked_add(fill.received).ok_or(PoolError::Overflow)?;
        fees.total = fees.total.checked_add(fill.fee).ok_or(PoolError::Overflow)?;
        // Parts of a fee sum to no more than it, but for what exact-out keeps.
        fees.protocol = fees.protocol.checked_add(fill.protocol).ok_or(PoolError::Overflow)?;
        fees.limit_orders = fees.limit_orders.checked_add(fill.orders).ok_or(PoolError::Overflow)?;
        visit(index, &fill);
        if left == 0 {
            if received == 0 {
                return Err(PoolError::ZeroOutput);
            }
            return Ok(Swap { amount_in: paid, amount_out: received, fees });
        }
    }
    Err(PoolError::InsufficientLiquidity)
}

impl MeteoraDlmm {
    /// Books what a swap does in one bin.
    pub(super) fn book(bin: &Bin, input: Side, fill: &Fill) -> Result<Bin, PoolError> {
        let [provided, processed, open] = fill.given;
        let mut after = *bin;
        let (taking, giving) = match input {
            Side::A => (&mut after.amount_x, &mut after.amount_y),
            Side::B => (&mut after.amount_y, &mut after.amount_x),
        };
        *taking = taking.checked_add(fill.provided).ok_or(PoolError::Overflow)?;
        *giving = giving.checked_sub(provided).ok_or(PoolError::Math)?;
        let rest = bin.processed_order_remaining_amount.checked_sub(processed).ok_or(PoolError::Math)?;
        after.processed_order_remaining_amount = rest;
        if open > 0 {
            // Whoever touches open orders makes them all orders that are being filled.
            let rest = rest.checked_add(bin.open_order_amount).and_then(|sum| sum.checked_sub(open));
            after.processed_order_remaining_amount = rest.ok_or(PoolError::Overflow)?;
            after.open_order_amount = 0;
        }
        Ok(after)
    }
}

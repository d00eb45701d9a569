//! A swap's way through the bins.

use super::bin::{Fill, Terms};
use super::{Bin, MeteoraDlmm, Volatility};
use crate::swap::{Amount, Fees, PoolError, Side, Swap};

/// Goes from bin to bin until the amount is used up; `visit` sees each bin, its place in the list and what it gives. The state
/// after the swap fits its types unless there is an error.
///
/// What does not change on the way is decided before it: each of the six ways is compiled on its own.
#[inline]
pub(super) fn walk(
    pool: &MeteoraDlmm,
    input: Side,
    amount: Amount,
    volatility: &Volatility,
    visit: impl FnMut(usize, &Bin, &Fill) -> Result<(), PoolError>,
) -> Result<Swap, PoolError> {
    match (input, pool.fee_on_input(input), amount) {
        (Side::A, true, Amount::In(units)) => go(pool, Side::A, true, Amount::In(units), volatility, visit),
        (Side::A, true, Amount::Out(units)) => go(pool, Side::A, true, Amount::Out(units), volatility, visit),
        (Side::A, false, Amount::In(units)) => go(pool, Side::A, false, Amount::In(units), volatility, visit),
        (Side::A, false, Amount::Out(units)) => go(pool, Side::A, false, Amount::Out(units), volatility, visit),
        (Side::B, _, Amount::In(units)) => go(pool, Side::B, true, Amount::In(units), volatility, visit),
        (Side::B, _, Amount::Out(units)) => go(pool, Side::B, true, Amount::Out(units), volatility, visit),
    }
}

/// One such way.
#[inline(always)]
fn go(
    pool: &MeteoraDlmm,
    input: Side,
    fee_on_input: bool,
    amount: Amount,
    volatility: &Volatility,
    mut visit: impl FnMut(usize, &Bin, &Fill) -> Result<(), PoolError>,
) -> Result<Swap, PoolError> {
    let mut left = amount.units();
    if left == 0 {
        return Err(PoolError::ZeroAmount);
    }
    let terms = Terms { input, fee_on_input, ..pool.terms(input) };
    // The amount that is not given.
    let mut other = 0_u64;
    let mut fees = Fees::new(0, if fee_on_input { input } else { input.other() });
    for (index, bin) in pool.ahead(input) {
        let layers = pool.layers(bin, input);
        let orders = layers.processed | layers.open;
        if layers.provisions | orders == 0 {
            continue;
        }
        if bin.price_x64 == 0 {
            return Err(PoolError::Math);
        }
        let terms = Terms { price: bin.price_x64, rate: volatility.rate(bin.id), ..terms };
        let (fill, used, gained) = match amount {
            Amount::In(_) => {
                let fill = if orders == 0 { terms.pay(layers.provisions, left)? } else { layers.pay(terms, left)? };
                (fill, fill.paid, fill.received)
            }
            Amount::Out(_) => {
                let fill =
                    if orders == 0 { terms.receive(layers.provisions, left)? } else { layers.receive(terms, left)? };
                (fill, fill.received, fill.paid)
            }
        };
        left = left.checked_sub(used).ok_or(PoolError::Math)?;
        other = other.checked_add(gained).ok_or(PoolError::Overflow)?;
        fees.total = fees.total.checked_add(fill.fee).ok_or(PoolError::Overflow)?;
        // Parts of a fee sum to no more than it.
        fees.protocol += fill.protocol;
        fees.limit_orders += fill.owners;
        let taking = if matches!(input, Side::A) { bin.amount_x } else { bin.amount_y };
        taking.checked_add(fill.provided).ok_or(PoolError::Overflow)?;
        visit(index, bin, &fill)?;
        if left == 0 {
            let claimable = if matches!(fees.token, Side::A) { pool.protocol_fee_x } else { pool.protocol_fee_y };
            claimable.checked_add(fees.protocol).ok_or(PoolError::Overflow)?;
            return match amount {
                Amount::In(_) if other == 0 => Err(PoolError::ZeroOutput),
                Amount::In(amount_in) => Ok(Swap { amount_in, amount_out: other, fees }),
                Amount::Out(amount_out) => Ok(Swap { amount_in: other, amount_out, fees }),
            };
        }
    }
    Err(PoolError::InsufficientLiquidity)
}

impl Bin {
    /// The bin after a swap, which pays with `input`, did in it what `fill` says.
    pub(super) fn after(&self, input: Side, fill: &Fill) -> Result<Self, PoolError> {
        let mut after = *self;
        let (taking, giving) = match input {
            Side::A => (&mut after.amount_x, &mut after.amount_y),
            Side::B => (&mut after.amount_y, &mut after.amount_x),
        };
        *taking = taking.checked_add(fill.provided).ok_or(PoolError::Overflow)?;
        *giving = giving.checked_sub(fill.provisions).ok_or(PoolError::Math)?;
        let left = self.processed_order_remaining_amount.checked_sub(fill.processed).ok_or(PoolError::Math)?;
        after.processed_order_remaining_amount = left;
        if fill.open > 0 {
            // Whoever touches open orders makes them all orders that are being filled.
            let left = self.open_order_amount.checked_sub(fill.open).and_then(|open| left.checked_add(open));
            after.processed_order_remaining_amount = left.ok_or(PoolError::Overflow)?;
            after.open_order_amount = 0;
        }
        Ok(after)
    }
}

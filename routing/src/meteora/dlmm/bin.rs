//! What one bin gives of its liquidity, for which fee, and who gets which part of that.

use super::volatility::{fee_beside, fee_within};
use crate::dyadic::Round;
use crate::swap::{PoolError, Side};

/// The terms on which a bin trades.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Token Y for one token X, with 64 fractional bits.
    pub(super) price: u128,
    /// The fee here, in 1e-9.
    pub(super) rate: u64,
    /// The token paid.
    pub(super) input: Side,
    /// Whether the fee is taken from what is paid.
    pub(super) fee_on_input: bool,
    /// The protocol's part of the fee, in 1e-4.
    pub(super) protocol_share: u16,
}

/// What a swap does in one bin, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fill {
    /// Paid, a fee on it included.
    pub(super) paid: u64,
    /// Received, after a fee on it.
    pub(super) received: u64,
    /// The fee, whichever token it is in.
    pub(super) fee: u64,
    /// The protocol's part of the fee.
    pub(super) protocol: u64,
    /// The part of the fee for owners of limit orders.
    pub(super) owners: u64,
    /// What liquidity providers get, without their part of the fee.
    pub(super) provided: u64,
    /// What they give, a fee on it included.
    pub(super) provisions: u64,
    /// What limit orders that are being filled give, a fee on it included.
    pub(super) processed: u64,
    /// What limit orders that nobody had touched give, a fee on it included.
    pub(super) open: u64,
}

/// Shares of fees are fractions of this.
const BASIS_POINTS: u64 = 10_000;

// The short functions are inlined by force: a fill that passes through memory costs more than its arithmetic.
impl Terms {
    /// Pays `amount`, or as much of it as the bin takes, for liquidity of which the bin holds `held`.
    #[inline(always)]
    pub(super) fn pay(&self, held: u64, amount: u64) -> Result<Fill, PoolError> {
        let most = self.input_for(held)?;
        let fee = self.fee_beside(most);
        // Of at most two amounts in a row remains the same after a fee, so the second condition is rarely looked at.
        if amount.saturating_sub(most) > fee + 1 || self.net(amount) > most {
            return Ok(self.settle(most + fee, most, held));
        }
        let net = self.net(amount);
        let bought = if net == most { held } else { self.output_for(net)? };
        Ok(self.settle(amount, net, bought))
    }

    /// Receives `amount`, or as much of it as the bin has, of liquidity of which it holds `held`.
    #[inline(always)]
    pub(super) fn receive(&self, held: u64, amount: u64) -> Result<Fill, PoolError> {
        let gross = self.gross_output(amount);
        if gross >= held {
            let most = self.input_for(held)?;
            return Ok(self.settle(self.gross_input(most)?, most, held));
        }
        let net = self.input_for(gross)?;
        let bought = if net == self.input_for(held)? { held } else { self.output_for(net)? };
        let fill = self.settle(self.gross_input(net)?, net, bought);
        self.keep(fill, amount)
    }

    /// Takes the fee, and the protocol's part of it. Of `paid` there remains `net` after a fee on it, which buys `bought`
    /// before a fee on that.
    #[inline(always)]
    fn settle(&self, paid: u64, net: u64, bought: u64) -> Fill {
        let fee = self.fee(paid, net, bought);
        let received = if self.fee_on_input { bought } else { bought - fee };
        // A single unit that is all fee buys nothing of anybody: it is the protocol's.
        let protocol = if net == 0 { fee } else { share(fee, u64::from(self.protocol_share)) };
        Fill { paid, received, fee, protocol, owners: 0, provided: net, provisions: bought, processed: 0, open: 0 }
    }

    /// The fee where `net` remains of `paid` and buys `bought`.
    #[inline(always)]
    pub(super) fn fee(&self, paid: u64, net: u64, bought: u64) -> u64 {
        if self.fee_on_input { paid - net } else { fee_within(bought, self.rate) }
    }

    /// One unit of input can buy more than was asked for. The trader gets what was asked, the pool keeps the rest; where the
    /// fee is on the output, as a fee for the protocol.
    #[inline(always)]
    pub(super) fn keep(&self, fill: Fill, wanted: u64) -> Result<Fill, PoolError> {
        let kept = fill.received.checked_sub(wanted).ok_or(PoolError::Math)?;
        let kept = if self.fee_on_input { 0 } else { kept };
        Ok(Fill { received: wanted, fee: fill.fee + kept, protocol: fill.protocol + kept, ..fill })
    }

    /// What remains of `amount` after a fee on it.
    #[inline(always)]
    pub(super) fn net(&self, amount: u64) -> u64 {
        if self.fee_on_input { amount - fee_within(amount, self.rate) } else { amount }
    }

    /// The fee on the input that belongs beside `net`.
    #[inline(always)]
    fn fee_beside(&self, net: u64) -> u64 {
        if self.fee_on_input { fee_beside(net, self.rate) } else { 0 }
    }

    /// The least input of which `net` remains after a fee on it.
    #[inline(always)]
    pub(super) fn gross_input(&self, net: u64) -> Result<u64, PoolError> {
        net.checked_add(self.fee_beside(net)).ok_or(PoolError::Overflow)
    }

    /// The least output of which `net` remains after a fee on it. What does not fit is more than any bin holds.
    #[inline(always)]
    pub(super) fn gross_output(&self, net: u64) -> u64 {
        if self.fee_on_input { net } else { net.saturating_add(fee_beside(net, self.rate)) }
    }

    /// The least input that buys `amount`, before a fee on it.
    #[inline(always)]
    pub(super) fn input_for(&self, amount: u64) -> Result<u64, PoolError> {
        match self.input {
            Side::A => divided(amount, self.price, Round::Up),
            Side::B => multiplied(amount, self.price, Round::Up),
        }
        .ok_or(PoolError::Overflow)
    }

    /// What `amount` buys, before a fee on it.
    #[inline(always)]
    pub(super) fn output_for(&self, amount: u64) -> Result<u64, PoolError> {
        match self.input {
            Side::A => multiplied(amount, self.price, Round::Down),
            Side::B => divided(amount, self.price, Round::Down),
        }
        .ok_or(PoolError::Overflow)
    }
}

/// Token Y for `amount` of token X at a price with 64 fractional bits; `None` when it does not fit.
#[inline(always)]
fn multiplied(amount: u64, price: u128, round: Round) -> Option<u64> {
    let (amount, low_bits) = (u128::from(amount), u128::from(u64::MAX));
    let low = amount * (price & low_bits);
    let whole = u64::try_from(amount * (price >> 64) + (low >> 64)).ok()?;
    whole.checked_add(u64::from(round == Round::Up && low & low_bits != 0))
}

/// Token X for `amount` of token Y at a price with 64 fractional bits; `None` when it does not fit.
#[inline(always)]
fn divided(amount: u64, price: u128, round: Round) -> Option<u64> {
    let shifted = u128::from(amount) << 64;
    let quotient = match round {
        Round::Down => shifted.checked_div(price)?,
        // The sum of both fits for every price but those near the end of what there can be.
        Round::Up => match shifted.checked_add(price.checked_sub(1)?) {
            Some(sum) => sum.checked_div(price)?,
            None => at_the_end(shifted, price),
        },
    };
    u64::try_from(quotient).ok()
}

/// `⌈shifted / price⌉` where their sum does not fit.
#[cold]
fn at_the_end(shifted: u128, price: u128) -> u128 {
    shifted.div_ceil(price)
}

/// A part of a fee in basis points, rounded down; no more than all of it.
#[inline(always)]
pub(super) fn share(fee: u64, basis_points: u64) -> u64 {
    let basis_points = basis_points.min(BASIS_POINTS);
    if let Some(product) = fee.checked_mul(basis_points) {
        return product / BASIS_POINTS;
    }
    fee / BASIS_POINTS * basis_points + fee % BASIS_POINTS * basis_points / BASIS_POINTS
}

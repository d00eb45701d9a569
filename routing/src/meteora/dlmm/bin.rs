//! What one bin gives: layers of one price, the fee of the bin's distance, and who gets which part of it.

use super::volatility::{rate_of_gross, rate_on_net};
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::swap::{PoolError, Side};

/// One bin as a swap comes to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Token Y for one token X, with 64 fractional bits.
    pub(super) price: u128,
    /// What is for sale: of liquidity providers, of limit orders being filled, of limit orders not yet touched.
    pub(super) layers: [u64; 3],
    /// The token paid.
    pub(super) input: Side,
    /// The fee here, in 1e-9.
    pub(super) rate: u64,
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
    /// The limit orders' part of the fee.
    pub(super) orders: u64,
    /// What each layer gives, before a fee on it.
    pub(super) given: [u64; 3],
    /// What the liquidity providers' layer takes, after a fee on it.
    pub(super) provided: u64,
}

/// The part of a limit order's fee that its owner gets, in 1e-4.
const ORDER_OWNER_SHARE: u64 = 5_000;

/// Shares of fees are fractions of this.
const BASIS_POINTS: u64 = 10_000;

impl Offer {
    /// All that the bin can give.
    pub(super) fn held(&self) -> u64 {
        let [provided, processed, open] = self.layers;
        provided.saturating_add(processed).saturating_add(open)
    }

    /// Pays `amount`, or as much of it as the bin takes.
    #[inline]
    pub(super) fn pay(&self, amount: u64) -> Result<Fill, PoolError> {
        if let Some(most) = self.input_of_all()
            && self.outlasts(amount, most)
        {
            return self.drain(most);
        }
        let net = if self.fee_on_input { amount - rate_of_gross(amount, self.rate) } else { amount };
        self.fill(amount, net)
    }

    /// Receives `amount`, or as much of it as the bin has.
    #[inline]
    pub(super) fn receive(&self, amount: u64) -> Result<Fill, PoolError> {
        let gross = match self.fee_on_input {
            true => Some(amount),
            // What does not fit is more than any bin holds.
            false => amount.checked_add(rate_on_net(amount, self.rate)),
        };
        match gross {
            Some(gross) if gross < self.held() => self.receive_part(amount, gross),
            _ => self.drain(self.input_of_all().ok_or(PoolError::Overflow)?),
        }
    }

    /// Receives `amount`, which with a fee on it is `gross` and less than the bin has.
    fn receive_part(&self, amount: u64, gross: u64) -> Result<Fill, PoolError> {
        let mut rest = gross;
        let mut net = 0_u64;
        for layer in self.layers {
            let part = rest.min(layer);
            rest -= part;
            net = net.checked_add(self.input_for(part)?).ok_or(PoolError::Overflow)?;
        }
        let paid = match self.fee_on_input {
            true => net.checked_add(rate_on_net(net, self.rate)).ok_or(PoolError::Overflow)?,
            false => net,
        };
        let fill = self.fill(paid, net)?;
        // One unit of input can buy more than was asked for: the trader gets what was asked, the pool keeps the rest.
        let kept = fill.received.checked_sub(amount).ok_or(PoolError::Math)?;
        if self.fee_on_input {
            return Ok(Fill { received: amount, ..fill });
        }
        let protocol = fill.protocol.checked_add(kept).ok_or(PoolError::Overflow)?;
        let fee = fill.fee.checked_add(kept).ok_or(PoolError::Overflow)?;
        Ok(Fill { received: amount, fee, protocol, ..fill })
    }

    /// The input that buys everything, before a fee on it; none where it does not fit.
    #[inline]
    fn input_of_all(&self) -> Option<u64> {
        let [provided, processed, open] = self.layers;
        let most = self.input_for(provided).ok()?;
        if processed | open == 0 {
            return Some(most);
        }
        most.checked_add(self.input_for(processed).ok()?)?.checked_add(self.input_for(open).ok()?)
    }

    /// Whether something of `amount` is left after all of the bin is bought for `most`, before a fee on it.
    #[inline]
    fn outlasts(&self, amount: u64, most: u64) -> bool {
        amount > most && (!self.fee_on_input || amount - rate_of_gross(amount, self.rate) > most)
    }

    /// Everything, for `net`.
    #[inline]
    fn drain(&self, net: u64) -> Result<Fill, PoolError> {
        let gross =
            self.layers.iter().try_fold(0_u64, |sum, layer| sum.checked_add(*layer)).ok_or(PoolError::Overflow)?;
        let (paid, fee) = match self.fee_on_input {
            true => {
                let fee = rate_on_net(net, self.rate);
                (net.checked_add(fee).ok_or(PoolError::Overflow)?, fee)
            }
            false => (net, rate_of_gross(gross, self.rate)),
        };
        let received = if self.fee_on_input { gross } else { gross - fee };
        let [provided, processed, open] = self.layers;
        let provided = if processed | open == 0 { net } else { self.input_for(provided)? };
        let (protocol, orders) = self.parts(fee, provided, net);
        Ok(Fill { paid, received, fee, protocol, orders, given: self.layers, provided })
    }

    /// What `paid` buys of a bin that it does not outlast; `net` is what is left of it after a fee on it.
    fn fill(&self, paid: u64, net: u64) -> Result<Fill, PoolError> {
        let mut left = net;
        let mut given = [0; 3];
        let mut provided = 0;
        for (index, (layer, given)) in self.layers.into_iter().zip(&mut given).enumerate() {
            if left == 0 || layer == 0 {
                continue;
            }
            let used = left.min(self.input_for(layer)?);
            *given = if used < left || self.input_for(layer)? == left { layer } else { self.output_for(left)? };
            left -= used;
            if index == 0 {
                provided = used;
            }
        }
        let gross = given.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part)).ok_or(PoolError::Overflow)?;
        let fee = if self.fee_on_input { paid - net } else { rate_of_gross(gross, self.rate) };
        let received = if self.fee_on_input { gross } else { gross - fee };
        let (protocol, orders) = self.parts(fee, provided, net);
        Ok(Fill { paid, received, fee, protocol, orders, given, provided })
    }

    /// The protocol's and the limit orders' parts of a fee, where liquidity providers took `provided` of `net`.
    #[inline]
    fn parts(&self, fee: u64, provided: u64, net: u64) -> (u64, u64) {
        // A single unit that is all fee buys nothing of anybody: the protocol's.
        if net == 0 {
            return (fee, 0);
        }
        if provided == net {
            return (share(fee, u64::from(self.protocol_share)), 0);
        }
        let of_providers = mul_div_ceil(u128::from(fee), u128::from(provided), u128::from(net));
        let of_providers = of_providers.and_then(|part| u64::try_from(part).ok()).unwrap_or(fee).min(fee);
        let of_orders = fee - of_providers;
        let owners = share(of_orders, ORDER_OWNER_SHARE);
        (of_orders - owners + share(of_providers, u64::from(self.protocol_share)), owners)
    }

    /// The least input that buys `amount`, before a fee on it.
    #[inline]
    fn input_for(&self, amount: u64) -> Result<u64, PoolError> {
        let wide = match self.input {
            Side::A => mul_div_ceil(u128::from(amount), 1 << 64, self.price),
            Side::B => mul_div_ceil(u128::from(amount), self.price, 1 << 64),
        };
        wide.and_then(|wide| u64::try_from(wide).ok()).ok_or(PoolError::Overflow)
    }

    /// What `amount` buys, before a fee on it.
    #[inline]
    fn output_for(&self, amount: u64) -> Result<u64, PoolError> {
        let wide = match self.input {
            Side::A => mul_div_floor(u128::from(amount), self.price, 1 << 64),
            Side::B => mul_div_floor(u128::from(amount), 1 << 64, self.price),
        };
        wide.and_then(|wide| u64::try_from(wide).ok()).ok_or(PoolError::Overflow)
    }
}

/// A part of a fee, `basis_points` of it, rounded down; no more than all of it.
#[inline]
fn share(fee: u64, basis_points: u64) -> u64 {
    let basis_points = basis_points.min(BASIS_POINTS);
    fee / BASIS_POINTS * basis_points + fee % BASIS_POINTS * basis_points / BASIS_POINTS
}

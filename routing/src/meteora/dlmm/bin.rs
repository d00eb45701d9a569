//! What one bin gives: layers of one price, the fee of the bin's distance, and who gets which part of it.

use super::volatility::{fee_beside, fee_within};
use crate::dyadic::Round;
use crate::math::mul_div_ceil;
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
    /// Pays `amount`, or as much of it as the bin takes.
    #[inline]
    pub(super) fn pay(&self, amount: u64) -> Result<Fill, PoolError> {
        let [held, processed, open] = self.layers;
        if processed | open != 0 {
            return self.pay_layers(amount);
        }
        let most = self.input_for(held)?;
        // At least what remains of the least amount that buys everything is `most`; the same may remain of the next one.
        let fee = if self.fee_on_input { fee_beside(most, self.rate) } else { 0 };
        if amount.saturating_sub(most) > fee + 1 || self.net(amount) > most {
            return self.drain(held, most);
        }
        let net = self.net(amount);
        let given = if net == most { held } else { self.output_for(net)? };
        Ok(self.settle(amount, net, given, [given, 0, 0], net))
    }

    /// Receives `amount`, or as much of it as the bin has.
    #[inline]
    pub(super) fn receive(&self, amount: u64) -> Result<Fill, PoolError> {
        let [held, processed, open] = self.layers;
        if processed | open != 0 {
            return self.receive_layers(amount);
        }
        let gross = if self.fee_on_input { amount } else { amount.saturating_add(fee_beside(amount, self.rate)) };
        if gross >= held {
            return self.drain(held, self.input_for(held)?);
        }
        let net = self.input_for(gross)?;
        let bought = if net == self.input_for(held)? { held } else { self.output_for(net)? };
        self.keep(amount, self.settle(self.gross(net)?, net, bought, [bought, 0, 0], net))
    }

    /// [`pay`](Self::pay) where there are limit orders.
    fn pay_layers(&self, amount: u64) -> Result<Fill, PoolError> {
        let net = self.net(amount);
        match (self.held(), self.input_of_all()) {
            (Some(held), Some(most)) if net > most => self.drain(held, most),
            _ => self.fill(amount, net),
        }
    }

    /// [`receive`](Self::receive) where there are limit orders.
    fn receive_layers(&self, amount: u64) -> Result<Fill, PoolError> {
        let held = self.held().ok_or(PoolError::Overflow)?;
        let gross = if self.fee_on_input { amount } else { amount.saturating_add(fee_beside(amount, self.rate)) };
        if gross >= held {
            return self.drain(held, self.input_of_all().ok_or(PoolError::Overflow)?);
        }
        let mut rest = gross;
        let mut net = 0_u64;
        for layer in self.layers {
            let part = rest.min(layer);
            rest -= part;
            net = net.checked_add(self.input_for(part)?).ok_or(PoolError::Overflow)?;
        }
        self.keep(amount, self.fill(self.gross(net)?, net)?)
    }

    /// Everything, `held`, for `most` before a fee on it.
    #[inline]
    fn drain(&self, held: u64, most: u64) -> Result<Fill, PoolError> {
        let [provided, processed, open] = self.layers;
        let provided = if processed | open == 0 { most } else { self.input_for(provided)? };
        Ok(self.settle(self.gross(most)?, most, held, self.layers, provided))
    }

    /// What `paid` buys of layers that it does not outlast; `net` is what remains of it after a fee on it.
    fn fill(&self, paid: u64, net: u64) -> Result<Fill, PoolError> {
        let mut left = net;
        let mut given = [0; 3];
        let mut provided = 0;
        let mut sum = 0_u64;
        for (index, (layer, given)) in self.layers.into_iter().zip(&mut given).enumerate() {
            if left == 0 || layer == 0 {
                continue;
            }
            let most = self.input_for(layer)?;
            let used = left.min(most);
            *given = if used == most { layer } else { self.output_for(used)? };
            sum = sum.checked_add(*given).ok_or(PoolError::Overflow)?;
            left -= used;
            if index == 0 {
                provided = used;
            }
        }
        Ok(self.settle(paid, net, sum, given, provided))
    }

    /// Takes the fee and parts it. Of `paid`, `net` remains after a fee on it; it buys `bought` before a fee on that.
    #[inline]
    fn settle(&self, paid: u64, net: u64, bought: u64, given: [u64; 3], provided: u64) -> Fill {
        let fee = if self.fee_on_input { paid - net } else { fee_within(bought, self.rate) };
        let received = if self.fee_on_input { bought } else { bought - fee };
        let (protocol, orders) = self.parts(fee, provided, net);
        Fill { paid, received, fee, protocol, orders, given, provided }
    }

    /// One unit of input can buy more than was asked for: the trader gets what was asked, the pool keeps the rest, and where
    /// the fee is on the output the rest is the protocol's.
    #[inline]
    fn keep(&self, wanted: u64, fill: Fill) -> Result<Fill, PoolError> {
        let kept = fill.received.checked_sub(wanted).ok_or(PoolError::Math)?;
        let fill = Fill { received: wanted, ..fill };
        if self.fee_on_input || kept == 0 {
            return Ok(fill);
        }
        // All of them are parts of what the bin held.
        Ok(Fill { fee: fill.fee + kept, protocol: fill.protocol + kept, ..fill })
    }

    /// The protocol's and the limit orders' parts of a fee, where liquidity providers took `provided` of `net`.
    #[inline]
    fn parts(&self, fee: u64, provided: u64, net: u64) -> (u64, u64) {
        if net == 0 {
            // A single unit that is all fee buys nothing of anybody: it is the protocol's.
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

    /// All that the bin gives; none where it does not fit.
    fn held(&self) -> Option<u64> {
        self.layers.into_iter().try_fold(0_u64, u64::checked_add)
    }

    /// The input that buys everything, before a fee on it; none where it does not fit.
    fn input_of_all(&self) -> Option<u64> {
        self.layers.into_iter().try_fold(0_u64, |sum, layer| sum.checked_add(self.input_for(layer).ok()?))
    }

    /// What remains of `amount` after a fee on it.
    #[inline]
    fn net(&self, amount: u64) -> u64 {
        if self.fee_on_input { amount - fee_within(amount, self.rate) } else { amount }
    }

    /// The least amount of which `net` remains after a fee on it.
    #[inline]
    fn gross(&self, net: u64) -> Result<u64, PoolError> {
        let fee = if self.fee_on_input { fee_beside(net, self.rate) } else { 0 };
        net.checked_add(fee).ok_or(PoolError::Overflow)
    }

    /// The least input that buys `amount`, before a fee on it.
    #[inline]
    fn input_for(&self, amount: u64) -> Result<u64, PoolError> {
        match self.input {
            Side::A => divided(amount, self.price, Round::Up),
            Side::B => multiplied(amount, self.price, Round::Up),
        }
        .ok_or(PoolError::Overflow)
    }

    /// What `amount` buys, before a fee on it.
    #[inline]
    fn output_for(&self, amount: u64) -> Result<u64, PoolError> {
        match self.input {
            Side::A => multiplied(amount, self.price, Round::Down),
            Side::B => divided(amount, self.price, Round::Down),
        }
        .ok_or(PoolError::Overflow)
    }
}

/// Token Y for `amount` of token X at a price with 64 fractional bits; `None` when it does not fit.
#[inline]
fn multiplied(amount: u64, price: u128, round: Round) -> Option<u64> {
    let (amount, low_bits) = (u128::from(amount), u128::from(u64::MAX));
    let low = amount * (price & low_bits);
    let whole = u64::try_from(amount * (price >> 64) + (low >> 64)).ok()?;
    whole.checked_add(u64::from(round == Round::Up && low & low_bits != 0))
}

/// Token X for `amount` of token Y at a price with 64 fractional bits; `None` when it does not fit.
#[inline]
fn divided(amount: u64, price: u128, round: Round) -> Option<u64> {
    let shifted = u128::from(amount) << 64;
    let quotient = shifted.checked_div(price)?;
    let whole = u64::try_from(quotient).ok()?;
    whole.checked_add(u64::from(round == Round::Up && quotient * price != shifted))
}

/// A part of a fee, `basis_points` of it, rounded down; no more than all of it.
#[inline]
fn share(fee: u64, basis_points: u64) -> u64 {
    let basis_points = basis_points.min(BASIS_POINTS);
    fee / BASIS_POINTS * basis_points + fee % BASIS_POINTS * basis_points / BASIS_POINTS
}

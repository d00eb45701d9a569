//! Meteora DLMM: liquidity in bins of one price each, a fee that grows with the distance a swap travels, and limit orders
//! inside bins.
//!
//! Source: the program `MeteoraAg/dlmm-sdk`, commit fb02e51a.

mod bin;
mod check;
mod orders;
mod pieces;
mod volatility;
mod walk;

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, PoolError, Ratio, Side, Swap};
use bin::Terms;
use orders::Layers;
use volatility::Volatility;
use walk::walk;

/// A pool of Meteora's DLMM: token X is `a`, token Y is `b`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeteoraDlmm {
    /// The step of the price from one bin to the next, in 1e-4.
    #[serde(with = "decimal")]
    pub bin_step: u16,
    /// The bin in which the price stands.
    #[serde(with = "decimal")]
    pub active_id: i32,
    /// The base fee in units of `bin_step · 10` of 1e-9.
    #[serde(with = "decimal")]
    pub base_factor: u16,
    /// The power of ten that multiplies the base fee.
    #[serde(default, with = "decimal")]
    pub base_fee_power_factor: u8,
    /// How strongly volatility raises the fee; zero is not at all.
    #[serde(with = "decimal")]
    pub variable_fee_control: u32,
    /// The largest volatility that is counted, in 1e-4 bins.
    #[serde(with = "decimal")]
    pub max_volatility_accumulator: u32,
    /// Seconds within which trades share one reference.
    #[serde(with = "decimal")]
    pub filter_period: u16,
    /// Seconds after which volatility is forgotten.
    #[serde(with = "decimal")]
    pub decay_period: u16,
    /// What is left of volatility between the two periods, in 1e-4.
    #[serde(with = "decimal")]
    pub reduction_factor: u16,
    /// The protocol's part of a fee, in 1e-4.
    #[serde(with = "decimal")]
    pub protocol_share: u16,
    /// Volatility at the last bin of the last trade, in 1e-4 bins.
    #[serde(with = "decimal")]
    pub volatility_accumulator: u32,
    /// Volatility that the present reference began with, in 1e-4 bins.
    #[serde(with = "decimal")]
    pub volatility_reference: u32,
    /// The bin that distances are measured from.
    #[serde(with = "decimal")]
    pub index_reference: i32,
    /// When the reference was last renewed, in seconds since the Unix epoch.
    #[serde(with = "decimal")]
    pub last_update_timestamp: u64,
    /// Which token fees are taken in: 0 the one paid, 1 always token Y.
    #[serde(default, with = "decimal")]
    pub collect_fee_mode: u8,
    /// What the pool does beside making a market: 1 pays rewards, 2 takes limit orders.
    #[serde(default, with = "decimal")]
    pub function_type: u8,
    /// The lowest bin there can be.
    #[serde(with = "decimal")]
    pub min_bin_id: i32,
    /// The highest bin there can be.
    #[serde(with = "decimal")]
    pub max_bin_id: i32,
    /// Token X that the protocol may claim.
    #[serde(default, with = "decimal")]
    pub protocol_fee_x: u64,
    /// Token Y that the protocol may claim.
    #[serde(default, with = "decimal")]
    pub protocol_fee_y: u64,
    /// All bins that hold anything, in rising order of `id`.
    pub bins: Vec<Bin>,
}

/// One bin of a [`MeteoraDlmm`]: everything in it trades at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// Its number; zero is the price 1.
    #[serde(with = "decimal")]
    pub id: i32,
    /// Token Y for one token X, with 64 fractional bits.
    #[serde(with = "decimal")]
    pub price_x64: u128,
    /// Token X of the liquidity providers.
    #[serde(with = "decimal")]
    pub amount_x: u64,
    /// Token Y of the liquidity providers.
    #[serde(with = "decimal")]
    pub amount_y: u64,
    /// What limit orders that nobody has touched yet have for sale.
    #[serde(default, with = "decimal")]
    pub open_order_amount: u64,
    /// What is left for sale of limit orders that are being filled.
    #[serde(default, with = "decimal")]
    pub processed_order_remaining_amount: u64,
    /// What limit orders sell here: 0 token Y, 1 token X.
    #[serde(default, with = "decimal")]
    pub limit_order_ask_side: u8,
}

impl MeteoraDlmm {
    /// Whether the state can be.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        check::check(self)
    }

    /// What the pool gives now. Changes nothing.
    ///
    /// In each bin `fee = ⌈amount · rate⌉` of what is paid, or of what comes out where the fee is on the output, and
    /// `out = ⌊in · price⌋`, or `⌊in / price⌋` for token X; a bin that is bought up takes `⌈held / price⌉`, or
    /// `⌈held · price⌉`, and `⌈in · rate / (1 − rate)⌉` beside it. Exact-out goes the same way backwards.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        walk(self, input, amount, &Volatility::at(self, now), |_, _, _| Ok(()))
    }

    /// What the pool gives, and the state after it; on an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        let volatility = Volatility::at(self, now);
        let mut booked = Vec::new();
        let swap = walk(self, input, amount, &volatility, |index, bin, fill| {
            booked.push((index, bin.after(input, fill)?));
            Ok(())
        })?;
        let claimable = match swap.fees.token {
            Side::A => &mut self.protocol_fee_x,
            Side::B => &mut self.protocol_fee_y,
        };
        *claimable = claimable.checked_add(swap.fees.protocol).ok_or(PoolError::Overflow)?;
        let active_before = self.active_id;
        for (index, after) in booked {
            self.active_id = after.id;
            if let Some(bin) = self.bins.get_mut(index) {
                *bin = after;
            }
        }
        self.volatility_accumulator = volatility.accumulated(self.active_id);
        self.volatility_reference = volatility.reference;
        self.index_reference = volatility.index_reference;
        // The reference ages from the last trade that moved the price.
        if self.active_id != active_before {
            self.last_update_timestamp = now;
        }
        Ok(swap)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees: the price of the first bin
    /// that has anything to give.
    ///
    /// # Errors
    /// The pool has nothing to give in this direction.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        const ONE: u128 = 1 << 64;
        let mut ahead = self.ahead(input).filter(|(_, bin)| self.layers(bin, input).first().is_some());
        let (_, bin) = ahead.next().ok_or(PoolError::InsufficientLiquidity)?;
        match input {
            _ if bin.price_x64 == 0 => Err(PoolError::Math),
            Side::A => Ok(Ratio { numerator: bin.price_x64, denominator: ONE }),
            Side::B => Ok(Ratio { numerator: ONE, denominator: bin.price_x64 }),
        }
    }

    /// The pool's curve for trades in one direction: a line for each bin, with the fee of its distance in it.
    ///
    /// # Errors
    /// None for a state that can be; of one that cannot, pieces mean nothing.
    pub fn pieces(&self, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
        Ok(pieces::of(self, input, now))
    }

    /// The bins that a swap comes to, in its order, with their places in the list.
    #[inline(always)]
    fn ahead(&self, input: Side) -> impl Iterator<Item = (usize, &Bin)> {
        let place = self.place(self.active_id);
        let mut next = match input {
            Side::A if self.bins.get(place).is_none_or(|bin| bin.id != self.active_id) => place.wrapping_sub(1),
            _ => place,
        };
        std::iter::from_fn(move || {
            let index = next;
            let bin = self.bins.get(index)?;
            // Before the first place comes none at all.
            next = match input {
                Side::A => index.wrapping_sub(1),
                Side::B => index + 1,
            };
            (self.min_bin_id <= bin.id && bin.id <= self.max_bin_id).then_some((index, bin))
        })
    }

    /// The first place in the list whose bin is not below `id`.
    #[inline]
    fn place(&self, id: i32) -> usize {
        let (Some(first), Some(last)) = (self.bins.first(), self.bins.last()) else { return 0 };
        // Ids rise by one at least from place to place, which leaves few places to look at: as many as bins are missing.
        let end = self.bins.len() - 1;
        let most = if id <= first.id { 0 } else { id.abs_diff(first.id) as usize };
        let least = if id >= last.id { end } else { end.saturating_sub(id.abs_diff(last.id) as usize) };
        let near = self.bins.get(least..=most.min(end)).unwrap_or_default();
        least + near.partition_point(|bin| bin.id < id)
    }

    /// What a bin has for sale for the token paid.
    #[inline(always)]
    fn layers(&self, bin: &Bin, input: Side) -> Layers {
        let (provisions, sells) = match input {
            Side::A => (bin.amount_y, 0),
            Side::B => (bin.amount_x, 1),
        };
        if self.function_type != LIMIT_ORDERS || bin.limit_order_ask_side != sells {
            return Layers { provisions, processed: 0, open: 0 };
        }
        Layers { provisions, processed: bin.processed_order_remaining_amount, open: bin.open_order_amount }
    }

    /// The terms of every bin, but for its price and its fee.
    fn terms(&self, input: Side) -> Terms {
        let fee_on_input = self.fee_on_input(input);
        Terms { price: 0, rate: 0, input, fee_on_input, protocol_share: self.protocol_share }
    }

    /// Whether the fee is taken from what is paid, not from what is received.
    const fn fee_on_input(&self, input: Side) -> bool {
        self.collect_fee_mode != ALWAYS_TOKEN_Y || matches!(input, Side::B)
    }
}

/// The `function_type` of a pool with limit orders.
const LIMIT_ORDERS: u8 = 2;

/// The `collect_fee_mode` in which fees are taken in token Y.
const ALWAYS_TOKEN_Y: u8 = 1;

#[cfg(test)]
mod tests;

//! Raydium CLMM: liquidity between ticks of the price, with the fee sides, dynamic fees and limit orders of 2026.
//!
//! Source: the Raydium CLMM program, `swap_internal`, `swap_math`, `sqrt_price_math`, `tick_math`, `pool_fee`, `tick_array`.

mod tick;
mod tick_math;

mod after;
mod check;
mod pieces;
mod walk;

mod orders;
mod price_math;
mod step;
mod volatility;
mod wide;

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, PoolError, Ratio, Side, Swap};

use walk::Walk;

pub use tick::Tick;
pub use tick_math::{
    MAX_SQRT_PRICE_X64, MAX_TICK, MIN_SQRT_PRICE_X64, MIN_TICK, sqrt_price_at_tick, tick_at_sqrt_price,
};

/// What rates of fees are shares of.
const RATE_WHOLE: u32 = 1_000_000;

/// Raydium CLMM: the whole state that a swap depends on. Side `a` is token 0, `b` token 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaydiumClmm {
    /// Ticks that liquidity may refer to are its multiples.
    #[serde(with = "decimal")]
    pub tick_spacing: u16,
    /// The square root of the price, token 1 per token 0 in base units, Q64.64.
    #[serde(with = "decimal")]
    pub sqrt_price_x64: u128,
    /// The tick below the price; of a price on an initialised tick it says whether that was crossed downwards.
    #[serde(with = "decimal")]
    pub tick_current: i32,
    /// The liquidity at the price.
    #[serde(with = "decimal")]
    pub liquidity: u128,
    /// The fee of a swap without its dynamic part, 1e-6.
    #[serde(with = "decimal")]
    pub trade_fee_rate: u32,
    /// The protocol's share of the fee, 1e-6.
    #[serde(with = "decimal")]
    pub protocol_fee_rate: u32,
    /// The fund's share of the fee, 1e-6.
    #[serde(with = "decimal")]
    pub fund_fee_rate: u32,
    /// The token that fees are taken in.
    #[serde(default)]
    pub fee_on: FeeOn,
    /// Fees earned in token 0 by one unit of liquidity, ever; Q64.64, wraps around.
    #[serde(with = "decimal", default)]
    pub fee_growth_global_0_x64: u128,
    /// The same in token 1.
    #[serde(with = "decimal", default)]
    pub fee_growth_global_1_x64: u128,
    /// Owed to the protocol in token 0, base units.
    #[serde(with = "decimal", default)]
    pub protocol_fees_token_0: u64,
    /// Owed to the protocol in token 1.
    #[serde(with = "decimal", default)]
    pub protocol_fees_token_1: u64,
    /// Owed to the fund in token 0.
    #[serde(with = "decimal", default)]
    pub fund_fees_token_0: u64,
    /// Owed to the fund in token 1.
    #[serde(with = "decimal", default)]
    pub fund_fees_token_1: u64,
    /// All initialised ticks, ascending.
    pub ticks: Vec<Tick>,
    /// The part of the fee that grows with the price's movement, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_fee: Option<DynamicFee>,
}

/// The token that fees are taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeeOn {
    /// What is paid.
    #[default]
    #[serde(rename = "0")]
    Input,
    /// Always token 0.
    #[serde(rename = "1")]
    Token0,
    /// Always token 1.
    #[serde(rename = "2")]
    Token1,
}

impl FeeOn {
    /// The token of the fee in a swap that pays `input`.
    const fn token(self, input: Side) -> Side {
        match self {
            Self::Input => input,
            Self::Token0 => Side::A,
            Self::Token1 => Side::B,
        }
    }
}

/// How the fee follows the price's movement, and how far that has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicFee {
    /// Within so many seconds of the last update the references stay.
    #[serde(with = "decimal")]
    pub filter_period: u16,
    /// After so many seconds the reference falls to zero; before, to its reduced value.
    #[serde(with = "decimal")]
    pub decay_period: u16,
    /// The part of the accumulator that is left as reference, 1e-4.
    #[serde(with = "decimal")]
    pub reduction_factor: u16,
    /// How strongly the fee follows the squared accumulator, 1e-5.
    #[serde(with = "decimal")]
    pub dynamic_fee_control: u32,
    /// The accumulator's maximum, in units of 1e-4 tick spacings.
    #[serde(with = "decimal")]
    pub max_volatility_accumulator: u32,
    /// Where the price was at the last update, in tick spacings.
    #[serde(with = "decimal")]
    pub tick_spacing_index_reference: i32,
    /// What the accumulator starts from there.
    #[serde(with = "decimal")]
    pub volatility_reference: u32,
    /// How far the price has moved, in units of 1e-4 tick spacings.
    #[serde(with = "decimal")]
    pub volatility_accumulator: u32,
    /// When the references were last updated, in seconds since the Unix epoch.
    #[serde(with = "decimal")]
    pub last_update_timestamp: u64,
}

impl RaydiumClmm {
    /// Whether the state can be.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        check::check(self)
    }

    /// What the pool gives at `now`, in seconds since the Unix epoch. Changes nothing.
    ///
    /// # Errors
    /// See [`PoolError`]. A swap that comes to the end of all prices before its amount is used up is refused, as the
    /// program's instructions refuse it without a limit.
    pub fn quote(&self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        whole(amount, self.quote_to(input, amount, now, None)?)
    }

    /// The same for a swap that stops at a square root of a price, Q64.64, or at the end of all prices: `amount_in` or
    /// `amount_out` is then less than what was asked for.
    ///
    /// # Errors
    /// See [`PoolError`]; a limit on the wrong side of the price is [`PoolError::PriceLimit`].
    pub fn quote_to(&self, input: Side, amount: Amount, now: u64, limit: Option<u128>) -> Result<Swap, PoolError> {
        Walk::begin(self, input, amount, now, limit, ())?.run()
    }

    /// What the pool gives, and the state after it; on an error nothing changes.
    ///
    /// # Errors
    /// See [`quote`](Self::quote).
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        let (swap, after) = self.after(input, amount, now, None)?;
        let swap = whole(amount, swap)?;
        after.write(self);
        Ok(swap)
    }

    /// The same for a swap that stops at a square root of a price: see [`quote_to`](Self::quote_to).
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply_to(&mut self, input: Side, amount: Amount, now: u64, limit: Option<u128>) -> Result<Swap, PoolError> {
        let (swap, after) = self.after(input, amount, now, limit)?;
        after.write(self);
        Ok(swap)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees.
    ///
    /// # Errors
    /// The price cannot be.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        let price = self.sqrt_price_x64;
        if !(MIN_SQRT_PRICE_X64..MAX_SQRT_PRICE_X64).contains(&price) {
            return Err(PoolError::Invalid { field: "sqrt_price_x64", reason: "beyond the program's range" });
        }
        // The price is price² / 2^128; both sides lose the low bits that do not fit, at least the one of 2^128 itself.
        let (high, low) = crate::math::halves(price, price);
        let shift = (128 - high.leading_zeros()).max(1);
        let square = if shift == 128 { high } else { (high << (128 - shift)) | (low >> shift) };
        let one = 1_u128 << (128 - shift);
        Ok(match input {
            Side::A => Ratio { numerator: square, denominator: one },
            Side::B => Ratio { numerator: one, denominator: square },
        })
    }

    /// The pool's curve for trades in one direction: one piece for each range of equal liquidity.
    ///
    /// # Errors
    /// The state cannot be.
    pub fn pieces(&self, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
        pieces::of(self, input, now)
    }
}

/// Refuses a swap that was made in part only.
fn whole(amount: Amount, swap: Swap) -> Result<Swap, PoolError> {
    let made = match amount {
        Amount::In(_) => swap.amount_in,
        Amount::Out(_) => swap.amount_out,
    };
    if made == amount.units() { Ok(swap) } else { Err(PoolError::InsufficientLiquidity) }
}

#[cfg(test)]
mod tests;

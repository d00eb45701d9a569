//! Meteora DAMM v2: liquidity over one range of prices, or a constant product into which part of the fees flows back.
//!
//! Written from the published formulae; the accumulator of the dynamic fee is used as it is stored, as the program does.

mod base_fee;
mod check;
mod compounding;
mod fees;
mod pieces;
mod range;
mod rate_limiter;
mod square_root;

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, Fees, PoolError, Ratio, Side, Swap};
use base_fee::{BaseFee, Size, Terms};
use fees::{CollectFeeMode, DynamicFee, FeeVersion};

/// One pool of Meteora DAMM v2 (program `cp-amm`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeteoraDammV2 {
    /// Liquidity of the whole range, with 64 fractional bits. Not used by a compounding pool.
    #[serde(with = "decimal")]
    pub liquidity: u128,
    /// Lower end of the range: square root of the price, Q64.64.
    #[serde(with = "decimal")]
    pub sqrt_min_price: u128,
    /// Upper end of the range: square root of the price, Q64.64.
    #[serde(with = "decimal")]
    pub sqrt_max_price: u128,
    /// Square root of the price, b per a, Q64.64.
    #[serde(with = "decimal")]
    pub sqrt_price: u128,
    /// In which token fees are taken, and whether the pool compounds.
    pub collect_fee_mode: CollectFeeMode,
    /// Which limit the total fee has.
    pub fee_version: FeeVersion,
    /// What `activation_point` counts.
    pub activation_type: ActivationType,
    /// From when on the pool trades, and from when its schedules count.
    #[serde(with = "decimal")]
    pub activation_point: u64,
    /// Square root of the price that the pool began with, Q64.64.
    #[serde(with = "decimal")]
    pub init_sqrt_price: u128,
    /// Reserve of token a of a compounding pool; zero in a range pool.
    #[serde(with = "decimal")]
    pub token_a_amount: u64,
    /// Reserve of token b of a compounding pool; zero in a range pool.
    #[serde(with = "decimal")]
    pub token_b_amount: u64,
    /// The protocol's share of a fee, hundredths.
    #[serde(with = "decimal")]
    pub protocol_fee_percent: u8,
    /// The referrer's share of the protocol's share, hundredths.
    #[serde(with = "decimal")]
    pub referral_fee_percent: u8,
    /// Of what the protocol leaves of a fee, the share that goes back into a compounding pool, 1e-4.
    #[serde(with = "decimal")]
    pub compounding_fee_bps: u16,
    /// The fee before volatility.
    pub base_fee: BaseFee,
    /// The fee for volatility, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_fee: Option<DynamicFee>,
}

/// What a pool's points in time count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivationType {
    /// Slots of the chain.
    #[serde(rename = "0")]
    Slot,
    /// Seconds since the Unix epoch.
    #[serde(rename = "1")]
    Timestamp,
}

/// A swap, and what `apply` must know besides.
struct Trade {
    swap: Swap,
    /// The reserves of a compounding pool after the swap.
    reserves: (u64, u64),
    /// The square root of a range pool's price after the swap.
    sqrt_price: u128,
}

impl MeteoraDammV2 {
    /// Whether the state can be, and is one that seconds can be asked of.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        check::check(self)
    }

    /// What the pool gives now, nobody having referred the trader. Changes nothing.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        self.quote_with(input, amount, now, false)
    }

    /// What the pool gives now; with a referrer, part of the protocol's fee is theirs, and the amounts are the same.
    ///
    /// While a rate limiter is at work the program only approximates the input of a given output: given exactly that input,
    /// it can give a little less.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote_with(&self, input: Side, amount: Amount, now: u64, referral: bool) -> Result<Swap, PoolError> {
        self.trade(input, amount, now, referral).map(|trade| trade.swap)
    }

    /// What the pool gives, and the state after it, nobody having referred the trader; on an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        self.apply_with(input, amount, now, false)
    }

    /// Makes the swap that [`quote_with`](Self::quote_with) describes; on an error nothing changes.
    ///
    /// Prices and reserves move. The accumulator of the dynamic fee does not: the program moves it by a reference price
    /// and a time that are no part of this state.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply_with(&mut self, input: Side, amount: Amount, now: u64, referral: bool) -> Result<Swap, PoolError> {
        let trade = self.trade(input, amount, now, referral)?;
        if self.compounds() {
            let (a, b) = trade.reserves;
            self.sqrt_price = compounding::sqrt_price(a, b)?;
            (self.token_a_amount, self.token_b_amount) = (a, b);
        } else {
            self.sqrt_price = trade.sqrt_price;
        }
        Ok(trade.swap)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees; of a range pool 120 bits of it.
    ///
    /// # Errors
    /// The pool is empty.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        let (b, a) = if self.compounds() {
            (u128::from(self.token_b_amount), u128::from(self.token_a_amount))
        } else if self.liquidity == 0 {
            return Err(PoolError::InsufficientLiquidity);
        } else {
            range::price(self.sqrt_price)
        };
        if a == 0 || b == 0 {
            return Err(PoolError::InsufficientLiquidity);
        }
        Ok(match input {
            Side::A => Ratio { numerator: b, denominator: a },
            Side::B => Ratio { numerator: a, denominator: b },
        })
    }

    /// The pool's curve for trades in one direction: one piece, or where a rate limiter makes larger trades dearer one
    /// for each of its first steps.
    ///
    /// # Errors
    /// The state cannot be, or the pool does not trade yet.
    pub fn pieces(&self, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
        self.check()?;
        pieces::pieces(self, input, now)
    }

    fn compounds(&self) -> bool {
        self.collect_fee_mode == CollectFeeMode::Compounding
    }

    fn trade(&self, input: Side, amount: Amount, now: u64, referral: bool) -> Result<Trade, PoolError> {
        let terms = self.terms(input, now)?;
        match amount {
            Amount::In(0) | Amount::Out(0) => Err(PoolError::ZeroAmount),
            Amount::In(amount_in) => self.exact_in(&terms, amount_in, referral),
            Amount::Out(amount_out) => self.exact_out(&terms, amount_out, referral),
        }
    }

    fn exact_in(&self, terms: &Terms, amount_in: u64, referral: bool) -> Result<Trade, PoolError> {
        let rate = self.fee_rate(terms, Size::Included(amount_in))?;
        let on_input = self.collect_fee_mode.on_input(terms.input);
        let fee_in = if on_input { fees::inside(amount_in, rate)? } else { 0 };
        let net_in = amount_in.checked_sub(fee_in).filter(|net| *net > 0).ok_or(PoolError::ZeroOutput)?;
        let (gross_out, sqrt_price) = self.output(terms.input, net_in)?;
        let fee_out = if on_input { 0 } else { fees::inside(gross_out, rate)? };
        let amount_out = gross_out.checked_sub(fee_out).filter(|out| *out > 0).ok_or(PoolError::ZeroOutput)?;
        let fees = self.fees(terms.input, fee_in + fee_out, referral)?;
        let reserves = self.reserves(terms.input, net_in, gross_out, &fees)?;
        Ok(Trade { swap: Swap { amount_in, amount_out, fees }, reserves, sqrt_price })
    }

    fn exact_out(&self, terms: &Terms, amount_out: u64, referral: bool) -> Result<Trade, PoolError> {
        let on_input = self.collect_fee_mode.on_input(terms.input);
        let with_fee = |net: u64| fees::including(net, self.fee_rate(terms, Size::Excluded(net))?);
        let gross_out = if on_input { amount_out } else { with_fee(amount_out)? };
        let (net_in, sqrt_price) = self.input(terms.input, gross_out)?;
        let amount_in = if on_input { with_fee(net_in)? } else { net_in };
        if amount_in == 0 {
            return Err(PoolError::AmountTooSmall);
        }
        let fees = self.fees(terms.input, (amount_in - net_in) + (gross_out - amount_out), referral)?;
        let reserves = self.reserves(terms.input, net_in, gross_out, &fees)?;
        Ok(Trade { swap: Swap { amount_in, amount_out, fees }, reserves, sqrt_price })
    }

    /// What the curve gives for `net_in`, and the price it then has.
    fn output(&self, input: Side, net_in: u64) -> Result<(u64, u128), PoolError> {
        if self.compounds() {
            return Ok((compounding::output(input, (self.token_a_amount, self.token_b_amount), net_in)?, 0));
        }
        range::output(self, input, net_in)
    }

    /// What the curve takes for `gross_out`, and the price it then has.
    fn input(&self, input: Side, gross_out: u64) -> Result<(u64, u128), PoolError> {
        if self.compounds() {
            return Ok((compounding::input(input, (self.token_a_amount, self.token_b_amount), gross_out)?, 0));
        }
        range::input(self, input, gross_out)
    }

    /// The reserves after a swap; those of a range pool follow from its price.
    fn reserves(&self, input: Side, net_in: u64, gross_out: u64, fees: &Fees) -> Result<(u64, u64), PoolError> {
        let reserves = (self.token_a_amount, self.token_b_amount);
        if !self.compounds() {
            return Ok(reserves);
        }
        compounding::after(input, reserves, net_in, gross_out, fees.compounding)
    }

    /// What the fee of a trade depends on besides its size.
    fn terms(&self, input: Side, now: u64) -> Result<Terms, PoolError> {
        let reason = "the pool does not trade yet";
        let elapsed =
            now.checked_sub(self.activation_point).ok_or(PoolError::Invalid { field: "activation_point", reason })?;
        Ok(Terms { input, elapsed, init_sqrt_price: self.init_sqrt_price, sqrt_price: self.sqrt_price })
    }

    /// The whole fee of a trade of this size, 1e-9.
    fn fee_rate(&self, terms: &Terms, size: Size) -> Result<u64, PoolError> {
        let base = self.base_fee.rate(terms, size)?;
        let total = base.checked_add(self.dynamic_rate()?).ok_or(PoolError::Overflow)?;
        Ok(total.min(self.fee_version.limit()))
    }

    /// The fee for volatility, 1e-9; its part above the limit does not matter.
    fn dynamic_rate(&self) -> Result<u64, PoolError> {
        self.dynamic_fee.as_ref().map_or(Ok(0), DynamicFee::rate)
    }

    /// A fee in its parts: the protocol's, of that the referrer's, of the rest what compounds, and what is left to claim.
    fn fees(&self, input: Side, total: u64, referral: bool) -> Result<Fees, PoolError> {
        let with_referral = fees::share(total, u64::from(self.protocol_fee_percent), 100)?;
        let kept = total.checked_sub(with_referral).ok_or(PoolError::Math)?;
        let referred = if referral { u64::from(self.referral_fee_percent) } else { 0 };
        let referral = fees::share(with_referral, referred, 100)?;
        let protocol = with_referral.checked_sub(referral).ok_or(PoolError::Math)?;
        let compounding = fees::share(kept, u64::from(self.compounding_fee_bps), 10_000)?;
        let claiming = kept.checked_sub(compounding).ok_or(PoolError::Math)?;
        let token = self.collect_fee_mode.token(input);
        Ok(Fees { protocol, referral, compounding, claiming, ..Fees::new(total, token) })
    }
}

#[cfg(test)]
mod tests;

//! Raydium CPMM: a constant product with a trade fee on the input and a creator's fee on either side.
//!
//! Source: the raydium-cp-swap program, `curve/{calculator,constant_product,fees}.rs` and `states/pool.rs`. Where Raydium's
//! TypeScript SDK differs (it rounds the two fees of an input apart), the program is right.

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, Fees, PoolError, Ratio, Side, Swap};

/// Rates are parts of this.
const WHOLE: u64 = 1_000_000;

/// A pool of Raydium CPMM. Amounts are base units, rates millionths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaydiumCpmm {
    /// Balance of token 0's vault.
    #[serde(with = "decimal")]
    pub vault_0: u64,
    /// Balance of token 1's vault.
    #[serde(with = "decimal")]
    pub vault_1: u64,
    /// The part of `vault_0` that is owed to the protocol and not traded.
    #[serde(with = "decimal")]
    pub protocol_fees_0: u64,
    /// The part of `vault_1` that is owed to the protocol and not traded.
    #[serde(with = "decimal")]
    pub protocol_fees_1: u64,
    /// The part of `vault_0` that is owed to the fund and not traded.
    #[serde(with = "decimal")]
    pub fund_fees_0: u64,
    /// The part of `vault_1` that is owed to the fund and not traded.
    #[serde(with = "decimal")]
    pub fund_fees_1: u64,
    /// The part of `vault_0` that is owed to the creator and not traded.
    #[serde(with = "decimal")]
    pub creator_fees_0: u64,
    /// The part of `vault_1` that is owed to the creator and not traded.
    #[serde(with = "decimal")]
    pub creator_fees_1: u64,
    /// Share of the input that is trade fee.
    #[serde(with = "decimal")]
    pub trade_fee_rate: u64,
    /// Share that goes to the pool's creator, beside the trade fee.
    #[serde(with = "decimal")]
    pub creator_fee_rate: u64,
    /// Share of the trade fee that goes to the protocol.
    #[serde(with = "decimal")]
    pub protocol_fee_rate: u64,
    /// Share of the trade fee that goes to the fund.
    #[serde(with = "decimal")]
    pub fund_fee_rate: u64,
    /// 1 if the creator's rate counts, 0 if it does not.
    #[serde(with = "decimal")]
    pub enable_creator_fee: u8,
    /// What the creator's fee is taken in: 0 whatever is paid, 1 token 0 alone, 2 token 1 alone.
    #[serde(with = "decimal")]
    pub creator_fee_on: u8,
}

/// The pool as one trader sees it.
#[derive(Clone, Copy)]
struct View {
    reserve_in: u64,
    reserve_out: u64,
    trade_rate: u64,
    creator_rate: u64,
    creator_on_input: bool,
}

/// What a swap moves: amounts, and the two fees.
struct Moved {
    amount_in: u64,
    amount_out: u64,
    trade_fee: u64,
    creator_fee: u64,
}

impl RaydiumCpmm {
    /// Whether the state can be. An empty pool can.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        let invalid = |field, reason| Err(PoolError::Invalid { field, reason });
        if self.trade_fee_rate >= WHOLE {
            return invalid("trade_fee_rate", "makes a fee of the whole input or more");
        }
        if self.creator_fee_rate >= WHOLE.saturating_sub(self.trade_fee_rate) {
            return invalid("creator_fee_rate", "makes a fee of the whole input or more, with the trade fee");
        }
        if self.protocol_fee_rate > WHOLE {
            return invalid("protocol_fee_rate", "is more than the whole trade fee");
        }
        if self.fund_fee_rate > WHOLE.saturating_sub(self.protocol_fee_rate) {
            return invalid("fund_fee_rate", "is more than the trade fee, with the protocol's share");
        }
        if self.enable_creator_fee > 1 {
            return invalid("enable_creator_fee", "is neither 0 nor 1");
        }
        if self.creator_fee_on > 2 {
            return invalid("creator_fee_on", "is none of 0, 1 and 2");
        }
        if self.reserve(Side::A).is_none() {
            return invalid("vault_0", "is less than the fees that it owes");
        }
        if self.reserve(Side::B).is_none() {
            return invalid("vault_1", "is less than the fees that it owes");
        }
        Ok(())
    }

    /// What the pool gives now. Changes nothing; the time has no influence. `fees.total` is the trade fee; the creator's is
    /// beside it.
    ///
    /// Exact-in: with the creator's fee on the input `total = ⌈in·(t + c)⌉`, of which the creator gets `⌊total·c / (t + c)⌋`;
    /// else `fee = ⌈in·t⌉` and the creator gets `⌈out·c⌉` of what comes out. Between them `out = ⌊R_out·x / (R_in + x)⌋`.
    /// Exact-out: the same backwards, amounts before a fee rounded up.
    ///
    /// # Errors
    /// See [`PoolError`]. A pool without any fee whose creator's fee would be on the input divides by zero, as its program does.
    pub fn quote(&self, input: Side, amount: Amount, _now: u64) -> Result<Swap, PoolError> {
        let view = self.view(input)?;
        let moved = match amount {
            Amount::In(0) | Amount::Out(0) => return Err(PoolError::ZeroAmount),
            Amount::In(amount_in) => view.exact_in(amount_in)?,
            Amount::Out(amount_out) => view.exact_out(amount_out)?,
        };
        if moved.amount_out == 0 {
            return Err(PoolError::ZeroOutput);
        }
        self.vault(input).checked_add(moved.amount_in).ok_or(PoolError::Overflow)?;
        let fees = Fees {
            protocol: share_floor(moved.trade_fee, self.protocol_fee_rate).ok_or(PoolError::Math)?,
            fund: share_floor(moved.trade_fee, self.fund_fee_rate).ok_or(PoolError::Math)?,
            creator: moved.creator_fee,
            creator_token: if view.creator_on_input { input } else { input.other() },
            ..Fees::new(moved.trade_fee, input)
        };
        Ok(Swap { amount_in: moved.amount_in, amount_out: moved.amount_out, fees })
    }

    /// What the pool gives, and the state after it; on an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        let swap = self.quote(input, amount, now)?;
        let mut after = self.clone();
        let adds = |balance: &mut u64, units: u64| {
            *balance = balance.checked_add(units).ok_or(PoolError::Overflow)?;
            Ok(())
        };
        let (protocol, fund, vault_in, vault_out) = match input {
            Side::A => (&mut after.protocol_fees_0, &mut after.fund_fees_0, &mut after.vault_0, &mut after.vault_1),
            Side::B => (&mut after.protocol_fees_1, &mut after.fund_fees_1, &mut after.vault_1, &mut after.vault_0),
        };
        adds(protocol, swap.fees.protocol)?;
        adds(fund, swap.fees.fund)?;
        adds(vault_in, swap.amount_in)?;
        *vault_out = vault_out.checked_sub(swap.amount_out).ok_or(PoolError::InsufficientLiquidity)?;
        let creator = match swap.fees.creator_token {
            Side::A => &mut after.creator_fees_0,
            Side::B => &mut after.creator_fees_1,
        };
        adds(creator, swap.fees.creator)?;
        *self = after;
        Ok(swap)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees.
    ///
    /// # Errors
    /// The pool is empty.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        let view = self.view(input)?;
        Ok(Ratio { numerator: view.reserve_out.into(), denominator: view.reserve_in.into() })
    }

    /// The pool's curve for trades in one direction: one piece without an end.
    ///
    /// # Errors
    /// The state cannot be, or the pool is empty or its program divides by zero.
    pub fn pieces(&self, input: Side, _now: u64) -> Result<Vec<Piece>, PoolError> {
        self.check()?;
        let view = self.view(input)?;
        let (on_input, on_output) = if view.creator_on_input { (view.creator_rate, 0) } else { (0, view.creator_rate) };
        let kept_in = WHOLE.saturating_sub(view.trade_rate.saturating_add(on_input));
        let kept_out = WHOLE.saturating_sub(on_output);
        Ok(vec![Piece::product(view.reserve_in, view.reserve_out, (kept_in, WHOLE), (kept_out, WHOLE))])
    }

    const fn vault(&self, token: Side) -> u64 {
        match token {
            Side::A => self.vault_0,
            Side::B => self.vault_1,
        }
    }

    /// What of a vault is traded; none if it owes more than it holds.
    fn reserve(&self, token: Side) -> Option<u64> {
        let owed = match token {
            Side::A => [self.protocol_fees_0, self.fund_fees_0, self.creator_fees_0],
            Side::B => [self.protocol_fees_1, self.fund_fees_1, self.creator_fees_1],
        };
        owed.into_iter().try_fold(self.vault(token), u64::checked_sub)
    }

    fn view(&self, input: Side) -> Result<View, PoolError> {
        let reserve_in = self.reserve(input).ok_or(PoolError::Math)?;
        let reserve_out = self.reserve(input.other()).ok_or(PoolError::Math)?;
        if reserve_in == 0 || reserve_out == 0 {
            return Err(PoolError::InsufficientLiquidity);
        }
        let creator_rate = if self.enable_creator_fee == 0 { 0 } else { self.creator_fee_rate };
        let creator_on_input = match self.creator_fee_on {
            0 => true,
            1 => input == Side::A,
            _ => input == Side::B,
        };
        let on_input = if creator_on_input { creator_rate } else { 0 };
        let on_input = self.trade_fee_rate.checked_add(on_input).ok_or(PoolError::Math)?;
        // The program splits the two fees of an input in the ratio of their rates, also where both are nothing.
        if on_input >= WHOLE || creator_rate >= WHOLE || (creator_on_input && on_input == 0) {
            return Err(PoolError::Math);
        }
        Ok(View { reserve_in, reserve_out, trade_rate: self.trade_fee_rate, creator_rate, creator_on_input })
    }
}

impl View {
    fn exact_in(&self, amount_in: u64) -> Result<Moved, PoolError> {
        let total = share_ceil(amount_in, self.rate_in()).ok_or(PoolError::Math)?;
        let (trade_fee, creator_fee) = self.split(total)?;
        let net = u128::from(amount_in.checked_sub(total).ok_or(PoolError::Math)?);
        let gross = narrow(net * u128::from(self.reserve_out) / (u128::from(self.reserve_in) + net))?;
        if self.creator_on_input {
            return Ok(Moved { amount_in, amount_out: gross, trade_fee, creator_fee });
        }
        let creator_fee = share_ceil(gross, self.creator_rate).ok_or(PoolError::Math)?;
        let amount_out = gross.checked_sub(creator_fee).ok_or(PoolError::Math)?;
        Ok(Moved { amount_in, amount_out, trade_fee, creator_fee })
    }

    fn exact_out(&self, amount_out: u64) -> Result<Moved, PoolError> {
        let gross = if self.creator_on_input { amount_out } else { before_share(amount_out, self.creator_rate)? };
        let left = self.reserve_out.checked_sub(gross).filter(|left| *left > 0);
        let left = left.ok_or(PoolError::InsufficientLiquidity)?;
        let net = narrow((u128::from(self.reserve_in) * u128::from(gross)).div_ceil(u128::from(left)))?;
        let amount_in = before_share(net, self.rate_in())?;
        let (trade_fee, creator_fee) = self.split(amount_in.checked_sub(net).ok_or(PoolError::Math)?)?;
        let creator_fee = if self.creator_on_input { creator_fee } else { gross.saturating_sub(amount_out) };
        Ok(Moved { amount_in, amount_out, trade_fee, creator_fee })
    }

    /// The rate of all fees on the input, below [`WHOLE`].
    const fn rate_in(&self) -> u64 {
        if self.creator_on_input { self.trade_rate + self.creator_rate } else { self.trade_rate }
    }

    /// The fees of an input: for the trade and for the creator.
    fn split(&self, total: u64) -> Result<(u64, u64), PoolError> {
        if !self.creator_on_input || self.creator_rate == 0 {
            return Ok((total, 0));
        }
        let rates = u128::from(self.rate_in());
        let creator = narrow(u128::from(total) * u128::from(self.creator_rate) / rates)?;
        Ok((total.checked_sub(creator).ok_or(PoolError::Math)?, creator))
    }
}

/// `⌊amount·rate⌋`; none where the rate is more than the whole.
///
/// Whole millions are multiplied apart from the rest, so that no product leaves 64 bits.
const fn share_floor(amount: u64, rate: u64) -> Option<u64> {
    if rate > WHOLE { None } else { Some(amount / WHOLE * rate + amount % WHOLE * rate / WHOLE) }
}

/// `⌈amount·rate⌉`; none where the rate is more than the whole.
const fn share_ceil(amount: u64, rate: u64) -> Option<u64> {
    if rate > WHOLE { None } else { Some(amount / WHOLE * rate + (amount % WHOLE * rate).div_ceil(WHOLE)) }
}

/// The least amount that leaves `net` after a share is taken, `⌈net / (1 − rate)⌉`.
fn before_share(net: u64, rate: u64) -> Result<u64, PoolError> {
    if rate == 0 {
        return Ok(net);
    }
    let left = WHOLE.checked_sub(rate).filter(|left| *left > 0).ok_or(PoolError::Math)?;
    let whole = (net / left).checked_mul(WHOLE).ok_or(PoolError::Overflow)?;
    whole.checked_add((net % left * WHOLE).div_ceil(left)).ok_or(PoolError::Overflow)
}

fn narrow(amount: u128) -> Result<u64, PoolError> {
    u64::try_from(amount).map_err(|_| PoolError::Overflow)
}

#[cfg(test)]
mod tests;

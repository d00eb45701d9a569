//! Raydium AMM v4: a constant product whose fee stays in the vault of the token paid.
//!
//! Source: the Raydium AMM program, `math.rs` and `processor.rs` (`swap_base_in_v2`, `swap_base_out_v2`).

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::piece::Piece;
use crate::swap::{Amount, Fees, PoolError, Ratio, Side, Swap};

/// A pool of Raydium AMM v4. Its first token is the coin, its second the pc; amounts are base units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaydiumAmmV4 {
    /// Balance of the coin vault.
    #[serde(with = "decimal")]
    pub coin_vault: u64,
    /// Balance of the pc vault.
    #[serde(with = "decimal")]
    pub pc_vault: u64,
    /// The part of the coin vault that is owed to the protocol and not traded.
    #[serde(with = "decimal")]
    pub need_take_pnl_coin: u64,
    /// The part of the pc vault that is owed to the protocol and not traded.
    #[serde(with = "decimal")]
    pub need_take_pnl_pc: u64,
    /// The share of an input that is fee: above the line.
    #[serde(with = "decimal")]
    pub swap_fee_numerator: u64,
    /// Below it.
    #[serde(with = "decimal")]
    pub swap_fee_denominator: u64,
}

impl RaydiumAmmV4 {
    /// Whether the state can be. An empty pool can.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        let invalid = |field, reason| Err(PoolError::Invalid { field, reason });
        if self.swap_fee_denominator == 0 {
            return invalid("swap_fee_denominator", "is zero");
        }
        if self.swap_fee_numerator >= self.swap_fee_denominator {
            return invalid("swap_fee_numerator", "makes a fee of the whole input or more");
        }
        if self.need_take_pnl_coin > self.coin_vault {
            return invalid("need_take_pnl_coin", "is more than the vault holds");
        }
        if self.need_take_pnl_pc > self.pc_vault {
            return invalid("need_take_pnl_pc", "is more than the vault holds");
        }
        Ok(())
    }

    /// What the pool gives now. Changes nothing; the time has no influence.
    ///
    /// Exact-in: `fee = ⌈in·f⌉`, `x = in − fee`, `out = ⌊R_out·x / (R_in + x)⌋`. Exact-out: `x = ⌈R_in·out / (R_out − out)⌉`,
    /// `in = ⌈x / (1 − f)⌉`.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, input: Side, amount: Amount, _now: u64) -> Result<Swap, PoolError> {
        let (reserve_in, reserve_out) = self.traded(input)?;
        let (numerator, denominator) = (u128::from(self.swap_fee_numerator), u128::from(self.swap_fee_denominator));
        if numerator >= denominator {
            return Err(PoolError::Math);
        }
        let (amount_in, amount_out, fee) = match amount {
            Amount::In(0) | Amount::Out(0) => return Err(PoolError::ZeroAmount),
            Amount::In(amount_in) => {
                // The share is below one, so the fee is no more than the input.
                let fee = narrow((u128::from(amount_in) * numerator).div_ceil(denominator))?;
                let net = u128::from(amount_in.checked_sub(fee).ok_or(PoolError::Math)?);
                (amount_in, narrow(u128::from(reserve_out) * net / (u128::from(reserve_in) + net))?, fee)
            }
            Amount::Out(amount_out) => {
                let left = reserve_out.checked_sub(amount_out).filter(|left| *left > 0);
                let left = left.ok_or(PoolError::InsufficientLiquidity)?;
                let net = narrow((u128::from(reserve_in) * u128::from(amount_out)).div_ceil(u128::from(left)))?;
                let amount_in = narrow((u128::from(net) * denominator).div_ceil(denominator - numerator))?;
                (amount_in, amount_out, amount_in.checked_sub(net).ok_or(PoolError::Math)?)
            }
        };
        if amount_out == 0 {
            return Err(PoolError::ZeroOutput);
        }
        if amount_out >= reserve_out {
            return Err(PoolError::InsufficientLiquidity);
        }
        self.vaults(input).0.checked_add(amount_in).ok_or(PoolError::Overflow)?;
        Ok(Swap { amount_in, amount_out, fees: Fees::new(fee, input) })
    }

    /// What the pool gives, and the state after it; on an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        let swap = self.quote(input, amount, now)?;
        let (vault_in, vault_out) = self.vaults(input);
        let paid = vault_in.checked_add(swap.amount_in).ok_or(PoolError::Overflow)?;
        let left = vault_out.checked_sub(swap.amount_out).ok_or(PoolError::InsufficientLiquidity)?;
        (self.coin_vault, self.pc_vault) = match input {
            Side::A => (paid, left),
            Side::B => (left, paid),
        };
        Ok(swap)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees.
    ///
    /// # Errors
    /// The pool is empty.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        let (reserve_in, reserve_out) = self.traded(input)?;
        Ok(Ratio { numerator: reserve_out.into(), denominator: reserve_in.into() })
    }

    /// The pool's curve for trades in one direction: one piece without an end.
    ///
    /// # Errors
    /// The state cannot be, or the pool is empty.
    pub fn pieces(&self, input: Side, _now: u64) -> Result<Vec<Piece>, PoolError> {
        self.check()?;
        let (reserve_in, reserve_out) = self.traded(input)?;
        let kept = (self.swap_fee_denominator.saturating_sub(self.swap_fee_numerator), self.swap_fee_denominator);
        Ok(vec![Piece::product(reserve_in, reserve_out, kept, (1, 1))])
    }

    /// Balances of the vaults: of the token paid, and of the other.
    const fn vaults(&self, input: Side) -> (u64, u64) {
        match input {
            Side::A => (self.coin_vault, self.pc_vault),
            Side::B => (self.pc_vault, self.coin_vault),
        }
    }

    /// What of the vaults is traded, neither zero: of the token paid, and of the other.
    fn traded(&self, input: Side) -> Result<(u64, u64), PoolError> {
        let coin = self.coin_vault.checked_sub(self.need_take_pnl_coin).ok_or(PoolError::Math)?;
        let pc = self.pc_vault.checked_sub(self.need_take_pnl_pc).ok_or(PoolError::Math)?;
        match input {
            _ if coin == 0 || pc == 0 => Err(PoolError::InsufficientLiquidity),
            Side::A => Ok((coin, pc)),
            Side::B => Ok((pc, coin)),
        }
    }
}

fn narrow(amount: u128) -> Result<u64, PoolError> {
    u64::try_from(amount).map_err(|_| PoolError::Overflow)
}

#[cfg(test)]
mod tests;

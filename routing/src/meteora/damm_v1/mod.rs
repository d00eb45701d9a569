//! Meteora DAMM v1: a constant product or a stable curve, the pool's tokens lent to two yield vaults.
//!
//! The pool owns shares of the vaults. What they are worth grows with the vaults' yield, which is unlocked bit by bit; and
//! every deposit and withdrawal passes through a whole number of shares.

mod check;
mod envelope;
mod exact_out;
mod pieces;
mod stable;
mod vault;

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::math::mul_div_floor;
use crate::piece::Piece;
use crate::swap::{Amount, Fees, PoolError, Ratio, Side, Swap};
use stable::Stable;
use vault::Vault;

/// One pool of Meteora DAMM v1 (program `dynamic-amm`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeteoraDammV1 {
    /// What is held constant.
    #[serde(flatten)]
    pub curve: Curve,
    /// The trade fee as a share of the input: above the line.
    #[serde(with = "decimal")]
    pub trade_fee_numerator: u64,
    /// The trade fee as a share of the input: below the line.
    #[serde(with = "decimal")]
    pub trade_fee_denominator: u64,
    /// The protocol's share of the trade fee: above the line.
    #[serde(with = "decimal")]
    pub protocol_trade_fee_numerator: u64,
    /// The protocol's share of the trade fee: below the line.
    #[serde(with = "decimal")]
    pub protocol_trade_fee_denominator: u64,
    /// The pool's shares of `vault_a`.
    #[serde(with = "decimal")]
    pub pool_vault_a_lp: u64,
    /// The pool's shares of `vault_b`.
    #[serde(with = "decimal")]
    pub pool_vault_b_lp: u64,
    /// The vault of token a.
    pub vault_a: Vault,
    /// The vault of token b.
    pub vault_b: Vault,
}

/// What a pool holds constant; `curve` in JSON is its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "curve", rename_all = "snake_case")]
pub enum Curve {
    /// The product of the two reserves.
    ConstantProduct,
    /// The invariant of StableSwap.
    Stable(Stable),
}

/// A pool as one trader sees it at one time.
struct View<'pool> {
    input: Side,
    vault_in: &'pool Vault,
    shares_in: u64,
    /// What all shares of the vault of the token paid are worth.
    unlocked_in: u64,
    reserve_in: u64,
    vault_out: &'pool Vault,
    unlocked_out: u64,
    reserve_out: u64,
}

/// A swap, and what it does to the vaults.
struct Trade {
    swap: Swap,
    deposited: u64,
    minted: u64,
    burned: u64,
}

impl MeteoraDammV1 {
    /// Whether the state can be.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] with the field.
    pub fn check(&self) -> Result<(), PoolError> {
        check::check(self)
    }

    /// What the pool gives now. Changes nothing.
    ///
    /// The program knows only swaps of a given input. Of a given output this is the swap of the least input that gives
    /// no less, and its `amount_out` is what the program gives for it, which can be more than was asked for.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn quote(&self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        self.trade(input, amount, now).map(|trade| trade.swap)
    }

    /// What the pool gives, and the state after it; on an error nothing changes.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply(&mut self, input: Side, amount: Amount, now: u64) -> Result<Swap, PoolError> {
        let trade = self.trade(input, amount, now)?;
        let (vault_in, shares_in, vault_out, shares_out) = match input {
            Side::A => (&self.vault_a, self.pool_vault_a_lp, &self.vault_b, self.pool_vault_b_lp),
            Side::B => (&self.vault_b, self.pool_vault_b_lp, &self.vault_a, self.pool_vault_a_lp),
        };
        let vault_in = vault_in.after_deposit(trade.deposited, trade.minted).ok_or(PoolError::Overflow)?;
        let vault_out = vault_out.after_withdrawal(trade.swap.amount_out, trade.burned).ok_or(PoolError::Overflow)?;
        let shares_in = shares_in.checked_add(trade.minted).ok_or(PoolError::Overflow)?;
        let shares_out = shares_out.checked_sub(trade.burned).ok_or(PoolError::Overflow)?;
        let (a, b) = match input {
            Side::A => ((vault_in, shares_in), (vault_out, shares_out)),
            Side::B => ((vault_out, shares_out), (vault_in, shares_in)),
        };
        (self.vault_a, self.pool_vault_a_lp) = a;
        (self.vault_b, self.pool_vault_b_lp) = b;
        Ok(trade.swap)
    }

    /// Base units received for one base unit paid, for the smallest of amounts, before fees, all yield of the vaults being
    /// unlocked; of a stable curve 60 bits of it.
    ///
    /// # Errors
    /// The pool is empty.
    pub fn price(&self, input: Side) -> Result<Ratio, PoolError> {
        // The yield that is locked is not known without a time, and is gone at the end of times.
        let view = self.view(input, u64::MAX)?;
        match &self.curve {
            Curve::ConstantProduct => {
                Ok(Ratio { numerator: u128::from(view.reserve_out), denominator: u128::from(view.reserve_in) })
            }
            Curve::Stable(stable) => envelope::price(stable, input, view.reserve_in, view.reserve_out),
        }
    }

    /// The pool's curve for trades in one direction.
    ///
    /// The program rounds the fee down, so that one unit more may trade than a real share would leave: the first unit paid
    /// is promised more than it brings, by no more than that is worth. A stable curve is a chain of lines above it.
    ///
    /// # Errors
    /// The state cannot be, or the pool does not trade.
    pub fn pieces(&self, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
        self.check()?;
        pieces::pieces(self, &self.view(input, now)?)
    }

    fn trade(&self, input: Side, amount: Amount, now: u64) -> Result<Trade, PoolError> {
        if amount.units() == 0 {
            return Err(PoolError::ZeroAmount);
        }
        let view = self.view(input, now)?;
        match amount {
            Amount::In(amount_in) => self.exact_in(&view, amount_in),
            Amount::Out(amount_out) => exact_out::exact_out(self, &view, amount_out),
        }
    }

    fn view(&self, input: Side, now: u64) -> Result<View<'_>, PoolError> {
        let ((vault_in, shares_in), (vault_out, shares_out)) = match input {
            Side::A => ((&self.vault_a, self.pool_vault_a_lp), (&self.vault_b, self.pool_vault_b_lp)),
            Side::B => ((&self.vault_b, self.pool_vault_b_lp), (&self.vault_a, self.pool_vault_a_lp)),
        };
        let (unlocked_in, unlocked_out) = (vault_in.unlocked(now)?, vault_out.unlocked(now)?);
        let reserve_in = vault::worth(shares_in, unlocked_in, vault_in.lp_supply)?;
        let reserve_out = vault::worth(shares_out, unlocked_out, vault_out.lp_supply)?;
        if reserve_in == 0 || reserve_out == 0 {
            return Err(PoolError::InsufficientLiquidity);
        }
        Ok(View { input, vault_in, shares_in, unlocked_in, reserve_in, vault_out, unlocked_out, reserve_out })
    }

    fn exact_in(&self, view: &View, amount_in: u64) -> Result<Trade, PoolError> {
        let total = fee(amount_in, self.trade_fee_numerator, self.trade_fee_denominator)?;
        let protocol = fee(total, self.protocol_trade_fee_numerator, self.protocol_trade_fee_denominator)?;
        let deposited = amount_in.checked_sub(protocol).filter(|rest| *rest > 0).ok_or(PoolError::ZeroOutput)?;

        // What the pool gains is the difference of what its shares are worth, which is less than what is deposited.
        let minted = vault::shares(deposited, view.unlocked_in, view.vault_in.lp_supply)?;
        let unlocked = view.unlocked_in.checked_add(deposited).ok_or(PoolError::Overflow)?;
        let supply = view.vault_in.lp_supply.checked_add(minted).ok_or(PoolError::Overflow)?;
        let shares = view.shares_in.checked_add(minted).ok_or(PoolError::Overflow)?;
        let gained = vault::worth(shares, unlocked, supply)?.checked_sub(view.reserve_in).ok_or(PoolError::Math)?;
        let kept = total.checked_sub(protocol).ok_or(PoolError::Math)?;
        let net = gained.checked_sub(kept).filter(|net| *net > 0).ok_or(PoolError::ZeroOutput)?;

        // What is quoted can be booked.
        view.vault_in.after_deposit(deposited, minted).ok_or(PoolError::Overflow)?;

        let given = self.curve.output(view, net)?;
        let burned = vault::shares(given, view.unlocked_out, view.vault_out.lp_supply)?;
        let amount_out = vault::worth(burned, view.unlocked_out, view.vault_out.lp_supply)?;
        if amount_out == 0 {
            return Err(PoolError::ZeroOutput);
        }
        if amount_out >= view.limit() {
            return Err(PoolError::InsufficientLiquidity);
        }
        let fees = Fees { protocol, compounding: kept, ..Fees::new(total, view.input) };
        Ok(Trade { swap: Swap { amount_in, amount_out, fees }, deposited, minted, burned })
    }
}

impl View<'_> {
    /// What a swap gives is less than this: the pool's tokens, or what of its vault is not lent out.
    fn limit(&self) -> u64 {
        self.reserve_out.min(self.vault_out.token_reserve)
    }
}

impl Curve {
    /// What the curve gives for `net` of the token paid, rounded down.
    fn output(&self, view: &View, net: u64) -> Result<u64, PoolError> {
        match self {
            Self::ConstantProduct => {
                let product = u128::from(view.reserve_in) * u128::from(view.reserve_out);
                let reserve_in = u128::from(view.reserve_in) + u128::from(net);
                // The program refuses to round a reserve of less than one up to one.
                if product < reserve_in {
                    return Err(PoolError::InsufficientLiquidity);
                }
                let left = u64::try_from(product.div_ceil(reserve_in)).map_err(|_| PoolError::Overflow)?;
                view.reserve_out.checked_sub(left).filter(|out| *out > 0).ok_or(PoolError::ZeroOutput)
            }
            Self::Stable(stable) => stable.output(view.input, view.reserve_in, view.reserve_out, net),
        }
    }

    /// About what the curve takes for `given`.
    fn input(&self, view: &View, given: u64) -> Result<u64, PoolError> {
        match self {
            Self::ConstantProduct => {
                let left = view.reserve_out.checked_sub(given).filter(|left| *left > 0);
                let left = u128::from(left.ok_or(PoolError::InsufficientLiquidity)?);
                let net = (u128::from(view.reserve_in) * u128::from(given)).div_ceil(left);
                u64::try_from(net).map_err(|_| PoolError::Overflow)
            }
            Self::Stable(stable) => stable.input(view.input, view.reserve_in, view.reserve_out, given),
        }
    }
}

/// A share of an amount, rounded down, but no less than one unit of an amount that has a fee at all.
fn fee(amount: u64, numerator: u64, denominator: u64) -> Result<u64, PoolError> {
    if amount == 0 || numerator == 0 {
        return Ok(0);
    }
    mul_div_floor(u128::from(amount), u128::from(numerator), u128::from(denominator))
        .and_then(|fee| u64::try_from(fee.max(1)).ok())
        .ok_or(PoolError::Math)
}

#[cfg(test)]
mod tests;

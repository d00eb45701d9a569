//! A yield vault: tokens of many owners, who hold shares of it.

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::math::mul_div_floor;
use crate::swap::PoolError;

/// What the degradation of locked profit is parts of.
const WHOLE: u128 = 1_000_000_000_000;

/// One of the two vaults of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vault {
    /// All tokens of the vault, lent ones and locked profit included.
    #[serde(with = "decimal")]
    pub total_amount: u64,
    /// All shares.
    #[serde(with = "decimal")]
    pub lp_supply: u64,
    /// What is not lent and can be paid out.
    #[serde(with = "decimal")]
    pub token_reserve: u64,
    /// The profit that was locked at the last report.
    #[serde(with = "decimal")]
    pub last_updated_locked_profit: u64,
    /// When profit was last reported, in seconds since the Unix epoch.
    #[serde(with = "decimal")]
    pub last_report: u64,
    /// The share of the locked profit that is unlocked every second, 1e-12.
    #[serde(with = "decimal")]
    pub locked_profit_degradation: u64,
}

impl Vault {
    /// What all shares are worth at `now`: everything but the profit that is still locked.
    pub(super) fn unlocked(&self, now: u64) -> Result<u64, PoolError> {
        let elapsed = now.checked_sub(self.last_report).ok_or(PoolError::Math)?;
        let unlocked = u128::from(elapsed) * u128::from(self.locked_profit_degradation);
        let Some(still) = WHOLE.checked_sub(unlocked) else { return Ok(self.total_amount) };
        let locked = mul_div_floor(u128::from(self.last_updated_locked_profit), still, WHOLE);
        let locked = locked.and_then(|locked| u64::try_from(locked).ok()).ok_or(PoolError::Overflow)?;
        self.total_amount.checked_sub(locked).ok_or(PoolError::Math)
    }

    /// The vault after `amount` came in for new shares.
    pub(super) fn after_deposit(&self, amount: u64, minted: u64) -> Option<Self> {
        Some(Self {
            total_amount: self.total_amount.checked_add(amount)?,
            lp_supply: self.lp_supply.checked_add(minted)?,
            token_reserve: self.token_reserve.checked_add(amount)?,
            ..self.clone()
        })
    }

    /// The vault after shares were given back for `amount`.
    pub(super) fn after_withdrawal(&self, amount: u64, burned: u64) -> Option<Self> {
        Some(Self {
            total_amount: self.total_amount.checked_sub(amount)?,
            lp_supply: self.lp_supply.checked_sub(burned)?,
            token_reserve: self.token_reserve.checked_sub(amount)?,
            ..self.clone()
        })
    }
}

/// `⌊shares · unlocked / supply⌋`: what shares are worth. Of no shares at all it is nothing.
pub(super) fn worth(shares: u64, unlocked: u64, supply: u64) -> Result<u64, PoolError> {
    if supply == 0 {
        return Ok(0);
    }
    floor(shares, unlocked, supply)
}

/// `⌊amount · supply / unlocked⌋`: the shares for an amount.
pub(super) fn shares(amount: u64, unlocked: u64, supply: u64) -> Result<u64, PoolError> {
    floor(amount, supply, unlocked)
}

fn floor(a: u64, b: u64, whole: u64) -> Result<u64, PoolError> {
    let quotient = (u128::from(a) * u128::from(b)).checked_div(u128::from(whole)).ok_or(PoolError::Math)?;
    u64::try_from(quotient).map_err(|_| PoolError::Overflow)
}

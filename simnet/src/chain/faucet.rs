//! Money for whoever asks: it is worth nothing.

use solana::Address;
use solana::program::{associated_token, system, token};
use thiserror::Error;

use super::directory::token_account;
use super::{Chain, State};
use crate::bank::Account;

/// The most accounts that a faucet makes.
const ACCOUNTS_LIMIT: usize = 1_000_000;

/// The faucet gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotGiven {
    /// No such token.
    #[error("{0} is no token of this chain")]
    UnknownToken(String),
    /// The sum does not fit.
    #[error("nobody can hold so much")]
    TooMuch,
    /// The account is there and holds something else.
    #[error("the account is not that of a wallet or of the token")]
    OtherAccount,
    /// It has made all that it makes.
    #[error("the faucet makes no more accounts")]
    Full,
}

impl Chain {
    /// Gives base units of a token, by its mint or symbol, to the associated account of a wallet, which it makes; without a
    /// token, or of native SOL by its symbol, lamports. Returns the account that has them.
    ///
    /// # Errors
    /// See [`NotGiven`].
    pub fn give(&self, wallet: Address, token: Option<&str>, amount: u64, now: u64) -> Result<Address, NotGiven> {
        let unknown = |name: &str| NotGiven::UnknownToken(name.to_owned());
        let native = |name: &str| self.world.tokens().iter().any(|token| token.native && *token.symbol == *name);
        let mint = token
            .filter(|name| !native(name))
            .map(|name| self.directory.token(name).map(|entry| entry.mint).ok_or_else(|| unknown(name)));
        let mint = mint.transpose()?;
        let address = mint.map_or(wallet, |mint| associated_token::address(&wallet, &mint, &token::ID));
        let given = |account: Option<&Account>| match mint {
            Some(mint) => tokens(account, mint, wallet, amount),
            None => lamports(account, amount),
        };
        let mut state = self.at(now);
        let before = state.bank.account(&address);
        state.made += usize::from(before.is_none());
        if state.made > ACCOUNTS_LIMIT {
            return Err(NotGiven::Full);
        }
        let after = given(before.as_ref())?;
        let State { bank, newest, .. } = &mut *state;
        // A fork does not take back what was given.
        if let Some(undone) = newest.as_mut().and_then(|undo| undo.accounts.get_mut(&address)) {
            *undone = Some(given(undone.as_ref())?);
        }
        bank.set_account(&address, Some(after));
        Ok(address)
    }
}

fn lamports(account: Option<&Account>, amount: u64) -> Result<Account, NotGiven> {
    let empty = Account { lamports: 0, owner: system::ID, data: Vec::new() };
    let account = account.cloned().unwrap_or(empty);
    let lamports = account.lamports.checked_add(amount).ok_or(NotGiven::TooMuch)?;
    Ok(Account { lamports, ..account })
}

fn tokens(account: Option<&Account>, mint: Address, wallet: Address, amount: u64) -> Result<Account, NotGiven> {
    let Some(account) = account.filter(|account| account.owner != system::ID) else {
        return Ok(token_account(mint, wallet, amount));
    };
    let held = token::Account::unpack(&account.data).filter(|held| held.mint == mint).ok_or(NotGiven::OtherAccount)?;
    let amount_after = held.amount.checked_add(amount).ok_or(NotGiven::TooMuch)?;
    let native = if held.native.is_some() { amount } else { 0 };
    let lamports = account.lamports.checked_add(native).ok_or(NotGiven::TooMuch)?;
    let data = token::Account { amount: amount_after, ..held }.pack();
    Ok(Account { lamports, owner: account.owner, data })
}

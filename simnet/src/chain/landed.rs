//! Transactions that slots hold: what each did, in full while it is young and in brief for as long as the chain remembers.

use solana::program::{memo, token};
use solana::{Address, Transaction, TransactionError};

use super::blocks::swap_seen;
use crate::bank::{Account, Executed};

/// The most characters of a memo that are kept.
const MEMO_CHARACTERS: usize = 128;

/// What is kept of every transaction.
#[derive(Clone, Debug)]
pub struct Brief {
    /// Its first signature.
    pub signature: [u8; 64],
    /// Who paid its fee.
    pub payer: Address,
    /// The slot that holds it.
    pub slot: u64,
    /// Whether it took effect.
    pub result: Result<(), TransactionError>,
    /// The swap it made; none where it made none.
    pub swap: Option<SwapSeen>,
    /// The text that it carried.
    pub memo: Option<Box<str>>,
}

/// What a transaction swapped, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapSeen {
    /// The token paid.
    pub input: Address,
    /// The token received.
    pub output: Address,
    /// Paid.
    pub amount_in: u64,
    /// Received.
    pub amount_out: u64,
}

/// A transaction with everything about it.
#[derive(Clone, Debug)]
pub struct Landed {
    /// As it was sent.
    pub transaction: Transaction,
    /// The slot that holds it.
    pub slot: u64,
    /// Whether it took effect.
    pub result: Result<(), TransactionError>,
    /// Taken from the payer, in lamports.
    pub fee: u64,
    /// What programs logged.
    pub logs: Vec<String>,
    /// Lamports of its accounts, in its order: before, and after.
    pub lamports: [Vec<u64>; 2],
    /// Its token accounts: before, and after.
    pub tokens: [Vec<TokenBalance>; 2],
}

/// What a token account held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBalance {
    /// Its place among the transaction's accounts.
    pub place: usize,
    /// The token.
    pub mint: Address,
    /// Whose account it is.
    pub owner: Address,
    /// Base units.
    pub amount: u64,
}

impl Landed {
    pub(super) fn new(
        transaction: &Transaction,
        slot: u64,
        executed: &Executed,
        accounts: [&[Option<Account>]; 2],
    ) -> Self {
        let lamports =
            accounts.map(|side| side.iter().map(|account| account.as_ref().map_or(0, |a| a.lamports)).collect());
        let balance = |(place, account): (usize, &Option<Account>)| {
            let account = account.as_ref().filter(|a| a.owner == token::ID || a.owner == token::ID_2022)?;
            let held = token::Account::unpack(&account.data)?;
            Some(TokenBalance { place, mint: held.mint, owner: held.owner, amount: held.amount })
        };
        let tokens = accounts.map(|side| side.iter().enumerate().filter_map(balance).collect());
        Self {
            transaction: transaction.clone(),
            slot,
            result: executed.result.clone(),
            fee: executed.fee,
            logs: executed.logs.clone(),
            lamports,
            tokens,
        }
    }
}

impl Brief {
    pub(super) fn new(landed: &Landed) -> Self {
        let instructions = landed.transaction.instructions();
        let memo = instructions.iter().find(|instruction| instruction.program == memo::ID);
        let text =
            memo.map(|memo| String::from_utf8_lossy(&memo.data).chars().take(MEMO_CHARACTERS).collect::<String>());
        Self {
            signature: landed.transaction.signatures().first().copied().unwrap_or([0; 64]),
            payer: landed.transaction.signers().first().copied().unwrap_or_default(),
            slot: landed.slot,
            result: landed.result.clone(),
            swap: swap_seen([&landed.tokens[0], &landed.tokens[1]]),
            memo: text.map(String::into_boxed_str),
        }
    }
}

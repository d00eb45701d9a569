//! What executes the transactions of the simulated Solana: accounts, and programs over them.
//!
//! Two banks keep the same rules: [`Plain`] here, and the one of the crate `svm`, which really executes. What a pool program
//! does is computed once, by [`program`], for both.

pub mod program;

mod plain;

pub use self::plain::Plain;

use routing::Pool;
use solana::{Address, TransactionError};

/// Accounts and what changes them. A bank knows no slots' hashes and no earlier transactions: its chain has judged
/// blockhash and repetition before.
pub trait Bank: Send {
    /// Executes a transaction whole or not at all; the fee is taken all the same, if its payer has it. `bytes` are the wire
    /// form, at most 1,232 bytes. Signatures are verified here.
    fn execute(&mut self, bytes: &[u8], slot: u64, pools: Pools) -> Executed;

    /// An account as it stands.
    fn account(&self, address: &Address) -> Option<Account>;

    /// Puts an account into a state, or away: what a faucet does, and a fork that is undone.
    fn set_account(&mut self, address: &Address, account: Option<Account>);
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Billionths of a SOL.
    pub lamports: u64,
    /// The program that may change it.
    pub owner: Address,
    /// Its state as that program keeps it: of a token account the 165 bytes of SPL Token.
    pub data: Vec<u8>,
}

/// The pools that a transaction names, as they stand at its slot; a copy that the transaction may change.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    /// Each once.
    pub pools: Vec<Traded>,
    /// When the slot begins, in seconds since the Unix epoch.
    pub now: u64,
}

/// A pool that can be traded in.
#[derive(Clone, Debug)]
pub struct Traded {
    /// Its number in the world.
    pub number: u16,
    /// Its address.
    pub address: Address,
    /// The program that it belongs to.
    pub program: Address,
    /// Its two tokens: of side A, then of side B.
    pub mints: [Address; 2],
    /// Its state.
    pub pool: Pool,
}

/// What became of a transaction.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Whether it took effect, or the error as Solana names it.
    pub result: Result<(), TransactionError>,
    /// Taken from the payer in any case, in lamports.
    pub fee: u64,
    /// What programs logged.
    pub logs: Vec<String>,
    /// The pools as it left them; as they were where it failed.
    pub pools: Pools,
}

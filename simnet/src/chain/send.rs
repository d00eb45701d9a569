//! How transactions come in, and what one would do.

use solana::{Transaction, TransactionError};
use thiserror::Error;

use super::{Chain, Signature, State};
use crate::BLOCKHASH_SLOTS;
use crate::bank::Account;
use crate::faults::{Fault, Front};

/// The most transactions that wait for their slots.
const WAITING_LIMIT: usize = 65_536;

/// How much later than others a late transaction is included, in slots.
const LATE_SLOTS: u64 = 40;

/// A transaction was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unsent {
    /// It cannot be read.
    #[error("{0}")]
    Malformed(#[from] solana::Malformed),
    /// A signature is missing or wrong.
    #[error("Transaction signature verification failure")]
    BadSignature,
    /// Its simulation failed.
    #[error("Transaction simulation failed: {error}")]
    Failed {
        /// How it would end.
        error: TransactionError,
        /// What programs logged.
        logs: Vec<String>,
    },
    /// Too many transactions wait, or the chain remembers as many as it can.
    #[error("the chain takes no more transactions for now")]
    Full,
}

/// What a transaction would do in the next slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The slot that it was tried in.
    pub slot: u64,
    /// How it would end.
    pub result: Result<(), TransactionError>,
    /// What programs logged.
    pub logs: Vec<String>,
    /// The fee it would pay, in lamports.
    pub fee: u64,
}

impl Chain {
    /// Takes a transaction for the next slot, through a front whose faults it may meet. The same bytes again change nothing, unless they were dropped: then they have
    /// another chance. With `preflight` what would fail is refused. Returns the signature that it is known by.
    ///
    /// # Errors
    /// See [`Unsent`]; nothing was taken.
    pub fn send(&self, front: Front, bytes: &[u8], preflight: bool, now: u64) -> Result<Signature, Unsent> {
        let transaction = Transaction::read(bytes)?;
        if !transaction.verify() {
            return Err(Unsent::BadSignature);
        }
        let signature = transaction.signatures().first().copied().ok_or(Unsent::BadSignature)?;
        let mut state = self.at(now);
        let judged = self.judged(&state, &transaction, signature);
        if preflight {
            judged.clone().map_err(|error| Unsent::Failed { error, logs: Vec::new() })?;
            let Simulated { result, logs, .. } = self.tried(&mut state, &transaction, bytes, now);
            result.map_err(|error| Unsent::Failed { error, logs })?;
        }
        // Without a preflight a node passes on what no leader will take.
        if judged.is_err() || state.due.contains_key(&signature) || self.faults.strikes(front, Fault::Dropped) {
            return Ok(signature);
        }
        if state.waiting.len() >= WAITING_LIMIT || !state.records.has_room(state.waiting.len()) {
            return Err(Unsent::Full);
        }
        let late = if self.faults.strikes(front, Fault::Late) { LATE_SLOTS } else { 0 };
        let slot = state.slot;
        if self.is_instant() && late == 0 {
            self.include(&mut state, slot, (signature, bytes.into()), now);
            state.newest = None;
        } else {
            state.wait(slot + 1 + late, signature, bytes.into());
        }
        Ok(signature)
    }

    /// What a transaction would do. Its signatures are looked at only with `verify`, and with `replace` its blockhash is not.
    ///
    /// # Errors
    /// [`Unsent::Malformed`], [`Unsent::BadSignature`].
    pub fn simulate(&self, bytes: &[u8], verify: bool, replace: bool, now: u64) -> Result<Simulated, Unsent> {
        let transaction = Transaction::read(bytes)?;
        if verify && !transaction.verify() {
            return Err(Unsent::BadSignature);
        }
        let signature = transaction.signatures().first().copied().unwrap_or([0; 64]);
        let mut state = self.at(now);
        match self.judged(&state, &transaction, signature) {
            Err(TransactionError::BlockhashNotFound) if replace => {}
            Err(error) => {
                return Ok(Simulated { slot: state.slot, result: Err(error), logs: Vec::new(), fee: 0 });
            }
            Ok(()) => {}
        }
        Ok(self.tried(&mut state, &transaction, bytes, now))
    }

    /// What a chain knows of a transaction before any bank does.
    fn judged(&self, state: &State, transaction: &Transaction, signature: Signature) -> Result<(), TransactionError> {
        let named = self.hashes.slot(&transaction.blockhash());
        if !named.is_some_and(|named| named <= state.slot && state.slot <= named + BLOCKHASH_SLOTS) {
            return Err(TransactionError::BlockhashNotFound);
        }
        if state.records.brief(&signature).is_some() {
            return Err(TransactionError::AlreadyProcessed);
        }
        Ok(())
    }

    /// Executes a transaction and puts everything back.
    fn tried(&self, state: &mut State, transaction: &Transaction, bytes: &[u8], now: u64) -> Simulated {
        let slot = state.slot;
        let before: Vec<(_, Option<Account>)> =
            transaction.keys().iter().map(|key| (*key, state.bank.account(key))).collect();
        let (executed, _) = self.execute(state.bank.as_mut(), transaction, bytes, (slot, now), false);
        for (key, account) in before {
            if state.bank.account(&key) != account {
                state.bank.set_account(&key, account);
            }
        }
        Simulated { slot, result: executed.result, logs: executed.logs, fee: executed.fee }
    }
}

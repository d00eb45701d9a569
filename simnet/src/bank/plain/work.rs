//! One transaction under way: the accounts as it has left them so far. Nothing of it is kept unless it ends well.

use std::collections::{HashMap, HashSet};

use solana::{Address, Instruction, InstructionError, Transaction, TransactionError};

use super::super::{Account, Pools};

/// The most lines of a log.
const LOG_LINES: usize = 64;

pub(super) struct Work<'a> {
    before: &'a HashMap<Address, Account>,
    changed: HashMap<Address, Option<Account>>,
    writable: HashSet<Address>,
    pub(super) pools: Pools,
    logs: Vec<String>,
}

impl<'a> Work<'a> {
    pub(super) fn new(before: &'a HashMap<Address, Account>, transaction: &Transaction, pools: Pools) -> Self {
        let keys = transaction.keys().iter().enumerate();
        let writable = keys.filter(|(place, _)| transaction.is_writable(*place)).map(|(_, key)| *key).collect();
        Self { before, changed: HashMap::new(), writable, pools, logs: Vec::new() }
    }

    /// Executes all instructions, or says which failed.
    pub(super) fn run(&mut self, instructions: &[Instruction]) -> Result<(), TransactionError> {
        for (place, instruction) in instructions.iter().enumerate() {
            let program = instruction.program;
            self.log(format!("Program {program} invoke [1]"));
            if let Err(error) = super::execute(self, instruction) {
                self.log(format!("Program {program} failed: {error}"));
                return Err(TransactionError::InstructionError(u8::try_from(place).unwrap_or(u8::MAX), error));
            }
            self.log(format!("Program {program} success"));
        }
        Ok(())
    }

    /// An account as it stands now.
    pub(super) fn get(&self, address: &Address) -> Option<&Account> {
        match self.changed.get(address) {
            Some(changed) => changed.as_ref(),
            None => self.before.get(address),
        }
    }

    /// An account as it stood before the transaction.
    pub(super) fn before(&self, address: &Address) -> Option<&Account> {
        self.before.get(address)
    }

    /// Puts an account into a state without asking whether that is allowed.
    pub(super) fn put(&mut self, address: Address, account: Option<Account>) {
        self.changed.insert(address, account.filter(|account| account.lamports > 0));
    }

    /// Whether the transaction may change an account.
    pub(super) fn is_writable(&self, address: &Address) -> bool {
        self.writable.contains(address)
    }

    /// Puts an account into a state, if the transaction may change it.
    pub(super) fn change(&mut self, address: Address, account: Account) -> Result<(), InstructionError> {
        let before = self.get(&address);
        if !self.writable.contains(&address) {
            let lamports = before.is_none_or(|before| before.lamports != account.lamports);
            let readonly =
                if lamports { InstructionError::ReadonlyLamportChange } else { InstructionError::ReadonlyDataModified };
            return Err(readonly);
        }
        self.put(address, Some(account));
        Ok(())
    }

    pub(super) fn log(&mut self, line: String) {
        if self.logs.len() < LOG_LINES {
            self.logs.push(line);
        }
    }

    /// What it has changed, the pools as it left them, and its log.
    pub(super) fn end(self) -> (HashMap<Address, Option<Account>>, Pools, Vec<String>) {
        (self.changed, self.pools, self.logs)
    }
}

//! A bank without a virtual machine: the instructions that swaps are made of, interpreted by the rules of the real programs.

mod fee;
mod pool;
mod rent;
mod system;
mod token;
mod work;

use std::collections::HashMap;

use solana::program::{associated_token, compute_budget, memo, system as system_program, token as token_program};
use solana::{Address, Instruction, InstructionError, Transaction, TransactionError};

use self::work::Work;
use super::{Account, Bank, Executed, Pools, program};

/// The accounts of a plain bank.
#[derive(Debug, Default)]
pub struct Plain {
    accounts: HashMap<Address, Account>,
}

impl Bank for Plain {
    fn execute(&mut self, bytes: &[u8], _slot: u64, pools: Pools) -> Executed {
        let refused = |error, pools| Executed { result: Err(error), fee: 0, logs: Vec::new(), pools };
        let transaction = match judged(bytes) {
            Ok(transaction) => transaction,
            Err(error) => return refused(error, pools),
        };
        let instructions = transaction.instructions();
        let fee = match fee::of(&transaction, &instructions) {
            Ok(fee) => fee,
            Err(error) => return refused(error, pools),
        };
        let Some(payer) = transaction.signers().first().copied() else {
            return refused(TransactionError::SanitizeFailure, pools);
        };
        let paid = match fee::paid(self.accounts.get(&payer), fee) {
            Ok(paid) => paid,
            Err(error) => return refused(error, pools),
        };
        if !instructions.iter().all(|instruction| is_known(&instruction.program)) {
            return refused(TransactionError::InvalidProgramForExecution, pools);
        }
        let mut work = Work::new(&self.accounts, &transaction, pools.clone());
        work.put(payer, Some(paid.clone()));
        let mut result = work.run(&instructions);
        if let Err(error) = rent::check(&work, &transaction) {
            result = Err(error);
        }
        let (changed, after, logs) = work.end();
        match &result {
            Ok(()) => changed.into_iter().for_each(|(address, account)| self.set_account(&address, account)),
            Err(_) => self.set_account(&payer, Some(paid)),
        }
        let pools = if result.is_ok() { after } else { pools };
        Executed { result, fee, logs, pools }
    }

    fn account(&self, address: &Address) -> Option<Account> {
        self.accounts.get(address).cloned()
    }

    /// An account without lamports is away.
    fn set_account(&mut self, address: &Address, account: Option<Account>) {
        match account.filter(|account| account.lamports > 0) {
            Some(account) => self.accounts.insert(*address, account),
            None => self.accounts.remove(address),
        };
    }
}

/// Reads a transaction and says whether it may be executed at all.
fn judged(bytes: &[u8]) -> Result<Transaction, TransactionError> {
    let transaction = Transaction::read(bytes).map_err(|_| TransactionError::SanitizeFailure)?;
    if transaction.uses_lookup_tables() {
        return Err(TransactionError::AddressLookupTableNotFound);
    }
    if !transaction.verify() {
        return Err(TransactionError::SignatureFailure);
    }
    let mut keys = transaction.keys().to_vec();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(TransactionError::AccountLoadedTwice);
    }
    Ok(transaction)
}

/// The programs that there are.
fn is_known(program: &Address) -> bool {
    const KNOWN: [Address; 6] = [
        system_program::ID,
        token_program::ID,
        token_program::ID_2022,
        associated_token::ID,
        compute_budget::ID,
        memo::ID,
    ];
    KNOWN.contains(program) || program::PROGRAMS.contains(program)
}

/// Executes one instruction.
fn execute(work: &mut Work<'_>, instruction: &Instruction) -> Result<(), InstructionError> {
    match instruction.program {
        system_program::ID => system::transfer(work, instruction),
        token_program::ID | token_program::ID_2022 => token::order(work, instruction),
        associated_token::ID => token::create(work, instruction),
        compute_budget::ID => Ok(()),
        memo::ID => note(work, instruction),
        _ => pool::swap(work, instruction),
    }
}

/// A memo is UTF-8, and whoever it names has signed it.
fn note(work: &mut Work<'_>, instruction: &Instruction) -> Result<(), InstructionError> {
    if !instruction.accounts.iter().all(|meta| meta.signer) {
        return Err(InstructionError::MissingRequiredSignature);
    }
    let text = std::str::from_utf8(&instruction.data).map_err(|_| InstructionError::InvalidInstructionData)?;
    work.log(format!("Program log: Memo (len {}): {text:?}", text.len()));
    Ok(())
}

#[cfg(test)]
mod tests;

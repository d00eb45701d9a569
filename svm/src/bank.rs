//! The bank: accounts that LiteSVM holds, and transactions that it executes.

use litesvm::LiteSVM;
use simnet::bank::{Account, Executed, Pools};
use solana::transaction::Transaction;
use solana::{Address, TransactionError};
use solana_clock::Clock;

use crate::pools;

/// Wide enough for every transaction of 1,232 bytes.
const LOG_BYTES: usize = 10_000;

/// LiteSVM as a bank. It verifies signatures; it looks at no blockhash and keeps no history, since its chain has judged
/// both.
pub struct Bank {
    svm: LiteSVM,
}

impl Bank {
    /// A bank with Solana's own programs, SPL's, and the pool programs; it has no other accounts.
    #[must_use]
    pub fn new() -> Self {
        let mut svm = LiteSVM::new()
            .with_sigverify(true)
            .with_blockhash_check(false)
            .with_transaction_history(0)
            .with_log_bytes_limit(Some(LOG_BYTES));
        for program in simnet::bank::program::PROGRAMS {
            svm.add_builtin(program, pools::Entrypoint::vm);
        }
        Self { svm }
    }

    /// Programs see the slot that they execute in.
    fn tell_the_time(&mut self, slot: u64, now: u64) {
        let mut clock: Clock = self.svm.get_sysvar();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        if (clock.slot, clock.unix_timestamp) != (slot, now) {
            (clock.slot, clock.unix_timestamp) = (slot, now);
            self.svm.set_sysvar(&clock);
        }
    }

    fn lamports(&self, address: &Address) -> u64 {
        self.svm.get_balance(address).unwrap_or(0)
    }
}

impl Default for Bank {
    fn default() -> Self {
        Self::new()
    }
}

impl simnet::bank::Bank for Bank {
    fn execute(&mut self, bytes: &[u8], slot: u64, pools: Pools) -> Executed {
        let Ok(transaction) = Transaction::read(bytes) else {
            return Executed { result: Err(TransactionError::SanitizeFailure), fee: 0, logs: Vec::new(), pools };
        };
        self.tell_the_time(slot, pools.now);
        let payer = transaction.signers().first().copied();
        let held = payer.map_or(0, |payer| self.lamports(&payer));
        pools::lend(pools.clone());
        let sent = self.svm.send_transaction(transaction.into_versioned());
        let moved = pools::take_back();
        match sent {
            Ok(done) => Executed { result: Ok(()), fee: done.fee, logs: done.logs, pools: moved.unwrap_or(pools) },
            Err(failed) => {
                let left = payer.map_or(0, |payer| self.lamports(&payer));
                Executed { result: Err(failed.err), fee: held.saturating_sub(left), logs: failed.meta.logs, pools }
            }
        }
    }

    fn account(&self, address: &Address) -> Option<Account> {
        let account = self.svm.get_account(address).filter(|account| account.lamports > 0)?;
        Some(Account { lamports: account.lamports, owner: account.owner, data: account.data })
    }

    fn set_account(&mut self, address: &Address, account: Option<Account>) {
        let account = account.unwrap_or(Account { lamports: 0, owner: Address::default(), data: Vec::new() });
        let Account { lamports, owner, data } = account;
        let account = solana_account::Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX };
        // Only the system's variables are refused, where their bytes are none; they stay as they were.
        let _ = self.svm.set_account(*address, account);
    }
}

//! How slots come about: what is due is executed in order, and a fork undoes the newest.

use std::collections::HashMap;

use routing::Pool;
use solana::{Address, Transaction};

use super::landed::{self, Brief, Landed};
use super::{Chain, Signature, State};
use crate::BLOCKHASH_SLOTS;
use crate::bank::{Account, Bank, Executed, Pools, Traded, program};
use crate::draw::{About, Draw};
use crate::faults::{Fault, Front};
use crate::market::seconds;

/// What undoes a slot.
#[derive(Default)]
pub(super) struct Undo {
    pub(super) slot: u64,
    /// How accounts stood before the slot; none where there was none.
    pub(super) accounts: HashMap<Address, Option<Account>>,
    pools: HashMap<u16, Pool>,
    transactions: Vec<(Signature, Box<[u8]>)>,
}

impl Chain {
    /// Executes everything whose slot has come, in slot order, and then `slot` is the newest.
    pub(super) fn execute_due(&self, state: &mut State, slot: u64, now: u64) {
        loop {
            let next = state.waiting.first_key_value().map_or(slot, |((due, _), _)| (*due).min(slot));
            self.pass(state, next, now);
            let Some(first) = state.waiting.first_entry().filter(|first| first.key().0 <= slot) else { break };
            let ((due, signature), bytes) = first.remove_entry();
            state.due.remove(&signature);
            self.include(state, due, (signature, bytes), now);
        }
        self.pass(state, slot, now);
    }

    /// The newest slot that held anything lies before `slot` now: it is confirmed, or a fork has undone it.
    fn pass(&self, state: &mut State, slot: u64, now: u64) {
        let Some(undo) = state.newest.take_if(|undo| undo.slot < slot) else { return };
        if !self.faults.strikes(Front::Rpc, Fault::Fork) {
            return;
        }
        for (address, account) in undo.accounts {
            state.bank.set_account(&address, account);
        }
        let numbers: Vec<_> = undo.pools.keys().copied().collect();
        self.world.trade(&numbers, (undo.slot, now), |_| ((), undo.pools.into_iter().collect()));
        for (signature, bytes) in undo.transactions {
            state.records.undo(&signature);
            let draw = Draw::new(self.world.settings().seed, About::Fork).on_text(&solana::transaction::id(&signature));
            if draw.on(undo.slot).below(2) == 0 {
                state.wait(undo.slot + 1, signature, bytes);
            }
        }
    }

    /// Executes one transaction in `slot`, unless its blockhash has expired by then.
    pub(super) fn include(&self, state: &mut State, slot: u64, sent: (Signature, Box<[u8]>), now: u64) {
        let (signature, bytes) = sent;
        let Ok(transaction) = Transaction::read(&bytes) else { return };
        let valid = self.hashes.slot(&transaction.blockhash()).is_some_and(|named| slot <= named + BLOCKHASH_SLOTS);
        if !valid || state.records.brief(&signature).is_some() {
            return;
        }
        let keys = transaction.keys();
        let before: Vec<_> = keys.iter().map(|key| state.bank.account(key)).collect();
        let (executed, pools) = self.execute(state.bank.as_mut(), &transaction, &bytes, (slot, now), true);
        let after: Vec<_> = keys.iter().map(|key| state.bank.account(key)).collect();
        let failed_before_fee = executed.result.is_err() && executed.fee == 0;
        if failed_before_fee {
            // No leader puts a transaction into a block that cannot pay for it.
            return;
        }
        let landed = Landed::new(&transaction, slot, &executed, [&before, &after]);
        state.records.keep(Brief::new(&landed), landed);
        let undo = state.newest.get_or_insert_with(|| Undo { slot, ..Undo::default() });
        for (key, account) in keys.iter().zip(before) {
            undo.accounts.entry(*key).or_insert(account);
        }
        for (number, pool) in pools {
            undo.pools.entry(number).or_insert(pool);
        }
        undo.transactions.push((signature, bytes));
    }

    /// Executes a transaction on the pools that it names; says what became of it, and how they stood before.
    pub(super) fn execute(
        &self,
        bank: &mut dyn Bank,
        transaction: &Transaction,
        bytes: &[u8],
        (slot, now): (u64, u64),
        keep: bool,
    ) -> (Executed, Vec<(u16, Pool)>) {
        let names: Vec<_> = transaction.instructions().iter().flat_map(program::names).collect();
        let mut entries: Vec<_> = names.into_iter().filter_map(|name| self.directory.named(name)).collect();
        entries.sort_unstable_by_key(|entry| entry.number);
        entries.dedup_by_key(|entry| entry.number);
        let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
        self.world.trade(&numbers, (slot, now), |before| {
            let traded = |(number, pool): &(u16, Pool)| {
                let entry = self.directory.pool(*number)?;
                let (address, program, mints) = (entry.address, entry.program, entry.mints);
                Some(Traded { number: *number, address, program, mints, pool: pool.clone() })
            };
            let pools = Pools { pools: before.iter().filter_map(traded).collect(), now: seconds(slot) };
            let executed = bank.execute(bytes, slot, pools);
            let moved = keep && executed.result.is_ok();
            let after = executed.pools.pools.iter().filter(|_| moved).map(|pool| (pool.number, pool.pool.clone()));
            let after = after.collect();
            ((executed, before), after)
        })
    }
}

impl State {
    /// Puts a transaction where its slot will find it.
    pub(super) fn wait(&mut self, slot: u64, signature: Signature, bytes: Box<[u8]>) {
        self.due.insert(signature, slot);
        self.waiting.insert((slot, signature), bytes);
    }
}

/// The swap that a transaction made, seen by what the vaults gained and lost.
pub(super) fn swap_seen(tokens: [&[landed::TokenBalance]; 2]) -> Option<landed::SwapSeen> {
    let [before, after] = tokens;
    let held = |side: &[landed::TokenBalance], mint: &Address| {
        let vault = side.iter().find(|balance| balance.owner == program::AUTHORITY && balance.mint == *mint);
        vault.map_or(0, |balance| balance.amount)
    };
    let vaults = before.iter().filter(|balance| balance.owner == program::AUTHORITY);
    let (mut paid, mut received) = (None, None);
    for vault in vaults {
        let (was, is) = (held(before, &vault.mint), held(after, &vault.mint));
        if is > was {
            paid = Some((vault.mint, is - was));
        } else if was > is {
            received = Some((vault.mint, was - is));
        }
    }
    let ((input, amount_in), (output, amount_out)) = paid.zip(received)?;
    Some(landed::SwapSeen { input, output, amount_in, amount_out })
}

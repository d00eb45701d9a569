//! A Solana beside the world: the same pools and the same clock, real transactions over a bank.
//!
//! A transaction that is sent in one slot is executed in the next; it is processed then, confirmed one slot later and final
//! 32 slots later. Where the world's pace is instant it is executed and final when it is sent. A blockhash is good for 150
//! slots, the same signature is executed once, and only a fork undoes anything: the newest slot, before it is confirmed.

mod blockhash;
mod blocks;
mod directory;
mod faucet;
mod landed;
mod records;
mod send;

pub use self::directory::{Directory, MintEntry, PoolEntry};
pub use self::faucet::NotGiven;
pub use self::landed::{Brief, Landed, SwapSeen, TokenBalance};
pub use self::send::{Simulated, Unsent};

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use solana::{Address, TransactionError};

use self::blockhash::Hashes;
use self::blocks::Undo;
use self::records::Records;
use crate::bank::{Account, Bank};
use crate::faults::Faults;
use crate::{BLOCKHASH_SLOTS, Pace, Retention, World, slot_of};

/// How far behind the newest slot the newest final one is.
const FINALITY_SLOTS: u64 = 32;

type Signature = [u8; 64];

/// The chain. Every method takes `now` in milliseconds since the Unix epoch; time never goes back.
pub struct Chain {
    world: Arc<World>,
    directory: Directory,
    faults: Arc<Faults>,
    hashes: Hashes,
    retention: Retention,
    state: Mutex<State>,
}

/// Everything that changes.
struct State {
    slot: u64,
    bank: Box<dyn Bank>,
    /// By the slot that will hold them, then by signature: arrival within a slot decides nothing.
    waiting: BTreeMap<(u64, Signature), Box<[u8]>>,
    /// The slots of those.
    due: HashMap<Signature, u64>,
    records: Records,
    /// The newest slot that held anything, while a fork may still undo it.
    newest: Option<Undo>,
    /// Accounts that the faucet has made.
    made: usize,
}

/// How sure an answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// Of the newest slot.
    Processed,
    /// Of a slot that no fork undoes here.
    Confirmed,
    /// Of a slot 32 behind the newest.
    Finalized,
}

/// What is known of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The slot that holds it.
    pub slot: u64,
    /// Slots since then; none when it is final.
    pub confirmations: Option<u64>,
    /// Whether it took effect.
    pub result: Result<(), TransactionError>,
    /// How sure that is.
    pub commitment: Commitment,
}

/// A blockhash to build with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The hash.
    pub hash: [u8; 32],
    /// The slot that it was asked at.
    pub slot: u64,
    /// The last height that may hold a transaction which names it.
    pub last_valid_height: u64,
}

impl Chain {
    /// A chain that begins with the world's mints and full vaults in its bank.
    #[must_use]
    pub fn new(
        world: Arc<World>,
        mut bank: Box<dyn Bank>,
        faults: Arc<Faults>,
        retention: Retention,
        now: u64,
    ) -> Self {
        let directory = Directory::new(&world);
        directory.settle(bank.as_mut());
        let hashes = Hashes::new(world.settings().seed);
        let state = State {
            slot: slot_of(now),
            bank,
            waiting: BTreeMap::new(),
            due: HashMap::new(),
            records: Records::new(retention),
            newest: None,
            made: 0,
        };
        Self { world, directory, faults, hashes, retention, state: Mutex::new(state) }
    }

    /// The world whose pools it trades in.
    #[must_use]
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Its mints and pools.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What goes wrong on command.
    #[must_use]
    pub const fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    /// How long it remembers.
    #[must_use]
    pub const fn retention(&self) -> Retention {
        self.retention
    }

    /// The newest slot of that commitment. Every slot has a block, so it is the block height too.
    #[must_use]
    pub fn slot(&self, commitment: Commitment, now: u64) -> u64 {
        self.slot_behind(self.at(now).slot, commitment)
    }

    /// The newest blockhash of that commitment.
    #[must_use]
    pub fn blockhash(&self, commitment: Commitment, now: u64) -> Recent {
        let slot = self.slot(commitment, now);
        Recent { hash: self.hashes.of(slot), slot, last_valid_height: slot + BLOCKHASH_SLOTS }
    }

    /// What became of transactions, one answer each; none of those that no slot holds.
    #[must_use]
    pub fn statuses(&self, signatures: &[Option<Signature>], now: u64) -> Vec<Option<Status>> {
        let state = self.at(now);
        let status = |signature: &Option<Signature>| {
            let brief = state.records.brief(signature.as_ref()?)?;
            let since = state.slot.saturating_sub(brief.slot);
            let commitment = match since {
                _ if self.is_instant() => Commitment::Finalized,
                0 => Commitment::Processed,
                1..FINALITY_SLOTS => Commitment::Confirmed,
                _ => Commitment::Finalized,
            };
            let confirmations = (commitment != Commitment::Finalized).then_some(since);
            Some(Status { slot: brief.slot, confirmations, result: brief.result.clone(), commitment })
        };
        signatures.iter().map(status).collect()
    }

    /// Everything about a transaction that a slot of that commitment holds, while it is remembered.
    #[must_use]
    pub fn landed(&self, signature: &Signature, commitment: Commitment, now: u64) -> Option<Arc<Landed>> {
        let state = self.at(now);
        let landed = state.records.landed(signature)?;
        (landed.slot <= self.slot_behind(state.slot, commitment)).then_some(landed)
    }

    /// What is kept of a transaction for as long as the chain remembers it.
    #[must_use]
    pub fn brief(&self, signature: &Signature, now: u64) -> Option<Arc<Brief>> {
        self.at(now).records.brief(signature).cloned()
    }

    /// The transactions after the first `after`, in the order of their execution, at most `limit`, and how many there are.
    #[must_use]
    pub fn executed(&self, after: usize, limit: usize, now: u64) -> (Vec<Arc<Brief>>, usize) {
        self.at(now).records.page(after, limit)
    }

    /// An account as it stands.
    #[must_use]
    pub fn account(&self, address: &Address, now: u64) -> Option<Account> {
        self.at(now).bank.account(address)
    }

    /// Executes what is due. Every other method does so, too; a process that is asked nothing calls this now and then.
    pub fn advance(&self, now: u64) {
        drop(self.at(now));
    }

    fn is_instant(&self) -> bool {
        matches!(self.world.settings().pace, Pace::Instant)
    }

    fn slot_behind(&self, slot: u64, commitment: Commitment) -> u64 {
        slot.saturating_sub(match commitment {
            _ if self.is_instant() => 0,
            Commitment::Processed => 0,
            Commitment::Confirmed => 1,
            Commitment::Finalized => FINALITY_SLOTS,
        })
    }

    /// The state, moved on to `now`.
    fn at(&self, now: u64) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slot_of(now);
        if slot > state.slot {
            self.execute_due(&mut state, slot, now);
            state.slot = slot;
            state.records.forget(slot);
        }
        state
    }
}

#[cfg(test)]
mod tests;

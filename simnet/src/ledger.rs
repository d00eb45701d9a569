//! What became of transactions: small entries by signature, and for a process that keeps everything a record of each
//! execution.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::BLOCKHASH_SLOTS;

/// How long a ledger remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until 200 slots after a transaction expired, when nothing can be executed twice, since the blockhash has expired
    /// too; and what was included also until [`crate::World::settled`], however long that takes.
    Recent,
    /// For ever (up to ten million executions), with a record of each: for tests that count them.
    Everything,
}

/// The most executions that a ledger of everything records; then it takes no more transactions.
pub(crate) const RECORDS_LIMIT: usize = 10_000_000;

/// Slots after the expiry in which an entry is still there.
const GRACE_SLOTS: u64 = 200;

/// Entries are forgotten by the lot: those whose blockhashes are of the same 64 slots.
const GENERATION_SLOTS: u64 = 64;

/// What became of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not executed yet, or not heard of, and not expired at a finalised height.
    Open,
    /// Executed.
    Confirmed {
        /// Taken from the wallet, in base units of the input token.
        amount_in: u64,
        /// Put into the wallet, in base units of the output token.
        amount_out: u64,
        /// The slot that holds it.
        slot: u64,
    },
    /// Included and refused: it did not and will not trade.
    Failed(Failure),
    /// Never executed, and now it never can be.
    Expired,
}

/// Why an included transaction did not trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Failure {
    /// The price had moved past the limit.
    SlippageExceeded,
    /// The wallet does not hold enough of the input token.
    InsufficientBalance,
    /// No pool makes this swap at this size any more.
    NoRoute,
    /// As the options told it to.
    ExecutionFailed,
    /// More wallets trade than a world with finite balances remembers.
    TooManyWallets,
}

impl Failure {
    /// Stable, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SlippageExceeded => "SLIPPAGE_EXCEEDED",
            Self::InsufficientBalance => "INSUFFICIENT_BALANCE",
            Self::NoRoute => "NO_ROUTE",
            Self::ExecutionFailed => "EXECUTION_FAILED",
            Self::TooManyWallets => "TOO_MANY_WALLETS",
        }
    }

    /// For people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::SlippageExceeded => "the price moved past the order's limit before the transaction was included",
            Self::InsufficientBalance => "the wallet does not hold enough of the input token",
            Self::NoRoute => "no pool makes this swap at this size any more",
            Self::ExecutionFailed => "the simulated chain failed the transaction, as it was told to",
            Self::TooManyWallets => "the simulated chain remembers no more wallets",
        }
    }
}

/// One executed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The signature.
    pub id: [u8; 64],
    /// The order it served.
    pub order: Box<str>,
    /// Which transaction for that order it was.
    pub build: u32,
    /// Whose wallet paid and received.
    pub account: Box<str>,
    /// Paid, in base units of the input token.
    pub amount_in: u64,
    /// Received, in base units of the output token.
    pub amount_out: u64,
    /// The slot that holds it.
    pub slot: u64,
}

/// The first half of a signature's first half: enough to tell 2⁶⁴ transactions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64, u64);

impl Key {
    pub(crate) fn of(signature: &[u8; 64]) -> Self {
        let word = |at: usize| signature[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Self(word(0), word(8))
    }
}

/// Signatures are spread evenly already; hashing them again would only cost.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// 24 bytes; millions of them are held at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) amount_in: u64,
    pub(crate) amount_out: u64,
    pub(crate) slot: u32,
    pub(crate) state: State,
    /// How often the bytes were sent; stops at 255.
    pub(crate) submissions: u8,
    /// Nobody will ask for the outcome again.
    pub(crate) settled: bool,
}

impl Entry {
    /// Whether someone may still have to hear of it.
    const fn is_owed(&self) -> bool {
        matches!(self.state, State::Confirmed | State::Failed(_)) && !self.settled
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Lost on its way to a block; the same bytes may be sent again.
    Dropped,
    /// Waits for its slot.
    Waiting,
    Confirmed,
    Failed(Failure),
}

type Generation = HashMap<Key, Entry, BuildHasherDefault<AsIs>>;

/// The entries, by the slot of their blockhash.
#[derive(Debug)]
pub(crate) struct Ledger {
    retention: Retention,
    generations: BTreeMap<u64, Generation>,
    /// Included, old, and not settled yet: as many as there are orders on their way.
    owed: Generation,
    records: Vec<Record>,
}

impl Ledger {
    pub(crate) fn new(retention: Retention) -> Self {
        Self { retention, generations: BTreeMap::new(), owed: Generation::default(), records: Vec::new() }
    }

    /// The entry of a transaction that names the blockhash of `slot`, new if there is none.
    pub(crate) fn entry(&mut self, slot: u64, key: Key) -> &mut Entry {
        let new = Entry { amount_in: 0, amount_out: 0, slot: 0, state: State::Dropped, submissions: 0, settled: false };
        self.generations.entry(slot / GENERATION_SLOTS).or_default().entry(key).or_insert(new)
    }

    /// The entry of a transaction, whatever blockhash it names.
    pub(crate) fn find(&self, key: Key) -> Option<&Entry> {
        self.generations.values().rev().chain([&self.owed]).find_map(|generation| generation.get(&key))
    }

    /// Nobody will ask for this one's outcome again.
    pub(crate) fn settle(&mut self, key: Key) {
        if self.owed.remove(&key).is_none()
            && let Some(entry) = self.generations.values_mut().rev().find_map(|generation| generation.get_mut(&key))
        {
            entry.settled = true;
        }
    }

    /// Forgets what may be forgotten at `slot`.
    pub(crate) fn forget(&mut self, slot: u64) {
        if self.retention == Retention::Everything {
            return;
        }
        while let Some(oldest) = self.generations.first_entry() {
            if (oldest.key() + 1) * GENERATION_SLOTS + BLOCKHASH_SLOTS + GRACE_SLOTS > slot {
                return;
            }
            self.owed.extend(oldest.remove().into_iter().filter(|(_, entry)| entry.is_owed()));
        }
    }

    /// Whether every execution can still be recorded, with `waiting` transactions to come.
    pub(crate) fn has_room(&self, waiting: usize) -> bool {
        self.records.len() + waiting < RECORDS_LIMIT
    }

    /// Keeps a record of an execution, if this ledger keeps everything.
    pub(crate) fn record(&mut self, record: impl FnOnce() -> Record) {
        if self.retention == Retention::Everything {
            self.records.push(record());
        }
    }

    /// The executions in order.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_forgotten_after_expiry_and_grace() {
        assert_eq!(size_of::<(Key, Entry)>(), 40);
        let mut ledger = Ledger::new(Retention::Recent);
        let key = |n: u8| Key::of(&[n; 64]);
        for (slot, n) in [(64, 1), (127, 2), (128, 3), (64, 4)] {
            ledger.entry(slot, key(n)).state = State::Confirmed;
        }
        ledger.entry(64, key(5));
        for n in [1, 2, 3] {
            ledger.settle(key(n));
        }
        ledger.forget(127 + 350);
        assert!((1..=3).all(|n| ledger.find(key(n)).is_some()));
        ledger.forget(128 + 350);
        assert_eq!([1, 2, 3].map(|n| ledger.find(key(n)).is_some()), [false, false, true]);
        assert!(ledger.find(key(4)).is_some(), "executed, and nobody has been told");
        assert!(ledger.find(key(5)).is_none(), "never included");
        ledger.settle(key(4));
        assert!(ledger.find(key(4)).is_none());
        let mut everything = Ledger::new(Retention::Everything);
        everything.entry(64, key(1));
        everything.forget(1_000_000);
        assert!(everything.find(key(1)).is_some());
    }
}

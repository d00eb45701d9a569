//! One simulated world: pools, wallets and transactions under one clock.

mod answers;
mod chance;
mod execute;
mod pools;
mod questions;
mod route;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::pools::PoolKind;
pub use self::questions::{Ask, Balance, Certificate, Head, Leg, LookUp, Quote};

use self::answers::Answers;
use crate::draw::About;
use crate::ledger::{Key, Ledger, State};
use crate::market::Market;
use crate::token::Tokens;
use crate::transaction::{Parsed, decode};
use crate::{
    BLOCKHASH_SLOTS, Blockhash, Outcome, Pace, Record, Refused, Retention, Settings, Signed, Swap, Token, Wallets,
    slot_of,
};

/// How far behind the newest slot the newest final one is.
const FINALITY_SLOTS: u64 = 32;

/// The most transactions that wait for their slots.
const WAITING_LIMIT: usize = 65_536;

/// The most transactions that the world remembers to have signed itself.
const VOUCHED_LIMIT: usize = 4_096;

/// The world. Every method takes `now` in milliseconds since the Unix epoch; time never goes back.
#[derive(Debug)]
pub struct World {
    settings: Settings,
    tokens: Tokens,
    wallets: Wallets,
    /// Bytes that were signed here and not submitted yet: verifying them once more would cost as much as all else.
    vouched: Mutex<HashMap<Key, Vec<u8>>>,
    state: Mutex<Moving>,
}

/// Everything that changes.
#[derive(Debug)]
struct Moving {
    slot: u64,
    market: Market,
    answers: Answers,
    ledger: Ledger,
    /// Messages by the slot that will hold them, then by signature: arrival within a slot decides nothing.
    waiting: BTreeMap<(u64, Key), Box<[u8]>>,
    balances: HashMap<Box<str>, Box<[u128]>>,
    /// What a wallet begins with, by token; empty when wallets are refilled.
    allowance: Box<[u128]>,
}

impl World {
    /// A world that begins `now`.
    ///
    /// # Errors
    /// A sentence for the operator: too many or clashing tokens, or a balance that does not fit.
    pub fn new(settings: Settings, tokens: Vec<Token>, retention: Retention, now: u64) -> Result<Self, String> {
        let slot = slot_of(now);
        let allowance = match settings.balance {
            Some(whole) => tokens.iter().map(|token| allowance(whole, token)).collect::<Result<_, _>>()?,
            None => Box::default(),
        };
        let tokens = Tokens::new(tokens)?;
        let moving = Moving {
            slot,
            market: Market::new(settings, &tokens, slot),
            answers: Answers::default(),
            ledger: Ledger::new(retention),
            waiting: BTreeMap::new(),
            balances: HashMap::new(),
            allowance,
        };
        Ok(Self { settings, tokens, wallets: Wallets::default(), vouched: Mutex::default(), state: Mutex::new(moving) })
    }

    /// The options it was made with.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The wallets' keys.
    #[must_use]
    pub const fn wallets(&self) -> &Wallets {
        &self.wallets
    }

    /// How long the venue takes to answer this ask, in milliseconds; whoever asks waits that long before [`World::quote`].
    #[must_use]
    pub fn quote_delay(&self, ask: &Ask<'_>, now: u64) -> u64 {
        let draw = self.quote_draw(About::QuoteStalls, ask, slot_of(now));
        match self.settings.pace {
            _ if draw.happens(self.settings.stall) => 10_000,
            Pace::Real => 150 + draw.on(0).below(101),
            Pace::Instant => 0,
        }
    }

    /// What the venue would give now. Changes nothing that a trader could notice.
    ///
    /// The route is computed on a view of the pools, so that nobody waits for it, and kept until they move.
    ///
    /// # Errors
    /// [`Refused::NoRoute`], [`Refused::VenueFailed`].
    pub fn quote(&self, ask: &Ask<'_>, now: u64) -> Result<Arc<Quote>, Refused> {
        let no_route =
            |why: &str| Refused::NoRoute(format!("{} {} to {}: {why}", ask.venue.as_str(), ask.input, ask.output));
        let tokens = self.tokens.by_symbol(ask.input).zip(self.tokens.by_symbol(ask.output));
        let pair = tokens.ok_or_else(|| no_route("a token is unknown"))?;
        let key = answers::key(ask.venue, pair, ask.amount);
        let mut state = self.at(now);
        if self.quote_draw(About::QuoteFails, ask, state.slot).happens(self.settings.fail) {
            return Err(Refused::VenueFailed);
        }
        let slot = state.slot;
        let view = Arc::clone(state.market.view(slot));
        let kept = state.answers.get(view.version, &key);
        drop(state);
        let answer = kept.unwrap_or_else(|| {
            let answer = route::quote(&view, &self.tokens, ask.venue, pair, ask.amount);
            let answer = answer.map(Arc::new).map_err(Into::into);
            self.lock().answers.keep(view.version, key, answer.clone());
            answer
        });
        answer.map_err(|why| no_route(&why))
    }

    /// The newest blockhash.
    #[must_use]
    pub fn blockhash(&self, now: u64) -> Blockhash {
        let slot = self.at(now).slot;
        self.blockhash_of(slot)
    }

    /// Where the chain is.
    #[must_use]
    pub fn head(&self, now: u64) -> Head {
        self.head_at(self.at(now).slot)
    }

    /// Signs with the wallet of the swap's account, as [`Swap::sign`] does. When these very bytes are submitted to this
    /// world, their signature is known to be good and not verified again.
    ///
    /// # Errors
    /// [`Refused::Malformed`]: a text is longer than the message can carry.
    pub fn sign(&self, swap: &Swap<'_>, blockhash: &Blockhash) -> Result<Signed, Refused> {
        let bytes = swap.signed_bytes(blockhash, &self.wallets.key(swap.account))?;
        let signed = Signed::of(&bytes, blockhash);
        if let Some(signature) = bytes.first_chunk() {
            let mut vouched = self.vouched.lock().unwrap_or_else(PoisonError::into_inner);
            if vouched.len() >= VOUCHED_LIMIT {
                vouched.clear();
            }
            vouched.insert(Key::of(signature), bytes);
        }
        Ok(signed)
    }

    /// Takes a transaction, to be executed at its slot. The same bytes again change nothing, unless they were dropped:
    /// then they have another chance. Returns the transaction's id.
    ///
    /// # Errors
    /// See [`Refused`]; only after [`Refused::AnswerLost`] has the transaction been taken.
    pub fn submit(&self, bytes: &str, now: u64) -> Result<[u8; 64], Refused> {
        let bytes = decode(bytes)?;
        let parsed = Parsed::read(&bytes)?;
        if parsed.blockhash != self.blockhash_of(parsed.blockhash.slot) {
            return Err(Refused::BlockhashUnknown);
        }
        let key = Key::of(&parsed.signature);
        if !self.was_signed_here(key, &bytes) && !parsed.is_signed_by(&self.wallets.key(parsed.swap.account)) {
            return Err(Refused::BadSignature);
        }
        let mut state = self.at(now);
        let submissions = self.take(&mut state, &parsed, key)?;
        drop(state);
        let lost = self.order_draw(About::AnswerLost, &parsed).on(submissions.into());
        if lost.happens(self.settings.lose_answer) {
            return Err(Refused::AnswerLost);
        }
        Ok(parsed.signature)
    }

    /// What became of transactions, one answer each. An id that is none was never heard of.
    #[must_use]
    pub fn look_up(&self, ids: &[LookUp<'_>], now: u64) -> Vec<Outcome> {
        let keys: Vec<_> = ids.iter().map(|asked| (key_of(asked.id), asked.expires_at_height)).collect();
        let state = self.at(now);
        let finalised = self.head_at(state.slot).finalised;
        let fate = |key: Option<Key>, expires_at_height: u64| {
            let entry = key.and_then(|key| state.ledger.find(key));
            match entry.map(|entry| (entry.state, entry)) {
                Some((State::Confirmed, entry)) => Outcome::Confirmed {
                    amount_in: entry.amount_in,
                    amount_out: entry.amount_out,
                    slot: entry.slot.into(),
                },
                Some((State::Failed(failure), _)) => Outcome::Failed(failure),
                Some((State::Waiting | State::Dropped, _)) | None if finalised > expires_at_height => Outcome::Expired,
                Some((State::Waiting | State::Dropped, _)) | None => Outcome::Open,
            }
        };
        keys.into_iter().map(|(key, expires_at_height)| fate(key, expires_at_height)).collect()
    }

    /// Says that the outcome of this transaction is known for good and will not be asked for again: it may be forgotten,
    /// once its blockhash has expired.
    pub fn settled(&self, id: &str, now: u64) {
        if let Some(key) = key_of(id) {
            self.at(now).ledger.settle(key);
        }
    }

    /// The executions after the first `after`, in order, at most `limit`, and how many there are in all. Only a ledger
    /// that keeps everything has any.
    #[must_use]
    pub fn records(&self, after: usize, limit: usize, now: u64) -> (Vec<Record>, usize) {
        let state = self.at(now);
        let all = state.ledger.records();
        (all.iter().skip(after).take(limit).cloned().collect(), all.len())
    }

    /// What the account's wallet holds, by symbol.
    #[must_use]
    pub fn balances(&self, account: &str, now: u64) -> Vec<Balance> {
        let state = self.at(now);
        let held = state.balances.get(account).unwrap_or(&state.allowance);
        let balance = |(index, token): (usize, &Token)| Balance {
            symbol: Arc::clone(&token.symbol),
            decimals: token.decimals,
            amount: held.get(index).copied(),
        };
        self.tokens.all().iter().enumerate().map(balance).collect()
    }

    /// Executes what is due. Every other method does so, too; a process that is asked nothing calls this now and then.
    pub fn advance(&self, now: u64) {
        drop(self.at(now));
    }

    fn was_signed_here(&self, key: Key, bytes: &[u8]) -> bool {
        let mut vouched = self.vouched.lock().unwrap_or_else(PoisonError::into_inner);
        vouched.remove(&key).is_some_and(|signed| signed == bytes)
    }

    /// The state, moved on to `now`.
    fn at(&self, now: u64) -> MutexGuard<'_, Moving> {
        let mut state = self.lock();
        let slot = slot_of(now);
        if slot > state.slot {
            self.execute_due(&mut state, slot);
            state.slot = slot;
            state.ledger.forget(slot);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, Moving> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn head_at(&self, slot: u64) -> Head {
        let behind = match self.settings.pace {
            Pace::Real => FINALITY_SLOTS,
            Pace::Instant => 0,
        };
        Head { slot, finalised: slot.saturating_sub(behind) }
    }
}

fn key_of(id: &str) -> Option<Key> {
    let mut signature = [0; 64];
    let length = bs58::decode(id).onto(&mut signature).ok()?;
    (length == signature.len()).then(|| Key::of(&signature))
}

fn allowance(whole: u64, token: &Token) -> Result<u128, String> {
    let unit = 10_u128.checked_pow(token.decimals.into());
    let units = unit.and_then(|unit| unit.checked_mul(whole.into()));
    units.ok_or_else(|| format!("balance={whole}: does not fit for {}", token.symbol))
}

#[cfg(test)]
mod tests;

//! One simulated world: pools, wallets and transactions under one clock.

mod execute;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use routing::Amount;

use crate::draw::{About, Draw};
use crate::ledger::{Key, Ledger, State};
use crate::market::{Exchange, Market};
use crate::token::Tokens;
use crate::transaction::{Parsed, decode};
use crate::{
    BLOCKHASH_SLOTS, Blockhash, Outcome, Pace, Record, Refused, Retention, SLOT_MILLIS, Settings, Token, Wallets,
};

/// When slot 0 began: 2025-01-01. Slots are those of the wall's clock, so that a restarted world takes up where it was.
const GENESIS_MILLIS: u64 = 1_735_689_600_000;

/// How far behind the newest slot the newest final one is.
const FINALITY_SLOTS: u64 = 32;

/// The most transactions that wait for their slots.
const WAITING_LIMIT: usize = 65_536;

/// What a world is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Where.
    pub exchange: Exchange,
    /// Symbol of the token that is paid.
    pub input: &'a str,
    /// Symbol of the token that is received.
    pub output: &'a str,
    /// The fixed amount, in base units of its token.
    pub amount: Amount,
}

/// What a pool would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Paid, fee included, in base units.
    pub amount_in: u64,
    /// Received, in base units.
    pub amount_out: u64,
    /// The fee inside `amount_in`, in base units.
    pub fee: u64,
    /// How much worse than the price before the trade, fee aside, in basis points, rounded up.
    pub price_impact_bps: u32,
}

/// Whose fate is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookUp<'a> {
    /// The transaction's id.
    pub id: &'a str,
    /// The last height that may hold it, as [`crate::Signed`] says.
    pub expires_at_height: u64,
}

/// Where the chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The slot now.
    pub slot: u64,
    /// The newest slot that nothing can undo.
    pub finalised: u64,
}

/// What a wallet holds of one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The token's symbol.
    pub symbol: Arc<str>,
    /// Its decimals.
    pub decimals: u8,
    /// Base units; none when the wallet is refilled and never short.
    pub amount: Option<u128>,
}

/// The world. Every method takes `now` in milliseconds since the Unix epoch; time never goes back.
#[derive(Debug)]
pub struct World {
    settings: Settings,
    tokens: Tokens,
    wallets: Wallets,
    state: Mutex<Moving>,
}

/// Everything that changes.
#[derive(Debug)]
struct Moving {
    slot: u64,
    market: Market,
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
        let moving = Moving {
            slot,
            market: Market::new(settings, slot),
            ledger: Ledger::new(retention),
            waiting: BTreeMap::new(),
            balances: HashMap::new(),
            allowance,
        };
        Ok(Self { settings, tokens: Tokens::new(tokens)?, wallets: Wallets::default(), state: Mutex::new(moving) })
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

    /// How long the exchange takes to answer this ask, in milliseconds; whoever asks waits that long before [`World::quote`].
    #[must_use]
    pub fn quote_delay(&self, ask: &Ask<'_>, now: u64) -> u64 {
        let draw = self.quote_draw(About::QuoteStalls, ask, slot_of(now));
        match self.settings.pace {
            _ if draw.happens(self.settings.stall) => 10_000,
            Pace::Real => 150 + draw.on(0).below(101),
            Pace::Instant => 0,
        }
    }

    /// What the exchange would give now. Changes nothing that a trader could notice.
    ///
    /// # Errors
    /// [`Refused::NoRoute`], [`Refused::VenueFailed`].
    pub fn quote(&self, ask: &Ask<'_>, now: u64) -> Result<Quote, Refused> {
        let no_route = |why: &dyn std::fmt::Display| {
            Refused::NoRoute(format!("{} {} to {}: {why}", ask.exchange.as_str(), ask.input, ask.output))
        };
        let tokens = self.tokens.by_symbol(ask.input).zip(self.tokens.by_symbol(ask.output));
        let pair = tokens.ok_or_else(|| no_route(&"a token is unknown"))?;
        let mut state = self.at(now);
        let slot = state.slot;
        if self.quote_draw(About::QuoteFails, ask, slot).happens(self.settings.fail) {
            return Err(Refused::VenueFailed);
        }
        let facing = state.market.facing(&self.tokens, ask.exchange, pair, slot);
        let pool = facing.ok_or_else(|| no_route(&"no pool"))?.pool();
        drop(state);
        let swap = pool.quote(ask.amount).map_err(|e| no_route(&e))?;
        Ok(Quote {
            amount_in: swap.amount_in,
            amount_out: swap.amount_out,
            fee: swap.fee,
            price_impact_bps: pool.price_impact_bps(&swap),
        })
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
        if !parsed.is_signed_by(&self.wallets.key(parsed.swap.account)) {
            return Err(Refused::BadSignature);
        }
        let key = Key::of(&parsed.signature);
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

    /// The state, moved on to `now`.
    fn at(&self, now: u64) -> MutexGuard<'_, Moving> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slot_of(now);
        if slot > state.slot {
            self.execute_due(&mut state, slot);
            state.slot = slot;
            state.ledger.forget(slot);
        }
        state
    }

    const fn head_at(&self, slot: u64) -> Head {
        let behind = match self.settings.pace {
            Pace::Real => FINALITY_SLOTS,
            Pace::Instant => 0,
        };
        Head { slot, finalised: slot.saturating_sub(behind) }
    }

    fn blockhash_of(&self, slot: u64) -> Blockhash {
        let draw = Draw::new(self.settings.seed, About::Blockhash).on(slot);
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&draw.value().to_le_bytes());
        hash[8..].copy_from_slice(&draw.on(0).value().to_le_bytes());
        Blockhash { slot, hash }
    }

    fn quote_draw(&self, about: About, ask: &Ask<'_>, slot: u64) -> Draw {
        let (mode, amount) = match ask.amount {
            Amount::In(amount) => (0, amount),
            Amount::Out(amount) => (1, amount),
        };
        let draw = Draw::new(self.settings.seed, about).on(slot).on(ask.exchange.index().into());
        draw.on_text(ask.input).on_text(ask.output).on(mode).on(amount)
    }

    fn order_draw(&self, about: About, parsed: &Parsed<'_>) -> Draw {
        Draw::new(self.settings.seed, about).on_text(parsed.swap.order).on(parsed.swap.build.into())
    }
}

fn slot_of(now: u64) -> u64 {
    now.saturating_sub(GENESIS_MILLIS) / SLOT_MILLIS
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

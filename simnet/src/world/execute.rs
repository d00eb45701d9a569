//! How a world takes transactions in and executes them at their slots.

use routing::constant_product::{Amount, PoolError, Swap};

use super::{BLOCKHASH_SLOTS, Moving, WAITING_LIMIT, World};
use crate::draw::About;
use crate::ledger::{Failure, Key, Record, State};
use crate::transaction::Parsed;
use crate::{Pace, Refused};

/// The most wallets whose finite balances are remembered.
const WALLETS_LIMIT: usize = 100_000;

impl World {
    /// Takes a verified transaction; says how often its bytes have been sent.
    pub(super) fn take(&self, state: &mut Moving, parsed: &Parsed<'_>, key: Key) -> Result<u8, Refused> {
        let (slot, named) = (state.slot, parsed.blockhash.slot);
        if named > slot {
            return Err(Refused::BlockhashUnknown);
        }
        if slot > parsed.blockhash.last_valid_height() {
            return Err(Refused::BlockhashExpired);
        }
        if state.waiting.len() >= WAITING_LIMIT || !state.ledger.has_room(state.waiting.len()) {
            return Err(Refused::Full);
        }
        let entry = state.ledger.entry(named, key);
        entry.submissions = entry.submissions.saturating_add(1);
        let submissions = entry.submissions;
        let dropped = self.order_draw(About::Dropped, parsed).on(submissions.into());
        if entry.state != State::Dropped || dropped.happens(self.settings.drop) {
            return Ok(submissions);
        }
        match self.settings.pace {
            Pace::Instant => self.execute(state, parsed, key, slot),
            Pace::Real => {
                entry.state = State::Waiting;
                let wait = 5 + self.order_draw(About::Inclusion, parsed).on(submissions.into()).below(3);
                let mut bytes = Vec::with_capacity(64 + parsed.message.len());
                bytes.extend_from_slice(&parsed.signature);
                bytes.extend_from_slice(parsed.message);
                state.waiting.insert((slot + wait, key), bytes.into_boxed_slice());
            }
        }
        Ok(submissions)
    }

    /// Executes everything whose slot has come, in slot order.
    pub(super) fn execute_due(&self, state: &mut Moving, now: u64) {
        while let Some(first) = state.waiting.first_entry() {
            let (slot, key) = *first.key();
            if slot > now {
                return;
            }
            let bytes = first.remove();
            // The bytes were read once before they were put here.
            if let Ok(parsed) = Parsed::read(&bytes)
                && slot <= parsed.blockhash.slot + BLOCKHASH_SLOTS
            {
                self.execute(state, &parsed, key, slot);
            }
        }
    }

    fn execute(&self, state: &mut Moving, parsed: &Parsed<'_>, key: Key, slot: u64) {
        let result = self.swap(state, parsed, slot);
        let entry = state.ledger.entry(parsed.blockhash.slot, key);
        entry.slot = u32::try_from(slot).unwrap_or(u32::MAX);
        match result {
            Err(failure) => entry.state = State::Failed(failure),
            Ok(swap) => {
                entry.state = State::Confirmed;
                (entry.amount_in, entry.amount_out) = (swap.amount_in, swap.amount_out);
                state.ledger.record(|| Record {
                    id: parsed.signature,
                    order: parsed.swap.order.into(),
                    build: parsed.swap.build,
                    account: parsed.swap.account.into(),
                    amount_in: swap.amount_in,
                    amount_out: swap.amount_out,
                    slot,
                });
            }
        }
    }

    /// All of the swap or nothing of it.
    fn swap(&self, state: &mut Moving, parsed: &Parsed<'_>, slot: u64) -> Result<Swap, Failure> {
        let wanted = &parsed.swap;
        if self.order_draw(About::ExecutionFails, parsed).happens(self.settings.fail) {
            return Err(Failure::ExecutionFailed);
        }
        let input = self.tokens.by_mint(wanted.input_mint, wanted.wrap).ok_or(Failure::NoRoute)?;
        let output = self.tokens.by_mint(wanted.output_mint, wanted.unwrap).ok_or(Failure::NoRoute)?;
        let facing = state.market.facing(&self.tokens, wanted.exchange, (input, output), slot);
        let facing = facing.ok_or(Failure::NoRoute)?;
        let (swap, after) = facing.pool().apply(wanted.amount).map_err(|e| no_swap(e, wanted.amount))?;
        let kept = match wanted.amount {
            Amount::In(_) => swap.amount_out >= wanted.limit,
            Amount::Out(_) => swap.amount_in <= wanted.limit,
        };
        if !kept {
            return Err(Failure::SlippageExceeded);
        }
        if !state.allowance.is_empty() {
            if state.balances.len() >= WALLETS_LIMIT && !state.balances.contains_key(wanted.account) {
                return Err(Failure::TooManyWallets);
            }
            let wallet = state.balances.entry(wanted.account.into()).or_insert_with(|| state.allowance.clone());
            let (paid, received) = (usize::from(input), usize::from(output));
            let left = wallet[paid].checked_sub(swap.amount_in.into()).ok_or(Failure::InsufficientBalance)?;
            wallet[paid] = left;
            wallet[received] = wallet[received].saturating_add(swap.amount_out.into());
        }
        facing.become_pool(after);
        Ok(swap)
    }
}

/// A pool that has come to hold less than is wanted has moved past every limit.
const fn no_swap(error: PoolError, amount: Amount) -> Failure {
    match (error, amount) {
        (PoolError::InsufficientLiquidity, Amount::Out(_)) => Failure::SlippageExceeded,
        _ => Failure::NoRoute,
    }
}

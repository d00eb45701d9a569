//! How a world takes transactions in and executes them at their slots.

use routing::PoolError;

use super::{BLOCKHASH_SLOTS, Moving, WAITING_LIMIT, World};
use crate::draw::About;
use crate::ledger::{Failure, Key, Record, State};
use crate::market::Unexecuted;
use crate::transaction::Parsed;
use crate::{Amount, Pace, Refused};

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
            Ok((amount_in, amount_out)) => {
                entry.state = State::Confirmed;
                (entry.amount_in, entry.amount_out) = (amount_in, amount_out);
                state.ledger.record(|| Record {
                    id: parsed.signature,
                    order: parsed.swap.order.into(),
                    build: parsed.swap.build,
                    account: parsed.swap.account.into(),
                    amount_in,
                    amount_out,
                    slot,
                });
            }
        }
    }

    /// All steps of the swap or nothing of it. Says what was paid and received.
    fn swap(&self, state: &mut Moving, parsed: &Parsed<'_>, slot: u64) -> Result<(u64, u64), Failure> {
        let wanted = &parsed.swap;
        if self.order_draw(About::ExecutionFails, parsed).happens(self.settings.fail) {
            return Err(Failure::ExecutionFailed);
        }
        let input = self.tokens.by_mint(wanted.input_mint, wanted.wrap).ok_or(Failure::NoRoute)?;
        let output = self.tokens.by_mint(wanted.output_mint, wanted.unwrap).ok_or(Failure::NoRoute)?;
        let assets = (self.tokens.asset(input), self.tokens.asset(output));
        let executed = state.market.execute(assets, wanted.amount, &wanted.steps, slot);
        let executed = executed.map_err(|why| no_swap(why, wanted.amount))?;
        let (amount_in, amount_out) = (executed.amount_in, executed.amount_out);
        let kept = match wanted.amount {
            Amount::In(_) => amount_out >= wanted.limit,
            Amount::Out(_) => amount_in <= wanted.limit,
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
            let left = wallet[paid].checked_sub(amount_in.into()).ok_or(Failure::InsufficientBalance)?;
            wallet[paid] = left;
            wallet[received] = wallet[received].saturating_add(amount_out.into());
        }
        state.market.become_pools(executed.after, slot);
        Ok((amount_in, amount_out))
    }
}

/// A pool that has come to hold less than is wanted has moved past every limit.
const fn no_swap(why: Unexecuted, amount: Amount) -> Failure {
    match (why, amount) {
        (Unexecuted::Refused(PoolError::InsufficientLiquidity | PoolError::PriceRange), Amount::Out(_)) => {
            Failure::SlippageExceeded
        }
        _ => Failure::NoRoute,
    }
}

//! The transactions that venues hand out to be signed: a swap, and around it the user's accounts.

use solana::program::associated_token::{self, create_idempotent};
use solana::program::compute_budget::{self, Budget};
use solana::program::jupiter::{Form, Route};
use solana::program::raydium::{Hop, ROUTER, Swap};
use solana::program::{Mode, system, token};
use solana::{Address, Instruction, Meta};

use crate::Step;
use crate::bank::program::{AUTHORITY, vault, write_plan};
use crate::chain::Directory;

/// A swap as a venue has quoted it.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub(super) wallet: Address,
    /// The mints paid and received.
    pub(super) mints: [Address; 2],
    pub(super) mode: Mode,
    /// The fixed amount, the other as quoted, and its limit.
    pub(super) amount: u64,
    pub(super) quoted: u64,
    pub(super) limit: u64,
    pub(super) slippage_bps: u16,
    pub(super) steps: Vec<Step>,
    /// Whether SOL is wrapped for the swap, and whether it is unwrapped after.
    pub(super) wraps: [bool; 2],
    /// Where the user's tokens are, unless in the associated accounts.
    pub(super) accounts: [Option<Address>; 2],
    /// The most units, and millionths of a lamport for each.
    pub(super) units: (u32, u64),
}

/// The instructions of a transaction.
pub(super) struct Parts {
    pub(super) budget: Vec<Instruction>,
    pub(super) setup: Vec<Instruction>,
    pub(super) swap: Instruction,
    pub(super) cleanup: Option<Instruction>,
}

impl Parts {
    pub(super) fn all(self) -> Vec<Instruction> {
        let Self { budget, setup, swap, cleanup } = self;
        budget.into_iter().chain(setup).chain([swap]).chain(cleanup).collect()
    }
}

impl Trade {
    /// The user's accounts of the two tokens.
    fn ends(&self) -> [Address; 2] {
        let own = |place: usize| {
            self.accounts[place]
                .unwrap_or_else(|| associated_token::address(&self.wallet, &self.mints[place], &token::ID))
        };
        [own(0), own(1)]
    }

    /// Whether the side is SOL that is wrapped or unwrapped.
    fn is_native(&self, place: usize) -> bool {
        self.wraps[place] && self.mints[place] == token::NATIVE_MINT
    }

    /// What stands around the swap.
    fn around(&self, swap: Instruction) -> Parts {
        let (wallet, [source, destination]) = (self.wallet, self.ends());
        let mut setup = Vec::new();
        if self.is_native(0) {
            let lamports = if self.mode == Mode::ExactIn { self.amount } else { self.limit };
            setup.push(create_idempotent(wallet, wallet, token::NATIVE_MINT, token::ID));
            setup.push(system::transfer(system::Transfer { from: wallet, to: source, lamports }));
            setup.push(token::order(token::ID, token::Order::SyncNative { account: source }));
        }
        if self.accounts[1].is_none() {
            setup.push(create_idempotent(wallet, wallet, self.mints[1], token::ID));
        }
        let wrapped = [(0, source), (1, destination)].into_iter().find(|(place, _)| self.is_native(*place));
        let close = |account| token::Order::Close { account, destination: wallet, owner: wallet };
        let cleanup = wrapped.map(|(_, account)| token::order(token::ID, close(account)));
        let (limit, price) = self.units;
        let budget = [Budget::Limit(limit), Budget::Price(price)].map(compute_budget::set).to_vec();
        Parts { budget, setup, swap, cleanup }
    }

    /// As a route of the aggregator. Its pools' vaults follow the fixed accounts, unless they are among them already.
    pub(super) fn route(&self, form: Form) -> Option<Parts> {
        let [source, destination] = self.ends();
        let vaults = self.mints.map(|mint| vault(&mint));
        let route = Route {
            form,
            authority: self.wallet,
            source,
            destination,
            source_mint: Some(self.mints[0]),
            destination_mint: self.mints[1],
            amount: self.amount,
            quoted: self.quoted,
            slippage_bps: self.slippage_bps,
            platform_fee_bps: 0,
            program_accounts: Some(vaults),
            program_authority: Some(AUTHORITY),
            plan: write_plan(&self.steps),
        };
        let mut rest = Vec::new();
        if !form.shared {
            rest.push(Meta::readonly(AUTHORITY));
            rest.extend(vaults.map(Meta::writable));
        }
        if form.version == 1 && !form.shared && form.mode == Mode::ExactIn {
            rest.push(Meta::readonly(self.mints[0]));
        }
        Some(self.around(route.instruction(&rest)?))
    }

    /// As a swap in one of the exchange's pools, or by its router.
    pub(super) fn swap(&self, directory: &Directory) -> Option<Parts> {
        let [source, destination] = self.ends();
        let mut at = source;
        let mut hops = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            let entry = directory.pool(step.pool)?;
            let [a, b] = entry.mints;
            let mints = if step.input == crate::Side::A { [a, b] } else { [b, a] };
            let is_last = place + 1 == self.steps.len();
            let own = associated_token::address(&self.wallet, &mints[1], &token::ID);
            let onward = if is_last { destination } else { own };
            hops.push(Hop {
                program: entry.program,
                pool: entry.address,
                authority: AUTHORITY,
                vaults: mints.map(|mint| vault(&mint)),
                mints: Some(mints),
                ends: [at, onward],
            });
            at = onward;
        }
        let program = if let [hop] = &hops[..] { hop.program } else { ROUTER };
        let (owner, mode) = (self.wallet, self.mode);
        let swap = Swap { program, mode, owner, source, destination, amount: self.amount, limit: self.limit, hops };
        Some(self.around(swap.instruction()?))
    }
}

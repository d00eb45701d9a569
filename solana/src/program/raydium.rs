//! Raydium's pools and its router: swaps as their instructions carry them. Sources: the programs and Raydium's SDK.

mod read;

pub use self::read::read;

use super::{Mode, associated_token, memo, system, token};
use crate::{Address, Instruction, Meta};

/// The constant product pools of the fourth version, once with order books.
pub const AMM_V4: Address = Address::from_str_const("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8");
/// The constant product pools without order books.
pub const CPMM: Address = Address::from_str_const("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C");
/// The pools of concentrated liquidity.
pub const CLMM: Address = Address::from_str_const("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK");
/// What goes over several pools.
pub const ROUTER: Address = Address::from_str_const("routeUGWgWzqBWFcrCfv8tritsqukccJPu3q5GPP3xS");

/// Whose the vaults of all pools of the fourth version are.
pub const AMM_V4_AUTHORITY: Address = Address::from_str_const("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1");

/// AMM v4 and the router: less came out, or more was to be paid, than the limit.
pub const AMM_V4_SLIPPAGE: u32 = 30;
/// CPMM: the same.
pub const CPMM_SLIPPAGE: u32 = 6005;
/// CLMM: the same where what is paid is fixed.
pub const CLMM_TOO_LITTLE: u32 = 6022;
/// CLMM: the same where what is received is fixed.
pub const CLMM_TOO_MUCH: u32 = 6023;

const SWAP_BASE_INPUT: [u8; 8] = [143, 190, 90, 218, 196, 30, 51, 222];
const SWAP_BASE_OUTPUT: [u8; 8] = [55, 217, 98, 86, 163, 74, 180, 173];
const SWAP_V2: [u8; 8] = [43, 4, 237, 11, 26, 201, 30, 98];

/// A swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// [`AMM_V4`], [`CPMM`], [`CLMM`] or [`ROUTER`].
    pub program: Address,
    /// Which amount is fixed.
    pub mode: Mode,
    /// Who pays and signs.
    pub owner: Address,
    /// The account that is paid from.
    pub source: Address,
    /// The account that receives.
    pub destination: Address,
    /// The fixed amount, in base units.
    pub amount: u64,
    /// The least received, or the most paid.
    pub limit: u64,
    /// The pools in the order of the tokens' way; one where it is not the router's.
    pub hops: Vec<Hop>,
}

/// One pool of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The program of the pool.
    pub program: Address,
    /// The pool.
    pub pool: Address,
    /// Whose the vaults are; of [`CLMM`] the pool itself.
    pub authority: Address,
    /// The pool's accounts: of the token paid, then of the one received. Of [`AMM_V4`] in the pool's own order.
    pub vaults: [Address; 2],
    /// The tokens paid and received, where the instruction names them: those of [`AMM_V4`] by itself do not.
    pub mints: Option<[Address; 2]>,
    /// The user's accounts that it is paid from and pays into. The router uses one of the user's for what is between.
    pub ends: [Address; 2],
}

impl Swap {
    /// The instruction. `None` where there is no pool, or several without the router, or mints that are needed.
    #[must_use]
    pub fn instruction(&self) -> Option<Instruction> {
        let hop = self.hops.first()?;
        let exact_in = self.mode == Mode::ExactIn;
        let fixed_first = exact_in || self.program == CLMM;
        let numbers = if fixed_first { [self.amount, self.limit] } else { [self.limit, self.amount] };
        let numbers = numbers.map(u64::to_le_bytes).concat();
        if self.program != ROUTER && self.hops.len() > 1 {
            return None;
        }
        let (accounts, data) = match self.program {
            AMM_V4 => (self.amm_v4_accounts(hop), [&[if exact_in { 9 } else { 11 }][..], &numbers].concat()),
            CPMM => {
                let tag = if exact_in { SWAP_BASE_INPUT } else { SWAP_BASE_OUTPUT };
                (self.cpmm_accounts(hop)?, [&tag[..], &numbers].concat())
            }
            CLMM => {
                let data = [&SWAP_V2[..], &numbers, &[0; 16], &[u8::from(exact_in)]].concat();
                (self.clmm_accounts(hop)?, data)
            }
            ROUTER => {
                // Behind the amounts is a limit of the price for each concentrated pool: none.
                let concentrated = self.hops.iter().filter(|hop| hop.program == CLMM).count();
                let prices = vec![0; 16 * concentrated];
                (self.router_accounts()?, [&[u8::from(!exact_in)][..], &numbers, &prices].concat())
            }
            _ => return None,
        };
        Some(Instruction { program: self.program, accounts, data })
    }

    /// Those of order books are the pool itself, since there are none any more.
    fn amm_v4_accounts(&self, hop: &Hop) -> Vec<Meta> {
        let pool = Meta::writable(hop.pool);
        let mut accounts = vec![Meta::readonly(token::ID), pool, Meta::readonly(hop.authority), pool];
        accounts.extend(hop.vaults.map(Meta::writable));
        accounts.extend([pool; 8]);
        accounts.extend([Meta::writable(self.source), Meta::writable(self.destination), Meta::signer(self.owner)]);
        accounts
    }

    fn cpmm_accounts(&self, hop: &Hop) -> Option<Vec<Meta>> {
        let [input_mint, output_mint] = hop.mints?.map(Meta::readonly);
        let mut accounts = vec![Meta::signer(self.owner), Meta::readonly(hop.authority), Meta::readonly(hop.pool)];
        accounts.push(Meta::writable(hop.pool));
        accounts.extend([self.source, self.destination].map(Meta::writable));
        accounts.extend(hop.vaults.map(Meta::writable));
        accounts.extend([Meta::readonly(token::ID), Meta::readonly(token::ID), input_mint, output_mint]);
        accounts.push(Meta::writable(hop.pool));
        Some(accounts)
    }

    /// The vaults' authority stands where the first array of ticks would: it is the pool itself on the real chain.
    fn clmm_accounts(&self, hop: &Hop) -> Option<Vec<Meta>> {
        let [input_mint, output_mint] = hop.mints?.map(Meta::readonly);
        let mut accounts = vec![Meta::signer(self.owner), Meta::readonly(hop.pool), Meta::writable(hop.pool)];
        accounts.extend([self.source, self.destination].map(Meta::writable));
        accounts.extend(hop.vaults.map(Meta::writable));
        accounts.push(Meta::writable(hop.pool));
        accounts.extend([token::ID, token::ID_2022, memo::ID].map(Meta::readonly));
        accounts.extend([input_mint, output_mint, Meta::readonly(hop.authority)]);
        Some(accounts)
    }

    /// Exact in from the first pool on, exact out from the last one back. Each pool's program stands before what it needs.
    fn router_accounts(&self) -> Option<Vec<Meta>> {
        let programs = [token::ID, token::ID_2022, associated_token::ID, system::ID];
        let mut accounts: Vec<_> = programs.map(Meta::readonly).to_vec();
        accounts.push(Meta::signer(self.owner));
        let mut hops = self.hops.clone();
        let [from, to] = [self.source, self.destination].map(Meta::writable);
        match self.mode {
            Mode::ExactIn => accounts.extend([from, to]),
            Mode::ExactOut => hops.reverse(),
        }
        for hop in &hops {
            let pool = Meta::writable(hop.pool);
            let authority = Meta::readonly(hop.authority);
            accounts.push(Meta::readonly(hop.program));
            let ends = if self.mode == Mode::ExactIn { &hop.ends[1..] } else { &hop.ends[..] };
            accounts.extend(ends.iter().copied().map(Meta::writable));
            accounts.extend(hop.mints?.map(Meta::readonly));
            let vaults = hop.vaults.map(Meta::writable);
            match hop.program {
                AMM_V4 => {
                    accounts.extend([pool, authority, pool, pool, pool]);
                    accounts.extend(vaults);
                    accounts.extend([pool; 6]);
                }
                CPMM => {
                    accounts.extend([authority, pool, pool]);
                    accounts.extend(vaults);
                    accounts.push(pool);
                }
                CLMM => {
                    accounts.extend([pool, pool]);
                    accounts.extend(vaults);
                    accounts.extend([pool, Meta::readonly(memo::ID), authority]);
                }
                _ => return None,
            }
        }
        Some(accounts)
    }
}

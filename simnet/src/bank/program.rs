//! The pool programs: what an instruction of theirs moves, computed on the pools that the transaction names.
//!
//! All pools of a world keep what they hold of a token in one account, [`vault`], which [`AUTHORITY`] owns. So a swap moves
//! tokens twice, whatever its plan: from the user into the vault of the one token, out of the vault of the other to the user.
//! Nothing is moved unless the whole plan executes and keeps its one limit.

mod jupiter;
mod plan;
mod raydium;

pub use self::plan::{read as read_plan, write as write_plan};

use solana::program::{associated_token, jupiter as aggregator, raydium as exchange, token};
use solana::{Address, Instruction};

use super::{Account, Pools};
use crate::market::{Executed, Unexecuted, execute};
use crate::{Amount, Step};

/// Whose the vaults are.
pub const AUTHORITY: Address = exchange::AMM_V4_AUTHORITY;

/// The programs that this file executes.
pub const PROGRAMS: [Address; 5] = [aggregator::ID, exchange::AMM_V4, exchange::CPMM, exchange::CLMM, exchange::ROUTER];

/// An instruction that none of the programs has, in Anchor's numbers.
pub const UNKNOWN_INSTRUCTION: u32 = 101;

/// A pool is not of the program that it was given to, or is none, in Anchor's numbers.
pub const WRONG_POOL: u32 = 3007;

/// One movement of tokens that a pool program asks the token program for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whose program keeps the token.
    pub token_program: Address,
    /// Out of this account.
    pub from: Address,
    /// Into this one.
    pub to: Address,
    /// Who signs for it.
    pub authority: Address,
    /// Whether the pool program itself signs, for an address derived from it; otherwise the user has signed the transaction.
    pub by_program: bool,
    /// Base units.
    pub amount: u64,
}

/// How an instruction names a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// By its number in the world, in the plan of a route.
    Number(u16),
    /// By its address.
    Address(Address),
}

/// Where the pools keep a token.
#[must_use]
pub fn vault(mint: &Address) -> Address {
    associated_token::address(&AUTHORITY, mint, &token::ID)
}

/// The pools that an instruction names; none where it is not of these programs, or cannot be read.
#[must_use]
pub fn names(instruction: &Instruction) -> Vec<Name> {
    if instruction.program == aggregator::ID {
        let steps = aggregator::read(instruction).and_then(|route| plan::read(&route.plan));
        return steps.into_iter().flatten().map(|step| Name::Number(step.pool)).collect();
    }
    let swap = exchange::read(instruction);
    swap.into_iter().flat_map(|swap| swap.hops).map(|hop| Name::Address(hop.pool)).collect()
}

/// What an instruction of one of [`PROGRAMS`] moves, in order. The pools become what it leaves; on an error they are as they
/// were. `state` gives the accounts as they stand before the instruction.
///
/// # Errors
/// The custom error code with which the program fails.
pub fn run(
    instruction: &Instruction,
    pools: &mut Pools,
    state: &dyn Fn(&Address) -> Option<Account>,
) -> Result<[Transfer; 2], u32> {
    if instruction.program == aggregator::ID {
        jupiter::run(instruction, pools, state)
    } else {
        raydium::run(instruction, pools, state)
    }
}

/// The user's side of a swap.
struct Ends {
    authority: Address,
    source: Address,
    destination: Address,
}

/// What a swap moves.
fn transfers(ends: &Ends, mints: [Address; 2], executed: &Executed) -> [Transfer; 2] {
    let token_program = token::ID;
    let Ends { authority, source, destination } = *ends;
    let (paid, received) = (executed.amount_in, executed.amount_out);
    let [into, out_of] = mints.map(|mint| vault(&mint));
    [
        Transfer { token_program, from: source, to: into, authority, by_program: false, amount: paid },
        Transfer {
            token_program,
            from: out_of,
            to: destination,
            authority: AUTHORITY,
            by_program: true,
            amount: received,
        },
    ]
}

/// The account of a token that is kept there, if it is one.
fn token_account(address: &Address, state: &dyn Fn(&Address) -> Option<Account>) -> Option<token::Account> {
    let account = state(address).filter(|account| account.owner == token::ID || account.owner == token::ID_2022)?;
    token::Account::unpack(&account.data)
}

/// Executes a plan on the pools, which become what it leaves.
fn swap(pools: &mut Pools, mints: [Address; 2], amount: Amount, steps: &[Step]) -> Result<Executed, Unexecuted> {
    let mut known: Vec<Address> = Vec::new();
    let mut index = |mint: Address| {
        let place = known.iter().position(|other| *other == mint).unwrap_or_else(|| {
            known.push(mint);
            known.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    };
    let [from, to] = mints.map(&mut index);
    let ends: Vec<_> =
        pools.pools.iter().map(|pool| (pool.number, (index(pool.mints[0]), index(pool.mints[1])))).collect();
    let ends = |number: u16| ends.iter().find(|(known, _)| *known == number).map(|(_, ends)| *ends);
    let mut after = pools.clone();
    let executed = execute((from, to), amount, steps, ends, |number, input, amount| {
        let pool = after.pools.iter_mut().find(|pool| pool.number == number);
        pool.ok_or(routing::PoolError::Math)?.pool.apply(input, amount, after.now)
    })?;
    *pools = after;
    Ok(executed)
}

#[cfg(test)]
mod tests;

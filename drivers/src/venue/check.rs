//! Whether a transaction that a venue built does what was agreed and nothing else. It is asked before anything is signed.
//!
//! What is not expected is refused: a list of what is allowed does not grow by itself when somebody thinks of a new trick.

use solana::program::{Mode, associated_token, compute_budget, jupiter, raydium, system, token};
use solana::{Address, Instruction, Transaction};

use super::VenueError;

/// The stable code of an order whose transaction was not what was quoted.
pub(super) const CODE: &str = "TRANSACTION_MISMATCH";

/// Whose programs may swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Programs {
    Jupiter,
    Raydium,
}

/// One side of the swap: a token and the wallet's accounts for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) mint: Address,
    /// The wallet's associated accounts, under the token program and under Token-2022; the mint belongs to one of them.
    pub(super) accounts: [Address; 2],
    /// Native SOL: wrapped before, unwrapped after.
    pub(super) native: bool,
}

/// What was agreed.
#[derive(Clone, Debug)]
pub(super) struct Agreed {
    pub(super) programs: Programs,
    pub(super) wallet: Address,
    pub(super) input: Side,
    pub(super) output: Side,
    pub(super) mode: Mode,
    /// The fixed amount, in base units.
    pub(super) amount: u64,
    /// The other amount as it was quoted, where the programs carry that.
    pub(super) quoted: u64,
    /// The worst that the other amount may come to: the least received, or the most paid.
    pub(super) limit: u64,
    /// Tokens that the quote passes through.
    pub(super) between: Vec<Address>,
    /// What the operator takes from the trade for itself.
    pub(super) platform_fee_bps: u16,
    /// The most that the transaction may offer for being taken up, in lamports.
    pub(super) max_fee_lamports: u64,
}

/// Checks the transaction. `looked_up` are the accounts that it takes from lookup tables.
///
/// # Errors
/// [`VenueError::Refused`] with [`CODE`], saying what differs.
pub(super) fn check(transaction: &Transaction, looked_up: &[Address], agreed: &Agreed) -> Result<(), VenueError> {
    examine(transaction, looked_up, agreed).map_err(|what| mismatch(&what))
}

pub(super) fn mismatch(what: &str) -> VenueError {
    VenueError::Refused { code: CODE, message: format!("the venue's transaction is not what was agreed: {what}") }
}

/// What the instructions beside the swap came to.
#[derive(Default)]
struct Seen {
    units: Option<u32>,
    price: Option<u64>,
    wrapped: u64,
    swaps: u32,
}

fn examine(transaction: &Transaction, looked_up: &[Address], agreed: &Agreed) -> Result<(), String> {
    if transaction.signers() != [agreed.wallet] {
        return Err("others than the wallet sign it".to_owned());
    }
    if transaction.signatures() != [[0; 64]] {
        return Err("it comes with a signature in the wallet's place".to_owned());
    }
    let own = |address: &Address| agreed.is_own(address);
    if looked_up.iter().any(own) {
        return Err("a lookup table hides an account of the wallet".to_owned());
    }
    let instructions = transaction.instructions_with(looked_up);
    let mut seen = Seen::default();
    for instruction in &instructions {
        match instruction.program {
            compute_budget::ID => seen.budget(instruction)?,
            system::ID => seen.transfer(instruction, agreed)?,
            associated_token::ID => creation(instruction, agreed)?,
            token::ID | token::ID_2022 => wrapping(instruction, agreed)?,
            program if agreed.programs.own(&program) => {
                seen.swaps += 1;
                swap(instruction, agreed)?;
            }
            program => return Err(format!("it calls the program {program}")),
        }
    }
    if seen.swaps != 1 {
        return Err(format!("it swaps {} times", seen.swaps));
    }
    let fee = compute_budget::priority_fee(seen.units.unwrap_or(compute_budget::UNITS_LIMIT), seen.price.unwrap_or(0));
    if fee > agreed.max_fee_lamports {
        return Err(format!("it offers {fee} lamports for being taken up, more than {}", agreed.max_fee_lamports));
    }
    Ok(())
}

impl Programs {
    fn own(self, program: &Address) -> bool {
        match self {
            Self::Jupiter => *program == jupiter::ID,
            Self::Raydium => [raydium::AMM_V4, raydium::CPMM, raydium::CLMM, raydium::ROUTER].contains(program),
        }
    }
}

impl Agreed {
    fn is_own(&self, address: &Address) -> bool {
        *address == self.wallet || self.input.accounts.contains(address) || self.output.accounts.contains(address)
    }

    /// The wallet's account of wrapped SOL, where native SOL is paid or received.
    fn wrapped(&self) -> Option<Address> {
        [self.input, self.output].into_iter().find(|side| side.native).map(|side| side.accounts[0])
    }

    /// The most that may be paid.
    fn most_paid(&self) -> u64 {
        if self.mode == Mode::ExactIn { self.amount } else { self.limit }
    }
}

impl Seen {
    fn budget(&mut self, instruction: &Instruction) -> Result<(), String> {
        let twice = match compute_budget::read(instruction) {
            Some(compute_budget::Budget::Limit(units)) => self.units.replace(units).is_some(),
            Some(compute_budget::Budget::Price(price)) => self.price.replace(price).is_some(),
            None => return Err("it asks something else of the compute budget than units and their price".to_owned()),
        };
        if twice { Err("it sets its compute budget twice".to_owned()) } else { Ok(()) }
    }

    /// Lamports go into the wallet's own account of wrapped SOL, and no more than are to be paid.
    fn transfer(&mut self, instruction: &Instruction, agreed: &Agreed) -> Result<(), String> {
        let transfer = system::read(instruction).ok_or("it does something else with the wallet than send lamports")?;
        let wrapped = agreed.input.accounts[0];
        if !agreed.input.native || transfer.from != agreed.wallet || transfer.to != wrapped {
            return Err(format!("it sends {} lamports to {}", transfer.lamports, transfer.to));
        }
        self.wrapped = self.wrapped.saturating_add(transfer.lamports);
        if self.wrapped > agreed.most_paid() {
            return Err(format!("it wraps {} lamports, more than {}", self.wrapped, agreed.most_paid()));
        }
        Ok(())
    }
}

/// Accounts are made for the wallet, of tokens that the swap is about.
fn creation(instruction: &Instruction, agreed: &Agreed) -> Result<(), String> {
    let create = associated_token::read(instruction).ok_or("it does something odd with associated accounts")?;
    if create.owner != agreed.wallet || create.payer != agreed.wallet {
        return Err(format!("it makes an account for {}", create.owner));
    }
    let known = [agreed.input.mint, agreed.output.mint].contains(&create.mint) || agreed.between.contains(&create.mint);
    if !known {
        return Err(format!("it makes an account for the token {}", create.mint));
    }
    let own = associated_token::address(&agreed.wallet, &create.mint, &create.token_program);
    if create.account != own {
        return Err(format!("it makes the account {}, which is not the wallet's", create.account));
    }
    Ok(())
}

/// Wrapped SOL is counted, and given back to the wallet; tokens are moved by the swap alone.
fn wrapping(instruction: &Instruction, agreed: &Agreed) -> Result<(), String> {
    let own = agreed.wrapped();
    match token::read(instruction) {
        Some(token::Order::SyncNative { account }) if Some(account) == own => Ok(()),
        Some(token::Order::Close { account, destination, owner })
            if Some(account) == own && destination == agreed.wallet && owner == agreed.wallet =>
        {
            Ok(())
        }
        Some(token::Order::Close { account, destination, .. }) => {
            Err(format!("it closes the account {account} in favour of {destination}"))
        }
        Some(order) => Err(format!("it tells a token program something else than to wrap SOL: {}", name(order))),
        None => Err("it tells a token program something odd".to_owned()),
    }
}

const fn name(order: token::Order) -> &'static str {
    match order {
        token::Order::Transfer { .. } | token::Order::TransferChecked { .. } => "a transfer",
        token::Order::MintTo { .. } => "to make tokens",
        token::Order::Close { .. } => "to close an account",
        token::Order::SyncNative { .. } => "to wrap SOL of another account",
        token::Order::Initialize { .. } => "to begin an account",
    }
}

/// A swap of either venue, as far as it is compared.
struct Swap {
    owner: Address,
    source: Address,
    destination: Address,
    mode: Mode,
    amount: u64,
    quoted: Option<u64>,
    limit: u64,
    platform_fee_bps: u16,
    mints: [Option<Address>; 2],
}

fn read(instruction: &Instruction, programs: Programs) -> Option<Swap> {
    match programs {
        Programs::Jupiter => jupiter::read(instruction).map(|route| Swap {
            owner: route.authority,
            source: route.source,
            destination: route.destination,
            mode: route.form.mode,
            amount: route.amount,
            quoted: Some(route.quoted),
            limit: route.limit(),
            platform_fee_bps: route.platform_fee_bps,
            mints: [route.source_mint, Some(route.destination_mint)],
        }),
        Programs::Raydium => raydium::read(instruction).map(|swap| Swap {
            owner: swap.owner,
            source: swap.source,
            destination: swap.destination,
            mode: swap.mode,
            amount: swap.amount,
            quoted: None,
            limit: swap.limit,
            platform_fee_bps: 0,
            mints: [
                swap.hops.first().and_then(|hop| hop.mints).map(|mints| mints[0]),
                swap.hops.last().and_then(|hop| hop.mints).map(|mints| mints[1]),
            ],
        }),
    }
}

fn swap(instruction: &Instruction, agreed: &Agreed) -> Result<(), String> {
    let swap = read(instruction, agreed.programs).ok_or("its swap cannot be read")?;
    let differs = |what: &str, is: &dyn std::fmt::Display, should: &dyn std::fmt::Display| {
        Err(format!("{what} is {is}, not {should}"))
    };
    if swap.owner != agreed.wallet {
        return differs("who pays", &swap.owner, &agreed.wallet);
    }
    if !agreed.input.accounts.contains(&swap.source) {
        return differs("the account that pays", &swap.source, &agreed.input.accounts[0]);
    }
    if !agreed.output.accounts.contains(&swap.destination) {
        return differs("the account that receives", &swap.destination, &agreed.output.accounts[0]);
    }
    let sides = [
        (swap.mints[0], agreed.input.mint, "the token paid"),
        (swap.mints[1], agreed.output.mint, "the token received"),
    ];
    for (is, should, what) in sides {
        if let Some(is) = is.filter(|is| *is != should) {
            return differs(what, &is, &should);
        }
    }
    if swap.mode != agreed.mode {
        return Err("it fixes the other amount".to_owned());
    }
    if swap.amount != agreed.amount {
        return differs("the amount", &swap.amount, &agreed.amount);
    }
    if let Some(quoted) = swap.quoted.filter(|quoted| *quoted != agreed.quoted) {
        return differs("what it takes for quoted", &quoted, &agreed.quoted);
    }
    match agreed.mode {
        Mode::ExactIn if swap.limit < agreed.limit => differs("the least output", &swap.limit, &agreed.limit),
        Mode::ExactOut if swap.limit > agreed.limit => differs("the most input", &swap.limit, &agreed.limit),
        _ if swap.platform_fee_bps != agreed.platform_fee_bps => {
            differs("the platform's fee", &swap.platform_fee_bps, &agreed.platform_fee_bps)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

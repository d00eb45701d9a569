//! What stands where on the chain: mints, and the pools with their addresses, programs and labels.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use solana::Address;
use solana::program::{raydium, token};

use crate::bank::program::{Name, vault};
use crate::bank::{Account, Bank};
use crate::world::PoolKind;
use crate::{Exchange, World};

/// Part of every pool's address, so that a name hashed for another purpose is none.
const POOL_PREFIX: &[u8] = b"tradewind simnet pool\0";

/// What the vaults hold of every token, whatever is taken out or put in: nobody can empty or overfill them.
const VAULT_UNITS: u64 = 1 << 62;

/// What a mint keeps in lamports.
const MINT_RENT: u64 = 1_461_600;

/// A pool's program and what its exchange is called, by the family of its mathematics.
const FAMILIES: [(&str, Address, &str); 6] = [
    ("raydium_amm_v4", raydium::AMM_V4, "Raydium"),
    ("raydium_cpmm", raydium::CPMM, "Raydium CP"),
    ("raydium_clmm", raydium::CLMM, "Raydium CLMM"),
    ("meteora_dlmm", Address::from_str_const("LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"), "Meteora DLMM"),
    ("meteora_damm_v1", Address::from_str_const("Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB"), "Meteora"),
    ("meteora_damm_v2", Address::from_str_const("cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG"), "Meteora DAMM v2"),
];

/// One pool.
#[derive(Clone, Debug)]
pub struct PoolEntry {
    /// Its number in the world.
    pub number: u16,
    /// Its address, which follows from its name.
    pub address: Address,
    /// Its name in the world.
    pub id: Arc<str>,
    /// The program of its family.
    pub program: Address,
    /// What aggregators call that program.
    pub label: &'static str,
    /// Whose it is.
    pub exchange: Exchange,
    /// Of side A, then of side B.
    pub mints: [Address; 2],
}

/// One mint. Native SOL and wrapped SOL are one.
#[derive(Clone, Debug)]
pub struct MintEntry {
    /// The mint.
    pub mint: Address,
    /// The symbol of the first token that has it.
    pub symbol: Arc<str>,
    /// Base units per token as a power of ten.
    pub decimals: u8,
    /// What one token is worth, in US dollars times 10¹².
    pub reference_price: Option<u64>,
}

/// The pools and mints of a world, which never change.
#[derive(Debug)]
pub struct Directory {
    pools: Vec<Option<PoolEntry>>,
    by_address: HashMap<Address, u16>,
    mints: HashMap<Address, MintEntry>,
    /// Mints by the symbols of all tokens, native SOL's too.
    symbols: HashMap<Arc<str>, Address>,
}

impl Directory {
    /// Tokens whose mint is no address have no place on the chain, nor have their pools.
    pub(crate) fn new(world: &World) -> Self {
        let (mut mints, mut symbols) = (HashMap::new(), HashMap::new());
        let addresses: Vec<Option<Address>> = world.tokens().iter().map(|token| token.mint.parse().ok()).collect();
        for (token, mint) in world.tokens().iter().zip(&addresses) {
            let Some(mint) = *mint else { continue };
            let symbol = Arc::clone(&token.symbol);
            symbols.insert(Arc::clone(&symbol), mint);
            let entry = MintEntry { mint, symbol, decimals: token.decimals, reference_price: token.reference_price };
            mints.entry(mint).or_insert(entry);
        }
        let mint = |token: u16| addresses.get(usize::from(token)).copied().flatten();
        let entry = |(number, kind): (u16, PoolKind)| {
            let (_, program, label) = FAMILIES.iter().find(|(family, ..)| *family == kind.family)?;
            let mut digest = Sha256::new_with_prefix(POOL_PREFIX);
            digest.update(kind.id.as_bytes());
            let address = Address::new_from_array(digest.finalize().into());
            let [a, b] = kind.tokens.map(mint);
            let (id, exchange) = (kind.id, kind.exchange);
            Some(PoolEntry { number, address, id, program: *program, label, exchange, mints: [a?, b?] })
        };
        let pools: Vec<_> = (0..).zip(world.pool_kinds()).map(entry).collect();
        let by_address = pools.iter().flatten().map(|pool: &PoolEntry| (pool.address, pool.number)).collect();
        Self { pools, by_address, mints, symbols }
    }

    /// Puts mints and vaults into a bank.
    pub(crate) fn settle(&self, bank: &mut dyn Bank) {
        for entry in self.mints.values() {
            let mint = token::Mint { authority: None, supply: 0, decimals: entry.decimals, freeze_authority: None };
            let account = Account { lamports: MINT_RENT, owner: token::ID, data: mint.pack() };
            bank.set_account(&entry.mint, Some(account));
            let held = token_account(entry.mint, crate::bank::program::AUTHORITY, VAULT_UNITS);
            bank.set_account(&vault(&entry.mint), Some(held));
        }
    }

    /// A pool by its number.
    #[must_use]
    pub fn pool(&self, number: u16) -> Option<&PoolEntry> {
        self.pools.get(usize::from(number))?.as_ref()
    }

    /// A pool by its address.
    #[must_use]
    pub fn at(&self, address: &Address) -> Option<&PoolEntry> {
        self.pool(*self.by_address.get(address)?)
    }

    /// The pool that an instruction names.
    pub(crate) fn named(&self, name: Name) -> Option<&PoolEntry> {
        match name {
            Name::Number(number) => self.pool(number),
            Name::Address(address) => self.at(&address),
        }
    }

    /// A token by its mint.
    #[must_use]
    pub fn mint(&self, mint: &Address) -> Option<&MintEntry> {
        self.mints.get(mint)
    }

    /// A token by the text of its mint, or by its symbol.
    #[must_use]
    pub fn token(&self, text: &str) -> Option<&MintEntry> {
        let by_mint = text.parse().ok().and_then(|mint| self.mint(&mint));
        by_mint.or_else(|| self.mint(self.symbols.get(text)?))
    }

    /// The programs of pools, and what they are called.
    pub fn labels() -> impl Iterator<Item = (Address, &'static str, Exchange)> {
        FAMILIES.iter().map(|(family, program, label)| {
            let exchange = if family.starts_with("raydium") { Exchange::Raydium } else { Exchange::Meteora };
            (*program, *label, exchange)
        })
    }
}

/// An account of a token as the token program keeps it; one of wrapped SOL has the lamports that are wrapped.
pub(crate) fn token_account(mint: Address, owner: Address, amount: u64) -> Account {
    let native = if mint == token::NATIVE_MINT { amount } else { 0 };
    let data = token::Account::new(mint, owner, amount, token::ACCOUNT_RENT).pack();
    Account { lamports: token::ACCOUNT_RENT.saturating_add(native), owner: token::ID, data }
}

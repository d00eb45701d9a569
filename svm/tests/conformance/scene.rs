//! Wallets, tokens and pools, the same on both banks; and what executes a transaction on both and compares.

use std::collections::BTreeSet;
use std::io::Read as _;

use ed25519_dalek::{Signer as _, SigningKey};
use flate2::read::GzDecoder;
use serde::Deserialize;
use simnet::bank::{Account, Bank, Plain, Pools, Traded, program};
use solana::program::{associated_token, raydium, system, token};
use solana::{Address, Instruction, Transaction};

/// Thirty pools of all families over ten tokens, of the routing crate's tests.
const MARKET: &[u8] = include_bytes!("../../../routing/tests/data/routing_30pools_0.json.gz");

/// What every wallet begins with: 50 SOL.
const LAMPORTS: u64 = 50_000_000_000;

/// The wallets that have something.
pub(crate) const WALLETS: u8 = 8;

/// The program of pools that are reached by routes only.
pub(crate) const METEORA: Address = Address::new_from_array([247; 32]);

/// Who owns accounts that only a virtual machine needs.
const ONLY_REAL: [Address; 5] = [
    Address::from_str_const("NativeLoader1111111111111111111111111111111"),
    Address::from_str_const("BPFLoader1111111111111111111111111111111111"),
    Address::from_str_const("BPFLoader2111111111111111111111111111111111"),
    Address::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111"),
    Address::from_str_const("Sysvar1111111111111111111111111111111111111"),
];

#[derive(Deserialize)]
struct Market {
    now: String,
    tokens: Vec<MarketToken>,
    pools: Vec<MarketPool>,
}

#[derive(Deserialize)]
struct MarketToken {
    id: String,
    decimals: u8,
}

#[derive(Deserialize)]
struct MarketPool {
    token_a: String,
    token_b: String,
    #[serde(flatten)]
    pool: routing::Pool,
}

/// One key with its address.
pub(crate) struct Wallet {
    key: SigningKey,
    pub(crate) address: Address,
}

impl Wallet {
    fn new(number: u8) -> Self {
        let key = SigningKey::from_bytes(&[number; 32]);
        let address = key.verifying_key().to_bytes().into();
        Self { key, address }
    }

    /// Where it keeps a token.
    pub(crate) fn account(&self, mint: &Address) -> Address {
        associated_token::address(&self.address, mint, &token::ID)
    }
}

/// The scene.
pub(crate) struct Scene {
    plain: Plain,
    real: svm::Bank,
    pub(crate) pools: Pools,
    pub(crate) wallets: Vec<Wallet>,
    pub(crate) mints: Vec<Address>,
    pub(crate) decimals: Vec<u8>,
    slot: u64,
    seen: BTreeSet<Address>,
    pub(crate) differences: Vec<String>,
}

/// A transaction before it is signed.
pub(crate) struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) mistake: Option<&'static str>,
    /// The place of the wallet that pays the fee.
    pub(crate) payer: usize,
    pub(crate) instructions: Vec<Instruction>,
    /// A bit of a signature is turned.
    pub(crate) tampered: bool,
}

impl Draft {
    pub(crate) const fn new(kind: &'static str, payer: usize, instructions: Vec<Instruction>) -> Self {
        Self { kind, mistake: None, payer, instructions, tampered: false }
    }
}

/// A mint's account.
fn mint(decimals: u8) -> Account {
    let state = token::Mint { authority: None, supply: 1 << 62, decimals, freeze_authority: None };
    Account { lamports: 1_461_600, owner: token::ID, data: state.pack() }
}

/// A token account with an amount.
pub(crate) fn holding(mint: Address, owner: Address, amount: u64) -> Account {
    let wrapped = if mint == token::NATIVE_MINT { amount } else { 0 };
    let data = token::Account::new(mint, owner, amount, token::ACCOUNT_RENT).pack();
    Account { lamports: token::ACCOUNT_RENT + wrapped, owner: token::ID, data }
}

const fn lamports(lamports: u64) -> Account {
    Account { lamports, owner: system::ID, data: Vec::new() }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut json = String::new();
        GzDecoder::new(MARKET).read_to_string(&mut json).expect("text");
        let market: Market = serde_json::from_str(&json).expect("a market");
        let mut mints = Vec::new();
        for (number, token) in (100..).zip(&market.tokens) {
            mints.push(if token.id == "SOL" { token::NATIVE_MINT } else { [number; 32].into() });
        }
        let place = |id: &str| market.tokens.iter().position(|token| token.id == id).expect("a token");
        let traded = (0..).zip(&market.pools).map(|(number, pool)| Traded {
            number,
            address: [200_u8.wrapping_add(u8::try_from(number).expect("few pools")); 32].into(),
            program: match pool.pool.kind() {
                "raydium_amm_v4" => raydium::AMM_V4,
                "raydium_cpmm" => raydium::CPMM,
                "raydium_clmm" => raydium::CLMM,
                _ => METEORA,
            },
            mints: [mints[place(&pool.token_a)], mints[place(&pool.token_b)]],
            pool: pool.pool.clone(),
        });
        let pools = Pools { pools: traded.collect(), now: market.now.parse().expect("seconds") };
        let wallets: Vec<_> = (1..=WALLETS + 2).map(Wallet::new).collect();
        let (plain, real, seen) = (Plain::default(), svm::Bank::new(), BTreeSet::new());
        let decimals: Vec<_> = market.tokens.iter().map(|token| token.decimals).collect();
        let mut scene =
            Self { plain, real, pools, wallets, mints, decimals, slot: 1_000, seen, differences: Vec::new() };
        scene.furnish();
        scene
    }

    /// Mints, vaults, and what wallets begin with.
    fn furnish(&mut self) {
        for (place, address) in self.mints.clone().into_iter().enumerate() {
            self.set(address, mint(self.decimals[place]));
            self.set(program::vault(&address), holding(address, program::AUTHORITY, 1 << 55));
            for wallet in 0..usize::from(WALLETS) {
                let owner = &self.wallets[wallet];
                // Some have no account of the token, and the last has next to nothing in it.
                if (place + wallet) % 5 == 0 {
                    continue;
                }
                let units = if wallet + 1 == usize::from(WALLETS) { 7 } else { 1_000 };
                let amount = units * 10_u64.pow(self.decimals[place].into());
                self.set(owner.account(&address), holding(address, owner.address, amount));
            }
        }
        // One is stopped by its mint.
        let (owner, mint) = (&self.wallets[2], self.mints[1]);
        let frozen =
            token::Account { state: token::State::Frozen, ..token::Account::new(mint, owner.address, 1 << 40, 0) };
        self.set(owner.account(&mint), Account { data: frozen.pack(), ..holding(mint, owner.address, 0) });
        for wallet in 0..usize::from(WALLETS) {
            self.set(self.wallets[wallet].address, lamports(LAMPORTS));
        }
        // One that can pay no more than one fee, and one that has nothing.
        self.set(self.wallets[usize::from(WALLETS)].address, lamports(5_000));
    }

    fn set(&mut self, address: Address, account: Account) {
        self.seen.insert(address);
        self.plain.set_account(&address, Some(account.clone()));
        self.real.set_account(&address, Some(account));
    }

    pub(crate) fn account(&self, address: &Address) -> Option<Account> {
        self.real.account(address)
    }

    /// What is held in a token account.
    pub(crate) fn held(&self, address: &Address) -> u64 {
        let account = self.account(address).and_then(|account| token::Account::unpack(&account.data));
        account.map_or(0, |account| account.amount)
    }

    pub(crate) const fn next_slot(&mut self) {
        self.slot += 1;
        self.pools.now += self.slot % 2;
    }

    /// The pools that the instructions name, as a chain finds them.
    fn named(&self, instructions: &[Instruction]) -> Pools {
        let names: Vec<_> = instructions.iter().flat_map(program::names).collect();
        let is_named = |pool: &&Traded| {
            names.contains(&program::Name::Number(pool.number)) || names.contains(&program::Name::Address(pool.address))
        };
        Pools { pools: self.pools.pools.iter().filter(is_named).cloned().collect(), now: self.pools.now }
    }

    /// What an instruction would move as things stand.
    pub(crate) fn quote(&self, instruction: &Instruction) -> Option<[program::Transfer; 2]> {
        let mut pools = self.named(std::slice::from_ref(instruction));
        program::run(instruction, &mut pools, &|address| self.account(address)).ok()
    }

    fn signed(&self, draft: &Draft) -> Option<Transaction> {
        let payer = self.wallets[draft.payer].address;
        let mut blockhash = [0; 32];
        blockhash[..8].copy_from_slice(&self.slot.to_le_bytes());
        let mut transaction = Transaction::unsigned(&payer, &draft.instructions, blockhash).ok()?;
        for wallet in &self.wallets {
            let mut signature = wallet.key.sign(transaction.message()).to_bytes();
            signature[7] ^= u8::from(draft.tampered);
            // Most wallets sign nothing.
            let _ = transaction.sign_with(&wallet.address, signature);
        }
        Some(transaction)
    }

    /// Executes it on both banks and says whether it succeeded; nothing where it fits into no packet.
    pub(crate) fn execute(&mut self, draft: &Draft) -> Option<bool> {
        let transaction = self.signed(draft)?;
        let pools = self.named(&draft.instructions);
        let bytes = transaction.bytes();
        let real = self.real.execute(&bytes, self.slot, pools.clone());
        let plain = self.plain.execute(&bytes, self.slot, pools);
        let name = format!("{} ({})", draft.kind, draft.mistake.unwrap_or("right"));
        if (&plain.result, plain.fee) != (&real.result, real.fee) {
            let logs = real.logs.join("\n    ");
            let (fee, real_fee) = (plain.fee, real.fee);
            self.differences.push(format!(
                "{name}: plain {:?} for {fee}, real {:?} for {real_fee}\n    {logs}",
                plain.result, real.result
            ));
        }
        if states(&plain.pools) != states(&real.pools) {
            self.differences.push(format!("{name}: other pools"));
        }
        for after in &real.pools.pools {
            self.pools.pools[usize::from(after.number)].pool = after.pool.clone();
        }
        for key in transaction.keys() {
            self.seen.insert(*key);
            self.compare(key, &name);
        }
        Some(real.result.is_ok())
    }

    /// Notes a difference, and makes the account the same again, so that one difference is told once.
    fn compare(&mut self, address: &Address, name: &str) {
        let (plain, real) = (self.plain.account(address), self.real.account(address));
        // The plain bank keeps no programs and no variables of the system: it knows them.
        let is_system = real.as_ref().is_some_and(|account| ONLY_REAL.contains(&account.owner));
        if plain != real && !is_system {
            self.differences.push(format!("{name}: {address} is {plain:?}, really {real:?}"));
            self.plain.set_account(address, real);
        }
    }

    pub(crate) fn compare_everything(&mut self) {
        for address in self.seen.clone() {
            self.compare(&address, "at the end");
        }
    }
}

fn states(pools: &Pools) -> Vec<(u16, &routing::Pool)> {
    pools.pools.iter().map(|pool| (pool.number, &pool.pool)).collect()
}

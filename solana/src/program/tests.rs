//! Instructions of every program read back as they were written, and addresses are those of the real chain.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{Address, Instruction, Meta};

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn numbered(number: u8) -> Address {
    [number; 32].into()
}

#[test]
fn derived_addresses_are_those_of_the_chain() {
    let derived = |seed: &str, program| Address::find_program_address(&[seed.as_bytes()], &program).0;
    assert_eq!(derived("__event_authority", jupiter::ID), jupiter::EVENT_AUTHORITY);
    assert_eq!(derived("amm authority", raydium::AMM_V4), raydium::AMM_V4_AUTHORITY);
    let cpmm = address("GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL");
    assert_eq!(derived("vault_and_lp_mint_auth_seed", raydium::CPMM), cpmm);
    // The pair that the tests of SPL Token's JavaScript library use.
    let owner = address("B8UwBUUnKwCyKuGMbFKWaG7exYdDk2ozZrPg72NyVbfj");
    let mint = address("7o36UsWR1JQLpZ9PE2gn9L4SQ69CNNiWAXd4Jt7rqz9Z");
    let account = address("DShWnroshVbeUp28oopA3Pu7oFPDBtC1DBmPECXXAQ9n");
    assert_eq!(associated_token::address(&owner, &mint, &token::ID), account);
}

#[test]
fn anchor_names_give_the_discriminators() {
    for (version, ending) in [(1, ""), (2, "_v2")] {
        for (shared, beginning) in [(false, ""), (true, "shared_accounts_")] {
            for (mode, middle) in [(Mode::ExactIn, "route"), (Mode::ExactOut, "exact_out_route")] {
                let form = jupiter::Form { mode, shared, version };
                let written = jupiter_route(form).instruction(&[]).expect("complete");
                assert_eq!(written.data[..8], discriminator(&format!("{beginning}{middle}{ending}")));
            }
        }
    }
    for (program, mode, name) in [
        (raydium::CPMM, Mode::ExactIn, "swap_base_input"),
        (raydium::CPMM, Mode::ExactOut, "swap_base_output"),
        (raydium::CLMM, Mode::ExactIn, "swap_v2"),
    ] {
        let written = raydium_swap(program, mode, &[program]).instruction().expect("complete");
        assert_eq!(written.data[..8], discriminator(name));
    }
}

fn discriminator(name: &str) -> [u8; 8] {
    let digest = Sha256::digest(format!("global:{name}"));
    *digest.first_chunk().expect("32 bytes")
}

fn jupiter_route(form: jupiter::Form) -> jupiter::Route {
    let names_source = form.version == 2 || form.shared || form.mode == Mode::ExactOut;
    jupiter::Route {
        form,
        authority: numbered(1),
        source: numbered(2),
        destination: numbered(3),
        source_mint: names_source.then(|| numbered(4)),
        destination_mint: numbered(5),
        amount: 1_000,
        quoted: 2_001,
        slippage_bps: 50,
        platform_fee_bps: 7,
        program_accounts: form.shared.then(|| [numbered(6), numbered(7)]),
        program_authority: form.shared.then(|| numbered(8)),
        plan: vec![1, 0, 0, 0, 9, 9, 9],
    }
}

#[test]
fn jupiters_routes_read_back_in_all_forms() {
    let all = |version| [false, true].map(|shared| [Mode::ExactIn, Mode::ExactOut].map(|mode| (mode, shared, version)));
    for (mode, shared, version) in [all(1), all(2)].concat().concat() {
        let form = jupiter::Form { mode, shared, version };
        let mut route = jupiter_route(form);
        let names_source = route.source_mint.is_some();
        route.source_mint = Some(numbered(4));
        route.program_accounts = Some([numbered(6), numbered(7)]);
        route.program_authority = Some(numbered(8));
        let written = route.instruction(&[Meta::writable(numbered(20))]).expect("complete");
        assert_eq!(written.key(jupiter::fixed_accounts(form)), Some(numbered(20)));
        let expected = jupiter_route(form);
        assert_eq!(expected.source_mint.is_some(), names_source);
        assert_eq!(jupiter::read(&written), Some(expected.clone()), "{form:?}");
        let limit = if mode == Mode::ExactIn { 1_991 } else { 2_011 };
        assert_eq!(expected.limit(), limit);
        for length in 0..27 {
            let cut = Instruction { data: written.data[..length].to_vec(), ..written.clone() };
            assert_eq!(jupiter::read(&cut), None, "{form:?} {length}");
        }
        let mut unsigned = written;
        unsigned.accounts.iter_mut().for_each(|meta| meta.signer = false);
        assert_eq!(jupiter::read(&unsigned), None);
    }
}

#[test]
fn a_route_may_pay_into_another_account() {
    let form = jupiter::Form { mode: Mode::ExactIn, shared: false, version: 1 };
    let mut written = jupiter_route(form).instruction(&[]).expect("complete");
    written.accounts[4] = Meta::writable(numbered(30));
    assert_eq!(jupiter::read(&written).map(|route| route.destination), Some(numbered(30)));
}

fn raydium_swap(program: Address, mode: Mode, pools: &[Address]) -> raydium::Swap {
    let count = u8::try_from(pools.len()).expect("few");
    let hop = |(number, pool): (u8, &Address)| raydium::Hop {
        program: *pool,
        pool: numbered(40 + number),
        authority: if *pool == raydium::CLMM { numbered(40 + number) } else { numbered(50) },
        vaults: [numbered(60 + number), numbered(70 + number)],
        mints: (program != raydium::AMM_V4).then(|| [numbered(80 + number), numbered(81 + number)]),
        ends: [numbered(10 + number), numbered(11 + number)],
    };
    raydium::Swap {
        program,
        mode,
        owner: numbered(1),
        source: numbered(10),
        destination: numbered(10 + count),
        amount: 1_000,
        limit: 2_000,
        hops: (0..).zip(pools).map(hop).collect(),
    }
}

#[test]
fn raydiums_swaps_read_back() {
    let [amm, cpmm, clmm, router] = [raydium::AMM_V4, raydium::CPMM, raydium::CLMM, raydium::ROUTER];
    for mode in [Mode::ExactIn, Mode::ExactOut] {
        for (program, pools) in [
            (amm, &[amm][..]),
            (cpmm, &[cpmm]),
            (clmm, &[clmm]),
            (router, &[amm]),
            (router, &[clmm, amm]),
            (router, &[cpmm, clmm, amm]),
            (router, &[cpmm, cpmm, clmm]),
        ] {
            let swap = raydium_swap(program, mode, pools);
            let written = swap.instruction().expect("complete");
            assert_eq!(raydium::read(&written), Some(swap.clone()), "{mode:?} {pools:?}");
            let cut = Instruction { data: written.data[..16].to_vec(), ..written.clone() };
            assert_eq!(raydium::read(&cut), None);
            let few = Instruction { accounts: written.accounts[..9].to_vec(), ..written };
            assert_ne!(raydium::read(&few), Some(swap));
        }
    }
    assert_eq!(raydium_swap(cpmm, Mode::ExactIn, &[cpmm, cpmm]).instruction(), None);
}

#[test]
fn orders_to_the_token_programs_read_back() {
    let [source, destination, owner, mint] = [1, 2, 3, 4].map(numbered);
    let orders = [
        token::Order::Transfer { source, destination, owner, amount: 5 },
        token::Order::TransferChecked { source, mint, destination, owner, amount: 6, decimals: 9 },
        token::Order::MintTo { mint, destination, authority: owner, amount: 7 },
        token::Order::Close { account: source, destination, owner },
        token::Order::SyncNative { account: source },
        token::Order::Initialize { account: source, mint, owner },
    ];
    for order in orders {
        for program in [token::ID, token::ID_2022] {
            let mut written = token::order(program, order);
            assert_eq!(token::read(&written), Some(order));
            written.data.push(0);
            assert_eq!(token::read(&written), None, "{order:?}");
        }
    }
    assert_eq!(token::read(&memo::note("hello")), None);
}

#[test]
fn budgets_transfers_and_creations_read_back() {
    use compute_budget::Budget;
    for budget in [Budget::Limit(300_000), Budget::Price(12_345)] {
        assert_eq!(compute_budget::read(&compute_budget::set(budget)), Some(budget));
    }
    assert_eq!(compute_budget::priority_fee(200_000, 1), 1);
    assert_eq!(compute_budget::priority_fee(200_000, 10_000), 2_000);
    assert_eq!(compute_budget::priority_fee(u32::MAX, u64::MAX), u64::MAX);
    let transfer = system::Transfer { from: numbered(1), to: numbered(2), lamports: 3 };
    assert_eq!(system::read(&system::transfer(transfer)), Some(transfer));
    let create = associated_token::create_idempotent(numbered(1), numbered(2), numbered(3), token::ID);
    let read = associated_token::read(&create).expect("a creation");
    let account = associated_token::address(&numbered(2), &numbered(3), &token::ID);
    assert_eq!((read.payer, read.owner, read.mint, read.account), (numbered(1), numbered(2), numbered(3), account));
}

#[test]
fn accounts_have_the_bytes_of_the_token_program() {
    let native = token::Account::new(token::NATIVE_MINT, numbered(2), 77, token::ACCOUNT_RENT);
    let bytes = native.pack();
    assert_eq!(bytes.len(), token::ACCOUNT_BYTES);
    assert_eq!(bytes[64..72], 77_u64.to_le_bytes());
    assert_eq!((bytes[108], bytes[109]), (1, 1));
    assert_eq!(bytes[113..121], token::ACCOUNT_RENT.to_le_bytes());
    assert_eq!(token::Account::unpack(&[0; token::ACCOUNT_BYTES]), None, "never begun");
    let mint = token::Mint { authority: None, supply: 5, decimals: 9, freeze_authority: Some(numbered(3)) };
    assert_eq!(mint.pack().len(), token::MINT_BYTES);
    assert_eq!(token::Mint::unpack(&mint.pack()), Some(mint));
}

proptest! {
    #[test]
    fn accounts_read_back(
        keys: [[u8; 32]; 4],
        amounts: [u64; 3],
        options: [bool; 3],
        frozen: bool,
    ) {
        let [mint, owner, delegate, close] = keys.map(Address::from);
        let account = token::Account {
            mint,
            owner,
            amount: amounts[0],
            delegate: options[0].then_some(delegate),
            state: if frozen { token::State::Frozen } else { token::State::Initialized },
            native: options[1].then_some(amounts[1]),
            delegated: amounts[2],
            close_authority: options[2].then_some(close),
        };
        prop_assert_eq!(token::Account::unpack(&account.pack()), Some(account));
    }

    #[test]
    fn limits_round_for_the_user(quoted: u64, slippage in 0..=10_000_u16) {
        let least = jupiter::limit(Mode::ExactIn, quoted, slippage);
        let most = jupiter::limit(Mode::ExactOut, quoted, slippage);
        prop_assert!(least <= quoted && quoted <= most);
        let exact = u128::from(quoted) * u128::from(10_000 - slippage);
        prop_assert_eq!(u128::from(least), exact.div_ceil(10_000));
    }
}

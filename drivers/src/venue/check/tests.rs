//! One good transaction, and one change to it per rule, each refused with its reason.

use solana::program::compute_budget::Budget;
use solana::program::jupiter::{Form, Route};
use solana::program::raydium::Hop;
use solana::program::token::NATIVE_MINT;

use super::*;

const FEE: u64 = 100_000;
const BLOCKHASH: [u8; 32] = [9; 32];

fn address(n: u8) -> Address {
    Address::from([n; 32])
}

fn side(wallet: &Address, mint: Address, native: bool) -> Side {
    let accounts = [token::ID, token::ID_2022].map(|program| associated_token::address(wallet, &mint, &program));
    Side { mint, accounts, native }
}

/// Ten SOL for USDC, quoted at 1,500.
fn agreed(programs: Programs) -> Agreed {
    let wallet = address(1);
    Agreed {
        programs,
        wallet,
        input: side(&wallet, NATIVE_MINT, true),
        output: side(&wallet, address(2), false),
        mode: Mode::ExactIn,
        amount: 10_000,
        quoted: 1_500,
        limit: 1_485,
        between: vec![address(3)],
        platform_fee_bps: 0,
        max_fee_lamports: FEE,
    }
}

fn route(agreed: &Agreed) -> Route {
    Route {
        form: Form { mode: Mode::ExactIn, shared: false, version: 2 },
        authority: agreed.wallet,
        source: agreed.input.accounts[0],
        destination: agreed.output.accounts[0],
        source_mint: Some(agreed.input.mint),
        destination_mint: agreed.output.mint,
        amount: 10_000,
        quoted: 1_500,
        slippage_bps: 100,
        platform_fee_bps: 0,
        program_accounts: None,
        program_authority: None,
        plan: vec![1, 0, 0, 0, 7],
    }
}

/// What is in the good transaction, in its order: budget, price, account, wrap, sync, swap, close.
fn good(agreed: &Agreed) -> Vec<Instruction> {
    let (wallet, wrapped) = (agreed.wallet, agreed.input.accounts[0]);
    vec![
        compute_budget::set(Budget::Limit(300_000)),
        compute_budget::set(Budget::Price(20_000)),
        associated_token::create_idempotent(wallet, wallet, NATIVE_MINT, token::ID),
        associated_token::create_idempotent(wallet, wallet, address(2), token::ID),
        associated_token::create_idempotent(wallet, wallet, address(3), token::ID),
        system::transfer(system::Transfer { from: wallet, to: wrapped, lamports: 10_000 }),
        token::order(token::ID, token::Order::SyncNative { account: wrapped }),
        route(agreed).instruction(&[]).expect("a route"),
        token::order(token::ID, token::Order::Close { account: wrapped, destination: wallet, owner: wallet }),
    ]
}

const SWAP: usize = 7;

fn judged(instructions: &[Instruction], agreed: &Agreed) -> Result<(), String> {
    let transaction = Transaction::unsigned(&agreed.wallet, instructions, BLOCKHASH).expect("a transaction");
    let read = Transaction::read(&transaction.bytes()).expect("the same");
    match check(&read, &[], agreed) {
        Ok(()) => Ok(()),
        Err(VenueError::Refused { code: CODE, message }) => Err(message),
        Err(other) => panic!("{other:?}"),
    }
}

/// A change to the good transaction.
type Change = fn(&mut Vec<Instruction>, &Agreed);

fn with_route(all: &mut [Instruction], agreed: &Agreed, change: fn(&mut Route)) {
    let mut route = route(agreed);
    change(&mut route);
    all[SWAP] = route.instruction(&[]).expect("a route");
}

#[test]
fn what_was_agreed_is_signed() {
    let agreed = agreed(Programs::Jupiter);
    assert_eq!(judged(&good(&agreed), &agreed), Ok(()));
    let mut bare = good(&agreed);
    bare.drain(..SWAP);
    bare.truncate(1);
    assert_eq!(judged(&bare, &agreed), Ok(()), "the swap alone");
}

#[test]
fn every_other_transaction_is_refused_with_its_reason() {
    let changes: [(&str, Change); 30] = [
        ("others than the wallet sign", |all, _| all[SWAP].accounts.push(solana::Meta::signer(address(8)))),
        ("calls the program", |all, _| all[0].program = address(8)),
        ("calls the program", |all, _| all[SWAP].program = solana::program::raydium::CPMM),
        ("calls the program", |all, _| all.push(solana::program::memo::note("hello"))),
        ("swaps 0 times", |all, _| drop(all.remove(SWAP))),
        ("swaps 2 times", |all, _| all.push(all[SWAP].clone())),
        ("swap cannot be read", |all, _| all[SWAP].data[0] ^= 1),
        ("offers 300000 lamports", |all, _| all[1] = compute_budget::set(Budget::Price(1_000_000))),
        ("offers 140000 lamports", |all, _| {
            all[1] = compute_budget::set(Budget::Price(100_000));
            all.remove(0);
        }),
        ("compute budget twice", |all, _| all[1] = all[0].clone()),
        ("something else of the compute budget", |all, _| all[0].data[0] = 1),
        ("sends 10000 lamports", |all, agreed| {
            all[5] = system::transfer(system::Transfer { from: agreed.wallet, to: address(8), lamports: 10_000 });
        }),
        ("wraps 10001 lamports", |all, agreed| {
            let to = agreed.input.accounts[0];
            all[5] = system::transfer(system::Transfer { from: agreed.wallet, to, lamports: 10_001 });
        }),
        ("wraps 20000 lamports", |all, _| all.push(all[5].clone())),
        ("something else with the wallet", |all, _| all[5].data[0] = 3),
        ("makes an account for", |all, agreed| {
            all[3] = associated_token::create_idempotent(agreed.wallet, address(8), address(2), token::ID);
        }),
        ("for the token", |all, agreed| {
            all[3] = associated_token::create_idempotent(agreed.wallet, agreed.wallet, address(8), token::ID);
        }),
        ("which is not the wallet's", |all, _| all[3].accounts[1] = solana::Meta::writable(address(8))),
        ("something odd with associated", |all, _| all[3].data = vec![2]),
        ("in favour of", |all, agreed| {
            let (account, owner) = (agreed.input.accounts[0], agreed.wallet);
            all[8] = token::order(token::ID, token::Order::Close { account, destination: address(8), owner });
        }),
        ("a transfer", |all, agreed| {
            let (source, owner) = (agreed.output.accounts[0], agreed.wallet);
            all[8] =
                token::order(token::ID, token::Order::Transfer { source, destination: address(8), owner, amount: 1 });
        }),
        ("token program something odd", |all, _| all[6].data = vec![4]),
        ("the account that pays", |all, agreed| with_route(all, agreed, |route| route.source = address(8))),
        ("the account that receives", |all, agreed| with_route(all, agreed, |route| route.destination = address(8))),
        ("the token paid", |all, agreed| with_route(all, agreed, |route| route.source_mint = Some(address(8)))),
        ("the token received", |all, agreed| with_route(all, agreed, |route| route.destination_mint = address(8))),
        ("the amount is 10001", |all, agreed| with_route(all, agreed, |route| route.amount += 1)),
        ("quoted is 1499", |all, agreed| with_route(all, agreed, |route| route.quoted -= 1)),
        ("the least output is 1484", |all, agreed| with_route(all, agreed, |route| route.slippage_bps = 110)),
        ("the platform's fee is 5", |all, agreed| with_route(all, agreed, |route| route.platform_fee_bps = 5)),
    ];
    let agreed = agreed(Programs::Jupiter);
    for (says, change) in changes {
        let mut all = good(&agreed);
        change(&mut all, &agreed);
        let said = judged(&all, &agreed).expect_err(says);
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[test]
fn who_pays_and_which_amount_is_fixed_are_compared() {
    let agreed = agreed(Programs::Jupiter);
    let mut all = good(&agreed);
    with_route(&mut all, &agreed, |route| route.form.mode = Mode::ExactOut);
    assert!(judged(&all, &agreed).expect_err("the mode").contains("fixes the other amount"));
    // Without the wallet's authority it is the fee's payer alone.
    let mut all = good(&agreed);
    with_route(&mut all, &agreed, |route| route.authority = address(8));
    assert!(judged(&all, &agreed).expect_err("the authority").contains("others than the wallet sign"));
}

#[test]
fn wrapped_sol_of_the_wallet_stays_wrapped_when_it_is_not_what_is_paid() {
    let mut agreed = agreed(Programs::Jupiter);
    let whole = good(&agreed);
    agreed.input.native = false;
    assert!(judged(&whole, &agreed).expect_err("nothing is wrapped").contains("sends 10000 lamports"));
    let mut closed = whole.clone();
    closed.drain(5..SWAP);
    assert!(judged(&closed, &agreed).expect_err("nothing is closed").contains("in favour of"));
}

#[test]
fn lookup_tables_hide_nothing_of_the_wallets() {
    let agreed = agreed(Programs::Jupiter);
    let transaction = Transaction::unsigned(&agreed.wallet, &good(&agreed), BLOCKHASH).expect("a transaction");
    assert_eq!(check(&transaction, &[address(8)], &agreed), Ok(()));
    for own in [agreed.wallet, agreed.input.accounts[0], agreed.output.accounts[1]] {
        assert!(check(&transaction, &[address(8), own], &agreed).is_err());
    }
    let mut signed = transaction.clone();
    signed.sign_with(&agreed.wallet, [7; 64]).expect("its signer");
    assert!(check(&signed, &[], &agreed).is_err(), "somebody signed for us");
}

#[test]
fn raydium_s_swaps_carry_the_limit_itself() {
    let mut agreed = agreed(Programs::Raydium);
    agreed.input.native = false;
    let ends = [agreed.input.accounts[0], agreed.output.accounts[0]];
    let mints = Some([agreed.input.mint, agreed.output.mint]);
    let hop = Hop {
        program: raydium::CPMM,
        pool: address(20),
        authority: address(21),
        vaults: [address(22), address(23)],
        mints,
        ends,
    };
    let swap = |mode, amount, limit| raydium::Swap {
        program: raydium::CPMM,
        mode,
        owner: agreed.wallet,
        source: ends[0],
        destination: ends[1],
        amount,
        limit,
        hops: vec![hop],
    };
    let judged_in = |limit| judged(&[swap(Mode::ExactIn, 10_000, limit).instruction().expect("a swap")], &agreed);
    assert_eq!(judged_in(1_485), Ok(()));
    assert!(judged_in(1_484).expect_err("too little").contains("the least output is 1484, not 1485"));
    let out = Agreed { mode: Mode::ExactOut, amount: 1_500, quoted: 10_000, limit: 10_100, ..agreed.clone() };
    let judged_out = |limit| judged(&[swap(Mode::ExactOut, 1_500, limit).instruction().expect("a swap")], &out);
    assert_eq!(judged_out(10_100), Ok(()));
    assert!(judged_out(10_101).expect_err("too much").contains("the most input is 10101, not 10100"));
}

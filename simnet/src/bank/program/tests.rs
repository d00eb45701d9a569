//! What swaps move, on pools that anybody can reckon with, and the codes with which they fail.

use routing::{Pool, Side};
use solana::program::Mode;
use solana::program::jupiter::{Form, Route};
use solana::program::raydium::{Hop, Swap};

use super::*;
use crate::Amount;
use crate::bank::Traded;
use crate::chain::Directory;

const NOW: u64 = 1_790_000_000;

fn numbered(number: u8) -> Address {
    [number; 32].into()
}

/// Pools between the tokens 1, 2 and 3: two of 1 and 2, one of 2 and 3.
fn pools() -> Pools {
    let pool = |number: u16, mints: [u8; 2], reserves: [u64; 2]| {
        let state = format!(
            r#"{{"coin_vault": "{}", "pc_vault": "{}", "need_take_pnl_coin": "0", "need_take_pnl_pc": "0",
                "swap_fee_numerator": "25", "swap_fee_denominator": "10000"}}"#,
            reserves[0], reserves[1]
        );
        let pool = Pool::read("raydium_amm_v4", &state).expect("a pool");
        let address = numbered(100 + u8::try_from(number).expect("few"));
        Traded { number, address, program: exchange::AMM_V4, mints: mints.map(numbered), pool }
    };
    let pools = vec![
        pool(0, [1, 2], [1_000_000_000, 2_000_000_000]),
        pool(1, [2, 1], [1_000_000_000, 500_000_000]),
        pool(2, [2, 3], [5_000_000_000, 5_000_000_000]),
    ];
    Pools { pools, now: NOW }
}

/// Accounts 11, 12, 13 hold the tokens 1, 2, 3.
fn state(address: &Address) -> Option<Account> {
    let mint = (1..=3).find(|mint| *address == numbered(10 + mint))?;
    let data = token::Account::new(numbered(mint), numbered(9), 50_000_000, token::ACCOUNT_RENT).pack();
    Some(Account { lamports: token::ACCOUNT_RENT, owner: token::ID, data })
}

fn route(mode: Mode, amount: u64, quoted: u64, steps: &[Step]) -> Route {
    Route {
        form: Form { mode, shared: false, version: 2 },
        authority: numbered(9),
        source: numbered(11),
        destination: numbered(13),
        source_mint: Some(numbered(1)),
        destination_mint: numbered(3),
        amount,
        quoted,
        slippage_bps: 100,
        platform_fee_bps: 0,
        program_accounts: None,
        program_authority: None,
        plan: write_plan(steps),
    }
}

const fn step(pool: u16, input: Side, amount: u64) -> Step {
    Step { pool, input, amount }
}

/// Three quarters over the first pool and one over the second, then all over the third.
fn split() -> [Step; 3] {
    [step(0, Side::A, 3_000_000), step(1, Side::B, 1_000_000), step(2, Side::A, 1)]
}

/// What the split gives for four million, reckoned pool by pool.
fn received() -> u64 {
    let pools = pools();
    let swap = |pool: usize, side, amount| {
        pools.pools[pool].pool.quote(side, Amount::In(amount), NOW).expect("a swap").amount_out
    };
    swap(2, Side::A, swap(0, Side::A, 3_000_000) + swap(1, Side::B, 1_000_000))
}

fn ran(route: &Route) -> Result<[Transfer; 2], u32> {
    run(&route.instruction(&[]).expect("complete"), &mut pools(), &state)
}

#[test]
fn a_split_moves_what_its_pools_give_and_leaves_them_moved() {
    let mut pools = pools();
    let route = route(Mode::ExactIn, 4_000_000, received(), &split());
    let [paid, got] = run(&route.instruction(&[]).expect("complete"), &mut pools, &state).expect("it keeps its limit");
    assert_eq!((paid.amount, paid.from, paid.to), (4_000_000, numbered(11), vault(&numbered(1))));
    assert_eq!((paid.authority, paid.by_program), (numbered(9), false));
    assert_eq!((got.amount, got.from, got.to), (received(), vault(&numbered(3)), numbered(13)));
    assert_eq!((got.authority, got.by_program), (AUTHORITY, true));
    assert!(pools.pools.iter().zip(self::pools().pools).all(|(after, before)| after.pool != before.pool));
}

#[test]
fn limits_bind_to_the_unit() {
    // With 1 % slippage, this is the largest quote whose least output is what comes out.
    let largest = received() * 100 / 99;
    assert!(ran(&route(Mode::ExactIn, 4_000_000, largest, &split())).is_ok());
    assert_eq!(ran(&route(Mode::ExactIn, 4_000_000, largest + 2, &split())), Err(aggregator::SLIPPAGE_EXCEEDED));
    let planned = split().map(|step| Step { amount: if step.pool == 2 { 1_000_000 } else { step.amount }, ..step });
    let [paid, got] = ran(&route(Mode::ExactOut, 1_000_000, 10_000_000, &planned)).expect("within its limit");
    assert_eq!(got.amount, 1_000_000);
    let smallest = (u128::from(paid.amount) * 100).div_ceil(101);
    let smallest = u64::try_from(smallest).expect("small");
    assert!(ran(&route(Mode::ExactOut, 1_000_000, smallest, &planned)).is_ok());
    assert_eq!(ran(&route(Mode::ExactOut, 1_000_000, smallest - 1, &planned)), Err(aggregator::SLIPPAGE_EXCEEDED));
    let dry = ran(&route(Mode::ExactOut, 6_000_000_000, u64::MAX, &planned));
    assert_eq!(dry, Err(aggregator::EXACT_OUT_NOT_MATCHED));
}

#[test]
fn routes_fail_with_the_aggregators_codes() {
    let good = || route(Mode::ExactIn, 4_000_000, received(), &split());
    let rich = route(Mode::ExactIn, 60_000_000, 1, &split());
    for (route, code) in [
        (rich, aggregator::INSUFFICIENT_FUNDS),
        (Route { source: numbered(12), ..good() }, aggregator::INVALID_TOKEN_ACCOUNT),
        (Route { destination: numbered(12), ..good() }, aggregator::INVALID_TOKEN_ACCOUNT),
        (Route { destination: numbered(40), ..good() }, aggregator::INVALID_TOKEN_ACCOUNT),
        (Route { destination_mint: numbered(2), ..good() }, aggregator::INVALID_TOKEN_ACCOUNT),
        (Route { platform_fee_bps: 1, ..good() }, 6003),
        (Route { plan: write_plan(&split()[..2]), ..good() }, 6010),
        (Route { plan: vec![9; 15], ..good() }, 6010),
        (Route { plan: write_plan(&[]), ..good() }, 6010),
        (Route { plan: write_plan(&[step(9, Side::A, 1)]), ..good() }, WRONG_POOL),
    ] {
        let mut pools = pools();
        let failed = run(&route.instruction(&[]).expect("complete"), &mut pools, &state);
        assert_eq!(failed, Err(code), "{route:?}");
        assert!(pools.pools.iter().zip(self::pools().pools).all(|(after, before)| after.pool == before.pool));
    }
    let other = Instruction { program: aggregator::ID, accounts: Vec::new(), data: vec![0; 40] };
    assert_eq!(run(&other, &mut pools(), &state), Err(UNKNOWN_INSTRUCTION));
    assert_eq!(names(&other), Vec::new());
    assert_eq!(names(&good().instruction(&[]).expect("complete")), [0, 1, 2].map(Name::Number));
}

fn swap(program: Address, mode: Mode, amount: u64, limit: u64, hops: &[u8]) -> Swap {
    let ends = [11, 12, 13].map(numbered);
    let hop = |(place, pool): (usize, &u8)| Hop {
        program: exchange::AMM_V4,
        pool: numbered(*pool),
        authority: AUTHORITY,
        vaults: [vault(&numbered(1)), vault(&numbered(2))],
        mints: (program == exchange::ROUTER).then(|| [[1, 2].map(numbered), [2, 3].map(numbered)][place]),
        ends: [ends[place], ends[place + 1]],
    };
    let hops: Vec<_> = hops.iter().enumerate().map(hop).collect();
    let destination = ends[hops.len()];
    Swap { program, mode, owner: numbered(9), source: ends[0], destination, amount, limit, hops }
}

#[test]
fn the_exchanges_swaps_go_over_its_pools_one_after_the_other() {
    let given = |pool: usize, amount| {
        pools().pools[pool].pool.quote(Side::A, Amount::In(amount), NOW).expect("a swap").amount_out
    };
    let (one, two) = (given(0, 4_000_000), given(2, given(0, 4_000_000)));
    for (program, hops, out) in [(exchange::AMM_V4, &[100][..], one), (exchange::ROUTER, &[100, 102], two)] {
        let ran = |mode, amount, limit| {
            let swap = swap(program, mode, amount, limit, hops);
            run(&swap.instruction().expect("complete"), &mut pools(), &state)
        };
        let [paid, got] = ran(Mode::ExactIn, 4_000_000, out).expect("its limit is kept");
        assert_eq!((paid.amount, got.amount), (4_000_000, out));
        assert_eq!(ran(Mode::ExactIn, 4_000_000, out + 1), Err(exchange::AMM_V4_SLIPPAGE));
        let [paid, got] = ran(Mode::ExactOut, out, u64::MAX).expect("no limit");
        assert!(got.amount == out && paid.amount <= 4_000_000);
        assert_eq!(ran(Mode::ExactOut, out, paid.amount - 1), Err(exchange::AMM_V4_SLIPPAGE));
    }
    let wrong = swap(exchange::ROUTER, Mode::ExactIn, 5, 0, &[100, 100]);
    assert_eq!(run(&wrong.instruction().expect("complete"), &mut pools(), &state), Err(2014));
    let nothing = swap(exchange::AMM_V4, Mode::ExactIn, 5, 0, &[200]);
    assert_eq!(run(&nothing.instruction().expect("complete"), &mut pools(), &state), Err(WRONG_POOL));
    let rich = swap(exchange::AMM_V4, Mode::ExactIn, 60_000_000, 0, &[100]);
    assert_eq!(run(&rich.instruction().expect("complete"), &mut pools(), &state), Err(40));
}

#[test]
fn every_family_of_pools_has_a_label() {
    let labels: Vec<_> = Directory::labels().collect();
    assert_eq!(labels.len(), 6);
    assert!(labels.iter().all(|(program, ..)| labels.iter().filter(|(other, ..)| other == program).count() == 1));
}

//! Swaps of all programs and forms, over one pool or several, with what wraps and unwraps SOL around them.

use simnet::bank::Traded;
use simnet::bank::program::{self, vault, write_plan};
use simnet::{Side, Step};
use solana::program::compute_budget::{self, Budget};
use solana::program::jupiter::{Form, Route};
use solana::program::raydium::{self, Hop, Swap};
use solana::program::{Mode, associated_token, system, token};
use solana::{Address, Instruction, Meta};

use crate::draw::Draw;
use crate::scene::{Draft, METEORA, Scene, WALLETS};

/// Pools in the order of the tokens' way; of a split all have the same tokens.
struct Way<'a> {
    pools: Vec<(&'a Traded, Side)>,
    mints: [Address; 2],
    split: bool,
}

/// What a swap is about, all but its amounts.
struct Wanted<'a> {
    way: Way<'a>,
    mode: Mode,
    form: Option<Form>,
    owner: Address,
    /// The accounts that are paid from and into.
    ends: [Address; 2],
    /// The user's account of what is between two pools.
    between: Address,
}

/// A swap by one of the wallets.
pub(crate) fn draft(scene: &Scene, draw: &mut Draw) -> Draft {
    let payer = draw.place(WALLETS.into());
    let wallet = &scene.wallets[payer];
    let mode = *draw.of(&[Mode::ExactIn, Mode::ExactIn, Mode::ExactOut]);
    let way = way(scene, draw);
    let by_raydium = !way.split && way.pools.iter().all(|(pool, _)| pool.program != METEORA);
    let form = Form { mode, shared: draw.once_in(2), version: *draw.of(&[1, 2]) };
    let form = (!by_raydium || draw.once_in(2)).then_some(form);
    let ends = way.mints.map(|mint| wallet.account(&mint));
    let middle = match way.pools[0] {
        (pool, Side::A) => pool.mints[1],
        (pool, Side::B) => pool.mints[0],
    };
    let between = wallet.account(&middle);
    let wanted = Wanted { way, mode, form, owner: wallet.address, ends, between };
    let amount = amount(scene, draw, &wanted);
    let instruction = within(scene, draw, &wanted, amount);
    let kind = kind(&wanted);
    let mut instructions = around(draw, &wanted, instruction, amount);
    if draw.once_in(3) {
        instructions.insert(0, compute_budget::set(Budget::Price(draw.below(100_000))));
        if draw.once_in(2) {
            instructions.insert(0, compute_budget::set(Budget::Limit(800_000)));
        }
    }
    Draft::new(kind, payer, instructions)
}

fn kind(wanted: &Wanted<'_>) -> &'static str {
    let exact_in = wanted.mode == Mode::ExactIn;
    let hop = wanted.way.pools.len() > 1;
    match (wanted.form, wanted.way.split, wanted.way.pools[0].0.program) {
        (Some(_), true, _) => {
            if exact_in {
                "jupiter, split, exact in"
            } else {
                "jupiter, split, exact out"
            }
        }
        (Some(_), _, _) if hop => {
            if exact_in {
                "jupiter, hops, exact in"
            } else {
                "jupiter, hops, exact out"
            }
        }
        (Some(_), _, _) => {
            if exact_in {
                "jupiter, one pool, exact in"
            } else {
                "jupiter, one pool, exact out"
            }
        }
        (None, _, _) if hop => {
            if exact_in {
                "raydium router, exact in"
            } else {
                "raydium router, exact out"
            }
        }
        (None, _, raydium::AMM_V4) => {
            if exact_in {
                "raydium v4, exact in"
            } else {
                "raydium v4, exact out"
            }
        }
        (None, _, raydium::CPMM) => {
            if exact_in {
                "raydium cpmm, exact in"
            } else {
                "raydium cpmm, exact out"
            }
        }
        (None, ..) => {
            if exact_in {
                "raydium clmm, exact in"
            } else {
                "raydium clmm, exact out"
            }
        }
    }
}

const fn across(pool: &Traded, side: Side) -> [Address; 2] {
    let [a, b] = pool.mints;
    match side {
        Side::A => [a, b],
        Side::B => [b, a],
    }
}

/// One pool; or with it another of the same tokens, or another that goes on where it ends.
fn way<'a>(scene: &'a Scene, draw: &mut Draw) -> Way<'a> {
    let pools = &scene.pools.pools;
    let (first, side) = (draw.of(pools), *draw.of(&[Side::A, Side::B]));
    let [from, to] = across(first, side);
    let sides = |pool: &'a Traded| [(pool, Side::A), (pool, Side::B)];
    let others = || pools.iter().filter(|pool| pool.number != first.number).flat_map(sides);
    let beside: Vec<_> = others().filter(|(pool, side)| across(pool, *side) == [from, to]).collect();
    let behind: Vec<_> = others().filter(|(pool, side)| across(pool, *side)[0] == to).collect();
    let behind: Vec<_> = behind.into_iter().filter(|(pool, side)| across(pool, *side)[1] != from).collect();
    match draw.below(3) {
        0 if !beside.is_empty() => {
            Way { pools: vec![(first, side), *draw.of(&beside)], mints: [from, to], split: true }
        }
        1 if !behind.is_empty() => {
            let (second, its_side) = *draw.of(&behind);
            let mints = [from, across(second, its_side)[1]];
            Way { pools: vec![(first, side), (second, its_side)], mints, split: false }
        }
        _ => Way { pools: vec![(first, side)], mints: [from, to], split: false },
    }
}

/// From next to nothing to more than the wallet has.
fn amount(scene: &Scene, draw: &mut Draw, wanted: &Wanted<'_>) -> u64 {
    let [from, to] = wanted.way.mints;
    let mint = if wanted.mode == Mode::ExactIn { from } else { to };
    let place = scene.mints.iter().position(|known| *known == mint).expect("a token");
    let digits = u32::from(scene.decimals[place]) + 3;
    let most = 10_u64.pow(2 + u32::try_from(draw.below(u64::from(digits) - 1)).expect("digits"));
    let amount = 1 + draw.below(most);
    if draw.once_in(12) { scene.held(&wanted.ends[0]) + draw.below(2) } else { amount }
}

/// The swap with a limit half a per cent below what it comes to now, and sometimes above.
fn within(scene: &Scene, draw: &mut Draw, wanted: &Wanted<'_>, amount: u64) -> Instruction {
    let exact_in = wanted.mode == Mode::ExactIn;
    let free = swap(wanted, amount, if exact_in { 0 } else { u64::MAX });
    let Some([paid, received]) = scene.quote(&free) else { return free };
    let quoted = if exact_in { received.amount } else { paid.amount };
    let missed = draw.once_in(10);
    swap(wanted, amount, if missed == exact_in { quoted + quoted / 50 + 1 } else { quoted - quoted / 50 })
}

/// The instruction. Its limit is a bit looser than `quoted`.
fn swap(wanted: &Wanted<'_>, amount: u64, quoted: u64) -> Instruction {
    let Wanted { way, mode, form, owner, ends, between } = wanted;
    let instruction = match form {
        Some(form) => {
            let steps: Vec<_> = (1..)
                .zip(&way.pools)
                .map(|(share, (pool, input))| Step {
                    pool: pool.number,
                    input: *input,
                    amount: if way.split { share } else { 1 },
                })
                .collect();
            let [from, to] = way.mints;
            let vaults = [vault(&from), vault(&to)];
            let route = Route {
                form: *form,
                authority: *owner,
                source: ends[0],
                destination: ends[1],
                source_mint: Some(from),
                destination_mint: to,
                amount,
                quoted,
                slippage_bps: 50,
                platform_fee_bps: 0,
                program_accounts: Some(vaults),
                program_authority: Some(program::AUTHORITY),
                plan: write_plan(&steps),
            };
            let [into, out_of] = vaults.map(Meta::writable);
            route.instruction(&[into, out_of, Meta::readonly(program::AUTHORITY), Meta::readonly(token::ID)])
        }
        None => {
            let last = way.pools.len() - 1;
            let hop = |(place, (pool, side)): (usize, &(&Traded, Side))| Hop {
                program: pool.program,
                pool: pool.address,
                authority: program::AUTHORITY,
                vaults: across(pool, *side).map(|mint| vault(&mint)),
                mints: Some(across(pool, *side)),
                ends: [if place == 0 { ends[0] } else { *between }, if place == last { ends[1] } else { *between }],
            };
            let hops: Vec<_> = way.pools.iter().enumerate().map(hop).collect();
            let program = if last > 0 { raydium::ROUTER } else { hops[0].program };
            let [source, destination] = *ends;
            Swap { program, mode: *mode, owner: *owner, source, destination, amount, limit: quoted, hops }.instruction()
        }
    };
    instruction.expect("a swap that can be written")
}

/// Wraps what is to be paid, makes the account that receives, and unwraps what was received.
fn around(draw: &mut Draw, wanted: &Wanted<'_>, swap: Instruction, amount: u64) -> Vec<Instruction> {
    let ([from, to], [source, destination]) = (wanted.way.mints, wanted.ends);
    let owner = wanted.owner;
    let mut instructions = Vec::new();
    if from == token::NATIVE_MINT && !draw.once_in(3) {
        instructions.push(associated_token::create_idempotent(owner, owner, from, token::ID));
        let lamports = amount.min(20_000_000_000);
        instructions.push(system::transfer(system::Transfer { from: owner, to: source, lamports }));
        instructions.push(token::order(token::ID, token::Order::SyncNative { account: source }));
    }
    if !draw.once_in(3) {
        instructions.push(associated_token::create_idempotent(owner, owner, to, token::ID));
    }
    instructions.push(swap);
    for (mint, account) in [(from, source), (to, destination)] {
        if mint == token::NATIVE_MINT && !draw.once_in(3) {
            let close = token::Order::Close { account, destination: owner, owner };
            instructions.push(token::order(token::ID, close));
        }
    }
    instructions
}

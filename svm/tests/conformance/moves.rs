//! Lamports, tokens and accounts without a swap.

use simnet::bank::program::vault;
use solana::program::associated_token;
use solana::program::compute_budget::{self, Budget};
use solana::program::memo;
use solana::program::system::{self, Transfer};
use solana::program::token::{self, Order};
use solana::{Address, Instruction};

use crate::draw::Draw;
use crate::scene::{Draft, Scene, WALLETS};

/// Who acts, for whom, and of which token.
struct Cast {
    me: Address,
    other: Address,
    mint: Address,
    decimals: u8,
    mine: Address,
    others: Address,
    held: u64,
}

type Kind = (&'static str, fn(&Cast, &mut Draw) -> Vec<Instruction>);

const KINDS: [Kind; 14] = [
    ("wrap", |cast, draw| wrap(cast, draw.below(2_000_000_000))),
    ("unwrap", |cast, _| {
        let account = associated_token::address(&cast.me, &token::NATIVE_MINT, &token::ID);
        vec![close(account, cast.me, cast.me)]
    }),
    ("wrap and unwrap", |cast, draw| {
        let account = associated_token::address(&cast.me, &token::NATIVE_MINT, &token::ID);
        let mut instructions = wrap(cast, draw.below(2_000_000_000));
        instructions.push(close(account, cast.me, cast.me));
        instructions
    }),
    ("create for oneself", |cast, _| vec![create(cast, cast.me, true)]),
    ("create for another", |cast, draw| vec![create(cast, cast.other, draw.once_in(2))]),
    ("create for a stranger", |cast, draw| {
        let stranger: Address = [250 - u8::try_from(draw.below(5)).expect("few"); 32].into();
        vec![create(cast, stranger, draw.once_in(2))]
    }),
    ("create of what is no token", |cast, draw| {
        let mint = *draw.of(&[cast.other, cast.others, [248; 32].into()]);
        vec![create(&Cast { mint, ..*cast }, cast.me, draw.once_in(2))]
    }),
    ("close", |cast, draw| {
        let receiver = *draw.of(&[cast.me, cast.other, cast.mine, [251; 32].into()]);
        vec![close(cast.mine, receiver, cast.me)]
    }),
    ("empty and close", |cast, _| {
        let Cast { mine, others, me, held, .. } = *cast;
        let order = Order::Transfer { source: mine, destination: others, owner: me, amount: held };
        vec![token::order(token::ID, order), close(mine, me, me)]
    }),
    ("lamports", |cast, draw| {
        let to = *draw.of(&[cast.other, cast.me, cast.mine, [252; 32].into(), [253; 32].into()]);
        vec![pay(cast.me, to, *draw.of(&[0, 1, 890_879, 890_880, 5_000_000, 60_000_000_000]))]
    }),
    ("tokens", |cast, draw| {
        let destination = *draw.of(&[cast.others, cast.others, cast.mine, vault(&cast.mint)]);
        let amount = *draw.of(&[0, 1, cast.held / 2, cast.held, cast.held + 1]);
        vec![token::order(token::ID, Order::Transfer { source: cast.mine, destination, owner: cast.me, amount })]
    }),
    ("tokens, checked", |cast, draw| {
        let Cast { mine: source, others: destination, mint, me: owner, .. } = *cast;
        let amount = *draw.of(&[0, 1, cast.held / 2, cast.held, cast.held + 1]);
        let decimals = cast.decimals + u8::from(draw.once_in(4));
        let order = Order::TransferChecked { source, mint, destination, owner, amount, decimals };
        vec![token::order(token::ID, order)]
    }),
    ("sync", |cast, draw| {
        let account = *draw.of(&[cast.mine, cast.others, cast.me]);
        vec![token::order(token::ID, Order::SyncNative { account })]
    }),
    ("budget and memo", |cast, draw| {
        let mut instructions = vec![memo::note("order 1"), pay(cast.me, cast.other, 1_000_000)];
        for _ in 0..draw.below(4) {
            let limit = u32::try_from(200_000 + draw.below(2_000_000)).expect("units");
            let price = Budget::Price(draw.below(5_000_000));
            instructions.push(compute_budget::set(*draw.of(&[Budget::Limit(limit), price])));
        }
        instructions
    }),
];

fn pay(from: Address, to: Address, lamports: u64) -> Instruction {
    system::transfer(Transfer { from, to, lamports })
}

fn close(account: Address, destination: Address, owner: Address) -> Instruction {
    token::order(token::ID, Order::Close { account, destination, owner })
}

fn create(cast: &Cast, owner: Address, idempotent: bool) -> Instruction {
    let mut instruction = associated_token::create_idempotent(cast.me, owner, cast.mint, token::ID);
    instruction.data = if idempotent { vec![1] } else { Vec::new() };
    instruction
}

fn wrap(cast: &Cast, lamports: u64) -> Vec<Instruction> {
    let account = associated_token::address(&cast.me, &token::NATIVE_MINT, &token::ID);
    vec![
        associated_token::create_idempotent(cast.me, cast.me, token::NATIVE_MINT, token::ID),
        pay(cast.me, account, lamports),
        token::order(token::ID, Order::SyncNative { account }),
    ]
}

/// One of the table.
pub(crate) fn draft(scene: &Scene, draw: &mut Draw) -> Draft {
    let payer = draw.place(WALLETS.into());
    let (wallet, other) = (&scene.wallets[payer], &scene.wallets[draw.place(WALLETS.into())]);
    let place = draw.place(scene.mints.len());
    let mint = scene.mints[place];
    let mine = wallet.account(&mint);
    let cast = Cast {
        me: wallet.address,
        other: other.address,
        mint,
        decimals: scene.decimals[place],
        mine,
        others: other.account(&mint),
        held: scene.held(&mine),
    };
    let (kind, instructions) = draw.of(&KINDS);
    Draft::new(kind, payer, instructions(&cast, draw))
}

//! Measures what one order costs an instant world: three quotes, sign, submit, look up; and what a slot and new questions
//! cost it with the pools of a default installation.
//!
//! `cargo run --release -p simnet --example world_load [orders]`

use std::hint::black_box;
use std::time::{Duration, Instant};

use simnet::{Amount, Ask, Clock, LookUp, Outcome, Retention, Settings, Swap, Token, Venue, World};

const SOL: &str = "So11111111111111111111111111111111111111112";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// Time spent on each part of an order.
#[derive(Default)]
struct Spent {
    quotes: Duration,
    sign: Duration,
    submit: Duration,
    look_up: Duration,
}

fn main() {
    let orders = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200_000_u32);
    let token = |symbol: &str, mint: &str, decimals, price, native| Token {
        symbol: symbol.into(),
        mint: mint.into(),
        decimals,
        reference_price: Some(price),
        native,
    };
    let tokens =
        vec![token("SOL", SOL, 9, 150_000_000_000_000, true), token("USDC", USDC, 6, 1_000_000_000_000, false)];
    let settings = Settings::parse("pace=instant").expect("good options");
    let clock = Clock::wall();
    let world = World::new(settings, tokens, Retention::Recent, clock.now()).expect("good tokens");
    let (mut spent, began) = (Spent::default(), Instant::now());
    let confirmed = (0..orders).filter(|n| order(&world, &clock, *n, &mut spent)).count();
    let whole = began.elapsed();
    println!("{orders} orders, {confirmed} confirmed");
    let each = |what: &str, time: Duration| println!("{what:>8} {:>8} ns", time.as_nanos() / u128::from(orders.max(1)));
    each("quotes", spent.quotes);
    each("sign", spent.sign);
    each("submit", spent.submit);
    each("look up", spent.look_up);
    each("order", whole);
    slots();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM")).for_each(|l| println!("{l}"));
}

fn order(world: &World, clock: &Clock, number: u32, spent: &mut Spent) -> bool {
    let (id, forward) = (format!("0197f5c4-7a53-7d36-8f3e-{number:012}"), number.is_multiple_of(2));
    let (amount, from, to) =
        if forward { (10_000_000, ("SOL", SOL), ("USDC", USDC)) } else { (1_500_000, ("USDC", USDC), ("SOL", SOL)) };
    let mut lap = Instant::now();
    let mut part = |spent: &mut Duration| {
        *spent += lap.elapsed();
        lap = Instant::now();
    };
    let amount = Amount::In(amount);
    let quotes = Venue::ALL.map(|venue| {
        let ask = Ask { venue, input: from.0, output: to.0, amount };
        black_box(world.quote(&ask, clock.now()).expect("a quote"))
    });
    let best = quotes.iter().max_by_key(|quote| quote.amount_out).expect("three");
    part(&mut spent.quotes);
    let swap = Swap {
        account: "default",
        input_mint: from.1,
        wrap: forward,
        output_mint: to.1,
        unwrap: !forward,
        amount,
        limit: 1,
        steps: best.steps(amount),
        order: &id,
        build: 1,
    };
    let signed = world.sign(&swap, &world.blockhash(clock.now())).expect("it fits");
    part(&mut spent.sign);
    world.submit(&signed.bytes, clock.now()).expect("taken");
    part(&mut spent.submit);
    let asked = LookUp { id: &signed.id, expires_at_height: signed.expires_at_height };
    let confirmed = matches!(world.look_up(&[asked], clock.now())[..], [Outcome::Confirmed { .. }]);
    part(&mut spent.look_up);
    confirmed
}

/// Quotes in slot after slot, and other questions in one.
fn slots() {
    let token = |(symbol, decimals, price): (&str, u8, u64)| Token {
        symbol: symbol.into(),
        mint: symbol.into(),
        decimals,
        reference_price: Some(price),
        native: symbol == "SOL",
    };
    let tokens = [
        ("BONK", 5, 20_000_000),
        ("BTC", 8, 90_000_000_000_000_000),
        ("ETH", 8, 3_000_000_000_000_000),
        ("JUP", 6, 500_000_000_000),
        ("RAY", 6, 2_000_000_000_000),
        ("SOL", 9, 150_000_000_000_000),
        ("USDC", 6, 1_000_000_000_000),
        ("USDT", 6, 1_000_000_000_000),
    ];
    let settings = Settings::parse("pace=instant").expect("good options");
    let begin = 1_800_000_000_000;
    let world = World::new(settings, tokens.map(token).into(), Retention::Recent, begin).expect("good tokens");
    let ask = |venue, amount| Ask { venue, input: "SOL", output: "BONK", amount: Amount::In(amount) };
    let timed = |what: &str, count: u64, mut run: Box<dyn FnMut(u64) + '_>| {
        let began = Instant::now();
        (0..count).for_each(&mut run);
        println!("{what:>16} {:>8} ns", began.elapsed().as_nanos() / u128::from(count));
    };
    let world = &world;
    // The question has no answer, so that nothing but the slot's update is timed.
    let update = move |n| drop(world.quote(&ask(Venue::Raydium, 0), begin + (n + 1) * 400));
    timed("a slot", 500, Box::new(update));
    let last = begin + 501 * 400;
    for venue in Venue::ALL {
        let run = move |n| drop(black_box(world.quote(&ask(venue, 1_000_000_000 + n * 10_000_019), last)));
        timed(venue.as_str(), 2_000, Box::new(run));
    }
}

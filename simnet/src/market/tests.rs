//! Pools stand where their paths are, give no gain to a round trip, and execute plans whole or not at all.

use proptest::prelude::*;
use routing::{Limits, PoolError, Question};

use super::*;
use crate::{Exchange, Token, Venue};

const SLOT: u64 = 1_000_000;

fn token(symbol: &str, decimals: u8, price: u64) -> Token {
    let native = symbol == "SOL";
    Token { symbol: symbol.into(), mint: symbol.into(), decimals, reference_price: Some(price), native }
}

/// The assets of a default installation.
fn tokens_of() -> Vec<Token> {
    vec![
        token("BONK", 5, 20_000_000),
        token("BTC", 8, 90_000_000_000_000_000),
        token("ETH", 8, 3_000_000_000_000_000),
        token("JUP", 6, 500_000_000_000),
        token("RAY", 6, 2_000_000_000_000),
        token("SOL", 9, 150_000_000_000_000),
        token("USDC", 6, 1_000_000_000_000),
        token("USDT", 6, 1_000_000_000_000),
    ]
}

fn tokens() -> Tokens {
    Tokens::new(tokens_of()).expect("good tokens")
}

fn market(options: &str) -> Market {
    Market::new(Settings::parse(options).expect("good options"), &tokens(), SLOT)
}

fn apart_from_fair(market: &Market, place: &Place, slot: u64) -> i64 {
    let pair =
        Pair::new([place.listing.a, place.listing.b].map(|t| tokens().get(t).clone()).each_ref()).expect("a pair");
    let fair = fair_price(&market.paths, [place.listing.a, place.listing.b], slot);
    let now = match &place.pool {
        Pool::MeteoraDlmm(pool) => stand::bins::price(pool),
        pool => pool.price(Side::A).ok().and_then(price::x64),
    };
    price::relative(now.expect("a price"), price::scaled(pair.price, fair)) - ONE
}

#[test]
fn a_default_installation_has_a_hundred_pools_of_every_family() {
    let market = market("");
    assert_eq!(market.places.len(), 105);
    let families = ["amm_v4", "cpmm", "clmm", "dlmm", "damm_v1", "damm_v2"];
    for family in families {
        assert!(market.places.iter().any(|place| place.pool.kind().ends_with(family)), "{family}");
    }
    for exchange in [Exchange::Raydium, Exchange::Meteora] {
        assert!(market.places.iter().filter(|place| place.listing.exchange == exchange).count() > 40);
    }
    assert!(market.places.iter().all(|place| place.pool.check() == Ok(())));
}

#[test]
fn pools_follow_the_fair_price_within_their_fees() {
    let mut market = market("");
    for slot in [1, 7, 100, 133, 1_000, 50_000].map(|more| SLOT + more) {
        market.view(slot);
        for place in &market.places {
            assert_eq!(place.pool.check(), Ok(()), "{}", place.listing.id);
            let apart = apart_from_fair(&market, place, slot).abs();
            assert!(apart < ONE / 300, "{}: {apart}", place.listing.id);
        }
    }
}

#[test]
fn no_round_trip_gains() {
    let mut market = market("seed=5");
    for slot in [3, 77, 140, 1_234].map(|more| SLOT + more) {
        let view = Arc::clone(market.view(slot));
        let network = &view.reach(Venue::Tradewind).network;
        for (from, to, units) in [("SOL", "USDC", 20_000_000), ("USDC", "BONK", 1_000_000), ("BTC", "USDT", 10_000)] {
            let [from, to] = [from, to].map(|name| network.token(name).expect("a token"));
            let there = Question { from, to, amount: Amount::In(units) };
            let there = routing::fast(network, &there, 3).expect("a route");
            let back = Question { from: to, to: from, amount: Amount::In(there.amount_out) };
            let back = routing::fast(network, &back, 3).expect("a route back");
            assert!(back.amount_out < units, "{units} became {}", back.amount_out);
        }
    }
}

#[test]
fn what_users_move_is_halved_with_every_slot() {
    for number in 0..105_u16 {
        let mut market = market("");
        let place = &market.places[usize::from(number)];
        let (a, b) = (place.listing.a, place.listing.b);
        let large = market.places[usize::from(number)].pool.clone();
        // What brings the price of any of the pools down by a tenth of a per cent or more.
        let units = (1..62).map(|bits| 1_u64 << bits).take_while(|units| {
            let before = large.price(Side::A).expect("a price");
            let mut pool = large.clone();
            pool.apply(Side::A, Amount::In(*units), seconds(SLOT))
                .is_err_and(|e| e == PoolError::ZeroOutput || e == PoolError::AmountTooSmall)
                || price::relative(
                    price::x64(pool.price(Side::A).expect("a price")).expect("a number"),
                    price::x64(before).expect("a number"),
                ) > ONE - ONE / 500
        });
        let amount = Amount::In(units.last().expect("an amount"));
        let steps = [Step { pool: number, input: Side::A, amount: amount.units() }];
        let Ok(executed) = market.execute((a, b), amount, &steps, SLOT) else { continue };
        market.become_pools(executed.after, SLOT);
        let mut last = market.places[usize::from(number)].apart();
        let id = Arc::clone(&market.places[usize::from(number)].listing.id);
        assert!(last < 0, "{id}");
        for slot in SLOT + 1..SLOT + 5 {
            market.view(slot);
            let now = market.places[usize::from(number)].apart();
            assert_eq!(now, last / 2, "{id}");
            last = now;
        }
        let afresh = Market::new(Settings::default(), &tokens(), SLOT + 100);
        market.view(SLOT + 100);
        assert_eq!(market.places[usize::from(number)].pool, afresh.places[usize::from(number)].pool, "{id}");
    }
}

#[test]
fn an_instant_market_stands_where_it_stood() {
    let mut market = market("pace=instant");
    let before = market.view(SLOT).version;
    let (a, b) = (market.places[0].listing.a, market.places[0].listing.b);
    let steps = [Step { pool: 0, input: Side::A, amount: 1_000_000_000 }];
    let executed = market.execute((a, b), Amount::In(1_000_000_000), &steps, SLOT).expect("it executes");
    assert!(executed.after.is_empty());
    assert_eq!(market.view(SLOT).version, before);
}

#[test]
fn what_users_move_is_seen_by_every_venue_of_the_pool() {
    let mut market = market("");
    let before = Arc::clone(market.view(SLOT));
    let (a, b) = (market.places[0].listing.a, market.places[0].listing.b);
    let amount = Amount::In(1_000_000_000_000);
    let steps = [Step { pool: 0, input: Side::A, amount: 1 }];
    let executed = market.execute((a, b), amount, &steps, SLOT).expect("it executes");
    market.become_pools(executed.after, SLOT);
    let after = Arc::clone(market.view(SLOT));
    assert!(after.version > before.version);
    for venue in Venue::ALL {
        let state = |view: &View| {
            let reach = view.reach(venue);
            reach.place(0).map(|place| reach.network.pools()[place].pool.clone())
        };
        assert_eq!(state(&before) == state(&after), venue == Venue::Meteora, "{venue:?}");
    }
}

/// A split of one SOL for USDC and its steps.
fn split(market: &mut Market, amount: Amount) -> (routing::Plan, Vec<Step>, (u16, u16)) {
    let view = Arc::clone(market.view(SLOT));
    let reach = view.reach(Venue::Tradewind);
    let [from, to] = ["SOL", "BONK"].map(|name| reach.network.token(name).expect("a token"));
    let limits = Limits { hops: 4, legs: Some(16), paths: None, partial: false };
    let plan = routing::best(&reach.network, &Question { from, to, amount }, &limits).expect("a route").plan;
    let planned =
        |leg: &routing::Leg| if matches!(amount, Amount::In(_)) { leg.swap.amount_in } else { leg.swap.amount_out };
    let step = |leg: &routing::Leg| Step {
        pool: reach.pool(leg.pool).expect("a pool").0,
        input: leg.input,
        amount: planned(leg),
    };
    let steps = plan.legs.iter().map(step).collect();
    let end = |token| u16::try_from(token).expect("small");
    (plan, steps, (end(from), end(to)))
}

#[test]
fn splits_execute_as_planned_and_stay_whole_when_pools_have_moved() {
    for amount in [Amount::In(5_000_000_000_000), Amount::Out(3_000_000_000_000_000)] {
        let mut market = market("");
        let (plan, steps, ends) = split(&mut market, amount);
        assert!(plan.legs.len() > 3, "{}", plan.legs.len());
        let executed = market.execute(ends, amount, &steps, SLOT).expect("it executes");
        // What a pool of DAMM v1 gives beyond a fixed output stays behind.
        let apart = executed.amount_in.abs_diff(plan.amount_in) + executed.amount_out.abs_diff(plan.amount_out);
        assert!(apart < 20, "{executed:?} {plan:?}");
        for later in 1..20 {
            let moved = market.execute(ends, amount, &steps, SLOT + later).expect("it executes");
            match amount {
                Amount::In(units) => assert_eq!(moved.amount_in, units),
                Amount::Out(units) => assert_eq!(moved.amount_out, units),
            }
            let ratio = moved.amount_out.max(executed.amount_out) - moved.amount_out.min(executed.amount_out);
            assert!(ratio < executed.amount_out / 20, "within five per cent");
        }
    }
}

#[test]
fn plans_that_lead_astray_execute_nothing() {
    let mut market = market("");
    let amount = Amount::In(5_000_000_000_000);
    let (plan, steps, (from, to)) = split(&mut market, amount);
    let between = plan.legs.iter().position(|leg| leg.to != usize::from(to)).expect("a way over a third token");
    let short = &steps[between..=between];
    let unknown = [Step { pool: u16::MAX, input: Side::A, amount: 5 }];
    for (ends, steps) in [((from, to), short), ((from, from), &steps[..]), ((from, to), &unknown[..])] {
        let executed = market.execute(ends, Amount::In(1_000_000), steps, SLOT);
        assert!(matches!(executed, Err(Unexecuted::Astray)), "{executed:?}");
    }
    assert!(market.execute((to, from), amount, &steps, SLOT).is_err());
    let huge = market.execute((from, to), Amount::In(u64::MAX), &steps, SLOT);
    assert!(matches!(huge, Err(Unexecuted::Refused(_))), "{huge:?}");
}

proptest! {
    #[test]
    fn any_prices_and_decimals_make_sane_pools_or_none(
        decimals in any::<[u8; 2]>(), prices in any::<[u64; 2]>(), shifts in [0_u32..64, 0..64], slots in 0..1_000_000_u64
    ) {
        let [first, second] = [0, 1].map(|n| token(&n.to_string(), decimals[n] % 25, (prices[n] >> shifts[n]).max(1)));
        let tokens = Tokens::new(vec![first, second]).expect("good tokens");
        let mut market = Market::new(Settings::default(), &tokens, SLOT);
        market.view(SLOT + slots);
        for place in &market.places {
            prop_assert_eq!(place.pool.check(), Ok(()));
        }
    }
}

#[test]
fn no_circle_of_pools_gains() {
    for seed in 0..4 {
        let mut market = market(&format!("seed={seed}"));
        for slot in [0, 55, 140, 1_234, 9_999].map(|more| SLOT + more) {
            let view = Arc::clone(market.view(slot));
            let network = &view.reach(Venue::Tradewind).network;
            let tokens = network.tokens().len();
            let worth = |index: usize, dollars: f64| {
                let token = tokens_of()[index].clone();
                let price = token.reference_price.expect("a price") as f64 / 1e12;
                10_f64.powi(token.decimals.into()) * dollars / price
            };
            let mut best = vec![vec![(0.0_f64, String::new()); tokens]; tokens];
            for pool in network.pools() {
                for (side, from, to) in [(Side::A, pool.token_a, pool.token_b), (Side::B, pool.token_b, pool.token_a)] {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
                    let units = worth(from, 100.0) as u64;
                    let swap = pool.pool.quote(side, Amount::In(units), network.now()).expect("a swap");
                    let rate = (swap.amount_out as f64 / worth(to, 1.0)) / (swap.amount_in as f64 / worth(from, 1.0));
                    if rate > best[from][to].0 {
                        best[from][to] = (rate, pool.id.to_string());
                    }
                }
            }
            for a in 0..tokens {
                for b in 0..tokens {
                    let two = best[a][b].0 * best[b][a].0;
                    assert!(two < 1.0, "{two} {:?} {:?}", best[a][b], best[b][a]);
                    for c in 0..tokens {
                        let three = best[a][b].0 * best[b][c].0 * best[c][a].0;
                        assert!(three < 1.0, "{three} {:?} {:?} {:?}", best[a][b], best[b][c], best[c][a]);
                    }
                }
            }
        }
    }
}

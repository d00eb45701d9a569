//! Pools follow their paths by real trades, whatever the tokens' magnitudes.

use proptest::prelude::*;

use super::*;

fn token(mint: &str, decimals: u8, price: u64) -> Token {
    Token { symbol: mint.into(), mint: mint.into(), decimals, reference_price: Some(price), native: false }
}

fn pool(first: &Token, second: &Token) -> Pool {
    Pool::new(1, Exchange::Raydium, [first, second], 1_000).expect("both have a price")
}

/// How far the price is from where the path wants it, in billionths.
fn apart(pool: &Pool) -> i64 {
    let target = scaled(price(&pool.reference), ONE + pool.path.deviation(pool.slot));
    relative(price(&pool.state), target) - ONE
}

#[test]
fn pools_follow_their_paths_and_keep_their_size() {
    let sol = token("sol", 9, 150_000_000_000_000);
    let usdc = token("usdc", 6, 1_000_000_000_000);
    let bonk = token("bonk", 5, 20_000_000);
    let btc = token("btc", 8, 90_000_000_000_000_000);
    for (first, second) in [(&sol, &usdc), (&usdc, &sol), (&bonk, &btc), (&btc, &bonk)] {
        for stride in [1, 7, 333, 100_000] {
            let mut pool = pool(first, second);
            for _ in 0..2_000 {
                pool.advance(pool.slot + stride);
                assert!(apart(&pool).abs() < ONE / 5_000, "within 2 basis points, not {}", apart(&pool));
                let grown = relative(pool.state.reserve_in.into(), pool.reference.reserve_in.into());
                assert!((ONE * 94 / 100..ONE * 106 / 100).contains(&grown), "{grown}");
            }
        }
    }
}

#[test]
fn a_side_holds_twenty_million_dollars() {
    let pool = pool(&token("sol", 9, 150_000_000_000_000), &token("usdc", 6, 1_000_000_000_000));
    assert_eq!(pool.reference.reserve_in, 133_333_333_333_333);
    assert_eq!(pool.reference.reserve_out, 20_000_000_000_000);
}

#[test]
fn users_impact_is_halved_with_every_slot() {
    let mut pool = pool(&token("sol", 9, 150_000_000_000_000), &token("usdc", 6, 1_000_000_000_000));
    let (_, after) = pool.state.apply(Amount::In(2_000_000_000_000)).expect("a large trade");
    pool.set(after);
    let mut last = apart(&pool);
    assert!(last < -ONE / 40);
    for _ in 0..5 {
        pool.advance(pool.slot + 1);
        let now = apart(&pool);
        assert!(now < 0 && now > last * 6 / 10, "{last} then {now}");
        last = now;
    }
    pool.settle();
    assert!(apart(&pool).abs() < ONE / 10_000);
}

#[test]
fn an_emptied_pool_is_filled_again() {
    let mut pool = pool(&token("sol", 9, 150_000_000_000_000), &token("usdc", 6, 1_000_000_000_000));
    let (_, after) = pool.state.apply(Amount::In(u64::MAX / 2)).expect("a monstrous trade");
    pool.set(after);
    pool.advance(pool.slot + 60);
    assert!(apart(&pool).abs() < ONE / 100, "{}", apart(&pool));
}

proptest! {
    #[test]
    fn any_prices_and_decimals_make_a_sane_pool_or_none(
        decimals in any::<[u8; 2]>(), prices in any::<[u64; 2]>(), shifts in [0_u32..64, 0..64], slots in 0..1_000_000_u64
    ) {
        let [first, second] = [0, 1].map(|n| token(&n.to_string(), decimals[n] % 25, prices[n] >> shifts[n]));
        if let Some(mut pool) = Pool::new(1, Exchange::Meteora, [&first, &second], 1_000) {
            pool.advance(1_000 + slots);
            prop_assert!(apart(&pool).abs() < ONE / 1_000, "{}", apart(&pool));
        }
    }
}

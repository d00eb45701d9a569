//! What holds for a pool of any family, tried on the recorded states.
#![expect(clippy::float_arithmetic, reason = "pieces are evaluated near enough to be held against whole amounts")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use routing::{Amount, Dyadic, Piece, Pool, Side};
use serde_json::Value;

use crate::{data, vectors};

/// A state, and a time at which it was traded.
#[derive(Debug)]
struct Recorded {
    pool: Pool,
    now: u64,
    /// As JSON, to look into what only some families have.
    state: Value,
}

impl Recorded {
    /// When the pool's measure of volatility was last renewed. Later on, some programs let it fade again with every trade
    /// that does not move the price, so that a trade before another makes that one cheaper.
    fn renewed(&self) -> u64 {
        let renewed = ["/last_update_timestamp", "/dynamic_fee/last_update_timestamp"];
        let renewed = renewed.iter().find_map(|field| self.state.pointer(field)?.as_str()?.parse().ok());
        renewed.unwrap_or(self.now)
    }

    /// Whether two trades may rightly give more than one: where a part of the output goes back into the pool, the fee grows
    /// with the size, the fee is computed anew from the price that the first trade leaves, or amounts pass through shares of
    /// vaults that are worth many units each.
    fn rewards_splitting(&self) -> bool {
        let is = |field, value| self.state.pointer(field).and_then(Value::as_str) == Some(value);
        match self.pool {
            Pool::MeteoraDammV2(_) => {
                is("/collect_fee_mode", "2") || ["2", "3", "4"].into_iter().any(|mode| is("/base_fee/mode", mode))
            }
            Pool::RaydiumClmm(_) => self.has_dynamic_fee(),
            Pool::MeteoraDammV1(_) => true,
            _ => false,
        }
    }

    /// Whether its pieces take a fee that changes along the way for the least that it can be, or are tangents.
    fn bounded_loosely(&self) -> bool {
        match self.pool {
            Pool::MeteoraDammV2(_) => self.state.pointer("/base_fee/mode").and_then(Value::as_str) == Some("2"),
            Pool::RaydiumClmm(_) => self.has_dynamic_fee(),
            Pool::MeteoraDammV1(_) => self.state.get("curve").and_then(Value::as_str) == Some("stable"),
            _ => false,
        }
    }

    fn has_dynamic_fee(&self) -> bool {
        self.state.get("dynamic_fee").is_some_and(|fee| !fee.is_null())
    }
}

/// States of all families.
static RECORDED: LazyLock<Vec<Recorded>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (family, lines) in vectors::FAMILIES {
        let vectors = vectors::read(family);
        let text = data::read(&format!("{family}.jsonl"));
        for line in text.lines().filter(|line| !line.contains("\"error\"")).step_by(lines / 40) {
            let now = serde_json::from_str::<Value>(line).expect("JSON")["now"].as_str().map(str::to_owned);
            let now = now.map_or(0, |now| now.parse().expect("seconds"));
            let pool = vectors.state(line).expect("a state");
            let state = serde_json::to_value(&pool).expect("JSON")["pool"].take();
            all.push(Recorded { pool, now, state });
        }
    }
    all
});

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

/// Amounts of any length, each length as often as another.
fn units() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(units, shift)| (units >> shift).max(1))
}

/// What the pieces promise for an amount, and how many are used; the amount as far as they reach.
fn promised(pieces: &[Piece], units: u64) -> (f64, usize, f64) {
    let (mut left, mut out, mut used) = (units as f64, 0.0, 0);
    for piece in pieces {
        let cap = match piece {
            Piece::Curve { cap, .. } => cap.map_or(f64::MAX, Dyadic::to_float),
            Piece::Line { cap, .. } => cap.to_float(),
        };
        let paid = left.min(cap);
        out += match piece {
            Piece::Curve { x, y, .. } => y.to_float() * paid / (x.to_float() + paid),
            Piece::Line { rate, .. } => rate.to_float() * paid,
        };
        used += 1;
        left -= paid;
        if left <= 0.0 {
            break;
        }
    }
    (out, used, left.max(0.0))
}

/// What a unit that trades is worth at most: no fee is off it yet.
fn best_rate(pool: &Pool, pieces: &[Piece], input: Side) -> f64 {
    let rate = |piece: &Piece| match piece {
        Piece::Curve { x, y, .. } => y.to_float() / x.to_float(),
        Piece::Line { rate, .. } => rate.to_float(),
    };
    let before_fees = pool.price(input).map_or(0.0, |price| price.numerator as f64 / price.denominator as f64);
    pieces.iter().map(rate).fold(before_fees, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn more_paid_gives_no_less(at: Index, input in side(), one in units(), other in units()) {
        let Recorded { pool, now, .. } = at.get(&RECORDED);
        let (less, more) = (one.min(other), one.max(other));
        let quote = |units| pool.quote(input, Amount::In(units), *now).map(|swap| swap.amount_out);
        if let (Ok(for_less), Ok(for_more)) = (quote(less), quote(more)) {
            prop_assert!(for_less <= for_more, "{}: {less} gives {for_less}, {more} gives {for_more}", pool.kind());
        }
    }

    #[test]
    fn exact_out_is_covered_by_what_it_asks_for(at: Index, input in side(), wanted in units()) {
        let Recorded { pool, now, .. } = at.get(&RECORDED);
        if let Ok(swap) = pool.quote(input, Amount::Out(wanted), *now) {
            // At the end of all prices a CLMM gives what there is.
            let given = if matches!(pool, Pool::RaydiumClmm(_)) { swap.amount_out.min(wanted) } else { wanted };
            prop_assert!(swap.amount_out >= given, "{}", pool.kind());
            let covers = pool.quote(input, Amount::In(swap.amount_in), *now);
            prop_assert!(covers.is_ok_and(|covers| covers.amount_out >= given), "{}: {swap:?} {covers:?}", pool.kind());
        }
    }

    #[test]
    fn apply_is_quote_and_a_refusal_changes_nothing(at: Index, input in side(), units in units(), exact_in: bool) {
        let Recorded { pool, now, .. } = at.get(&RECORDED);
        let amount = if exact_in { Amount::In(units) } else { Amount::Out(units) };
        let mut after = pool.clone();
        let applied = after.apply(input, amount, *now);
        prop_assert_eq!(&applied, &pool.quote(input, amount, *now));
        match applied {
            Ok(_) => prop_assert_eq!(after.check(), Ok(())),
            Err(_) => prop_assert_eq!(&after, pool),
        }
    }

    #[test]
    fn two_trades_give_no_more_than_one(at: Index, input in side(), one in units(), other in units()) {
        let recorded = at.get(&RECORDED);
        let (pool, now) = (&recorded.pool, recorded.renewed());
        let (first, whole) = (one.min(other), one.max(other));
        let mut after = pool.clone();
        let Ok(once) = pool.quote(input, Amount::In(whole), now) else { return Ok(()) };
        let Ok(one) = after.apply(input, Amount::In(first), now) else { return Ok(()) };
        let Ok(two) = after.quote(input, Amount::In(whole - first), now) else { return Ok(()) };
        let (split, once) = (one.amount_out + two.amount_out, once.amount_out);
        prop_assert!(split <= once + 2 || recorded.rewards_splitting(), "{}: {split} in two, {once} in one", pool.kind());
    }

    #[test]
    fn pieces_promise_no_less_and_hardly_more(at: Index, input in side(), units in units()) {
        let recorded = at.get(&RECORDED);
        let (pool, now) = (&recorded.pool, recorded.now);
        let (Ok(pieces), Ok(swap)) = (pool.pieces(input, now), pool.quote(input, Amount::In(units), now)) else {
            return Ok(());
        };
        let (promised, used, left) = promised(&pieces, swap.amount_in);
        let given = swap.amount_out as f64;
        prop_assert!(promised * (1.0 + 1e-9) >= given, "{}: {promised} promised, {given} given", pool.kind());
        // In every piece the program may lose a unit of what is paid, of the fee and of what is received.
        let lost = 3.0 * used as f64;
        // A bound of what a DAMM v1 pool can give is reached before the pool has given it.
        let ends = left <= units as f64 * 1e-9 + lost || matches!(pool, Pool::MeteoraDammV1(_));
        prop_assert!(ends, "{}: {left} of {units} finds no piece", pool.kind());
        let rounding = lost * (1.0 + best_rate(pool, &pieces, input));
        let tight = promised <= given * (1.0 + 1e-9) + rounding;
        prop_assert!(tight || recorded.bounded_loosely(), "{}: {promised} promised, {given} given", pool.kind());
    }
}

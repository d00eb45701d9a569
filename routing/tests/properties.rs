//! What holds for a pool of any family, tried on the recorded states.
#![expect(clippy::float_arithmetic, reason = "pieces are evaluated near enough to be held against whole amounts")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use routing::{Amount, Dyadic, Piece, Pool, Side};

use crate::{data, vectors};

/// States of all families, with a time at which they were traded.
static RECORDED: LazyLock<Vec<(Pool, u64)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (family, lines) in vectors::FAMILIES {
        let vectors = vectors::read(family);
        let text = data::read(&format!("{family}.jsonl"));
        for line in text.lines().filter(|line| !line.contains("\"error\"")).step_by(lines / 40) {
            let now = serde_json::from_str::<serde_json::Value>(line).expect("JSON")["now"].as_str().map(str::to_owned);
            all.push((vectors.state(line).expect("a state"), now.map_or(0, |now| now.parse().expect("seconds"))));
        }
    }
    all
});

/// Whether a part of the output goes back into the pool: then a second trade finds more there than one large one would.
fn compounds(pool: &Pool) -> bool {
    matches!(pool, Pool::MeteoraDammV2(_))
}

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
        let (pool, now) = at.get(&RECORDED);
        let quote = |units| pool.quote(input, Amount::In(units), *now).map(|swap| swap.amount_out);
        if let (Ok(less), Ok(more)) = (quote(one.min(other)), quote(one.max(other))) {
            prop_assert!(less <= more, "{}: {} gives {}, {} gives {}", pool.kind(), one.min(other), less, one.max(other), more);
        }
    }

    #[test]
    fn exact_out_is_covered_by_what_it_asks_for(at: Index, input in side(), wanted in units()) {
        let (pool, now) = at.get(&RECORDED);
        if let Ok(swap) = pool.quote(input, Amount::Out(wanted), *now) {
            prop_assert!(swap.amount_out >= wanted, "{}", pool.kind());
            let covers = pool.quote(input, Amount::In(swap.amount_in), *now);
            prop_assert!(covers.is_ok_and(|covers| covers.amount_out >= wanted), "{}: {:?} {:?}", pool.kind(), swap, covers);
        }
    }

    #[test]
    fn apply_is_quote_and_a_refusal_changes_nothing(at: Index, input in side(), units in units(), exact_in: bool) {
        let (pool, now) = at.get(&RECORDED);
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
        let (pool, now) = at.get(&RECORDED);
        let (first, whole) = (one.min(other), one.max(other));
        let mut pool_after = pool.clone();
        let Ok(once) = pool.quote(input, Amount::In(whole), *now) else { return Ok(()) };
        let Ok(one) = pool_after.apply(input, Amount::In(first), *now) else { return Ok(()) };
        let Ok(two) = pool_after.quote(input, Amount::In(whole - first), *now) else { return Ok(()) };
        let (split, once) = (one.amount_out + two.amount_out, once.amount_out);
        prop_assert!(split <= once + 2 || compounds(pool), "{}: {} in two, {} in one", pool.kind(), split, once);
    }

    #[test]
    fn pieces_promise_no_less_and_hardly_more(at: Index, input in side(), units in units()) {
        let (pool, now) = at.get(&RECORDED);
        let (Ok(pieces), Ok(swap)) = (pool.pieces(input, *now), pool.quote(input, Amount::In(units), *now)) else {
            return Ok(());
        };
        let (promised, used, left) = promised(&pieces, units);
        let given = swap.amount_out as f64;
        prop_assert!(promised * (1.0 + 1e-9) >= given, "{}: {} promised, {} given", pool.kind(), promised, given);
        prop_assert!(left <= units as f64 * 1e-9 + 1.0, "{}: {} of {} finds no piece", pool.kind(), left, units);
        // In every piece the program may lose a unit of what is paid, of the fee and of what is received.
        let rounding = 3.0 * used as f64 * (1.0 + best_rate(pool, &pieces, input));
        prop_assert!(promised <= given * (1.0 + 1e-9) + rounding, "{}: {} promised, {} given", pool.kind(), promised, given);
    }
}

//! Cases for quotes that are made of several swaps.

use super::{Arc, Mode, ONE_SOL, Order, Outcome, Prepared, Quote, Stage, order};

/// Small, large, and larger than any one pool is good for.
const AMOUNTS: [u128; 3] = [ONE_SOL / 100, ONE_SOL * 100, ONE_SOL * 5_000];

/// `pace=instant`: legs lead from the one token to the other, nothing is left between, and their sums are the quote.
pub async fn legs_add_up(stage: &Stage) {
    for (input, output) in [("SOL", "USDC"), ("wSOL", "BONK"), ("BONK", "SOL")] {
        for amount in AMOUNTS {
            for mode in [Mode::ExactIn, Mode::ExactOut] {
                let Ok(quote) = stage.quote(input, output, mode, amount).await else { continue };
                assert!(!quote.legs.is_empty() && quote.legs.len() <= 16, "{quote:?}");
                let paid = |token: &str| {
                    quote.legs.iter().filter(|leg| &*leg.input == token).map(|leg| leg.amount_in).sum::<u128>()
                };
                let received = |token: &str| {
                    quote.legs.iter().filter(|leg| &*leg.output == token).map(|leg| leg.amount_out).sum::<u128>()
                };
                assert_eq!((paid(input), received(output)), (quote.amount_in, quote.amount_out), "{quote:?}");
                assert_eq!((paid(output), received(input)), (0, 0), "{quote:?}");
                for leg in &quote.legs {
                    assert!(*leg.output == *output || paid(&leg.output) == received(&leg.output), "{quote:?}");
                    assert!([&leg.input, &leg.output].contains(&&leg.fee_token) && leg.fee > 0, "{leg:?}");
                }
                proves_itself(&quote);
            }
        }
    }
}

/// A venue that proves its quotes bounds them from the right side.
fn proves_itself(quote: &Quote) {
    let Some(proof) = quote.certificate else { return };
    let gap = match quote.ask.mode {
        Mode::ExactIn => proof.bound.checked_sub(quote.amount_out),
        Mode::ExactOut => quote.amount_in.checked_sub(proof.bound),
    };
    let gap = gap.unwrap_or_else(|| panic!("better than the bound: {quote:?}"));
    assert_eq!(u128::from(proof.gap_billionths), (gap * 1_000_000_000).div_ceil(proof.bound.max(1)), "{quote:?}");
    // Of what is small beside the pools the proof says less.
    if quote.legs.iter().filter(|leg| leg.input == quote.ask.input).count() > 1 {
        assert!(proof.gap_billionths < 1_000_000, "ten basis points: {quote:?}");
    }
}

/// `pace=instant`: a venue that proves its quotes splits what is too large for one pool.
pub async fn what_is_large_is_split(stage: &Stage) {
    let quote = stage.quote("SOL", "USDC", Mode::ExactIn, ONE_SOL * 5_000).await.expect("a quote");
    let first = quote.legs.iter().filter(|leg| &*leg.input == "SOL").count();
    assert_eq!(first > 1, quote.certificate.is_some(), "{quote:?}");
}

async fn submitted(stage: &Stage, order: &Order) -> (Prepared, Outcome) {
    let prepared = stage.venue.prepare(order).await.expect("a transaction");
    stage.venue.submit(&prepared).await.expect("taken");
    let fate = stage.fate(&prepared).await;
    (prepared, fate)
}

/// `pace=instant`: pools that have not moved give what was quoted, to the unit, in both modes.
pub async fn what_is_quoted_is_realised(stage: &Stage) {
    let mut done = 0;
    for (input, output) in [("SOL", "USDC"), ("USDC", "SOL"), ("BONK", "USDC")] {
        for (mode, amount) in AMOUNTS.iter().flat_map(|amount| [(Mode::ExactIn, *amount), (Mode::ExactOut, *amount)]) {
            let Ok(quote) = stage.quote(input, output, mode, amount).await else { continue };
            let limit = match mode {
                Mode::ExactIn => quote.amount_out,
                Mode::ExactOut => quote.amount_in,
            };
            done += 1;
            let (_, fate) = submitted(stage, &order(&done.to_string(), quote.clone(), limit)).await;
            let Outcome::Confirmed { amount_in, amount_out, .. } = fate else { panic!("{fate:?}: {quote:?}") };
            assert_eq!((amount_in, amount_out), (quote.amount_in, quote.amount_out), "{quote:?}");
        }
    }
    assert!(done > 9, "{done}");
    assert_eq!((stage.executed)(), done);
}

/// `pace=instant`: when all legs together miss the one limit by a unit, none of them is executed.
pub async fn plans_execute_whole_or_not_at_all(stage: &Stage) {
    for (id, mode, amount) in [("1", Mode::ExactIn, ONE_SOL * 3_000), ("2", Mode::ExactOut, 300_000_000_000)] {
        let before = stage.quote("SOL", "USDC", mode, amount).await.expect("a quote");
        let limit = match mode {
            Mode::ExactIn => before.amount_out + 1,
            Mode::ExactOut => before.amount_in - 1,
        };
        let (prepared, fate) = submitted(stage, &order(id, before.clone(), limit)).await;
        assert!(matches!(&fate, Outcome::Failed { code, .. } if code == "SLIPPAGE_EXCEEDED"), "{fate:?}");
        assert_eq!(stage.quote("SOL", "USDC", mode, amount).await, Ok(before), "the pools stand where they stood");
        let again = stage.venue.look_up(&[Arc::new(prepared)]).await.expect("an answer");
        assert_eq!(again, [fate]);
    }
    assert_eq!((stage.executed)(), 0);
}

/// `pace=real`: a plan stays whole though the pools have moved before its slot: all of the input is sold, or exactly the
/// output is bought.
pub async fn plans_stay_whole_when_pools_move(stage: &Stage) {
    for n in 0..12 {
        let (mode, amount) =
            if n % 2 == 0 { (Mode::ExactIn, ONE_SOL * 1_000) } else { (Mode::ExactOut, 100_000_000_000) };
        let quote = stage.quote("SOL", "USDC", mode, amount).await.expect("a quote");
        let limit = match mode {
            Mode::ExactIn => quote.amount_out * 99 / 100,
            Mode::ExactOut => quote.amount_in * 101 / 100,
        };
        let prepared = stage.venue.prepare(&order(&n.to_string(), quote, limit)).await.expect("a transaction");
        stage.venue.submit(&prepared).await.expect("taken");
        (stage.pass_slots)(9);
        let Outcome::Confirmed { amount_in, amount_out, .. } = stage.fate(&prepared).await else {
            panic!("order {n} did not execute");
        };
        match mode {
            Mode::ExactIn => assert!(amount_in == amount && amount_out >= limit),
            Mode::ExactOut => assert!(amount_out == amount && amount_in <= limit),
        }
    }
}

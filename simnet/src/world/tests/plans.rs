//! Plans of several swaps: what they promise and what becomes of them.

use super::*;

/// The order as a transaction that takes the quote at its word.
fn bound<'a>(quote: &Quote, amount: Amount, order: &'a str) -> Swap<'a> {
    let limit = match amount {
        Amount::In(_) => quote.amount_out,
        Amount::Out(_) => quote.amount_in,
    };
    Swap { amount, limit, steps: quote.steps(amount), ..swap(order) }
}

#[test]
fn what_is_quoted_is_what_is_realised() {
    for pace in ["real", "instant"] {
        // At a real pace the pools have moved by the time of the block, so that it is asked for at once.
        let amounts = [1_000, 1_000_000_000, 700_000_000_000, 20_000_000_000_000];
        let asked = amounts.map(Amount::In).into_iter().chain([150_000_000, 90_000_000_000].map(Amount::Out));
        for (n, amount) in asked.enumerate() {
            for venue in Venue::ALL {
                let world = world(&format!("pace={pace}&seed={n}"));
                let ask = Ask { venue, ..ask("SOL", "USDC", amount) };
                let Ok(quote) = world.quote(&ask, NOW) else {
                    assert_ne!(venue, Venue::Tradewind, "the exchange may be too small");
                    continue;
                };
                let mut state = world.lock();
                let executed = state.market.execute((0, 2), amount, &quote.steps(amount), slot_of(NOW));
                let executed = executed.expect("it executes");
                assert_eq!((executed.amount_in, executed.amount_out), (quote.amount_in, quote.amount_out));
            }
        }
    }
}

#[test]
fn the_router_is_never_worse_and_proves_how_good_it_is() {
    let world = world("pace=instant");
    for amount in [10_000_000, 1_000_000_000, 500_000_000_000, 5_000_000_000_000] {
        let [raydium, meteora, router] = Venue::ALL
            .map(|venue| world.quote(&Ask { venue, ..ask("SOL", "USDC", Amount::In(amount)) }, NOW).expect("a quote"));
        assert!(router.amount_out >= raydium.amount_out.max(meteora.amount_out));
        assert!(raydium.legs.iter().all(|leg| leg.exchange == crate::Exchange::Raydium));
        assert!(meteora.legs.iter().all(|leg| leg.exchange == crate::Exchange::Meteora));
        let certificate = router.certificate.expect("a proof");
        assert!(certificate.bound >= router.amount_out && certificate.gap_billionths < 300_000, "{certificate:?}");
        let paid: u64 = router.legs.iter().filter(|leg| &*leg.input == "SOL").map(|leg| leg.amount_in).sum();
        assert_eq!(paid, amount);
        assert!(router.fee > 0 && router.fee < amount / 300, "{}", router.fee);
    }
    let large = world.quote(&Ask { venue: Venue::Tradewind, ..ask("SOL", "USDC", Amount::In(5_000_000_000_000)) }, NOW);
    assert!(large.expect("a quote").legs.len() > 3);
}

#[test]
fn a_split_executes_whole_or_not_at_all() {
    let world = world("pace=instant&balance=10000");
    let amount = Amount::In(3_000_000_000_000);
    let quote = world.quote(&Ask { venue: Venue::Tradewind, ..ask("SOL", "USDC", amount) }, NOW).expect("a quote");
    let held = || world.balances("default", NOW).into_iter().map(|b| b.amount.expect("finite")).collect::<Vec<_>>();
    let before = held();
    let demanding = bound(&quote, amount, "demanding");
    let demanding = Swap { limit: demanding.limit + 1, ..demanding };
    let signed = sign(&world, &demanding, NOW);
    world.submit(&signed.bytes, NOW).expect("taken");
    assert_eq!(fate(&world, &signed, NOW), Outcome::Failed(Failure::SlippageExceeded));
    assert_eq!(held(), before, "nothing of it");
    let signed = sign(&world, &bound(&quote, amount, "content"), NOW);
    world.submit(&signed.bytes, NOW).expect("taken");
    let confirmed = Outcome::Confirmed { amount_in: quote.amount_in, amount_out: quote.amount_out, slot: slot_of(NOW) };
    assert_eq!(fate(&world, &signed, NOW), confirmed);
    assert_eq!(held()[2], before[2] + u128::from(quote.amount_out));
}

#[test]
fn the_same_question_is_answered_once() {
    let world = world("pace=instant");
    let ask = Ask { venue: Venue::Tradewind, ..ask("SOL", "USDC", Amount::In(1_000_000_000)) };
    let [first, second] = [0, 0].map(|_| world.quote(&ask, NOW).expect("a quote"));
    assert!(Arc::ptr_eq(&first, &second));
    let later = world.quote(&ask, NOW + SLOT_MILLIS).expect("a quote");
    assert!(!Arc::ptr_eq(&first, &later));
}

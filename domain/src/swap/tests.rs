//! What the decisions do to an order, its events and its jobs.

mod limits;

use std::sync::Arc;

use super::*;
use crate::{Entity, Expect, JobStep, Lease, Owner, Then, Timestamp};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn ask(mode: Mode, amount: u128) -> Ask {
    Ask { input: "SOL".into(), output: "USDC".into(), mode, amount }
}

fn place(mode: Mode, amount: u128) -> Place {
    Place {
        id: "0198".to_owned(),
        account: Owner::parse("alice").expect("a name"),
        side: Side::Sell,
        ask: ask(mode, amount),
        input_decimals: 9,
        output_decimals: 6,
        slippage_bps: 50,
        client_order_id: Some("mine-1".to_owned()),
        expires_at: Some(NOW.plus_millis(60_000)),
        conditions: Conditions::default(),
        firm: None,
        plan: None,
    }
}

fn step(then: Then) -> JobStep {
    JobStep { lease: Lease { job: 7, token: 1 }, then }
}

fn quote(venue: &str, mode: Mode, amount_in: u128, amount_out: u128) -> Quote {
    let amount = if mode == Mode::ExactIn { amount_in } else { amount_out };
    Quote {
        venue: venue.into(),
        ask: ask(mode, amount),
        amount_in,
        amount_out,
        fee: 3,
        price_impact_bps: 1,
        legs: Vec::new(),
        certificate: None,
        opaque: None,
    }
}

fn answers(mode: Mode, quotes: [(u128, u128); 2]) -> Vec<Answer> {
    let answer = |(venue, (i, o)): (&str, (u128, u128))| Answer {
        venue: venue.into(),
        result: Ok(quote(venue, mode, i, o)),
        millis: 1,
    };
    ["Raydium", "Meteora"].into_iter().zip(quotes).map(answer).collect()
}

#[test]
fn a_life_from_pending_to_confirmed() {
    let Choice { swap, change } = accept(place(Mode::ExactIn, 10_000_000_000), NOW).expect("accepted");
    assert_eq!((change.entities[0].expect, change.entities[0].status), (Expect::Absent, "pending"));
    assert_eq!(change.jobs.iter().map(|j| j.queue.as_ref()).collect::<Vec<_>>(), [QUEUE, QUEUE_EXPIRE]);
    assert_eq!(change.keys.len(), 1);
    insta::assert_snapshot!("pending", change.entities[0].event.as_ref().expect("an event").body);

    let swap = begin(&swap, 1, step(Then::Hold), NOW.plus_millis(1)).expect("begins").swap;
    let answers = answers(Mode::ExactIn, [(10_000_000_000, 1_500_000_000), (10_000_000_000, 1_520_000_001)]);
    let verdict = choose(&swap, &answers).expect("a choice");
    assert_eq!(verdict.index, 1);
    let chosen = answers[1].result.clone().expect("a quote");
    let route = Route { limit: limit(&chosen, swap.slippage_bps), quote: chosen, quoted_at: NOW };
    let Choice { swap, change } =
        routed(&swap, route, (&answers, &verdict), step(Then::Hold), NOW.plus_millis(2)).expect("routes");
    insta::assert_snapshot!("building", change.entities[0].event.as_ref().expect("an event").body);

    let bytes =
        Prepared { venue: "Meteora".into(), bytes: "AAAA".into(), id: "5sig".into(), expires_at_height: 99, build: 1 };
    let swap = prepared(&swap, bytes, step(Then::Hold), NOW.plus_millis(3)).expect("submits").swap;
    assert_eq!(cancel(&swap, NOW).expect_err("too late").code, "NOT_CANCELLABLE");
    let fill = Fill { amount_in: 10_000_000_000, amount_out: 1_519_999_999, slot: 88 };
    let Choice { swap, change } = confirm(&swap, fill, step(Then::Finish), NOW.plus_millis(4)).expect("confirms");
    assert_eq!((swap.version, change.entities[0].expect), (5, Expect::Version(4)));
    let body = &change.entities[0].event.as_ref().expect("an event").body;
    insta::assert_snapshot!("confirmed", body);
    assert_eq!(crate::view::of_event(body), swap.view_json());

    let write = &change.entities[0];
    let row = Entity {
        kind: write.kind,
        id: write.id.clone(),
        version: write.expect.next_version(),
        status: write.status.to_owned(),
        owner: write.owner.clone(),
        party: None,
        parent: None,
        body: write.body.clone(),
        created_seq: 1,
        created_at: NOW,
        updated_at: change.at,
    };
    assert_eq!(Swap::from_entity(&row).expect("reads back"), swap);
    let strange = Entity { status: "lost".to_owned(), ..row };
    assert!(Swap::from_entity(&strange).is_err(), "a status of no release");
}

#[test]
fn an_audit_is_no_part_of_the_view() {
    let swap = accept(place(Mode::ExactOut, 5), NOW).expect("accepted").swap;
    let swap = begin(&swap, 1, step(Then::Hold), NOW).expect("begins").swap;
    let mut answers = answers(Mode::ExactOut, [(900, 5), (800, 5)]);
    answers[0].result = Err(Failure { code: "NO_QUOTE".into(), message: "\",\"quotes\":[ late".into() });
    let verdict = choose(&swap, &answers).expect("a choice");
    let chosen = answers[verdict.index].result.clone().expect("a quote");
    let route = Route { limit: limit(&chosen, 50), quote: chosen, quoted_at: NOW };
    let Choice { swap, change } = routed(&swap, route, (&answers, &verdict), step(Then::Hold), NOW).expect("routes");
    let body = &change.entities[0].event.as_ref().expect("an event").body;
    let parsed: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(parsed["reason"], "Meteora was the only venue with a quote");
    assert_eq!(parsed["quotes"].as_array().map(Vec::len), Some(2));
    assert_eq!(crate::view::of_event(body), swap.view_json());
}

#[test]
fn the_better_venue_is_the_one_that_gives_the_trader_more() {
    let swap = accept(place(Mode::ExactIn, 10), NOW).expect("accepted").swap;
    for (mode, quotes, winner) in [
        (Mode::ExactIn, [(10, 100), (10, 101)], 1),
        (Mode::ExactIn, [(10, 101), (10, 100)], 0),
        (Mode::ExactOut, [(11, 100), (10, 100)], 1),
        (Mode::ExactOut, [(10, 100), (11, 100)], 0),
        (Mode::ExactIn, [(10, 100), (10, 100)], 0),
    ] {
        assert_eq!(choose(&swap, &answers(mode, quotes)).map(|v| v.index), Some(winner));
    }
    let late = Failure { code: "QUOTE_TIMEOUT".into(), message: "no answer".into() };
    let mut none = answers(Mode::ExactIn, [(10, 100), (10, 101)]);
    none[1].result = Err(late.clone());
    assert_eq!(choose(&swap, &none).map(|v| v.index), Some(0));
    none[0].result = Err(late);
    assert_eq!(choose(&swap, &none), None);
}

/// A quote of the router over both exchanges, as long as one can get.
fn split(mode: Mode, amount_in: u128, amount_out: u128) -> Quote {
    let longest = u128::from(u64::MAX);
    let leg = Leg {
        pool: "HJPjoWUrhoZzkNfRpHuieeFk9WcZWjwy6PBjZ81ngndJ".into(),
        exchange: "Raydium".into(),
        family: "raydium_amm_v4".into(),
        input: "LONGSYMBOL".into(),
        input_decimals: 9,
        output: "LONGSYMBOL".into(),
        output_decimals: 9,
        amount_in: longest,
        amount_out: longest,
        fee: longest,
        fee_token: "LONGSYMBOL".into(),
        price_impact_bps: 10_000,
    };
    Quote {
        legs: vec![leg; 16],
        certificate: Some(Certificate { bound: longest, gap_billionths: u64::MAX }),
        price_impact_bps: 0,
        ..quote("Tradewind", mode, amount_in, amount_out)
    }
}

#[test]
fn a_router_wins_only_with_a_better_price() {
    let swap = accept(place(Mode::ExactIn, 10), NOW).expect("accepted").swap;
    for (mode, (amount_in, amount_out), winner, reason) in [
        (Mode::ExactIn, (10, 101), 2, "Tradewind gives 0.000001 USDC more than Raydium"),
        (Mode::ExactIn, (10, 100), 0, "Raydium and Meteora offer the same"),
        (Mode::ExactOut, (9, 100), 2, "Tradewind takes 0.000000001 SOL less than Raydium"),
        (Mode::ExactOut, (10, 100), 0, "Raydium and Meteora offer the same"),
    ] {
        let mut all = answers(mode, [(10, 100), (10, 100)]);
        all.push(Answer { venue: "Tradewind".into(), result: Ok(split(mode, amount_in, amount_out)), millis: 1 });
        let verdict = choose(&swap, &all).expect("a choice");
        assert_eq!((verdict.index, verdict.reason.as_str()), (winner, reason));
    }
}

#[test]
fn a_proof_is_one_for_every_quote_beside_it() {
    let swap = accept(place(Mode::ExactIn, 10), NOW).expect("accepted").swap;
    for (mode, quotes, bound, gaps) in [
        (Mode::ExactIn, [(10, 990), (10, 1_001)], 1_000, [Some("100.00000"), None]),
        (Mode::ExactOut, [(1_010, 5), (999, 5)], 1_000, [Some("100.00000"), None]),
        (Mode::ExactIn, [(10, 1_000), (10, 997)], 1_000, [Some("0.00000"), Some("30.00000")]),
        (Mode::ExactIn, [(10, 2), (10, 3)], 3, [Some("3333.33334"), Some("0.00000")]),
    ] {
        let mut all = answers(mode, quotes);
        prove(&mut all);
        assert!(all.iter().all(|answer| answer.result.as_ref().is_ok_and(|quote| quote.certificate.is_none())));
        let certificate = Some(Certificate { bound, gap_billionths: 7 });
        let router = Quote { certificate, ..split(mode, 2_000, 1) };
        all.push(Answer { venue: "Tradewind".into(), result: Ok(router), millis: 1 });
        let before = choose(&swap, &all);
        prove(&mut all);
        assert_eq!(choose(&swap, &all), before, "a proof decides nothing");
        let told = all.iter().filter_map(|answer| answer.result.as_ref().ok()).map(|quote| quote.certificate);
        let told: Vec<_> = told.map(|certificate| certificate.map(|proved| proved.gap_bps())).collect();
        let [first, second] = gaps.map(|gap| gap.map(str::to_owned));
        assert_eq!(told, [first, second, Some("0.00007".to_owned())]);
    }
}

#[test]
fn the_longest_route_fits_into_an_event() {
    let swap = accept(place(Mode::ExactIn, 10_000_000_000), NOW).expect("accepted").swap;
    let mut swap = begin(&swap, 1, step(Then::Hold), NOW).expect("begins").swap;
    let mut all = answers(Mode::ExactIn, [(10_000_000_000, 1_500_000_000), (10_000_000_000, 1_520_000_000)]);
    let result = Ok(split(Mode::ExactIn, 10_000_000_000, 1_530_000_000));
    all.push(Answer { venue: "Tradewind".into(), result, millis: 1 });
    let verdict = choose(&swap, &all).expect("a choice");
    let route = Route { limit: 1, quote: all[2].result.clone().expect("a quote"), quoted_at: NOW };
    // The second time the old route stands in the event as well.
    for _ in 0..2 {
        let route = Route { quoted_at: swap.updated_at, ..route.clone() };
        let Choice { swap: after, change } =
            routed(&swap, route, (&all, &verdict), step(Then::Hold), NOW.plus_millis(5)).expect("routes");
        let body = &change.entities[0].event.as_ref().expect("an event").body;
        assert!(body.len() < crate::Event::BODY_LIMIT / 2, "{} bytes", body.len());
        assert_eq!(crate::view::of_event(body), after.view_json());
        let told: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(told["route"]["legs"].as_array().map(Vec::len), Some(16));
        assert_eq!(
            (&told["quotes"][2]["legCount"], &told["quotes"][2]["legs"]),
            (&16.into(), &serde_json::Value::Null)
        );
        swap = after;
    }
}

#[test]
fn a_split_is_shown_with_its_swaps_and_its_proof() {
    let swap = accept(place(Mode::ExactIn, 10_000_000_000), NOW).expect("accepted").swap;
    let swap = begin(&swap, 1, step(Then::Hold), NOW).expect("begins").swap;
    let leg = |pool: &str, exchange: &str, family: &str, amount_in, amount_out, fee_token: &str| Leg {
        pool: pool.into(),
        exchange: exchange.into(),
        family: family.into(),
        input: "SOL".into(),
        input_decimals: 9,
        output: "USDC".into(),
        output_decimals: 6,
        amount_in,
        amount_out,
        fee: 2_500_000,
        fee_token: fee_token.into(),
        price_impact_bps: 4,
    };
    let quote = Quote {
        legs: vec![
            leg("R1", "Raydium", "raydium_clmm", 6_000_000_000, 910_000_000, "SOL"),
            leg("M1", "Meteora", "meteora_dlmm", 4_000_000_000, 610_000_000, "USDC"),
        ],
        certificate: Some(Certificate { bound: 1_520_000_100, gap_billionths: 66 }),
        ..quote("Tradewind", Mode::ExactIn, 10_000_000_000, 1_520_000_000)
    };
    let answers = [Answer { venue: "Tradewind".into(), result: Ok(quote.clone()), millis: 1 }];
    let verdict = choose(&swap, &answers).expect("a choice");
    let route = Route { limit: limit(&quote, 50), quote, quoted_at: NOW };
    let Choice { change, .. } = routed(&swap, route, (&answers, &verdict), step(Then::Hold), NOW).expect("routes");
    insta::assert_snapshot!("split", change.entities[0].event.as_ref().expect("an event").body);
}

#[test]
fn limits_round_for_the_trader() {
    for (mode, amount_in, amount_out, bps, expected) in [
        (Mode::ExactIn, 1, 1_000_001, 50, 995_001),
        (Mode::ExactIn, 1, 10_000, 50, 9_950),
        (Mode::ExactIn, 1, 1, 10_000, 1),
        (Mode::ExactIn, 1, u128::from(u64::MAX), 0, u128::from(u64::MAX)),
        (Mode::ExactOut, 1_000_001, 1, 50, 1_005_001),
        (Mode::ExactOut, 199, 1, 50, 199),
        (Mode::ExactOut, 10_u128.pow(37), 1, 10_000, 2 * 10_u128.pow(37)),
    ] {
        assert_eq!(limit(&quote("x", mode, amount_in, amount_out), bps), expected);
    }
}

#[test]
fn bad_orders_are_refused_with_the_field() {
    let at = |change: fn(&mut Place)| {
        let mut place = place(Mode::ExactIn, 1);
        change(&mut place);
        accept(place, NOW).map(|_| ()).map_err(|r| (r.code, r.pointer))
    };
    assert_eq!(at(|p| p.expires_at = Some(NOW)), Err(("EXPIRE_TIME_IN_PAST", Some("/expiresAt".into()))));
    assert_eq!(at(|p| p.ask.output = Arc::clone(&p.ask.input)), Err(("SAME_TOKEN", Some("/outputToken".into()))));
    assert_eq!(at(|p| p.ask.amount = 0), Err(("AMOUNT_NOT_POSITIVE", Some("/amount".into()))));
    assert_eq!(at(|p| p.slippage_bps = 10_001), Err(("SLIPPAGE_OUT_OF_RANGE", Some("/slippageBps".into()))));
    assert_eq!(at(|_| ()), Ok(()));
}

#[test]
fn a_retry_keeps_the_status_and_says_why() {
    let swap = accept(place(Mode::ExactIn, 10), NOW).expect("accepted").swap;
    let swap = begin(&swap, 1, step(Then::Hold), NOW).expect("begins").swap;
    let why = Failure { code: "NO_ROUTE".into(), message: "nobody answered".into() };
    let then = Then::Retry { run_at: NOW.plus_millis(1_000), error: why.message.clone() };
    let Choice { swap, change } = retry(&swap, why.clone(), step(then), NOW).expect("tries again");
    assert_eq!((swap.status, change.entities[0].status), (Status::Routing, "routing"));
    let bury = Then::Bury { why: why.message.clone(), park: false };
    let swap = fail(&swap, why.clone(), step(bury), NOW).expect("fails").swap;
    assert_eq!((swap.status, swap.failure), (Status::Failed, Some(why)));
}

#[test]
fn an_order_for_a_signed_quote_rests_before_it_is_taken_up() {
    let firm = |firm| Place { firm, ..place(Mode::ExactIn, 10) };
    let begins = |place| accept(place, NOW).expect("accepted").change.jobs[0].run_at;
    let quote = Box::new(quote("Universal", Mode::ExactIn, 10, 20));
    assert_eq!((begins(firm(None)), begins(firm(Some(quote)))), (NOW, NOW.plus_millis(300)));
}

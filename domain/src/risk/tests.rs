//! What limits and the trading state let through, what they refuse, and what goes back.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::swap::{
    Answer, Ask, Choice, Conditions, Failure, Mode, Place, Quote, Side, accept_within, begin, cancel, choose, confirm,
    expire, fail, prepared, routed, too_much_impact,
};
use crate::token::Registry;
use crate::{Change, Entity, JobStep, Lease, LevelMove, Then, Timestamp};

/// 2026-11-18, 11:06:40.
const NOW: Timestamp = Timestamp(1_795_000_000_000_000);
const DAY: i64 = 86_400_000_000;

fn ask(input: &str, output: &str, mode: Mode, amount: u128) -> Ask {
    Ask { input: input.into(), output: output.into(), mode, amount }
}

fn place(ask: Ask) -> Place {
    Place {
        id: "0198".to_owned(),
        account: Owner::parse("alice").expect("a name"),
        side: Side::Sell,
        ask,
        input_decimals: 9,
        output_decimals: 6,
        slippage_bps: 50,
        client_order_id: None,
        expires_at: None,
        conditions: Conditions::default(),
        firm: None,
        plan: None,
    }
}

/// Ten SOL at 150 US dollars.
fn ten_sol() -> Place {
    place(ask("SOL", "USDC", Mode::ExactIn, 10_000_000_000))
}

fn quote(impact: u32) -> Quote {
    Quote {
        venue: "Raydium".into(),
        ask: ten_sol().ask,
        amount_in: 10_000_000_000,
        amount_out: 1_500_000_000,
        fee: 1,
        price_impact_bps: impact,
        legs: Vec::new(),
        certificate: None,
        opaque: None,
    }
}

fn registry() -> Registry {
    let mut tokens = Registry::default();
    tokens.extend_from_json(r#"[{"symbol":"WIF","mint":"EKpQ","decimals":6}]"#).expect("a good file");
    tokens
}

#[test]
fn notionals_are_exact_and_rounded_up() {
    let mut tokens = registry();
    let more = r#"[{"symbol":"TINY","mint":"a","decimals":24,"referencePrice":1},
        {"symbol":"HUGE","mint":"b","decimals":0,"referencePrice":18446744073709551615},
        {"symbol":"DEAR","mint":"c","decimals":24,"referencePrice":18446744073709551615}]"#;
    tokens.extend_from_json(more).expect("a good file");
    let most = 10_u128.pow(38) - 1;
    for (token, amount, expected) in [
        ("SOL", 10_000_000_000, Some(1_500_000_000)),
        ("USDC", 1, Some(1)),
        ("USDC", 1_000_001, Some(1_000_001)),
        // 0.00001 BONK are worth 2e-10 US dollars, 5,000 of them 1.
        ("BONK", 1, Some(1)),
        ("BONK", 5_000, Some(1)),
        ("BONK", 5_001, Some(2)),
        ("SOL", 6, Some(1)),
        ("SOL", 7, Some(2)),
        ("TINY", 1, Some(1)),
        ("TINY", 10_u128.pow(30), Some(1)),
        ("TINY", 10_u128.pow(30) + 1, Some(2)),
        ("TINY", most, Some(100_000_000)),
        ("DEAR", most, Some(1_844_674_407_370_955_161_500_000_000)),
        ("HUGE", 1, Some(18_446_744_073_710)),
        ("HUGE", 10_u128.pow(25), Some(184_467_440_737_095_516_150_000_000_000_000_000_000)),
        ("HUGE", most, Some(u128::MAX)),
        ("WIF", 1, None),
        ("NONE", 1, None),
    ] {
        assert_eq!(notional(&ask(token, "USDT", Mode::ExactIn, amount), &tokens), expected, "{amount} {token}");
        assert_eq!(notional(&ask("USDT", token, Mode::ExactOut, amount), &tokens), expected, "{amount} {token} wanted");
    }
}

proptest! {
    #[test]
    fn notionals_are_those_of_plain_division_where_that_can_be_done(
        amount in 0..10_u128.pow(20), price in 0..10_u64.pow(18), decimals in 0..=24_u8,
    ) {
        let mut tokens = Registry::default();
        let json = format!(r#"[{{"symbol":"T","mint":"t","decimals":{decimals},"referencePrice":{price}}}]"#);
        tokens.extend_from_json(&json).expect("a good file");
        let plain = (amount * u128::from(price)).div_ceil(10_u128.pow(u32::from(decimals) + 6));
        prop_assert_eq!(notional(&ask("T", "USDC", Mode::ExactIn, amount), &tokens), Some(plain));
    }
}

#[test]
fn orders_are_held_against_each_limit() {
    let tokens = registry();
    let wif = || place(ask("WIF", "USDC", Mode::ExactIn, 1));
    let share = |micros, most| Ok(Reserved { share: Some(Share { micros, most }), max_price_impact_bps: None });
    let judged = |terms: fn(&mut Terms), place: Place| {
        judge(&self::terms(terms), &place, &tokens).map_err(|refusal| (refusal.code, refusal.pointer))
    };
    let refused = |code, pointer: &'static str| Err((code, Some(pointer.into())));
    assert_eq!(judged(|_| (), ten_sol()), Ok(Reserved::default()));
    // To the millionth of a dollar.
    assert_eq!(judged(|t| t.max_order = Some(1_500_000_000), ten_sol()), Ok(Reserved::default()));
    let per_order = "NOTIONAL_EXCEEDS_MAX_PER_ORDER";
    assert_eq!(judged(|t| t.max_order = Some(1_499_999_999), ten_sol()), refused(per_order, "/amount"));
    assert_eq!(judged(|t| t.max_order = Some(0), wif()), refused("NOTIONAL_UNKNOWN", "/amount"));
    assert_eq!(judged(|t| t.max_day = Some(u64::MAX), wif()), refused("NOTIONAL_UNKNOWN", "/amount"));
    assert_eq!(judged(|t| t.max_day = Some(1_500_000_000), ten_sol()), share(1_500_000_000, 1_500_000_000));
    assert_eq!(judged(|t| t.max_day = Some(1_499_999_999), ten_sol()), refused("DAILY_LIMIT", "/amount"));
    assert_eq!(
        judged(|t| t.max_day = Some(LevelMove::HIGHEST.unsigned_abs()), ten_sol()),
        share(1_500_000_000, LevelMove::HIGHEST)
    );
    let both = |t: &mut Terms| (t.max_order, t.max_day) = (Some(2_000_000_000), Some(9_000_000_000));
    assert_eq!(judged(both, ten_sol()), share(1_500_000_000, 9_000_000_000));
    // A token without a price may be traded where no limit is in dollars.
    assert_eq!(judged(|t| t.allowed_tokens = Some(vec!["USDC".into(), "WIF".into()]), wif()), Ok(Reserved::default()));
    assert_eq!(
        judged(|t| t.allowed_tokens = Some(vec!["USDC".into()]), wif()),
        refused("TOKEN_NOT_ALLOWED", "/inputToken")
    );
    assert_eq!(
        judged(|t| t.allowed_tokens = Some(vec!["WIF".into()]), wif()),
        refused("TOKEN_NOT_ALLOWED", "/outputToken")
    );
    assert_eq!(judged(|t| t.allowed_tokens = Some(vec![]), ten_sol()), refused("TOKEN_NOT_ALLOWED", "/inputToken"));
    for (own, limit, counts) in [
        (None, Some(30), Some(30)),
        (Some(20), Some(30), Some(20)),
        (Some(40), Some(30), Some(30)),
        (Some(40), None, Some(40)),
    ] {
        let conditions = Conditions { max_price_impact_bps: own, ..Conditions::default() };
        let terms = Terms { max_price_impact_bps: limit, ..Terms::default() };
        let place = Place { conditions, ..ten_sol() };
        let reserved = judge(&terms, &place, &tokens).expect("within");
        assert_eq!(reserved.max_price_impact_bps, counts);
        let swap = accept_within(place, reserved, NOW).expect("taken").swap;
        assert_eq!(swap.conditions.max_price_impact_bps, counts);
    }
    let firm = |impact| Place { firm: Some(Box::new(quote(impact))), ..ten_sol() };
    let limited = |t: &mut Terms| t.max_price_impact_bps = Some(30);
    assert!(judged(limited, firm(30)).is_ok());
    assert_eq!(judged(limited, firm(31)), Err(("PRICE_IMPACT_TOO_HIGH", None)));
}

fn terms(change: fn(&mut Terms)) -> Terms {
    let mut terms = Terms::default();
    change(&mut terms);
    terms
}

fn taken(at: Timestamp) -> Choice {
    let reserved =
        Reserved { share: Some(Share { micros: 1_500_000_000, most: 9_000_000_000 }), max_price_impact_bps: None };
    let place = Place { expires_at: Some(at.plus_micros(DAY)), ..ten_sol() };
    accept_within(place, reserved, at).expect("taken")
}

fn step(then: Then) -> JobStep {
    JobStep { lease: Lease { job: 7, token: 1 }, then }
}

#[test]
fn what_was_taken_of_a_day_goes_back_to_it_once_unless_it_traded() {
    let Choice { swap, change } = taken(NOW);
    let name = "notional:2026-11-18:alice".to_owned();
    assert_eq!(change.levels, [LevelMove { name: name.clone(), add: 1_500_000_000, most: Some(9_000_000_000) }]);
    let back = |change: &Change| change.levels.clone();
    let given_back = [LevelMove { name, add: -1_500_000_000, most: None }];
    let why = Failure { code: "NO_ROUTE".into(), message: "nobody".into() };
    let later = NOW.plus_micros(DAY);
    assert_eq!(back(&cancel(&swap, later).expect("cancelled").change), given_back);
    assert_eq!(back(&expire(&swap, step(Then::Finish), later).expect("expired").change), given_back);
    assert_eq!(back(&fail(&swap, why.clone(), step(Then::Finish), later).expect("failed").change), given_back);
    // The day's sum is kept for long enough.
    let week = NOW.plus_micros(7 * DAY);
    assert_eq!(back(&cancel(&swap, week).expect("cancelled").change), given_back);
    assert_eq!(back(&cancel(&swap, week.plus_micros(DAY)).expect("cancelled").change), []);
    let (first, end) = old_levels(week.plus_micros(6 * DAY));
    assert!(!(first..end).contains(&given_back[0].name));
    let (first, end) = old_levels(week.plus_micros(8 * DAY));
    assert!((first..end).contains(&given_back[0].name));
    // Nothing on the way, nothing for what traded, and nothing after the end.
    let routing = begin(&swap, 1, step(Then::Hold), NOW).expect("begins");
    let route = crate::swap::Route { limit: 1, quote: quote(1), quoted_at: NOW };
    let answers = [Answer { venue: "Raydium".into(), result: Ok(quote(1)), millis: 1 }];
    let verdict = choose(&routing.swap, &answers).expect("a choice");
    let building = routed(&routing.swap, route, (&answers, &verdict), step(Then::Hold), NOW).expect("routes");
    let bytes = crate::swap::Prepared {
        venue: "Raydium".into(),
        bytes: "AA".into(),
        id: "5".into(),
        expires_at_height: 9,
        build: 1,
    };
    let sent = prepared(&building.swap, bytes, step(Then::Hold), NOW).expect("submits");
    let fill = crate::swap::Fill { amount_in: 1, amount_out: 1, slot: 1 };
    let done = confirm(&sent.swap, fill, step(Then::Finish), NOW).expect("confirmed");
    for change in [routing.change, building.change, sent.change, done.change] {
        assert_eq!(back(&change), []);
    }
    let ended = cancel(&swap, NOW).expect("cancelled").swap;
    assert!(fail(&ended, why, step(Then::Finish), NOW).is_err() && cancel(&ended, NOW).is_err());
    // Orders without a limit take nothing and give nothing back.
    let free = accept_within(ten_sol(), Reserved::default(), NOW).expect("taken");
    assert_eq!((back(&free.change), back(&cancel(&free.swap, NOW).expect("cancelled").change)), (vec![], vec![]));
}

#[test]
fn a_day_is_one_of_utc() {
    let midnight = Timestamp::parse("2026-11-19T00:00:00Z").expect("an instant");
    assert_eq!((day(midnight), day(midnight.plus_micros(-1))), ("2026-11-19".into(), "2026-11-18".into()));
    let alice = Owner::parse("alice").expect("a name");
    assert!(is_level(&level(&alice, NOW)) && !is_level("stock:alice:mug"));
}

#[test]
fn quotes_with_too_much_impact_are_not_chosen() {
    let conditions = Conditions { max_price_impact_bps: Some(30), ..Conditions::default() };
    let swap = accept_within(Place { conditions, ..ten_sol() }, Reserved::default(), NOW).expect("taken").swap;
    let answer = |result| Answer { venue: "Raydium".into(), result, millis: 1 };
    let gives = |impact, out| answer(Ok(Quote { amount_out: out, ..quote(impact) }));
    let fails = |code: &str| answer(Err(Failure { code: code.into(), message: "no".into() }));
    let chosen = |answers: &[Answer]| choose(&swap, answers).map(|verdict| verdict.index);
    assert_eq!(chosen(&[gives(31, 9), gives(30, 1)]), Some(1));
    assert_eq!(chosen(&[gives(31, 9), gives(32, 1)]), None);
    let refused = |answers: &[Answer]| too_much_impact(&swap, answers).map(|failure| failure.code);
    let code = Some("PRICE_IMPACT_TOO_HIGH".to_owned());
    assert_eq!(refused(&[gives(31, 9), gives(32, 1)]), code);
    assert_eq!(refused(&[gives(31, 9), fails("NO_ROUTE")]), code);
    // One that did not answer may next time; and without a quote it is not the impact.
    assert_eq!(refused(&[gives(31, 9), fails("QUOTE_TIMEOUT")]), None);
    assert_eq!(refused(&[gives(31, 9), gives(30, 1)]), None);
    assert_eq!(refused(&[fails("NO_ROUTE")]), None);
    let anything = accept_within(ten_sol(), Reserved::default(), NOW).expect("taken").swap;
    assert_eq!(too_much_impact(&anything, &[gives(9_999, 1)]), None);
}

/// What a write leaves in the journal.
fn row(change: &Change) -> Entity {
    let write = change.entities[0].clone();
    Entity {
        kind: write.kind,
        id: write.id,
        version: write.expect.next_version(),
        status: write.status.to_owned(),
        owner: write.owner,
        party: None,
        parent: None,
        body: write.body,
        created_seq: 1,
        created_at: NOW,
        updated_at: change.at,
    }
}

#[test]
fn limits_are_set_changed_and_taken_away() {
    let by = Owner::parse("ops").expect("a name");
    let terms = Terms {
        max_order: Some(1_000_000_000),
        max_day: Some(5_000_500_000),
        allowed_tokens: Some(["USDC", "SOL", "USDC"].map(Arc::from).to_vec()),
        max_price_impact_bps: Some(100),
    };
    let (limits, change) = put(None, "alice", terms.clone(), &by, NOW).expect("set");
    assert_eq!(limits.terms.allowed_tokens, Some(["SOL", "USDC"].map(Arc::from).to_vec()));
    assert_eq!((change.entities[0].owner.as_str(), change.entities[0].expect), ("alice", Expect::Absent));
    insta::assert_snapshot!("limits_set", change.entities[0].event.as_ref().expect("an event").body);
    assert_eq!(Limits::from_entity(&row(&change)).expect("reads back"), limits);
    let (same, nothing) = put(Some(&limits), "alice", terms, &by, NOW).expect("the same");
    assert_eq!((same, nothing.entities), (limits.clone(), vec![]));
    let (gone, change) = remove(&limits, &by, NOW.plus_millis(1));
    assert_eq!((gone.version, gone.status, &gone.terms), (2, Status::Removed, &Terms::default()));
    assert_eq!(Limits::from_entity(&row(&change)).expect("reads back"), gone);
    // Set again they say so, also where they say nothing.
    let (again, change) = put(Some(&gone), "alice", Terms::default(), &by, NOW).expect("set");
    assert_eq!((again.version, again.status, change.entities.len()), (3, Status::Active, 1));
    assert_eq!(put(None, ALL_OTHERS, Terms::default(), &by, NOW).expect("set").1.entities[0].owner, Owner::system());
    let refused = |terms: Terms| put(None, "alice", terms, &by, NOW).map(|_| ()).map_err(|refusal| refusal.code);
    let most = LevelMove::HIGHEST.unsigned_abs();
    for (terms, expected) in [
        (Terms { max_order: Some(most), max_day: Some(0), ..Terms::default() }, Ok(())),
        (Terms { max_order: Some(most + 1), ..Terms::default() }, Err("OUT_OF_RANGE")),
        (Terms { max_day: Some(u64::MAX), ..Terms::default() }, Err("OUT_OF_RANGE")),
        (Terms { max_price_impact_bps: Some(10_000), ..Terms::default() }, Ok(())),
        (Terms { max_price_impact_bps: Some(10_001), ..Terms::default() }, Err("OUT_OF_RANGE")),
        (
            Terms { allowed_tokens: Some((0..201).map(|n| n.to_string().into()).collect()), ..Terms::default() },
            Err("OUT_OF_RANGE"),
        ),
    ] {
        assert_eq!(refused(terms), expected);
    }
}

#[test]
fn each_state_lets_through_what_it_says() {
    let tokens = registry();
    let code =
        |state: State, output: &str| state.judge(&ask("SOL", output, Mode::ExactIn, 1), &tokens).map_err(|r| r.code);
    for (state, into_dollars, elsewhere) in [
        (State::Active, Ok(()), Ok(())),
        (State::Reducing, Ok(()), Err("TRADING_STATE_REDUCING")),
        (State::Halted, Err("TRADING_HALTED"), Err("TRADING_HALTED")),
    ] {
        assert_eq!(State::parse(state.as_str()), Some(state));
        for output in ["USDC", "USDT"] {
            assert_eq!(code(state, output), into_dollars, "{state:?}");
        }
        for output in ["JUP", "WIF", "NONE"] {
            assert_eq!(code(state, output), elsewhere, "{state:?} {output}");
        }
    }
    let by = Owner::parse("ops").expect("a name");
    let reason = Some("a venue answers nonsense".to_owned());
    let (halted, change) = turn(&Trading::untouched(), State::Halted, reason.clone(), &by, NOW).expect("turned");
    insta::assert_snapshot!("trading_changed", change.entities[0].event.as_ref().expect("an event").body);
    assert_eq!(Trading::from_entity(&row(&change)).expect("reads back"), halted);
    assert_eq!(turn(&halted, State::Halted, reason, &by, NOW).expect("the same").1.entities, []);
    let (active, change) = turn(&halted, State::Active, None, &by, NOW.plus_millis(5)).expect("turned");
    assert_eq!((active.version, active.created_at, change.entities[0].expect), (2, NOW, Expect::Version(1)));
    // What was never set is set, whatever to.
    assert_eq!(turn(&Trading::untouched(), State::Active, None, &by, NOW).expect("set").0.version, 1);
    for reason in [String::new(), "x".repeat(501)] {
        let refusal = turn(&halted, State::Active, Some(reason), &by, NOW).expect_err("no reason");
        assert_eq!(refusal.code, "NOTE_MALFORMED");
    }
}

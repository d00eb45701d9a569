//! Routes over the recorded networks: exact, within their limits, close to the optimum and never above their bound.
#![expect(clippy::float_arithmetic, reason = "recorded optima are decimal text")]

use std::sync::LazyLock;

use proptest::prelude::*;
use routing::{Amount, Limits, Network, NetworkFile, Plan, Pool, Question, RouteError, Trade, best, certify, fast};

use crate::data;

/// The networks of one size.
fn networks(pools: usize, files: usize) -> Vec<NetworkFile> {
    let read = |file| NetworkFile::read(&data::read(&format!("routing_{pools}pools_{file}.json"))).expect("a network");
    (0..files).map(read).collect()
}

static SMALL: LazyLock<Vec<NetworkFile>> = LazyLock::new(|| networks(30, 8));
static MIDDLE: LazyLock<Vec<NetworkFile>> = LazyLock::new(|| networks(100, 6));

fn question(file: &NetworkFile, trade: &Trade) -> Question {
    let token = |name| file.network.token(name).expect("a token");
    Question { from: token(&trade.from), to: token(&trade.to), amount: Amount::In(trade.amount) }
}

/// What must hold of any plan: nothing is left between the first token and the last, no pool is asked twice, and executing
/// it gives what it says.
fn check(file: &NetworkFile, question: &Question, plan: &Plan) {
    let mut held = vec![0_i128; file.network.tokens().len()];
    let mut pools = Vec::new();
    for leg in &plan.legs {
        held[leg.from] -= i128::from(leg.swap.amount_in);
        held[leg.to] += i128::from(leg.swap.amount_out);
        assert!(leg.from == question.from || held[leg.from] >= 0, "a leg spends what is not there yet");
        assert!(!pools.contains(&leg.pool), "a pool is used twice");
        pools.push(leg.pool);
    }
    assert_eq!(std::mem::take(&mut held[question.from]), -i128::from(plan.amount_in));
    assert_eq!(std::mem::take(&mut held[question.to]), i128::from(plan.amount_out));
    assert!(held.iter().all(|left| *left == 0), "something is left over");
    assert_eq!(plan.simulate(&file.network, question).as_ref(), Ok(plan));
}

/// The gaps to the optimum in basis points, the largest last, of all trades of these files.
fn gaps(files: &[NetworkFile], limits: &Limits) -> Vec<f64> {
    let mut gaps = Vec::new();
    for file in files {
        assert!(file.network.left_out().is_empty());
        for trade in &file.trades {
            let question = question(file, trade);
            let answer = best(&file.network, &question, limits).expect("a route");
            check(file, &question, &answer.plan);
            let (out, bound) = (answer.plan.amount_out, answer.certificate.bound);
            assert!(out <= bound);
            if let Ok(single) = fast(&file.network, &question, 3) {
                check(file, &question, &single);
                assert!(single.amount_out <= out, "one path gives more than many");
            }
            let number = |text: &Option<String>| text.as_ref().expect("given").parse::<f64>().expect("a number");
            let (optimum, upper_bound) = (number(&trade.optimum), number(&trade.upper_bound));
            assert!((out as f64) <= upper_bound * (1.0 + 1e-6) + 1.0, "more than can be");
            // The recorded optimum is known to two millionths.
            assert!(bound as f64 >= optimum * (1.0 - 2e-6) - 1.0, "the bound {bound} is below the optimum {optimum}");
            gaps.push((1.0 - out as f64 / optimum) * 10_000.0);
            assert!(answer.certificate.gap_billionths >= u64::from(out < bound));
        }
    }
    gaps.sort_by(f64::total_cmp);
    gaps
}

#[test]
fn splits_come_close_to_the_optimum() {
    for files in [&*SMALL, &*MIDDLE, &networks(300, 2), &networks(1_000, 1)] {
        let gaps = gaps(files, &Limits { partial: true, ..Limits::default() });
        let (high, worst) = (gaps[gaps.len() * 95 / 100], gaps[gaps.len() - 1]);
        assert!(high <= 1.0 && worst <= 5.0, "p95 {high} bps, worst {worst} bps below the optimum");
    }
}

#[test]
fn limits_are_kept() {
    for (legs, paths, hops) in [(16, 16, 8), (4, 2, 3), (1, 1, 1), (3, 1, 4)] {
        let limits = Limits { hops, legs: Some(legs), paths: Some(paths), partial: true };
        for file in MIDDLE.iter().take(2) {
            for trade in &file.trades {
                let question = question(file, trade);
                match best(&file.network, &question, &limits) {
                    Ok(answer) => {
                        check(file, &question, &answer.plan);
                        assert!(answer.plan.legs.len() <= legs, "{} legs, {legs} allowed", answer.plan.legs.len());
                        assert!(paths > 1 || answer.plan.legs.len() <= hops);
                        assert!(answer.plan.amount_out <= answer.certificate.bound);
                    }
                    Err(error) => assert!(hops == 1, "{error}"),
                }
            }
        }
    }
}

#[test]
fn what_is_wanted_is_bought_for_what_it_is_worth() {
    for file in &*SMALL {
        for trade in &file.trades {
            let sold = question(file, trade);
            let Ok(there) = best(&file.network, &sold, &Limits::default()) else { continue };
            // A little less than all that may be in reach.
            let wanted = there.plan.amount_out - there.plan.amount_out / 1_000;
            let bought = Question { amount: Amount::Out(wanted), ..sold };
            let answer = best(&file.network, &bought, &Limits::default()).expect("what was had can be had");
            check(file, &bought, &answer.plan);
            assert!(answer.plan.amount_out >= wanted);
            assert!(answer.certificate.bound <= answer.plan.amount_in && answer.certificate.bound <= trade.amount);
            let single = fast(&file.network, &bought, 3).map_or(u64::MAX, |plan| plan.amount_in);
            assert!(answer.plan.amount_in <= single);
            // Both ways lose little, so that together they do; a thousandth less is bought.
            let more = answer.plan.amount_in as f64 / trade.amount as f64;
            assert!(more <= 1.0005 + 3.0 / trade.amount as f64, "pays {more} times as much");
        }
    }
}

#[test]
fn a_trade_of_more_than_the_pools_hold_is_refused_or_made_in_part() {
    let file = &SMALL[0];
    let everything = Question { amount: Amount::Out(u64::MAX / 2), ..question(file, &file.trades[0]) };
    assert_eq!(best(&file.network, &everything, &Limits::default()), Err(RouteError::TooMuch));
    assert_eq!(fast(&file.network, &everything, 3), Err(RouteError::TooMuch));
}

#[test]
fn one_leg_is_one_leg() {
    let question = Question { from: 0, to: 1, amount: Amount::In(5_000_000) };
    let network = twins();
    let split = best(&network, &question, &Limits::default()).expect("a split").plan;
    let limited = best(&network, &question, &Limits { legs: Some(1), ..Limits::default() }).expect("a route").plan;
    assert_eq!((split.legs.len(), limited.legs.len()), (2, 1));
}

#[test]
fn any_number_of_hops_may_be_allowed() {
    let file = &SMALL[0];
    let good = question(file, &file.trades[0]);
    let limits = Limits { hops: usize::MAX, partial: true, ..Limits::default() };
    check(file, &good, &best(&file.network, &good, &limits).expect("a route").plan);
    check(file, &good, &fast(&file.network, &good, usize::MAX).expect("a path"));
    let everything = Question { amount: Amount::Out(u64::MAX / 2), ..good };
    assert_eq!(fast(&file.network, &everything, usize::MAX), Err(RouteError::TooMuch));
}

#[test]
fn prices_that_say_nothing_prove_nothing() {
    let network = twins();
    let question = Question { from: 0, to: 1, amount: Amount::Out(1_000) };
    let plan = fast(&network, &question, 1).expect("a path");
    assert_eq!(certify(&network, &question, &[], &plan).bound, 0);
}

/// DAMM v1 knows no exact output: what it gives beyond what is wanted is part of the plan's sum, and no such pool stands
/// before another.
#[test]
fn what_a_pool_gives_beyond_what_is_wanted_is_counted() {
    let vault = serde_json::json!({ "total_amount": "2000000", "lp_supply": "20000", "token_reserve": "2000000",
        "last_updated_locked_profit": "0", "last_report": "0", "locked_profit_degradation": "0" });
    let state = serde_json::json!({ "curve": "constant_product", "trade_fee_numerator": "25", "trade_fee_denominator":
        "10000", "protocol_trade_fee_numerator": "0", "protocol_trade_fee_denominator": "10000", "pool_vault_a_lp": "10000",
        "pool_vault_b_lp": "10000", "vault_a": vault, "vault_b": vault });
    let pool = Pool::read("meteora_damm_v1", &state.to_string()).expect("a pool");
    let mut network = Network::new(["A", "B", "C"], 1_790_000_000);
    network.list("first", ("A", "B"), pool.clone()).expect("listed");
    let mut file = NetworkFile { network, trades: Vec::new() };
    let question = Question { from: 0, to: 1, amount: Amount::Out(1_050) };
    for plan in [fast(&file.network, &question, 1), best(&file.network, &question, &Limits::default()).map(|a| a.plan)]
    {
        let plan = plan.expect("a path");
        check(&file, &question, &plan);
        assert!(plan.amount_out > 1_050, "one share of the vault is worth a hundred units");
    }
    file.network.list("second", ("B", "C"), pool).expect("listed");
    assert!(fast(&file.network, &Question { to: 2, ..question }, 2).is_err());
}

/// Two equal pools between two tokens.
fn twins() -> Network {
    let state = serde_json::json!({ "coin_vault": "100000000", "pc_vault": "100000000", "need_take_pnl_coin": "0",
        "need_take_pnl_pc": "0", "swap_fee_numerator": "25", "swap_fee_denominator": "10000" });
    let mut network = Network::new(["A", "B"], 1_790_000_000);
    for id in ["one", "other"] {
        let pool = Pool::read("raydium_amm_v4", &state.to_string()).expect("a pool");
        network.list(id, ("A", "B"), pool).expect("listed");
    }
    network
}

#[test]
fn bad_questions_are_told_what_is_wrong() {
    let file = &SMALL[0];
    let good = question(file, &file.trades[0]);
    let bad =
        |question: Question| best(&file.network, &question, &Limits::default()).map(|_| ()).map_err(|e| e.to_string());
    let text = |text: &str| Err(text.to_owned());
    assert_eq!(bad(Question { amount: Amount::In(0), ..good }), text("amount: is zero"));
    assert_eq!(bad(Question { from: 10_000, ..good }), text("from: is no token of the network"));
    assert_eq!(bad(Question { to: good.from, ..good }), text("to: is the token that is paid"));
    let dust = Question { from: good.to, to: good.from, amount: Amount::In(1) };
    assert_eq!(bad(dust), text("amount: so small that nothing would come out"));
}

#[test]
fn broken_pools_are_left_out_and_named() {
    let text = data::read("routing_30pools_0.json");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let pools = json["pools"].as_array_mut().expect("pools");
    let of =
        |pools: &Vec<serde_json::Value>, kind: &str| pools.iter().position(|pool| pool["kind"] == kind).expect("one");
    let (clmm, cpmm, v4) = (of(pools, "raydium_clmm"), of(pools, "raydium_cpmm"), of(pools, "raydium_amm_v4"));
    pools[clmm]["pool"]["ticks"].as_array_mut().expect("ticks").reverse();
    pools[cpmm]["pool"]["vault_0"] = "-5".into();
    pools[v4]["kind"] = "orderbook".into();
    let (nameless, empty) = (pools.len() - 1, of(pools, "meteora_dlmm"));
    pools[empty]["pool"]["bins"] = serde_json::json!([]);
    pools[nameless].as_object_mut().expect("a pool").remove("token_b");
    let broken = NetworkFile::read(&json.to_string()).expect("a network");
    let left_out = broken.network.left_out();
    let mut why: Vec<_> = left_out.iter().map(|out| out.why.as_str()).collect();
    why.sort_unstable();
    assert_eq!(why.len(), 5, "{why:?}");
    assert_eq!(why[0], "it holds nothing to trade");
    assert_eq!(why[1], "kind: no pool family orderbook");
    assert!(why[2].starts_with("missing field `token_b`"), "{why:?}");
    assert!(why[3].starts_with("pool.ticks"), "{why:?}");
    assert!(why[4].starts_with("pool.vault_0: `-5` is no whole number"), "{why:?}");
    let trade = &broken.trades[3];
    let answer = best(&broken.network, &question(&broken, trade), &Limits { partial: true, ..Limits::default() });
    let answer = answer.expect("the rest still trades");
    check(&broken, &question(&broken, trade), &answer.plan);
    assert_eq!(answer.left_out, left_out);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_question_gets_a_sound_answer(
        at in 0..8_usize, from in 0..10_usize, to in 0..10_usize, bits in 0..48_u32, seed: u64, forward: bool,
    ) {
        let file = &SMALL[at];
        let units = (seed >> 16 >> (47 - bits.min(47))).max(1);
        let amount = if forward { Amount::In(units) } else { Amount::Out(units) };
        let question = Question { from, to, amount };
        let single = fast(&file.network, &question, 3);
        if let Ok(answer) = best(&file.network, &question, &Limits::default()) {
            check(file, &question, &answer.plan);
            let (plan, bound) = (&answer.plan, answer.certificate.bound);
            if forward {
                prop_assert_eq!(plan.amount_in, units);
                prop_assert!(plan.amount_out <= bound);
                prop_assert!(single.is_ok_and(|single| single.amount_out <= plan.amount_out) || plan.legs.len() > 1);
            } else {
                prop_assert!(plan.amount_out >= units && plan.amount_in >= bound);
            }
        } else {
            prop_assert!(single.is_err(), "one path is found, a split is not");
        }
    }
}

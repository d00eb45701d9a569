//! `tradewind route`: splits over pools, leaves broken ones out, and says what is wrong with a file or a flag.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{command, err, out};

/// Two whole pools between A and B, one from B to C, and three that cannot be.
fn network() -> Value {
    let product = |a: &str, b: &str| {
        json!({"coin_vault": a, "pc_vault": b, "need_take_pnl_coin": "0", "need_take_pnl_pc": "0",
            "swap_fee_numerator": "25", "swap_fee_denominator": "10000"})
    };
    let pool = |id: &str, kind: &str, a: &str, b: &str, state: Value| json!({"id": id, "kind": kind, "token_a": a, "token_b": b, "pool": state});
    let tokens = ["A", "B", "C", "D"].map(|id| json!({"id": id, "decimals": 6}));
    json!({"now": "1790000000", "tokens": tokens, "pools": [
        pool("wide", "raydium_amm_v4", "A", "B", product("3000000000", "6000000000")),
        pool("thin", "raydium_amm_v4", "B", "A", product("2000000000", "1000000000")),
        pool("onward", "raydium_amm_v4", "B", "C", product("5000000000", "5000000000")),
        pool("strange", "curve_pool", "A", "B", product("1", "1")),
        pool("negative", "raydium_amm_v4", "A", "B", product("-5", "6000000000")),
        pool("lost", "raydium_amm_v4", "A", "X", product("5", "6")),
    ]})
}

/// Runs `tradewind route` on a file with `network` in it.
fn route(network: &Value, arguments: &str) -> Output {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("pools.json"), network.to_string()).expect("written");
    let words = ["route", "--network", "pools.json"].into_iter().chain(arguments.split(' '));
    command(folder.path()).args(words).output().expect("the binary starts")
}

fn routed(arguments: &str) -> Value {
    let output = route(&network(), &format!("{arguments} --json"));
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    serde_json::from_str(&out(&output)).expect("JSON")
}

fn units(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no amount"))
}

/// What the legs that pay a token take of it, and what those that receive it bring.
fn sums(route: &Value, token: &str) -> (u64, u64) {
    let legs = route["legs"].as_array().expect("legs").iter();
    let of = |side: &str, amount: &str| {
        legs.clone().filter(|leg| leg[side] == token).map(|leg| units(&leg[amount])).sum::<u64>()
    };
    (of("from", "amountIn"), of("to", "amountOut"))
}

#[test]
fn a_trade_is_split_and_its_sums_are_exact() {
    let best = routed("--from A --to C --amount 400000000");
    assert_eq!(sums(&best, "A"), (400_000_000, 0));
    let (paid, received) = sums(&best, "B");
    assert_eq!(paid, received, "nothing is left at a token between");
    assert_eq!(sums(&best, "C"), (0, units(&best["amountOut"])));
    assert_eq!(best["legs"].as_array().map(Vec::len), Some(3), "{best}");
    assert!(units(&best["amountOut"]) <= units(&best["bound"]), "{best}");

    let fast = routed("--from A --to C --amount 400000000 --mode fast");
    assert_eq!(fast["legs"].as_array().map(Vec::len), Some(2), "{fast}");
    assert!(units(&fast["amountOut"]) < units(&best["amountOut"]), "{fast}");
    let gap = |route: &Value| route["gapBps"].as_str().expect("a gap").parse::<f64>().expect("a number");
    assert!(gap(&fast) > 100.0 && gap(&best) < 1.0, "{} {}", gap(&fast), gap(&best));

    let bought = routed("--from A --to B --amount 500000000 --exact-out");
    assert_eq!((&bought["mode"], sums(&bought, "B").1), (&"exactOut".into(), 500_000_000));
    assert!(units(&bought["amountIn"]) >= units(&bought["bound"]), "{bought}");
}

#[test]
fn people_get_a_table() {
    let output = route(&network(), "--from A --to B --amount 400000000 --mode fast");
    let shown = out(&output);
    // How tight the bound is, is the router's business.
    let exact: Vec<_> = shown.lines().filter(|line| !line.starts_with("bound") && !line.starts_with("gap")).collect();
    insta::assert_snapshot!(exact.join("\n"), @"
    #  pool  family                  pay      receive        fee    share
    1  wide  raydium_amm_v4  400000000 A  704324801 B  1000000 A  100.00%

    paid      400000000 A
    received  704324801 B
    left out  strange: kind: no pool family curve_pool
    left out  negative: pool.coin_vault: `-5` is no whole number that fits u64 at line 1 column 18
    left out  lost: token_b: no token X
    ");
    assert!(shown.contains(" B: no route gives more\n") && shown.contains(" bps at most\n"), "{shown}");
}

#[test]
fn no_route_is_an_answer() {
    let output = route(&network(), "--from A --to D --amount 5");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let shown = out(&output);
    assert!(shown.starts_with("no route: no pools lead from A to D"), "{shown}");
    assert!(shown.contains("left out  strange: kind: no pool family curve_pool"), "{shown}");
    let output = route(&network(), "--from A --to B --amount 9000000000 --exact-out --mode fast --json");
    let answer: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!((output.status.code(), &answer["error"]), (Some(1), &"amount: more than the pools hold".into()));
    assert_eq!(answer["leftOut"].as_array().map(Vec::len), Some(3));
}

#[test]
fn mistakes_name_their_field() {
    let says = |network: &Value, arguments: &str, what: &str| {
        let output = route(network, arguments);
        assert_eq!((output.status.code(), out(&output)), (Some(2), String::new()), "{arguments}");
        assert!(err(&output).contains(what) && err(&output).lines().count() == 1, "{}", err(&output));
    };
    for (arguments, what) in [
        ("--from X --to B --amount 5", "--from: no token X in pools.json"),
        ("--from A --to X --amount 5", "--to: no token X in pools.json"),
        ("--from A --to A --amount 5", "--to: is the token that is paid"),
        ("--from A --to B --amount 0", "--amount <UNITS>"),
        ("--from A --to B --amount 1.5", "--amount <UNITS>"),
        ("--from A --to B --amount 5 --hops 5", "--hops <N>"),
        ("--from A --to B --amount 5 --legs 0", "--legs <N>"),
        ("--from A --to B --amount 5 --mode slow", "best"),
        ("--from A --to B", "--amount <UNITS>"),
        ("--from A --to B --amount 5 --network none.json", "the argument '--network <FILE>' cannot be used multiple"),
    ] {
        says(&network(), arguments, what);
    }
    let mut nameless = network();
    nameless["tokens"][1] = json!({"decimals": 6});
    says(&nameless, "--from A --to B --amount 5", "--network pools.json: tokens[1]: missing field `id`");
    says(&json!([]), "--from A --to B --amount 5", "--network pools.json: ");
}

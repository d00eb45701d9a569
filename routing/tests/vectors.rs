//! Every family against its vectors, to the unit.

use routing::vectors::Vectors;
use routing::{Pool, Side};

use crate::data;

/// Every family, and how many vectors there are of it.
pub(crate) const FAMILIES: [(&str, usize); 8] = [
    ("raydium_amm_v4", 1_800),
    ("raydium_cpmm", 2_000),
    ("raydium_clmm", 1_584),
    ("raydium_clmm_2026", 1_584),
    ("meteora_dlmm", 1_584),
    ("meteora_dlmm_orders", 480),
    ("meteora_damm_v2", 1_600),
    ("meteora_damm_v1", 1_000),
];

/// All lines of a file pass, and there are so many.
fn check(family: &str, lines: usize) {
    let vectors = read(family);
    assert_eq!(vectors.family(), family);
    let text = data::read(&format!("{family}.jsonl"));
    assert_eq!(text.lines().count(), lines, "{family}: lines");
    let failed: Vec<_> = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, vectors.check(line).differences))
        .filter(|(_, differences)| !differences.is_empty())
        .collect();
    let shown: Vec<_> = failed.iter().take(5).map(|(at, differences)| format!("line {at}: {differences:?}")).collect();
    assert!(failed.is_empty(), "{family}: {} of {lines} lines fail, among them\n{}", failed.len(), shown.join("\n"));
}

/// A family with the pools that its lines refer to.
pub(crate) fn read(family: &str) -> Vectors {
    let mut vectors = Vectors::of_file(family).expect("a family");
    if let Some(pools) = data::find(&format!("{family}_pools.jsonl")) {
        vectors.read_pools(&pools).expect("pools");
    }
    vectors
}

/// One test a family, so that each says by itself whether it holds.
macro_rules! families {
    ($($family:ident)*) => {$(
        #[test]
        fn $family() {
            let (family, lines) = FAMILIES.into_iter().find(|(family, _)| *family == stringify!($family)).expect("a family");
            check(family, lines);
        }
    )*};
}

families! {
    raydium_amm_v4 raydium_cpmm raydium_clmm raydium_clmm_2026
    meteora_dlmm meteora_dlmm_orders meteora_damm_v2 meteora_damm_v1
}

#[test]
fn raydium_clmm_tick_math() {
    check("raydium_clmm_tick_math", 1_603);
}

/// A state with which a program swaps is one that can be, and its JSON is read and written without loss.
#[test]
fn states_that_trade_are_valid() {
    for (family, _) in FAMILIES {
        let vectors = read(family);
        for line in data::read(&format!("{family}.jsonl")).lines().filter(|line| !line.contains("\"error\"")) {
            let pool = vectors.state(line).expect("a state");
            assert_eq!(pool.check(), Ok(()), "{family}: {line}");
            let text = serde_json::to_string(&pool).expect("JSON");
            assert_eq!(serde_json::from_str::<Pool>(&text).expect("the same state"), pool);
        }
    }
}

/// So do the pools of the networks, of which a trade asks each in both directions.
#[test]
fn pools_of_networks_are_valid() {
    for (pools, files) in [(30, 8), (100, 6), (300, 4), (1_000, 3)] {
        for file in 0..files {
            let name = format!("routing_{pools}pools_{file}.json");
            let network: serde_json::Value = serde_json::from_str(&data::read(&name)).expect("JSON");
            let states = network["pools"].as_array().expect("pools");
            assert_eq!(states.len(), pools, "{name}");
            for state in states {
                let pool: Pool = serde_json::from_value(state.clone()).expect("a pool");
                assert_eq!(pool.check(), Ok(()), "{name}: {}", state["id"]);
                for input in Side::BOTH {
                    assert!(!pool.pieces(input, 1_790_000_000).expect("pieces").is_empty(), "{name}: {}", state["id"]);
                }
            }
        }
    }
}

/// The harness itself: what is wrong is said, whatever it is.
#[test]
fn differences_are_found() {
    let vectors = read("raydium_cpmm");
    let line = data::read("raydium_cpmm.jsonl").lines().find(|line| !line.contains("\"error\"")).map(str::to_owned);
    let good: serde_json::Value = serde_json::from_str(&line.expect("a swap")).expect("JSON");
    for field in
        ["/expect/amount_in", "/expect/amount_out", "/expect/fee", "/expect/creator_fee_token", "/after/vault_0"]
    {
        let mut bad = good.clone();
        *bad.pointer_mut(field).expect("the field") = serde_json::json!("1");
        let differences = vectors.check(&bad.to_string()).differences;
        assert_eq!(differences.len(), 1, "{field}: {differences:?}");
    }
    let mut bad = good.clone();
    bad["expect"] = serde_json::json!({ "error": "zero_amount" });
    assert_eq!(vectors.check(&bad.to_string()).differences.len(), 1);
    bad["pool"]["vault_0"] = serde_json::json!("-1");
    let refused = vectors.check(&bad.to_string());
    assert_eq!(refused.differences, [""; 0]);
    assert!(refused.computed["reason"].as_str().expect("a reason").contains("vault_0"), "{refused:?}");
    assert_eq!(vectors.check("{").differences.len(), 1);
}

//! How long a quote takes, for recorded pools and amounts: `cargo bench -p routing --bench quotes`.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use routing::vectors::Vectors;
use routing::{Amount, Pool, Side};
use serde_json::Value;

#[path = "../tests/data.rs"]
mod data;

/// A recorded swap, and how many bins or ticks it went through.
struct Recorded {
    pool: Pool,
    input: Side,
    amount: Amount,
    now: u64,
    steps: u32,
}

impl Recorded {
    /// The swap of a line that a program made; none of one that it refused, and none that stops at a limit.
    fn read(vectors: &Vectors, line: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(line).expect("JSON");
        let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
        if text("/expect/error").is_some() || text("/sqrt_price_limit_x64").is_some() {
            return None;
        }
        let number = |pointer: &str| text(pointer).map_or(0, |text| text.parse().expect("a number"));
        let pool = vectors.state(line).expect("a state");
        let amount = match text("/side") {
            Some("exact_in") => Amount::In(number("/amount")),
            _ => Amount::Out(number("/amount")),
        };
        let steps = text("/after/bins_changed_count").map_or_else(
            || ticks_between(&pool, text("/after/tick_current")),
            |count| count.parse().expect("a number of bins"),
        );
        let input = if text("/input") == Some("a") { Side::A } else { Side::B };
        Some(Self { pool, input, amount, now: number("/now"), steps })
    }

    fn quote(&self) -> u64 {
        let swap = self.pool.quote(black_box(self.input), black_box(self.amount), self.now);
        swap.map_or(0, |swap| swap.amount_in ^ swap.amount_out)
    }
}

/// The initialised ticks between the price before and after, from the state's JSON.
fn ticks_between(pool: &Pool, after: Option<&str>) -> u32 {
    let state = serde_json::to_value(pool).expect("JSON");
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
    let (Some(before), Some(after)) =
        (number(&state["pool"]["tick_current"]), after.and_then(|text| text.parse().ok()))
    else {
        return 0;
    };
    let (low, high) = (before.min(after), before.max(after));
    let ticks = state["pool"]["ticks"].as_array().map_or(&[][..], Vec::as_slice);
    let between = ticks.iter().filter_map(|tick| number(&tick["tick"])).filter(|tick| *tick > low && *tick <= high);
    u32::try_from(between.count()).expect("few ticks")
}

fn recorded(family: &str) -> Vec<Recorded> {
    let mut vectors = Vectors::of_file(family).expect("a family");
    if let Some(pools) = data::find(&format!("{family}_pools.jsonl")) {
        vectors.read_pools(&pools).expect("pools");
    }
    data::read(&format!("{family}.jsonl")).lines().filter_map(|line| Recorded::read(&vectors, line)).collect()
}

/// Times one quote after the other, over and over, and divides by `share` parts of each.
fn measure(criterion: &mut Criterion, name: &str, swaps: &[&Recorded], share: impl Fn(&Recorded) -> u32) {
    let parts: u64 = swaps.iter().map(|swap| u64::from(share(swap))).sum();
    assert!(parts > 0, "{name}: no such swap is recorded");
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            // Each iteration is one part; rounds are whole, so that every swap weighs the same.
            let rounds = iterations.div_ceil(parts);
            let start = Instant::now();
            for _ in 0..rounds {
                for swap in swaps {
                    black_box(black_box(swap).quote());
                }
            }
            let nanos = start.elapsed().as_nanos() * u128::from(iterations) / u128::from(rounds * parts);
            std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        });
    });
}

fn quotes(criterion: &mut Criterion) {
    for family in ["raydium_cpmm", "raydium_amm_v4", "meteora_damm_v2", "meteora_damm_v1"] {
        let swaps = recorded(family);
        for (side, exact_in) in [("exact-in", true), ("exact-out", false)] {
            let of_side = swaps.iter().filter(|swap| matches!(swap.amount, Amount::In(_)) == exact_in);
            let of_side: Vec<_> = of_side.collect();
            if !of_side.is_empty() {
                measure(criterion, &format!("{family}, {side}"), &of_side, |_| 1);
            }
        }
    }
    for family in ["meteora_dlmm", "meteora_dlmm_orders"] {
        let swaps = recorded(family);
        for (name, bins) in
            [("1 bin", 1..=1), ("2 to 10 bins", 2..=10), ("10 bins", 10..=10), ("11 bins or more", 11..=u32::MAX)]
        {
            let few: Vec<_> = swaps.iter().filter(|swap| bins.contains(&swap.steps)).collect();
            if !few.is_empty() {
                measure(criterion, &format!("{family}, {name}"), &few, |_| 1);
            }
        }
    }
    for family in ["raydium_clmm", "raydium_clmm_2026"] {
        let swaps = recorded(family);
        let (dynamic, fixed): (Vec<_>, Vec<_>) = swaps.iter().partition(|swap| has_dynamic_fee(&swap.pool));
        let (none, some): (Vec<_>, Vec<_>) = fixed.into_iter().partition(|swap| swap.steps == 0);
        measure(criterion, &format!("{family}, no tick crossed"), &none, |_| 1);
        let name = format!("{family}, total divided by the ticks crossed");
        measure(criterion, &name, &some, |swap| swap.steps);
        // A dynamic fee is computed anew in every tick spacing, so that the way counts, not the ticks on it.
        let short: Vec<_> = dynamic.into_iter().filter(|swap| swap.steps <= 1).collect();
        if !short.is_empty() {
            measure(criterion, &format!("{family}, a dynamic fee, one tick crossed or none"), &short, |_| 1);
        }
    }
}

fn has_dynamic_fee(pool: &Pool) -> bool {
    matches!(pool, Pool::RaydiumClmm(pool) if pool.dynamic_fee.is_some())
}

criterion_group!(benches, quotes);
criterion_main!(benches);

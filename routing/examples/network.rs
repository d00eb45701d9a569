//! Routes every trade of network files: `cargo run --release -p routing --example network -- [--legs N] FILE…`.
//!
//! Prints one JSON line for each trade: `file`, `trade` (its place), `out`, `bound` and `fastOut` in base units, `gapBps`
//! (certified), `legs`, `fastMicros` and `bestMicros` (medians of nine). Without `--legs` a route has as many legs as pay. At the
//! end, on standard error, percentiles of all.
#![expect(clippy::float_arithmetic, reason = "percentiles and times, no amounts")]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use flate2::read::GzDecoder;
use routing::{Amount, Answer, Limits, Network, NetworkFile, Plan, Question, RouteError, Trade, best, fast};
use serde_json::json;

fn main() -> ExitCode {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let mut legs = None;
    if paths.len() >= 2 && paths[0] == "--legs" {
        legs = paths[1].parse().ok().filter(|legs| *legs > 0);
        paths.drain(..2);
        if legs.is_none() {
            paths.clear();
        }
    }
    // A trade of more than the pools take is routed as far as it goes.
    let limits = Limits { legs, partial: true, ..Limits::default() };
    if paths.is_empty() {
        eprintln!("usage: network [--legs N] FILE…");
        return ExitCode::FAILURE;
    }
    let mut tally = Tally::default();
    for path in &paths {
        let file = match read(path)
            .map_err(|error| error.to_string())
            .and_then(|text| NetworkFile::read(&text).map_err(|error| error.to_string()))
        {
            Ok(file) => file,
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        for pool in file.network.left_out() {
            eprintln!("{path}: pool {} left out: {}", pool.pool, pool.why);
        }
        let name = Path::new(path).file_name().map_or(path.as_str(), |name| name.to_str().unwrap_or(path));
        for (place, trade) in file.trades.iter().enumerate() {
            match route(&file.network, trade, &limits) {
                Ok(routed) => {
                    tally.count(&routed, trade);
                    println!("{}", routed.line(name, place));
                }
                Err(error) => println!("{}", json!({ "file": name, "trade": place, "error": error.to_string() })),
            }
        }
    }
    tally.print();
    ExitCode::SUCCESS
}

/// A file's text; that of a compressed one, which ends in `.gz`.
fn read(path: &str) -> std::io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?;
    if path.ends_with(".gz") {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        file.read_to_string(&mut text)?;
    }
    Ok(text)
}

/// One trade's routes and how long they took to find, in microseconds.
struct Routed {
    answer: Answer,
    single: Option<Plan>,
    fast_micros: f64,
    best_micros: f64,
}

fn route(network: &Network, trade: &Trade, limits: &Limits) -> Result<Routed, RouteError> {
    let unknown = |field| RouteError::BadQuestion { field, reason: "is no token of the network" };
    let from = network.token(&trade.from).ok_or(unknown("from"))?;
    let to = network.token(&trade.to).ok_or(unknown("to"))?;
    let question = Question { from, to, amount: Amount::In(trade.amount) };
    let (single, fast_micros) = timed(|| fast(network, &question, 3));
    let (answer, best_micros) = timed(|| best(network, &question, limits));
    Ok(Routed { answer: answer?, single: single.ok(), fast_micros, best_micros })
}

/// The answer, and the median of the times that nine askings took.
fn timed<T>(ask: impl Fn() -> T) -> (T, f64) {
    let mut times = [0.0; 9];
    for time in &mut times {
        let began = Instant::now();
        std::hint::black_box(ask());
        *time = began.elapsed().as_secs_f64() * 1e6;
    }
    times.sort_by(f64::total_cmp);
    (ask(), (times[4] * 10.0).round() / 10.0)
}

impl Routed {
    fn line(&self, file: &str, trade: usize) -> serde_json::Value {
        let Answer { plan, certificate, .. } = &self.answer;
        json!({
            "file": file,
            "trade": trade,
            "out": plan.amount_out.to_string(),
            "bound": certificate.bound.to_string(),
            "gapBps": certificate.gap_bps().parse::<f64>().unwrap_or(f64::MAX),
            "legs": plan.legs.len(),
            "fastOut": self.single.as_ref().map_or(0, |plan| plan.amount_out).to_string(),
            "fastMicros": self.fast_micros,
            "bestMicros": self.best_micros,
        })
    }
}

/// What the percentiles are taken of.
#[derive(Default)]
struct Tally {
    certified: Vec<f64>,
    to_optimum: Vec<f64>,
    single_to_optimum: Vec<f64>,
    fast: Vec<f64>,
    best: Vec<f64>,
}

impl Tally {
    fn count(&mut self, routed: &Routed, trade: &Trade) {
        self.certified.push(routed.answer.certificate.gap_bps().parse().unwrap_or(f64::MAX));
        self.fast.push(routed.fast_micros);
        self.best.push(routed.best_micros);
        if let Some(optimum) = trade.optimum.as_deref().and_then(|text| text.parse::<f64>().ok()) {
            let below = |out: u64| (1.0 - out as f64 / optimum) * 10_000.0;
            self.to_optimum.push(below(routed.answer.plan.amount_out));
            self.single_to_optimum.push(below(routed.single.as_ref().map_or(0, |plan| plan.amount_out)));
        }
    }

    fn print(self) {
        let rows = [
            ("best, certified gap, bps", self.certified),
            ("best, below the optimum, bps", self.to_optimum),
            ("fast, below the optimum, bps", self.single_to_optimum),
            ("fast, µs", self.fast),
            ("best, µs", self.best),
        ];
        for (what, mut values) in rows {
            values.sort_by(f64::total_cmp);
            let at =
                |share: usize| values.get((values.len() * share / 100).min(values.len().saturating_sub(1))).copied();
            if let (Some(median), Some(high), Some(worst)) = (at(50), at(95), values.last()) {
                eprintln!("{what}: {} trades, p50 {median:.3}, p95 {high:.3}, worst {worst:.3}", values.len());
            }
        }
    }
}

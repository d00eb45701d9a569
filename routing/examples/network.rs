//! Routes every trade of network files and prints one JSON line for each:
//! `cargo run --release -p routing --example network -- FILE…`.

use std::process::ExitCode;
use std::time::Instant;

use routing::{Amount, Limits, NetworkFile, Question, best, fast};

fn main() -> ExitCode {
    for path in std::env::args().skip(1) {
        let file = match std::fs::read_to_string(&path)
            .map_err(|e| e.to_string())
            .and_then(|text| NetworkFile::read(&text).map_err(|e| e.to_string()))
        {
            Ok(file) => file,
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        for out in file.network.left_out().iter().take(3) {
            eprintln!("{path}: {}: {}", out.pool, out.why);
        }
        for (place, trade) in file.trades.iter().enumerate() {
            let (Some(from), Some(to)) = (file.network.token(&trade.from), file.network.token(&trade.to)) else {
                continue;
            };
            let question = Question { from, to, amount: Amount::In(trade.amount) };
            let single = fast(&file.network, &question, 3);
            let began = Instant::now();
            let single2 = fast(&file.network, &question, 3);
            let fast_micros = began.elapsed().as_micros();
            let limits = Limits { legs: std::env::var("LEGS").ok().and_then(|l| l.parse().ok()), partial: true, ..Limits::default() };
            let answer = best(&file.network, &question, &limits);
            let began = Instant::now();
            let again = best(&file.network, &question, &limits);
            let best_micros = began.elapsed().as_micros();
            let optimum: f64 = trade.optimum.as_deref().and_then(|o| o.parse().ok()).unwrap_or(f64::NAN);
            match answer {
                Ok(a) => {
                    let real = (1.0 - a.plan.amount_out as f64 / optimum) * 1e4;
                    let bound = (a.certificate.bound as f64 / optimum - 1.0) * 1e4;
                    println!(
                        "{path} {place} real {real:.4} bound {bound:.4} legs {} fast {:.2} us {fast_micros} {best_micros}",
                        a.plan.legs.len(),
                        single.map_or(f64::NAN, |p| (1.0 - p.amount_out as f64 / optimum) * 1e4)
                    );
                }
                Err(e) => println!("{path} {place} {e} {:?}", single),
            }
        }
    }
    ExitCode::SUCCESS
}

//! How long a route takes, over the recorded networks' trades: `cargo bench -p routing --bench routes`.

use std::cell::Cell;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use routing::{Amount, Limits, NetworkFile, Question, best, fast};

#[path = "../tests/data.rs"]
mod data;

/// Every trade of the networks of one size, one after the other.
fn routes(criterion: &mut Criterion) {
    for (pools, count) in [(100, 6), (1_000, 3)] {
        let read =
            |file| NetworkFile::read(&data::read(&format!("routing_{pools}pools_{file}.json"))).expect("a network");
        let files: Vec<_> = (0..count).map(read).collect();
        let trades: Vec<_> = files.iter().flat_map(|file| file.trades.iter().map(move |trade| (file, trade))).collect();
        let questions: Vec<_> = trades
            .iter()
            .map(|(file, trade)| {
                let token = |name| file.network.token(name).expect("a token");
                (file, Question { from: token(&trade.from), to: token(&trade.to), amount: Amount::In(trade.amount) })
            })
            .collect();
        let next = Cell::new(0);
        let turn = || {
            next.set((next.get() + 1) % questions.len());
            &questions[next.get()]
        };
        criterion.bench_function(&format!("fast, {pools} pools"), |bencher| {
            bencher.iter(|| {
                let (file, question) = turn();
                black_box(fast(&file.network, question, 3)).is_ok()
            });
        });
        let limits = Limits { partial: true, ..Limits::default() };
        criterion.bench_function(&format!("best, {pools} pools"), |bencher| {
            bencher.iter(|| {
                let (file, question) = turn();
                black_box(best(&file.network, question, &limits)).is_ok()
            });
        });
    }
}

criterion_group!(all, routes);
criterion_main!(all);

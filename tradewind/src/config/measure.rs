//! Settings of `tradewind bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const AFTER_HELP: &str = "\
Every run starts this very binary as its server, on a journal in a temporary folder, and a
ten-line server of the same web framework that answers `ok`: the yardstick. Rounds alternate
between the two, the median of three counts, and a ratio compares only rounds of the same
run. Put --dir on the disk that you mean to measure. Orders are small, in alternating
directions, on one account, without idempotency keys.

Examples:
  tradewind bench all
  tradewind bench execute --orders 200000
  tradewind bench accept --seconds 10 --json
  tradewind bench memory

Exit codes: 0 every bar is met; 1 a measurement does not count, because fewer than 99 % of
its orders confirmed or frames were lost; 2 it could not measure; 3 all measurements count,
and a bar is missed.";

/// Measure speed and memory against the bars
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Bench {
    /// What to measure
    #[arg(value_enum)]
    pub(crate) scenario: Scenario,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// How long one round takes
    #[arg(long, env = "TRADEWIND_BENCH_SECONDS", default_value_t = 4, value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,

    /// Keep-alive connections of the load generator
    #[arg(long, env = "TRADEWIND_BENCH_CONNECTIONS", default_value_t = 64, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) connections: u32,

    /// Orders to execute [default: 200000; memory: 1000000, within all: 200000]
    #[arg(long, env = "TRADEWIND_BENCH_ORDERS", value_name = "N",
        value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    pub(crate) orders: Option<u64>,

    /// linear: how many runs of ten thousand orders
    #[arg(long, env = "TRADEWIND_BENCH_RUNS", default_value_t = 100, value_name = "N",
        value_parser = clap::value_parser!(u64).range(2..=10_000))]
    pub(crate) runs: u64,

    /// Sockets of the stream measurement
    #[arg(long, env = "TRADEWIND_BENCH_SOCKETS", default_value_t = 2_000, value_name = "N",
        value_parser = clap::value_parser!(u32).range(100..=20_000))]
    pub(crate) sockets: u32,

    /// Measure this server instead of one of its own (accept, read, stream and health only)
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Where temporary journals are made [default: the system's folder for temporary files]
    #[arg(long, env = "TRADEWIND_BENCH_DIR", value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,

    /// all: with the million orders of the memory bar
    #[arg(long)]
    pub(crate) full: bool,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Durable orders accepted per second
    Accept,
    /// Accepted orders executed to their end per second
    Execute,
    /// Orders read by id per second
    Read,
    /// From commit to frame on two thousand sockets
    Stream,
    /// The cheapest request there is
    Health,
    /// Resident memory after many orders
    Memory,
    /// Whether cost grows linearly with orders
    Linear,
    /// Health, accept, read, execute, stream and memory
    All,
}

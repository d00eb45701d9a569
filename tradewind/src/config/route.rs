//! Settings of `tradewind route`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const AFTER_HELP: &str = "\
Amounts are whole base units. A network file has `now`, `tokens` and `pools`, as documented in
the crate `routing`. A pool whose state cannot be is left out, and named with its reason. The
bound is proved: no route through these pools, of any shape, gives more (takes less) than it.

Examples:
  tradewind route --network pools.json --from SOL --to USDC --amount 10000000000
  tradewind route --network pools.json --from USDC --to SOL --amount 5000000000 --exact-out
  zcat pools.json.gz | tradewind route --network - --from SOL --to USDC --amount 1000 --json

Exit codes: 0 a route was found, 1 there is none, 2 no such file or token, or wrong usage.";

/// Route a trade through the pools of a network file, without a server
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Route {
    /// The file with the pools; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) network: PathBuf,

    /// The token to pay with
    #[arg(long, value_name = "TOKEN")]
    pub(crate) from: String,

    /// The token to receive
    #[arg(long, value_name = "TOKEN")]
    pub(crate) to: String,

    /// How much to pay, in base units
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) amount: u64,

    /// The amount is what is to be received
    #[arg(long)]
    pub(crate) exact_out: bool,

    /// Which route is looked for
    #[arg(long, value_enum, default_value_t = RouteMode::Best, value_name = "MODE")]
    pub(crate) mode: RouteMode,

    /// best: the most swaps of the route; what an order may have is 16
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) legs: u16,

    /// The most pools on any way from the one token to the other [default: 4, fast: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) hops: Option<u8>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which route is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RouteMode {
    /// The best single path
    Fast,
    /// The best split over all paths
    Best,
}

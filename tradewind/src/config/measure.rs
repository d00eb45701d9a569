//! Settings of `tradewind bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const AFTER_HELP: &str = "\
Every run starts this very binary as its server, on a journal in a temporary folder, and a
ten-line server of the same web framework that answers `ok`: the yardstick. Rounds alternate
between the two, the median of three counts, and a ratio compares only rounds of the same
run. Put --dir on the disk that you mean to measure. Orders are small, in alternating
directions, on one account, without idempotency keys. quotes asks for another pair and amount
every time.

With --journal every journal is a database of its own, made beside the one in the URL and
dropped at the end; that one is left alone. The user needs the right to make databases.
Bars are those of the journal. backlog, hot, most of queue and the stale reads of cache ask the journal directly, without a
server; webhooks and cache write the deals that are to be delivered, listed or read into it while no server runs.

Examples:
  tradewind bench all
  tradewind bench execute --orders 200000
  tradewind bench accept --seconds 10 --json
  tradewind bench memory
  tradewind bench queue --beside http://127.0.0.1:5555
  tradewind bench all --journal postgres://postgres@127.0.0.1/postgres

Exit codes: 0 every bar is met; 1 a measurement does not count, because fewer than 99 % of
its orders confirmed, frames were lost or changes came too late; 2 it could not measure;
3 all measurements count, and a bar is missed.";

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

    /// Orders to execute [default: 200000, on PostgreSQL 50000; workers: 40000; venues: 2000; memory: 1000000, within all: 200000];
    /// webhooks to deliver [default: 10000 for each of --seconds]
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

    /// backlog, queue: how many jobs or messages wait [default: 1000000; within all: 100000]
    #[arg(long, env = "TRADEWIND_BENCH_JOBS", value_name = "N",
        value_parser = clap::value_parser!(u64).range(10_000..=10_000_000))]
    pub(crate) jobs: Option<u64>,

    /// webhooks: how many deals there are to list [default: 1000000; within all: 100000]
    #[arg(long, env = "TRADEWIND_BENCH_DEALS", value_name = "N",
        value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    pub(crate) deals: Option<u64>,

    /// cache: how many reads beside writers are checked for being stale [default: 10000000; within all: 1000000]
    #[arg(long, env = "TRADEWIND_BENCH_READS", value_name = "N",
        value_parser = clap::value_parser!(u64).range(1_000..=10_000_000_000))]
    pub(crate) reads: Option<u64>,

    /// Measure on this PostgreSQL server, postgres://user:password@host/database, instead of on SQLite
    #[arg(long, env = "TRADEWIND_BENCH_JOURNAL", hide_env_values = true, value_name = "URL")]
    pub(crate) journal: Option<String>,

    /// Measure this server instead of one of its own (accept, read, quotes, stream and health only)
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// queue: put the same load on this other endpoint of SQS, http://host:port, and show what it reached
    #[arg(long, value_name = "URL")]
    pub(crate) beside: Option<String>,

    /// Where temporary journals are made [default: the system's folder for temporary files]
    #[arg(long, env = "TRADEWIND_BENCH_DIR", value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,

    /// all: with the million orders of the memory bar, the million jobs and messages of the backlogs and the million deals
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
    /// Orders read by id per second, from the journal and from the cache
    Read,
    /// From commit to frame on two thousand sockets
    Stream,
    /// Quotes over the pools of the paper venue per second
    Quotes,
    /// The cheapest request there is
    Health,
    /// Resident memory after many orders
    Memory,
    /// Whether cost grows linearly with orders
    Linear,
    /// Three worker processes beside one (PostgreSQL)
    Workers,
    /// Jobs claimed per second while many wait
    Backlog,
    /// One entity that 64 clients change
    Hot,
    /// Deals and lists of deals read from the cache, and whether any read is stale
    Cache,
    /// Webhooks delivered per second, how soon they arrive, and the deal list of a buyer
    Webhooks,
    /// Venues over HTTP: what an adapter adds to a quote, what a venue that hangs costs, orders confirmed on a simulated Solana
    Venues,
    /// Jobs through the queue, messages that pile up, orders of one product that 64 clients buy, messages through /sqs
    Queue,
    /// Everything that the journal has a bar for, but linear
    All,
}

impl Bench {
    /// Why this cannot be measured, as a line that says what to do.
    pub(crate) fn refusal(&self) -> Option<String> {
        use Scenario::{Accept, Health, Quotes, Read, Stream};
        let said = match (&self.url, &self.journal) {
            (Some(_), Some(_)) => "--journal: the server of --url has its own; leave one of them away",
            (Some(_), None) if !matches!(self.scenario, Accept | Health | Quotes | Read | Stream) => {
                "--url: this measurement needs servers or journals of its own; leave --url away"
            }
            (None, None) if self.scenario == Scenario::Workers => {
                "workers: several processes need a PostgreSQL journal; name a server with --journal \
                 postgres://user:password@host/database"
            }
            _ => return None,
        };
        Some(said.to_owned())
    }

    /// What to measure, one after the other.
    pub(crate) const fn parts(&self) -> &'static [Scenario] {
        use Scenario::{
            Accept, All, Backlog, Cache, Execute, Health, Hot, Linear, Memory, Queue, Quotes, Read, Stream, Venues,
            Webhooks, Workers,
        };
        match self.scenario {
            All if self.journal.is_some() => {
                &[Accept, Read, Execute, Stream, Memory, Workers, Backlog, Hot, Cache, Webhooks, Queue]
            }
            All => &[Health, Accept, Read, Quotes, Execute, Stream, Memory, Backlog, Hot, Cache, Webhooks, Queue],
            Accept => &[Accept],
            Execute => &[Execute],
            Read => &[Read],
            Quotes => &[Quotes],
            Stream => &[Stream],
            Health => &[Health],
            Memory => &[Memory],
            Linear => &[Linear],
            Workers => &[Workers],
            Backlog => &[Backlog],
            Hot => &[Hot],
            Cache => &[Cache],
            Webhooks => &[Webhooks],
            Queue => &[Queue],
            Venues => &[Venues],
        }
    }
}

//! Settings of the commands that talk to a running server, and of those that look at a journal.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{ClientKey, duration};

/// Which server, and on whose account.
#[derive(Clone, Debug, Args)]
pub(crate) struct Remote {
    /// The server
    #[arg(long, env = "TRADEWIND_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub(crate) url: String,

    /// The account to act for [default: the key's own; `default` on a server without keys]
    #[arg(long, env = "TRADEWIND_ACCOUNT", value_name = "NAME")]
    pub(crate) account: Option<String>,

    /// The key to show; better in the variable, where other programs do not see it
    #[arg(long, env = "TRADEWIND_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) key: Option<ClientKey>,

    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ask every venue what it would give, and mark the best
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradewind quote SOL USDC 10\n  tradewind quote SOL USDC 1500 --exact-out\n\n\
    Exit codes: 0 at least one venue has a quote, 1 none has, 2 no server or a refused request.")]
pub(crate) struct Quote {
    /// The token to pay with
    pub(crate) input: String,
    /// The token to receive
    pub(crate) output: String,
    /// How much to pay, in whole tokens, such as 12.5
    pub(crate) amount: String,

    /// The amount is what is to be received
    #[arg(long)]
    pub(crate) exact_out: bool,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Place an order on a running server and follow it until it is final
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradewind swap SOL USDC 10\n  tradewind swap SOL USDC 1500 --exact-out --slippage-bps 20\n  \
    tradewind swap SOL USDC 10 --limit-price 160         # rests until a SOL is worth 160 USDC\n  \
    tradewind swap SOL USDC 10 --idempotency-key again   # the same key twice is one order\n\n\
    Exit codes: 0 confirmed, 1 failed, cancelled or expired, 2 no server or a refused request."
)]
pub(crate) struct Swap {
    /// The token to pay with
    pub(crate) input: String,
    /// The token to receive
    pub(crate) output: String,
    /// How much to pay, in whole tokens, such as 12.5
    pub(crate) amount: String,

    /// The amount is what is to be received
    #[arg(long)]
    pub(crate) exact_out: bool,

    /// How much worse than quoted is still accepted, in hundredths of a per cent [default: the server's, 50]
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) slippage_bps: Option<u16>,

    /// The worst price to accept: of a sale output per input at least, of a purchase input per output at most. The order rests until
    /// then
    #[arg(long, value_name = "PRICE")]
    pub(crate) limit_price: Option<String>,

    /// How long the order stands: until it is cancelled, at once in part, at once in whole, or until --expires-at
    #[arg(long, value_name = "WORD", ignore_case = true, value_parser = ["GTC", "IOC", "FOK", "GTD"])]
    pub(crate) time_in_force: Option<String>,

    /// Not to trade after this instant, such as 2030-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,

    /// Your own id for the order, unique within the account
    #[arg(long, value_name = "ID")]
    pub(crate) client_order_id: Option<String>,

    /// Repeats of the request with this key are one order
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,

    /// How long to follow the order
    #[arg(long, env = "TRADEWIND_FOLLOW", default_value = "5m", value_name = "TIME", value_parser = duration)]
    pub(crate) follow: Duration,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Follow events as they are committed; resumes where it was when the connection breaks
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradewind tail\n  tradewind tail --after oldest --json     # the whole history first\n  \
    tradewind tail --id 0198c0de-…\n  tradewind tail --as tw_live_…            # what a buyer sees\n\nEnds on Ctrl-C, or after --count events."
)]
pub(crate) struct Tail {
    /// Begin after this position, as events carry it, or with the oldest; without it, only what is new
    #[arg(long, value_name = "POSITION")]
    pub(crate) after: Option<String>,

    /// Only this kind (repeatable): swap
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,

    /// Only this id (repeatable)
    #[arg(long, value_name = "ID")]
    pub(crate) id: Vec<String>,

    /// Follow as the holder of this key, in place of --key
    #[arg(long = "as", value_name = "KEY")]
    pub(crate) holder: Option<ClientKey>,

    /// Stop after so many events
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Place five orders at once and watch each go its way
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all five confirmed, 1 one did not, 2 no server or a refused request.")]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Make two sellers, a buyer, their keys, ten deals and four webhooks on a running server, and print calls to try them with
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradewind demo-data\n  tradewind demo-data | sh   # and try the calls at once\n\n\
    On a server without keys this makes the first one, an admin's, and shows it once: from then on\n\
    the server wants keys. Run again, with that key in TRADEWIND_KEY, it makes what is missing and\n\
    nothing twice. Everything that is printed but the calls is a comment of the shell.\n\n\
    Exit codes: 0 everything is there, 2 no server or a refused request."
)]
pub(crate) struct DemoData {
    /// Where the webhooks go; the server must send there: --webhook-allow-net 127.0.0.0/8 for this machine
    #[arg(long, env = "TRADEWIND_WEBHOOK_URL", default_value = "http://127.0.0.1:9000/", value_name = "URL")]
    pub(crate) webhook_url: String,

    /// Where the deals facade is [default: /deals on the server]
    #[arg(long, env = "TRADEWIND_FACADE_URL", value_name = "URL")]
    pub(crate) facade_url: Option<String>,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Run the simulated chain with its venues as a process of its own; it survives the server's death
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tradewind simnet --listen 127.0.0.1:8090 &\n  \
    tradewind --venue simnet=http://127.0.0.1:8090\n\nPrints `listening on http://…` on standard output.")]
pub(crate) struct Simnet {
    /// Where it listens; port 0 takes a free one
    #[arg(long, env = "TRADEWIND_SIMNET_LISTEN", default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// real: quotes take about 200 ms, confirmations 2-3 s; instant: neither takes time [default: real]
    #[arg(long, env = "TRADEWIND_SIMNET_PACE", value_name = "PACE")]
    pub(crate) pace: Option<String>,

    /// What every draw is made from: the same seed, the same outcomes
    #[arg(long, env = "TRADEWIND_SIMNET_SEED", value_name = "N")]
    pub(crate) seed: Option<String>,

    /// A finite balance for every wallet, in whole tokens [default: refilled for ever]
    #[arg(long, env = "TRADEWIND_SIMNET_BALANCE", value_name = "AMOUNT")]
    pub(crate) balance: Option<String>,

    /// How often a call fails, as the paper venue's fail=
    #[arg(long, env = "TRADEWIND_SIMNET_FAIL", value_name = "SHARE")]
    pub(crate) fail: Option<String>,

    /// How often a submission is lost, as the paper venue's drop=
    #[arg(long, env = "TRADEWIND_SIMNET_DROP", value_name = "SHARE")]
    pub(crate) drop: Option<String>,

    /// How often a call hangs, as the paper venue's stall=
    #[arg(long, env = "TRADEWIND_SIMNET_STALL", value_name = "SHARE")]
    pub(crate) stall: Option<String>,

    /// How often a submission is executed and its answer lost, as the paper venue's lose_answer=
    #[arg(long, env = "TRADEWIND_SIMNET_LOSE_ANSWER", value_name = "SHARE")]
    pub(crate) lose_answer: Option<String>,

    /// What its venues and its chain do wrong, each as a share or as a count: jupiter.rate_limited=0.1,rpc.answer_lost=3
    #[arg(long, env = "TRADEWIND_SIMNET_FAULTS", value_name = "FAULTS")]
    pub(crate) faults: Option<String>,

    /// Really execute the chain's transactions, in LiteSVM with the real SPL Token program; only in builds with the
    /// feature `svm`
    #[arg(long, env = "TRADEWIND_SIMNET_SVM")]
    pub(crate) svm: bool,

    /// More tokens, from the same file as the server's
    #[arg(long, env = "TRADEWIND_TOKENS", value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,

    /// What is logged: a level, or target=level pairs
    #[arg(long, env = "TRADEWIND_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
}

/// Verify the invariants of a journal, read-only: order of events, versions, states, jobs
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 everything holds, 1 something does not (each finding is a line), 2 no such journal."
)]
pub(crate) struct Check {
    /// The journal
    #[arg(
        long,
        env = "TRADEWIND_JOURNAL",
        hide_env_values = true,
        default_value = "sqlite:data/tradewind.db",
        value_name = "URL"
    )]
    pub(crate) journal: String,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Copy a SQLite journal to a new file; its server may go on running. For PostgreSQL see docs/operations.md
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tradewind backup backups/monday.db\n\n\
    To restore, stop the server and start it with --journal sqlite:backups/monday.db.")]
pub(crate) struct Backup {
    /// The file to make; it must not exist
    pub(crate) file: PathBuf,

    /// The journal
    #[arg(
        long,
        env = "TRADEWIND_JOURNAL",
        hide_env_values = true,
        default_value = "sqlite:data/tradewind.db",
        value_name = "URL"
    )]
    pub(crate) journal: String,
}

/// Bring the schema of a journal up to date, or make it; says from which version to which
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradewind migrate                # before servers that run with --no-migrate\n  \
    tradewind migrate --new-epoch    # after a restore: clients begin anew instead of missing events\n\n\
    Make a backup first. Nobody else may use a SQLite journal meanwhile.\n\n\
    Exit codes: 0 the schema is up to date, 2 it is not (no such server, a newer schema).")]
pub(crate) struct Migrate {
    /// The journal
    #[arg(
        long,
        env = "TRADEWIND_JOURNAL",
        hide_env_values = true,
        default_value = "sqlite:data/tradewind.db",
        value_name = "URL"
    )]
    pub(crate) journal: String,

    /// Begin a new history: positions that were given out before are gone
    #[arg(long)]
    pub(crate) new_epoch: bool,
}

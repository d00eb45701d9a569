//! Settings of `tradewind serve`.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::duration;

const AFTER_HELP: &str = "\
Examples:
  tradewind                                       everything, journal in ./data/tradewind.db
  tradewind --listen 127.0.0.1:0                  any free port; the real address is printed
  tradewind --venue 'paper?pace=instant&seed=7'   simulated venues that answer at once
  tradewind --venue simnet=http://127.0.0.1:8090  those of a running `tradewind simnet`
  tradewind --facade dex=127.0.0.1:3000           an existing client's wire format

Prints `listening on http://…` on standard output when it takes requests (before it, the
addresses of facades); everything else goes to standard error. Stops on SIGINT or SIGTERM, within
its drain deadline: orders that are not at rest by then go on at the next start. A second signal
stops it at once.

Exit codes: 0 stopped as told, 2 it could not start, or a part of it failed and it stopped.";

/// Run the server: HTTP and sockets, the workers that execute orders, the relay to exports
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Serve {
    /// Where orders, events and jobs are kept: sqlite:<file>
    #[arg(long, env = "TRADEWIND_JOURNAL", default_value = "sqlite:data/tradewind.db", value_name = "URL")]
    pub(crate) journal: String,

    /// How parts are woken after a commit: local
    #[arg(long, env = "TRADEWIND_WAKE", default_value = "local", value_name = "URL")]
    pub(crate) wake: String,

    /// Where swaps are executed: paper[?pace=real|instant&seed=…&balance=…&fail=…&drop=…&stall=…&lose_answer=…] or
    /// simnet=http://host:port (repeatable; in the variable, separated by commas)
    #[arg(long, env = "TRADEWIND_VENUE", default_value = "paper", value_name = "URL", value_delimiter = ',')]
    pub(crate) venue: Vec<String>,

    /// Where committed events go besides: file:<path>, one JSON object per line (repeatable)
    #[arg(long, env = "TRADEWIND_EXPORT", value_name = "URL", value_delimiter = ',')]
    pub(crate) export: Vec<String>,

    /// Address of the API; port 0 takes a free one
    #[arg(long, env = "TRADEWIND_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// Serve a facade at the root of its own address as well: dex=127.0.0.1:3000 (repeatable)
    #[arg(long, env = "TRADEWIND_FACADE", value_name = "NAME=ADDRESS", value_delimiter = ',')]
    pub(crate) facade: Vec<Facade>,

    /// More tokens, from a JSON array of {symbol, mint, decimals, referencePrice}
    #[arg(long, env = "TRADEWIND_TOKENS", value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,

    /// How long venues have to answer with a quote
    #[arg(long, env = "TRADEWIND_QUOTE_DEADLINE", default_value = "800ms", value_name = "TIME", value_parser = duration)]
    pub(crate) quote_deadline: Duration,

    /// How many orders are routed and built at once; 0 accepts orders and executes none
    #[arg(long, env = "TRADEWIND_SWAP_CONCURRENCY", default_value_t = 256, value_name = "N",
        value_parser = clap::value_parser!(u32).range(0..=4096))]
    pub(crate) swap_concurrency: u32,

    /// Listen on addresses that are not loopback, although anyone who reaches them may trade
    #[arg(long, env = "TRADEWIND_OPEN")]
    pub(crate) open: bool,

    /// How long a request may take
    #[arg(long, env = "TRADEWIND_REQUEST_DEADLINE", default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub(crate) request_deadline: Duration,

    /// How long the stop may take: requests have three quarters of it (all but 4s, if that is more) to end
    #[arg(long, env = "TRADEWIND_DRAIN_DEADLINE", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub(crate) drain_deadline: Duration,

    /// The installation's secret, 64 hexadecimal digits: signs cursors. Without it a file of mode 600 beside the journal
    /// keeps one
    #[arg(long, env = "TRADEWIND_SECRET", hide_env_values = true, value_name = "HEX")]
    pub(crate) secret: Option<Secret>,

    /// What is logged: a level, or target=level pairs
    #[arg(long, env = "TRADEWIND_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,

    /// For crash tests: kill the process at the n-th pass of a named point, `name=n,…`
    #[arg(long, env = "TRADEWIND_FAILPOINTS", hide = true, default_value = "", value_name = "POINTS")]
    pub(crate) failpoints: String,
}

impl Serve {
    /// Why these settings cannot be served, as a line that says what to do.
    pub(crate) fn refusal(&self) -> Option<String> {
        let strange = self.addresses().find(|a| !a.ip().is_loopback())?;
        (!self.open).then(|| {
            format!("{strange} is not loopback and this server has no keys: listen on 127.0.0.1, or say --open to let in everyone who reaches it")
        })
    }

    /// Settings that will bite, each as a sentence.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.addresses().all(|a| a.ip().is_loopback()) {
            all.push(
                "the server is open: it has no keys, every program on this machine may trade on any account".into(),
            );
        } else {
            all.push("the server is open and not on loopback: everyone who reaches it may trade on any account".into());
        }
        if self.swap_concurrency == 0 {
            all.push("--swap-concurrency 0: orders are accepted and no order is executed".into());
        }
        if self.quote_deadline >= self.request_deadline {
            all.push(
                "--quote-deadline is not below --request-deadline: slow venues make quote requests time out".into(),
            );
        }
        for venue in &self.venue {
            if ["fail=", "drop=", "stall=", "lose_answer="].iter().any(|option| venue.contains(option)) {
                all.push(format!("--venue {venue}: the simulated venues misbehave on purpose"));
            }
        }
        if !self.failpoints.is_empty() {
            all.push("fail points are armed: this process will kill itself".into());
        }
        all
    }

    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        std::iter::once(self.listen).chain(self.facade.iter().map(|f| f.address))
    }
}

/// A facade with a listener of its own. So far there is one: `dex`.
#[derive(Clone, Debug)]
pub(crate) struct Facade {
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl FromStr for Facade {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(("dex", address)) = text.split_once('=') else {
            return Err("expected dex=<address>, such as dex=127.0.0.1:3000".to_owned());
        };
        let address = address.parse().map_err(|_| format!("{address:?} is no address such as 127.0.0.1:3000"))?;
        Ok(Self { address })
    }
}

/// The installation's secret as it was given; prints as dots. It is read late, so that no error can quote it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The 32 bytes that its 64 hexadecimal digits stand for.
    pub(crate) fn bytes(&self) -> Result<[u8; 32], String> {
        let wrong = || "the secret must be 64 hexadecimal digits: make one with `openssl rand -hex 32`".to_owned();
        let digits = self.0.trim().as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

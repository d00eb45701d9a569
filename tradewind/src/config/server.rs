//! Settings of `tradewind serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::Network;
use clap::Args;
use drivers::limit::{Rate, Rates};
use drivers::without_secrets;
use engine::{Concurrency, Roles};

use super::values::{Anonymous, AtOnce, Facade, Role, Secret, age, duration, pause};

/// How long a server that others reach serves on after it said that it is not ready.
const UNREADY_FOR: Duration = Duration::from_secs(5);
/// Request keys live so long; a shorter memory shows in their replays.
const KEYS_LIVE: Duration = Duration::from_secs(24 * 3_600);

const AFTER_HELP: &str = "\
Examples:
  tradewind                                       everything, journal in ./data/tradewind.db
  tradewind --listen 127.0.0.1:0                  any free port; the real address is printed
  tradewind --venue 'paper?pace=instant&seed=7'   simulated venues that answer at once
  tradewind --venue simnet=http://127.0.0.1:8090  those of a running `tradewind simnet`
  tradewind --venue 'jupiter=https://api.jup.ag?rpc-file=node.url&key-file=jupiter.key' \
    --signer file:wallet.json --live              real money: see docs/venues.md first
  tradewind --facade dex=127.0.0.1:3000           an existing client's wire format
  tradewind --roles work --listen 127.0.0.1:0     one of several processes on one PostgreSQL

Prints `listening on http://…` on standard output when it takes requests (before it, the
addresses of facades); everything else goes to standard error. On SIGINT or SIGTERM it is not
ready at once, serves on for --unready-for, and then stops within --drain-deadline: orders that
are not at rest by then go on at the next start. A second signal stops it at once.

Exit codes: 0 stopped as told, 2 it could not start, or a part of it failed and it stopped.";

/// Run the server: HTTP and sockets, the workers that execute orders, the relay to exports
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Serve {
    /// Where orders, events and jobs are kept: sqlite:<file> for one process, or
    /// postgres://user:password@host/database[?pool=…&sslmode=…] for any number of them
    #[arg(
        long,
        env = "TRADEWIND_JOURNAL",
        hide_env_values = true,
        default_value = "sqlite:data/tradewind.db",
        value_name = "URL"
    )]
    pub(crate) journal: String,

    /// What this process is, when several share a PostgreSQL journal: api takes requests, work executes orders and deletes
    /// what is old, relay feeds exports. Without api it serves only /health and /metrics. SQLite takes all of them
    #[arg(
        long,
        env = "TRADEWIND_ROLES",
        default_value = "api,work,relay",
        value_name = "ROLE",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub(crate) roles: Vec<Role>,

    /// Start only on a schema that is up to date (see `tradewind migrate`)
    #[arg(long, env = "TRADEWIND_NO_MIGRATE")]
    pub(crate) no_migrate: bool,

    /// How parts are woken after a commit: local (default with SQLite), postgres (the journal's own, default there),
    /// redis://host:port or nats://host:port, both with ?prefix=<installation>
    #[arg(long, env = "TRADEWIND_WAKE", hide_env_values = true, value_name = "URL")]
    pub(crate) wake: Option<String>,

    /// What keeps reads by id cheap: memory[?megabytes=64], redis://[:password@]host[:port][/database][?prefix=…] that
    /// several processes share, or none
    #[arg(long, env = "TRADEWIND_CACHE", hide_env_values = true, default_value = "memory", value_name = "URL")]
    pub(crate) cache: String,

    /// Where swaps are executed: paper[?pace=real|instant&seed=…&balance=…&fail=…&drop=…&stall=…&lose_answer=…],
    /// simnet=http://host:port, jupiter=<URL>?rpc=<URL of a Solana node>[&api=v2&key-file=…&rate=60/m] or raydium=<URL>?rpc=…, both
    /// with [&rpc-file=…&rpc-rate=…&max-fee-lamports=…&priority=…&simulate=yes] (repeatable; in the variable, separated by commas)
    #[arg(
        long,
        env = "TRADEWIND_VENUE",
        hide_env_values = true,
        default_value = "paper",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub(crate) venue: Vec<String>,

    /// Who signs for jupiter and raydium, and whose wallet trades there: file:<key as `solana-keygen` writes it, mode 600>, or
    /// command:<program>, which is run with `pubkey` or `sign`
    #[arg(long, env = "TRADEWIND_SIGNER", hide_env_values = true, value_name = "WHO")]
    pub(crate) signer: Option<String>,

    /// Trade real money: without it a venue that is not on this machine refuses to start
    #[arg(long, env = "TRADEWIND_LIVE")]
    pub(crate) live: bool,

    /// Where committed events go besides: file:<path>, one JSON object per line, or nats://host:port[?stream=…&subject=…&replicas=…],
    /// one JetStream message each (repeatable). With ?format=deals: deals alone, as consumers of the `deals` facade's original know them
    #[arg(long, env = "TRADEWIND_EXPORT", hide_env_values = true, value_name = "URL", value_delimiter = ',')]
    pub(crate) export: Vec<String>,

    /// Address of the API; port 0 takes a free one
    #[arg(long, env = "TRADEWIND_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// Serve a facade at the root of its own address as well: dex=127.0.0.1:3000, deals=127.0.0.1:3001, sqs=127.0.0.1:5000
    /// (repeatable)
    #[arg(long, env = "TRADEWIND_FACADE", value_name = "NAME=ADDRESS", value_delimiter = ',')]
    pub(crate) facade: Vec<Facade>,

    /// Let callers of a facade in without a key, and act for them on this account: dex=legacy (repeatable)
    #[arg(long, env = "TRADEWIND_ANONYMOUS", value_name = "NAME=ACCOUNT", value_delimiter = ',')]
    pub(crate) anonymous: Vec<Anonymous>,

    /// How many requests one account may make: per second, minute or hour, and how many at once: 100/s, 600/m:50
    /// [default: any number]
    #[arg(long, env = "TRADEWIND_RATE_LIMIT", value_name = "RATE")]
    pub(crate) rate_limit: Option<Rate>,

    /// How many requests may come from one address (of IPv6: from one network of 64 bits) [default: any number]
    #[arg(long, env = "TRADEWIND_RATE_LIMIT_ADDRESS", value_name = "RATE")]
    pub(crate) rate_limit_address: Option<Rate>,

    /// A proxy, or a network of them, whose X-Forwarded-For says where a request comes from (repeatable)
    #[arg(long, env = "TRADEWIND_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<Network>,

    /// More tokens, from a JSON array of {symbol, mint, decimals, referencePrice, settlement}
    #[arg(long, env = "TRADEWIND_TOKENS", value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,

    /// How long venues have to answer with a quote
    #[arg(long, env = "TRADEWIND_QUOTE_DEADLINE", default_value = "800ms", value_name = "TIME", value_parser = duration)]
    pub(crate) quote_deadline: Duration,

    /// How many jobs of a queue are worked on at once; 0 leaves it alone (repeatable) [default:
    /// swap.execute=256, swap.expire=10, plan.slice=10, bid.expire=10, bid.close=10, webhook.deliver=1024, webhook.replay=4, queue.move=4]
    #[arg(long, env = "TRADEWIND_CONCURRENCY", value_name = "QUEUE=N", value_delimiter = ',')]
    pub(crate) concurrency: Vec<AtOnce>,

    /// How old an event gets before it is forgotten, such as 90d; none that an export has not got yet. Orders stay [default:
    /// events are kept for ever]
    #[arg(long, env = "TRADEWIND_KEEP_EVENTS", value_name = "TIME", value_parser = age)]
    pub(crate) keep_events: Option<Duration>,

    /// Listen on addresses that are not loopback although there is no key, so that whoever reaches them may do everything
    #[arg(long, env = "TRADEWIND_OPEN")]
    pub(crate) open: bool,

    /// How long a request may take
    #[arg(long, env = "TRADEWIND_REQUEST_DEADLINE", default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub(crate) request_deadline: Duration,

    /// How long it serves on after it said that it is not ready, so that load balancers notice [default: 5s; 0s where it
    /// listens on loopback only]
    #[arg(long, env = "TRADEWIND_UNREADY_FOR", value_name = "TIME", value_parser = pause)]
    pub(crate) unready_for: Option<Duration>,

    /// How long the stop may take then: requests have three quarters of it (all but 4s, if that is more) to end
    #[arg(long, env = "TRADEWIND_DRAIN_DEADLINE", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub(crate) drain_deadline: Duration,

    /// A network that webhooks may go to although it is not public, such as 10.1.0.0/16 (repeatable)
    #[arg(long, env = "TRADEWIND_WEBHOOK_ALLOW_NET", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) webhook_allow_net: Vec<Network>,

    /// How long a webhook's endpoint has to answer
    #[arg(long, env = "TRADEWIND_WEBHOOK_TIMEOUT", default_value = "15s", value_name = "TIME", value_parser = duration)]
    pub(crate) webhook_timeout: Duration,

    /// How old webhook deliveries get before they are deleted; none that is still on its way
    #[arg(long, env = "TRADEWIND_KEEP_DELIVERIES", default_value = "30d", value_name = "TIME", value_parser = age)]
    pub(crate) keep_deliveries: Duration,

    /// The installation's secret, 64 hexadecimal digits: signs cursors and tickets, seals the secrets of webhooks. Without it a file of mode
    /// 600 beside a SQLite journal keeps one; with any other journal every api and work process needs it, and all the same one
    #[arg(long, env = "TRADEWIND_SECRET", hide_env_values = true, value_name = "HEX")]
    pub(crate) secret: Option<Secret>,

    /// What is logged: a level, or target=level pairs
    #[arg(long, env = "TRADEWIND_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,

    /// For the tests of moto: `POST /moto-api/reset` beside the queues deletes those of its caller, and their names are free at once
    #[arg(long, env = "TRADEWIND_MOTO_RESET", hide = true)]
    pub(crate) moto_reset: bool,

    /// For cluster tests: jobs whose lease is not renewed for so long are handed out again
    #[arg(long, env = "TRADEWIND_LEASE", hide = true, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub(crate) lease: Duration,

    /// For crash tests: kill the process at the n-th pass of a named point, `name=n,…`
    #[arg(long, env = "TRADEWIND_FAILPOINTS", hide = true, default_value = "", value_name = "POINTS")]
    pub(crate) failpoints: String,
}

impl Serve {
    /// Why these settings cannot be served, as a line that says what to do.
    pub(crate) fn refusal(&self) -> Option<String> {
        let (roles, sqlite) = (self.roles(), self.journal.starts_with("sqlite:"));
        if sqlite && roles != Roles::ALL {
            let why = "--roles: a SQLite journal belongs to one process, which needs all roles; leave --roles out, or name \
                       a PostgreSQL journal with --journal postgres://user@host/database";
            return Some(why.to_owned());
        }
        if let Some(venue) = self.venue.iter().find(|venue| !self.live && drivers::venue::is_live(venue)) {
            let venue = without_secrets(venue);
            let why =
                "it is not on this machine, so real money may be traded there: say --live beside it if that is meant";
            return Some(format!("--venue {venue}: {why}"));
        }
        if !roles.api && !self.facade.is_empty() {
            return Some("--facade needs the role api: add it to --roles, or leave --facade out".to_owned());
        }
        if (roles.api || roles.work) && self.journal.starts_with("postgres") && self.secret.is_none() {
            let why = "--secret is needed with this journal, the same for every api and work process: make one with `openssl rand \
                       -hex 32`";
            return Some(why.to_owned());
        }
        None
    }

    /// Why these settings cannot be served while there is no key; `open` says that there is none.
    pub(crate) fn refusal_of_strangers(&self, open: bool) -> Option<String> {
        // Health and metrics alone may be reached from anywhere.
        let strange = self.addresses().find(|a| self.roles().api && !a.ip().is_loopback())?;
        (open && !self.open).then(|| {
            format!(
                "{strange} is not loopback and this server has no keys: make one with `tradewind keys create --role admin \
                 --journal …`, listen on 127.0.0.1, or say --open to let in everyone who reaches it"
            )
        })
    }

    /// What this process is.
    pub(crate) fn roles(&self) -> Roles {
        let has = |role| self.roles.contains(&role);
        Roles { api: has(Role::Api), work: has(Role::Work), relay: has(Role::Relay) }
    }

    /// How many jobs of each queue are worked on at once.
    pub(crate) fn concurrency(&self) -> Concurrency {
        let mut table = Concurrency::default();
        for AtOnce { queue, jobs } in &self.concurrency {
            table.set(queue, *jobs);
        }
        table
    }

    /// How long it serves on after it said that it is not ready.
    pub(crate) fn unready_for(&self) -> Duration {
        let alone = self.addresses().all(|a| a.ip().is_loopback());
        self.unready_for.unwrap_or(if alone { Duration::ZERO } else { UNREADY_FOR })
    }

    /// Settings that will bite, each as a sentence; `open` says that there is no key.
    pub(crate) fn warnings(&self, open: bool) -> Vec<String> {
        let (mut all, roles) = (Vec::new(), self.roles());
        if !(roles.api && open) {
            all.extend(self.anonymous.iter().filter(|_| roles.api).map(|Anonymous { facade, account }| {
                format!("--anonymous {facade}={account}: everyone who reaches that facade acts on the account, without a key")
            }));
        } else if self.addresses().all(|a| a.ip().is_loopback()) {
            all.push(
                "the server is open: it has no keys, every program on this machine may do everything on any account; \
                 `tradewind keys create --role admin` closes it"
                    .into(),
            );
        } else {
            all.push(
                "the server is open and not on loopback: everyone who reaches it may do everything on any account"
                    .into(),
            );
        }
        all.extend(self.warnings_of_limits());
        if roles.work && self.concurrency().of(domain::swap::QUEUE) == 0 {
            all.push("--concurrency swap.execute=0: this process executes no order".into());
        }
        if self.keep_events.is_some_and(|keep| keep < KEYS_LIVE) {
            all.push(
                "--keep-events is below 24h: a repeated request may get its order as it is now, not as it was".into(),
            );
        }
        if self.quote_deadline >= self.request_deadline {
            all.push(
                "--quote-deadline is not below --request-deadline: slow venues make quote requests time out".into(),
            );
        }
        for venue in &self.venue {
            if ["fail=", "drop=", "stall=", "lose_answer="].iter().any(|option| venue.contains(option)) {
                let venue = without_secrets(venue);
                all.push(format!("--venue {venue}: the simulated venues misbehave on purpose"));
            }
        }
        if self.live && self.venue.iter().any(|venue| drivers::venue::is_live(venue)) {
            all.push("--live: orders trade real money from the signer's wallet, whatever account they are on".into());
        }
        if self.moto_reset {
            all.push("--moto-reset: whoever may use queues, deletes all of them with one request".into());
        }
        if !self.failpoints.is_empty() {
            all.push("fail points are armed: this process will kill itself".into());
        }
        all
    }

    fn warnings_of_limits(&self) -> Vec<String> {
        let mut all = Vec::new();
        let (limited, shared) = (self.rates() != Rates::default(), drivers::cache::is_redis(&self.cache));
        if !limited && self.addresses().any(|a| !a.ip().is_loopback()) {
            all.push("no --rate-limit and no --rate-limit-address: one caller may take the whole server".into());
        }
        if limited && !shared && !self.journal.starts_with("sqlite:") {
            all.push("--rate-limit without --cache redis://…: every process allows as much by itself".into());
        }
        if !self.trusted_proxy.is_empty() && self.rate_limit_address.is_none() {
            all.push("--trusted-proxy does nothing without --rate-limit-address".into());
        }
        all
    }

    /// How many requests callers may make.
    pub(crate) fn rates(&self) -> Rates {
        Rates { address: self.rate_limit_address, key: self.rate_limit }
    }

    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        std::iter::once(self.listen).chain(self.facade.iter().map(|f| f.address))
    }
}

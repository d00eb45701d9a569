//! Settings of `tradewind keys`.

use clap::{Args, Subcommand};

use super::{Remote, Secret};

/// Make, list and revoke keys to the API: on a running server, or straight in its journal
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  tradewind keys create --role admin --account ops     # the first key closes the server
  TRADEWIND_KEY=tw_… tradewind keys create --role seller --account acme --name robot
  tradewind keys list --all
  tradewind keys revoke 5kXVtqiHNHFHnDFVpGVKwD
  tradewind keys create --role admin --journal sqlite:data/tradewind.db   # the way back in

With --journal no key is needed, only the journal: a SQLite one whose server is stopped, or a PostgreSQL.

Exit codes: 0 done, 2 no server, no journal or a refused request."
)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a key and print it, this once
    Create(Box<Create>),
    /// List keys, newest first
    List(List),
    /// Revoke a key, for ever: it opens nothing any more, and streams opened with it end
    Revoke(Revoke),
}

/// Make a key for --account and print it, this once
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What the account is with it: admin, seller, buyer or trader [default: your own key's]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,

    /// What it may do, some of its role's scopes (repeatable): deals:read,events:read [default: all that you can give]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    pub(crate) scope: Vec<String>,

    /// What you call it
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// What it is for, a part of its text: 1 to 16 characters of a-z 0-9 [default: live]
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,

    /// When it is good no more: an RFC 3339 instant [default: never]
    #[arg(long, value_name = "INSTANT")]
    pub(crate) expires_at: Option<String>,

    /// Read another system's key from standard input, which is then good here as it is (admins only)
    #[arg(long)]
    pub(crate) import: bool,

    /// With --journal: the installation's secret, from which credentials for clients of AWS SQS are made; that of a SQLite
    /// journal lies beside it
    #[arg(long, env = "TRADEWIND_SECRET", hide_env_values = true, value_name = "HEX")]
    pub(crate) secret: Option<Secret>,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// List keys of --account, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those of every account (admins only)
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Revoke a key, for ever
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Its id: the third part of its text
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where the keys are.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Go to this journal instead of a server: a SQLite one whose server is stopped, or a PostgreSQL
    #[arg(long, value_name = "URL")]
    pub(crate) journal: Option<String>,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

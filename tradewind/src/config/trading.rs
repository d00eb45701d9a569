//! Settings of `tradewind trading`.

use clap::{Args, Subcommand};

use super::Place;

/// See whether anything is traded, halt it, reduce to settlement tokens, resume: on a running server, or straight in its journal
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  tradewind trading show
  tradewind trading halt --reason 'a venue answers nonsense'
  tradewind trading reduce               # only orders into USDC, USDT and other settlement tokens
  tradewind trading resume

No state stops what was submitted: it is sent again and looked up until its venue says what became of it.
Orders that wait lose no attempt, can be cancelled, and expire. Every process follows within a second.

A server with keys asks for an admin's. With --journal no key is needed, only the journal: a SQLite one whose
server is stopped, or a PostgreSQL.

Exit codes: 0 done, 2 no server, no journal or a refused request."
)]
pub(crate) struct Trading {
    #[command(subcommand)]
    pub(crate) action: TradingAction,
}

/// What to do about trading.
#[derive(Debug, Subcommand)]
pub(crate) enum TradingAction {
    /// Show whether anything is traded, and who said so
    Show(TradingShow),
    /// Take no order, and build nothing for those that wait
    Halt(TradingTurn),
    /// Take and execute only orders into a settlement token
    Reduce(TradingTurn),
    /// Trade everything
    Resume(TradingTurn),
}

/// Show whether anything is traded, and who said so
#[derive(Debug, Args)]
pub(crate) struct TradingShow {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Say what is traded
#[derive(Debug, Args)]
pub(crate) struct TradingTurn {
    /// Why, for whoever asks later: 1 to 500 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    #[command(flatten)]
    pub(crate) place: Place,
}

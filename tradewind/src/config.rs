//! The command line: one documented struct per command; every setting has a default, a flag and a variable.

mod ask;
mod keys;
mod measure;
mod queue;
mod route;
mod server;
mod trading;
mod values;
mod webhooks;

use std::ffi::OsString;

use clap::builder::FalseyValueParser;
use clap::{Parser, Subcommand};

pub(crate) use ask::{Backup, Check, Demo, DemoData, Migrate, Quote, Remote, Simnet, Swap, Tail};
pub(crate) use keys::{Action, Create, Keys, List, Place, Revoke};
pub(crate) use measure::{Bench, Scenario};
pub(crate) use queue::{Dead, Judge, OneQueue, Queue, QueueAction, QueueList, Which};
pub(crate) use route::{Route, RouteMode};
pub(crate) use server::Serve;
pub(crate) use trading::{Trading, TradingAction, TradingShow, TradingTurn};
pub(crate) use values::{ClientKey, Secret};
pub(crate) use webhooks::{Listen, Webhooks, WebhooksCommand};

const AFTER_HELP: &str = "\
Without a command, `tradewind` is `tradewind serve`: the whole product in one process, with
its journal in ./data.

Examples:
  tradewind                      start the server on http://127.0.0.1:8080
  tradewind quote SOL USDC 10    what each venue would give for 10 SOL
  tradewind swap SOL USDC 10     place an order and follow it to its end
  tradewind route --help         the best route through the pools of a file
  tradewind demo                 watch five orders at once
  tradewind demo-data            sellers, a buyer and deals to try the deals facade with
  tradewind tail                 follow every event
  tradewind keys --help          who may do what
  tradewind queue list           how the queues stand
  tradewind trading halt         take no order and build nothing until it is resumed
  tradewind bench all            measure this machine

Exit codes: 0 done; 1 the answer is no (an order that did not confirm, a check or a bar that
failed); 2 the command could not be carried out (wrong usage, no server, a refused request).";

/// An order backend that loses nothing: takes orders over HTTP, executes each exactly once
#[derive(Debug, Parser)]
#[command(name = "tradewind", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Print without colours (also when the output is no terminal)
    #[arg(long, global = true, env = "NO_COLOR", hide_env = true, value_parser = FalseyValueParser::new())]
    pub(crate) no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server (the default)
    Serve(Box<Serve>),
    /// Ask every venue what it would give
    Quote(Quote),
    /// Place an order on a running server and follow it until it is final
    Swap(Swap),
    /// Route a trade through the pools of a network file
    Route(Route),
    /// Follow events
    Tail(Tail),
    /// Place five orders at once and watch them
    Demo(Demo),
    /// Make the recorded sellers, buyer, keys, deals and webhooks on a running server
    DemoData(DemoData),
    /// Make, list and revoke keys to the API
    Keys(Keys),
    /// See how queues stand, pause them, see to jobs that were given up
    Queue(Queue),
    /// See whether anything is traded, halt, reduce, resume
    Trading(Trading),
    /// Run the simulated chain as a process of its own
    Simnet(Simnet),
    /// Tools for those who receive webhooks
    Webhooks(Webhooks),
    /// Measure speed and memory against the bars
    Bench(Bench),
    /// Print the OpenAPI document
    Openapi,
    /// Verify a journal's invariants, also while its server runs
    Check(Check),
    /// Copy a journal, also while its server runs
    Backup(Backup),
    /// Bring a journal's schema up to date, or make it
    Migrate(Migrate),
    /// The ten-line server that the bench compares with
    #[command(hide = true)]
    Yardstick,
}

/// Puts `serve` in front of arguments that name no command.
pub(crate) fn with_default_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = arguments.into_iter().collect();
    let at = 1 + all.iter().skip(1).take_while(|a| *a == "--no-color").count();
    let for_all = |a: &OsString| ["-h", "--help", "-V", "--version"].iter().any(|flag| a == flag);
    let named = all.get(at).is_some_and(|a| for_all(a) || !a.to_string_lossy().starts_with('-'));
    if !named {
        all.insert(at.min(all.len()), "serve".into());
    }
    all
}

/// What clap says about a wrong command line, without its usage block, in one line.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<&str> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information")).collect();
    let said = said.join("; ").replace(":; ", ": ");
    format!("{} (see --help)", said.strip_prefix("error: ").unwrap_or(&said))
}

#[cfg(test)]
mod tests;

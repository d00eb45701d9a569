//! The `tradewind` program: reads the command line, runs one command, answers with its exit code.

mod bench;
mod client;
mod commands;
mod config;
mod serve;
mod telemetry;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use config::{Cli, Command};

/// Many small bodies are made and dropped on every request; this allocator gives their pages back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(config::with_default_command(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::anyhow!("the runtime does not start: {error}")),
    };
    let code = match runtime.block_on(run(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    };
    // Whatever still runs here was told to stop and did not: it does not hold the process up.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let colour = telemetry::Colour { wanted: !cli.no_color };
    match cli.command {
        Command::Serve(settings) => Box::pin(serve::run(*settings, colour)).await,
        Command::Quote(settings) => commands::quote::run(settings).await,
        Command::Swap(settings) => commands::swap::run(settings).await,
        Command::Route(settings) => commands::route::run(&settings),
        Command::Tail(settings) => commands::tail::run(settings).await,
        Command::Demo(settings) => commands::demo::run(settings).await,
        Command::DemoData(settings) => commands::demo_data::run(settings).await,
        Command::Keys(settings) => Box::pin(commands::keys::run(settings)).await,
        Command::Queue(settings) => Box::pin(commands::queue::run(settings)).await,
        Command::Trading(settings) => Box::pin(commands::trading::run(settings)).await,
        Command::Simnet(settings) => commands::simnet::run(settings, colour).await,
        Command::Webhooks(settings) => commands::webhooks::run(settings).await,
        Command::Openapi => commands::openapi::run(),
        Command::Check(settings) => commands::check::run(settings).await,
        Command::Backup(settings) => commands::backup::run(settings).await,
        Command::Migrate(settings) => commands::migrate::run(settings).await,
        Command::Bench(settings) => Box::pin(bench::run(settings)).await,
        Command::Yardstick => bench::yardstick::run().await,
    }
}

/// An error in the command line is one line that says what to do; help and version are no errors.
fn refuse(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    fail(&anyhow::anyhow!(config::one_line(error)))
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let line = format!("{error:#}").replace('\n', " ");
    let _ = writeln!(std::io::stderr(), "tradewind: {line}");
    ExitCode::from(2)
}

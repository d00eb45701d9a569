//! What the operator sees: log lines for people, on standard error.

use std::io::IsTerminal;

use anyhow::{Context, anyhow};
use tracing_subscriber::EnvFilter;

/// Whether colours are wanted at all; a terminal is needed besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Colour {
    /// Neither `--no-color` nor `NO_COLOR` is there.
    pub(crate) wanted: bool,
}

/// Starts logging with a filter such as `info` or `engine=debug,warn`.
pub(crate) fn start(filter: &str, colour: Colour) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("--log {filter}: expected a level such as info, or target=level pairs"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour.wanted && std::io::stderr().is_terminal())
        .try_init()
        .map_err(|error| anyhow!("logging does not start: {error}"))
}

//! Settings of `tradewind webhooks`.

use std::time::Duration;

use axum::http::StatusCode;
use clap::{Args, Subcommand};

use super::values::{Secret, pause};

/// Tools for those who receive webhooks
#[derive(Debug, Args)]
pub(crate) struct Webhooks {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
}

/// The tools.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Receive webhooks on this machine and print them
    Listen(Listen),
}

/// Receive webhooks on this machine and print them, a line each: when, id, type, whether the signature is right, and how
/// long after the event it came
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradewind webhooks listen --port 9000 --secret whsec_…\n  \
    tradewind webhooks listen --port 9000 --answer 500   # see what a failing endpoint is sent\n\n\
    The server reaches this machine only with --webhook-allow-net 127.0.0.1. Ends on Ctrl-C, or after --count webhooks.")]
pub(crate) struct Listen {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, env = "TRADEWIND_LISTEN_PORT", default_value_t = 9_000, value_name = "PORT")]
    pub(crate) port: u16,

    /// The endpoint's secret, whsec_…, to verify signatures with (repeatable, while it is rotated)
    #[arg(long, env = "TRADEWIND_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub(crate) secret: Vec<Secret>,

    /// Answer with this status
    #[arg(long, default_value = "200", value_name = "STATUS", value_parser = answer)]
    pub(crate) answer: StatusCode,

    /// Answer only after this time
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = pause)]
    pub(crate) delay: Duration,

    /// Stop after so many webhooks
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,

    /// Print JSON, one object per line, with the body
    #[arg(long)]
    pub(crate) json: bool,
}

fn answer(text: &str) -> Result<StatusCode, String> {
    let status = text.parse().ok().filter(|status: &StatusCode| (200..=599).contains(&status.as_u16()));
    status.ok_or_else(|| "expected a status from 200 to 599".to_owned())
}
